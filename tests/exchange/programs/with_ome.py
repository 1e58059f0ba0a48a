"""Child process: hold OME-TIFFs against the OME schema and tell what ome-types reads of them."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import ome_types
import tifffile

told = []
for file in sorted(Path(sys.argv[1]).glob("*.ome.tif")):
    ome_types.validate_xml(tifffile.tiffcomment(file))
    ome = ome_types.from_tiff(file)
    with tifffile.TiffFile(file) as tiff:
        shape = tiff.series[0].shape
    regions = []
    for roi in ome.rois:
        (one,) = roi.union
        regions.append([roi.name, one.text, [one.x, one.y, one.width, one.height]])
    pixels = ome.images[0].pixels
    scale = [pixels.physical_size_x, pixels.physical_size_x_unit.value]
    told.append({"name": ome.images[0].name, "shape": shape, "scale": scale, "regions": regions})
sys.stdout.write(json.dumps(told) + "\n")
