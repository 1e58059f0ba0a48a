"""Bad cameras: stand-ins for ``cv2.VideoCapture`` that misbehave as real ones do, each run against the real camera process."""
