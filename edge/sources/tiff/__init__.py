"""TIFF by its metadata: which pages are fields, channels and planes; what pixels they hold; what is not read is said.

``tifffile`` reads the structure (OME, ImageJ and plain TIFF). The pixels are unpacked here: uncompressed and Deflate data by
the standard library, JPEG by ``edge.jpeg``, LZW and PackBits by OpenCV's libtiff, which is given a small TIFF made of
just those bytes. So no 25 to 44 MB of further codecs are needed, and each kind of damage has one place where it is noticed.
"""

from __future__ import annotations

from edge.sources.tiff.field import read_field
from edge.sources.tiff.layout import FieldPlan, TiffLayout, lay_out, may_hold_more

__all__ = ["FieldPlan", "TiffLayout", "lay_out", "may_hold_more", "read_field"]
