"""What a microscope's profile does to real fields, and what it costs; written into docs/scope.md."""
