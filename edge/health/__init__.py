"""Whether this device is fit to count: about a dozen checks, each with one of five states (``edge doctor``)."""
