"""What this machine is: board, processor, clocks, memory, system, runtimes. Read from files; what cannot be read is None, and said.

Nothing here names the machine's owner: no host name, serial number, user or path.
"""

from __future__ import annotations

import os
import platform
import re
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final

from edge.health.machine import ROOT, board, meminfo, number, text

PACKAGES: Final = (
    "ai-edge-litert",
    "tflite-runtime",
    "numpy",
    "opencv-python-headless",
    "opencv-python",
    "tensorflow",
    "tensorflow-cpu",
    "keras",
    "onnxruntime",
    "ncnn",
    "scikit-image",
    "scipy",
)
"""Whose versions decide what is measured."""

_ARM_PARTS: Final = {
    0xD03: "Cortex-A53",
    0xD04: "Cortex-A35",
    0xD05: "Cortex-A55",
    0xD07: "Cortex-A57",
    0xD08: "Cortex-A72",
    0xD09: "Cortex-A73",
    0xD0A: "Cortex-A75",
    0xD0B: "Cortex-A76",
    0xC07: "Cortex-A7",
    0xB76: "ARM1176",
}
"""``CPU part`` of /proc/cpuinfo to the name of the core (Arm's main ID registers)."""

_PEAK_MACS_PER_CYCLE: Final = {"Cortex-A76": 32}
# Two SDOT per cycle with 16 multiply-accumulates each (Arm, Cortex-A76 Software Optimization Guide). Cores without such an
# instruction have no figure that means as much: there the dense net of this suite is the ceiling.

_VECTOR_FEATURES: Final = frozenset({"asimddp", "i8mm", "sve", "neon", "avx2", "avx512_vnni", "avx_vnni", "avx512vl"})


BITS_NOTE: Final = (
    "throttled: bits 0 to 3 under-voltage, clock capped, throttled, soft temperature limit, now; 16 to 19 since boot"
)


def describe(root: Path = ROOT) -> dict[str, Any]:
    """Everything about the machine that does not change while it measures.

    Args:
        root: where /proc, /sys and /etc are; another one in tests.
    """
    info = text(root / "proc/cpuinfo") or ""
    cpu = _cpu(info)
    clock = max(filter(None, [number(path) for path in _policies(root, "cpuinfo_max_freq")]), default=None)
    return {
        "board": board(root),
        "cpu": cpu,
        "features": sorted(_VECTOR_FEATURES & set(re.findall(r"\w+", info))),
        "cores": len(os.sched_getaffinity(0)),
        "cores_present": os.cpu_count(),
        "clock_max_mhz": None if clock is None else clock / 1000,
        "peak_gmac_s_per_core": _peak(cpu, clock),
        "memory_bytes": meminfo(root, "MemTotal"),
        "os": _os(root),
        "kernel": platform.release(),
        "machine": platform.machine(),
        "libc": " ".join(platform.libc_ver()).strip() or None,
        "virtual": _virtual(root, info),
        "emulated": _emulated(root),
        "python": platform.python_version(),
        "runtime": _runtime(),
        "packages": packages(),
    }


def packages() -> dict[str, str]:
    """Versions of those of PACKAGES that are installed; OpenCV from apt is named ``cv2``."""
    found = {}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    if not any(name.startswith("opencv") for name in found):
        try:
            import cv2  # noqa: PLC0415 - only where it has no metadata
        except ImportError:
            return found
        found["cv2"] = str(cv2.__version__)
    return found


def available_share(root: Path = ROOT) -> float | None:
    """Share of the memory that is available, 0 to 1."""
    total, free = meminfo(root, "MemTotal"), meminfo(root, "MemAvailable")
    return None if not total or free is None else free / total


def _policies(root: Path, name: str) -> list[Path]:
    return sorted((root / "sys/devices/system/cpu").glob(f"cpu[0-9]*/cpufreq/{name}"))


def _cpu(info: str) -> str | None:
    """The processor's name: as x86 says it, or from ARM's part number."""
    for pattern in (r"^model name\s*:\s*(.+)$", r"^Processor\s*:\s*(.+)$"):
        found = re.search(pattern, info, re.MULTILINE)
        if found and "ARMv" not in found[1]:
            return found[1].strip()
    parts = [int(part, 16) for part in re.findall(r"^CPU part\s*:\s*(0x[0-9a-fA-F]+)", info, re.MULTILINE)]
    names = list(dict.fromkeys(_ARM_PARTS.get(part, f"ARM part {part:#x}") for part in parts))
    return " + ".join(names) or None


def _peak(cpu: str | None, clock_khz: int | None) -> float | None:
    """10^9 int8 multiply-accumulates per second and core, where the core is known and has one honest figure."""
    per_cycle = _PEAK_MACS_PER_CYCLE.get(cpu or "")
    return per_cycle * clock_khz / 1e6 if per_cycle and clock_khz else None


def _os(root: Path) -> str | None:
    found = re.search(r'^PRETTY_NAME="?([^"\n]*)', text(root / "etc/os-release") or "", re.MULTILINE)
    return found[1] if found else None


def _virtual(root: Path, info: str) -> str | None:
    """What this machine is a guest of: ``hypervisor`` or its name, ``container``; None on bare metal."""
    kinds = []
    if re.search(r"^flags\s*:.*\bhypervisor\b", info, re.MULTILINE) or (root / "sys/hypervisor/type").exists():
        vendor = (text(root / "sys/class/dmi/id/sys_vendor") or "").strip()
        kinds.append(vendor or "hypervisor")
    if (root / ".dockerenv").exists() or (root / "run/.containerenv").exists() or "container" in os.environ:
        kinds.append("container")
    return ", ".join(kinds) or None


def _emulated(root: Path) -> bool:
    """Whether user-mode emulation runs this process: an ARM process on a kernel that was built for x86."""
    foreign = re.search(r"x86[-_]64|amd64", text(root / "proc/version") or "") is not None
    return platform.machine() not in ("x86_64", "i686") and (foreign or "QEMU_CPU" in os.environ)


def _runtime() -> str | None:
    """The TFLite runtime that ``edge`` would use, with its version."""
    installed = packages()
    for name in ("ai-edge-litert", "tflite-runtime"):
        if name in installed:
            return f"{name} {installed[name]}"
    return None
