"""Why a picture is not read, as code deep in a decoder says it; ``decode`` puts the file's name before it."""

from __future__ import annotations

EXPORT = "export it as JPEG (or PNG)"


class RefusedError(Exception):
    """The picture is not read; the message is the reason in words."""


class DamagedError(RefusedError):
    """What is in the file is not what its writer put there, or not all of it."""

    def __init__(self, what: str = "it cannot be decoded") -> None:
        super().__init__(f"damaged, {what}")


class DepthUnknownError(RefusedError):
    """The pixels have 16 bits and nothing says how many of them count."""

    def __init__(self, top: int) -> None:
        super().__init__(
            f"its 16-bit values stay at or below {top:,} and nothing says of how many bits:"
            " give --depth 12 (or 10, 14, 16)"
        )
