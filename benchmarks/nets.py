"""Workloads of one net: the bare interpreter, ``edge.classifier`` around it, and a dense net that shows what a core can do.

What goes in are random bytes: the time of these nets does not depend on what they see.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from functools import partial
from typing import Any, Final

import numpy as np

from benchmarks.dense import dense_net
from benchmarks.workload import Step, StepResult, Value, Workload
from edge import shelf
from edge.classifier import BATCH, Classifier
from edge.finders.learned import GUESS_PX
from edge.macs import macs
from edge.modelfile import ModelFile
from edge.runtime import Net, runtime_version
from edge.types import UInt8Array

RUNTIMES: Final = {"litert": "ai_edge_litert", "tflite": "tflite_runtime"}
"""What the command line calls a runtime, and its package."""

FINDER_INPUT: Final = (GUESS_PX * 3 // 4, GUESS_PX, 3)
"""What a finder's net sees of the usual 4:3 field at its first guess."""

CEILING_BATCH: Final = 1
"""Images per invoke of the dense net."""


class FactStep:
    """A step with facts about itself, which go into the result."""

    def __init__(self, step: Step, facts: Mapping[str, Value]) -> None:
        self._step = step
        self.facts = facts

    def __call__(self) -> StepResult:
        """Do it once."""
        return self._step()


def bare(model: str, batch: int, threads: int, runtime: str, call: str = "whole") -> Step:
    """The interpreter alone, as thin as Python allows.

    Args:
        model: name on the shelf or path.
        batch: images per invoke.
        threads: threads of the interpreter.
        runtime: one of RUNTIMES.
        call: ``whole`` (set the input, invoke, get the first output) or ``invoke`` (that alone, the limit).
    """
    file = shelf.load(model)
    return _bare(file, image_shape(file), batch, threads=threads, runtime=runtime, call=call)


def _bare(file: ModelFile, shape: tuple[int, ...], batch: int, *, threads: int, runtime: str, call: str) -> Step:
    cls = importlib.import_module(f"{RUNTIMES[runtime]}.interpreter").Interpreter
    interpreter = cls(model_content=file.flatbuffer, num_threads=threads)
    given = interpreter.get_input_details()[0]
    if tuple(given["shape"]) != (batch, *shape):
        interpreter.resize_tensor_input(given["index"], [batch, *shape], strict=False)
    interpreter.allocate_tensors()
    images = _images(batch, shape).astype(given["dtype"], copy=False)
    interpreter.set_tensor(given["index"], images)
    out = interpreter.get_output_details()[0]["index"]
    facts: dict[str, Value] = {
        "sha256": file.sha256,
        "macs": macs(file.flatbuffer, shape),
        "delegated": [op["op_name"] for op in interpreter._get_ops_details()].count("DELEGATE") == 1,
    }
    done = StepResult(batch)

    def invoke() -> StepResult:
        interpreter.invoke()
        return done

    def whole() -> StepResult:
        interpreter.set_tensor(given["index"], images)
        interpreter.invoke()
        interpreter.get_tensor(out)
        return done

    return FactStep(invoke if call == "invoke" else whole, facts)


def classify(model: str, batch: int) -> Step:
    """``edge.classifier`` as a run uses it: crops in, scores and classes out; one thread, its own batches inside."""
    file = shelf.load(model)
    classifier = Classifier(file)
    crops = _images(batch, classifier.net.input_shape[1:])
    done = StepResult(batch)

    def step() -> StepResult:
        classifier.classes(classifier.scores(crops))
        return done

    facts: dict[str, Value] = {
        "sha256": file.sha256,
        "macs": macs(file.flatbuffer),
        "delegated": classifier.net.delegated(),
        "batch_inside": BATCH,
        "runtime": runtime_version(),
    }
    return FactStep(step, facts)


def ceiling(threads: int, runtime: str = "litert") -> Step:
    """A dense int8 net of 3x3 convolutions: the most multiply-accumulates per second this runtime gets out of a core."""
    flatbuffer = dense_net()
    file = ModelFile(flatbuffer, None, "", shelf.folders()[0])
    shape = Net(file).input_shape[1:]
    return _bare(file, shape, CEILING_BATCH, threads=threads, runtime=runtime, call="invoke")


def image_shape(file: ModelFile) -> tuple[int, ...]:
    """(height, width, channels) that a model is measured at: its own, or a finder's usual one."""
    finder = file.card is not None and file.card.task == "find"
    return FINDER_INPUT if finder else Net(file).input_shape[1:]


def _images(batch: int, shape: tuple[int, ...]) -> UInt8Array:
    return np.random.default_rng(0).integers(0, 256, (batch, *shape), dtype=np.uint8)


def short(model: str) -> str:
    """A model's name: of a path, the file's."""
    return model.rsplit("/", maxsplit=1)[-1].removesuffix(".tflite")


def workloads(
    model: str, *, finder: bool, batches: tuple[int, ...], threads: tuple[int, ...], runtimes: tuple[str, ...]
) -> list[Workload]:
    """The cases of one model.

    Args:
        model: name on the shelf or path.
        finder: it is a finder's net: measured per field, bare only.
        batches: images per call.
        threads: threads of the bare interpreter.
        runtimes: some of RUNTIMES.
    """
    name, unit = short(model), "field" if finder else "cell"
    make = partial(Workload, group=f"net/{name}", unit=unit)
    cases = []
    for runtime in runtimes:
        for count in threads:
            for batch in batches:
                parameters: dict[str, Any] = {"model": model, "batch": batch, "threads": count, "runtime": runtime}
                at = f"model/{name}/{runtime}/b{batch}/t{count}"
                cases.append(make(at, setup="benchmarks.nets:bare", parameters=parameters, needs=(RUNTIMES[runtime],)))
    if finder:
        return cases
    for batch in batches:
        cases += classifier_workloads(model, batch, runtimes)
    return cases


def classifier_workloads(model: str, batch: int, runtimes: tuple[str, ...]) -> list[Workload]:
    """``edge.classifier`` and the invoke alone at one batch, in the runtime that ``edge`` uses."""
    name = short(model)
    first = next(iter(runtimes))
    invoke: dict[str, Any] = {"model": model, "batch": batch, "threads": 1, "runtime": first, "call": "invoke"}
    ours: dict[str, Any] = {"model": model, "batch": batch}
    return [
        Workload(f"classify/{name}/b{batch}", f"net/{name}", "cell", "benchmarks.nets:classify", ours),
        Workload(
            f"invoke/{name}/{first}/b{batch}/t1",
            f"net/{name}",
            "cell",
            "benchmarks.nets:bare",
            invoke,
            (RUNTIMES[first],),
        ),
    ]


def ceiling_workload(threads: int = 1) -> Workload:
    """The dense net as a case."""
    return Workload(
        f"ceiling/dense3x3/litert/t{threads}",
        "ceiling",
        "cell",
        "benchmarks.nets:ceiling",
        {"threads": threads, "runtime": "litert"},
        ("ai_edge_litert",),
    )
