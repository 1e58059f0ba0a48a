"""The shelf: architectures, training and honest evaluation; ``models/shelf/NAME/`` holds each shipped model."""
