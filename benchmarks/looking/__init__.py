"""What it costs to look at a camera's frames while a stage is watched."""
