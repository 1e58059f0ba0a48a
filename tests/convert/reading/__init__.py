"""Reading model files of unknown origin."""
