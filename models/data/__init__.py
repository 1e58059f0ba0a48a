"""Every set of images in one form."""
