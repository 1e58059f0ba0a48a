"""Fields that overlap: what was counted in an earlier field of the sample is not counted again."""

from edge.overlap.register import Register

__all__ = ["Register"]
