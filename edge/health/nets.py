"""The runtime, the models, and whether calibration and settled microscope fit them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from edge import shelf
from edge.errors import EdgeError, ModelError
from edge.health.records import CheckResult, Health
from edge.runtime import Net, interpreter_class, runtime_version

_SLOW = "tflite-runtime"
_INSTALL = "pip install ai-edge-litert"


@dataclass(frozen=True, slots=True)
class Runtime:
    """Which TFLite runtime this environment has."""

    name: str = "runtime"

    def run(self) -> CheckResult:
        """Look."""
        try:
            found = runtime_version()
        except ModelError as error:
            return CheckResult(self.name, Health.FAILED, str(error).split(":")[0], f"{_INSTALL} (32-bit: {_SLOW})")
        if found.startswith(_SLOW):
            said = f"{found}, the fallback: int8 models run 10 to 18 times slower"
            return CheckResult(self.name, Health.WARNING, said, f"on a 64-bit system: {_INSTALL}", {"fallback": True})
        return CheckResult(self.name, Health.OK, found, facts={"fallback": False})


@dataclass(frozen=True, slots=True)
class FastPath:
    """Whether the models run wholly in the runtime's delegate (XNNPACK).

    Attributes:
        models: names on the shelf or paths.
    """

    models: tuple[str, ...]
    name: str = "fast path"

    def run(self) -> CheckResult:
        """Open each model in the runtime."""
        try:
            if interpreter_class()[1] == _SLOW:
                return CheckResult(self.name, Health.NOT_APPLICABLE, f"{_SLOW} has none for int8 models")
            nets = {name: Net(shelf.load(name)) for name in self.models}
        except ModelError as error:
            said = f"not known before runtime and models are right: {error}"
            return CheckResult(self.name, Health.UNKNOWN, said, "see the lines on runtime and models")
        slow = [name for name, net in nets.items() if not net.delegated()]
        facts = {"nets": len(nets), "nets_delegated": len(nets) - len(slow)}
        if slow:
            said = f"not wholly in it: {', '.join(slow)}: expect it to be slower"
            return CheckResult(self.name, Health.WARNING, said, "convert it anew: edge-convert quantize", facts)
        return CheckResult(self.name, Health.OK, "all models run wholly in XNNPACK", facts=facts)


@dataclass(frozen=True, slots=True)
class Models:
    """Whether every model is what its hash says, and those of the run are there.

    Attributes:
        needed: names on the shelf or paths.
    """

    needed: tuple[str, ...]
    name: str = "models"

    def run(self) -> CheckResult:
        """Read and hash each file of the shelf and each one needed."""
        on_shelf = [entry.name for entry in shelf.entries()]
        wrong = {name: said for name in dict.fromkeys([*self.needed, *on_shelf]) if (said := _wrong(name))}
        facts = {"on_shelf": len(on_shelf), "refused": len(wrong)}
        if wrong:
            failed = any(name in self.needed for name in wrong)
            health = Health.FAILED if failed else Health.WARNING
            said = "; ".join(wrong.values())
            return CheckResult(self.name, health, said, "install the program anew, or copy the file anew", facts)
        said = f"{len(on_shelf)} on the shelf, each as its hash says"
        return CheckResult(self.name, Health.OK, said, facts=facts)


def _wrong(name: str) -> str:
    """What is wrong with a model; empty: nothing. A file of one's own without a card is allowed (``edge-run --labels``)."""
    try:
        model = shelf.load(name)
    except ModelError as error:
        return str(error)
    if model.card is None and not shelf.is_path(name):
        return f"{name}: its card is missing: the file was cut short"
    return ""


@dataclass(frozen=True, slots=True)
class Fits:
    """Whether what was made for one set-up is used with this one.

    Attributes:
        name: what is looked at.
        fits: raises EdgeError saying what does not fit; None: there is nothing to fit.
        absent: what to say then.
    """

    name: str
    fits: Callable[[], None] | None
    absent: str

    def run(self) -> CheckResult:
        """Look."""
        if self.fits is None:
            return CheckResult(self.name, Health.NOT_APPLICABLE, self.absent)
        try:
            self.fits()
        except EdgeError as error:
            remedy = "make it anew with these models and this microscope: edge calibrate, edge scope settle"
            return CheckResult(self.name, Health.FAILED, str(error), remedy, {"fits": False})
        return CheckResult(self.name, Health.OK, "fits models, finder and microscope", facts={"fits": True})
