"""Run control: when a field is taken, what a person is told to do, and the commands that start, pause and end a sample."""
