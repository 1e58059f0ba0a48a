"""A virtual slide (``--simulate``): a thin blood film drawn by this project itself, with its truth known.

It needs no microscope and no image file: it shows the runner working, feeds training and tests with fields whose every
cell is known, and loads a device without a camera. Fields are pure functions of ``(SlideSpec, index)``.

The picture is made as light makes it: a lamp-lit background, multiplied by the transmittance of each thing in its way
(``T = exp(-OD)``, Beer-Lambert), so that overlapping cells darken each other; then the lens (defocus) and the sensor
(gain, noise).
"""

from edge.virtual_slide.layout import FieldLayout, lay_out
from edge.virtual_slide.render import render_field
from edge.virtual_slide.spec import DEFECTS, TYPES, FieldTruth, SlideSpec

__all__ = ["DEFECTS", "TYPES", "FieldLayout", "FieldTruth", "SlideSpec", "lay_out", "render_field"]
