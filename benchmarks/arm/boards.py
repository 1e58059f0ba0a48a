"""The boards that are emulated: their core, what ``/proc/cpuinfo`` says there, and how counts are turned into time.

XNNPACK chooses its kernels by ``/proc/cpuinfo``: with none it is silently absent, with the host's own it crashes.
"""

from __future__ import annotations

from dataclasses import dataclass

_CORES = 4
"""Cores of every board."""

_ARMV8 = "fp asimd evtstrm crc32 cpuid"
_ARMV82 = (
    "fp asimd evtstrm aes pmull sha1 sha2 crc32 atomics fphp asimdhp cpuid asimdrdm lrcpc dcpop asimddp"  # asimddp: dot
)
_ARMV7 = "half thumb fastmult vfp edsp neon vfpv3 tls vfpv4 idiva idivt vfpd32 lpae evtstrm"


@dataclass(frozen=True, slots=True)
class Board:
    """One kind of board.

    Attributes:
        name: as people call it.
        cpu: QEMU's name of its core.
        features: the core's line in ``/proc/cpuinfo``.
        architecture: 8, or 7 for a 32-bit system.
        part: CPU part.
        variant: CPU variant.
        revision: CPU revision.
        ghz: the clock it runs at by default.
        ipc: instructions per cycle assumed where a time is estimated; None where nobody stated one.
    """

    name: str
    cpu: str
    features: str
    architecture: int
    part: int
    variant: int
    revision: int
    ghz: float
    ipc: float | None

    @property
    def cpuinfo(self) -> str:
        """What ``/proc/cpuinfo`` holds there."""
        core = (
            f"processor\t: {{}}\nBogoMIPS\t: 108.00\nFeatures\t: {self.features}\nCPU implementer\t: 0x41\n"
            f"CPU architecture: {self.architecture}\nCPU variant\t: {self.variant:#x}\nCPU part\t: {self.part:#x}\n"
            f"CPU revision\t: {self.revision}\n\n"
        )
        cores = "".join(core.format(number) for number in range(_CORES))
        return f"{cores}Revision\t: 000000\nSerial\t\t: {0:016x}\nModel\t\t: {self.name}\n"

    def microseconds(self, instructions: float) -> float | None:
        """An estimate, not a measurement: instructions / (IPC x clock); None where no IPC was stated."""
        return None if self.ipc is None else instructions / (self.ipc * self.ghz * 1e3)


PI_3 = Board("Raspberry Pi 3", "cortex-a53", _ARMV8, 8, 0xD03, 0, 4, 1.4, None)
PI_4 = Board("Raspberry Pi 4", "cortex-a72", _ARMV8, 8, 0xD08, 0, 3, 1.8, 1.5)
PI_5 = Board("Raspberry Pi 5", "cortex-a76", _ARMV82, 8, 0xD0B, 4, 1, 2.4, 2.2)
BOARDS = (PI_3, PI_4, PI_5)
"""The 64-bit boards, oldest first."""

PI_2 = Board("Raspberry Pi 2", "cortex-a7", _ARMV7, 7, 0xC07, 0, 5, 0.9, None)
"""The 32-bit board."""
