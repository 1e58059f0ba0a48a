"""Reading a SavedModel folder of unknown origin without TensorFlow: its Keras config if it has one, its graph's operations.

Keras 2 wrote ``keras_metadata.pb`` beside the graph: the config is in it, and the net is rebuilt from that. What
``model.export()`` of Keras 3 writes has a graph only, which can be run whole but not taken apart. A graph is a program:
only operations on a list are let through.
"""

from __future__ import annotations

import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from convert.errors import SourceError, UnsupportedError, UntrustedError
from convert.reading import protobuf
from convert.reading.archive import parse_json
from convert.reading.graph import words

GRAPH = "saved_model.pb"
METADATA = "keras_metadata.pb"
INDEX = "variables/variables.index"
MAX_GRAPH_BYTES = 512 * 2**20  # no honest model comes near
MAX_FILES = 10_000  # more than any SavedModel has; a bound on what a folder may make us read
OPS = words(
    """
    Abs Add AddN AddV2 AdjustContrastv2 AdjustHue AdjustSaturation All ArgMax Assert AssignSubVariableOp AssignVariableOp
    AvgPool BatchMatMulV2 BatchToSpaceND BiasAdd Bitcast BroadcastTo Cast ConcatOffset ConcatV2 Const Conv2D
    Conv2DBackpropInput Cos DepthToSpace DepthwiseConv2dNative DisableCopyOnRead Div DivNoNan Einsum Elu EnsureShape Equal Erf
    Erfc Exp ExpandDims Fill Floor FloorDiv FloorMod FusedBatchNorm FusedBatchNormV2 FusedBatchNormV3 GatherV2 Greater
    GreaterEqual HSVToRGB Identity IdentityN If ImageProjectiveTransformV3 InvertPermutation L2Loss LeakyRelu Less LessEqual
    Log LogSoftmax LogicalAnd LogicalNot LogicalOr MatMul Max MaxPool Maximum Mean Min Minimum MirrorPad Mul Neg NoOp NotEqual
    OneHot OnesLike Pack Pad PadV2 PartitionedCall Placeholder PlaceholderWithDefault Pow Prod RGBToHSV RandomStandardNormal
    RandomUniform Range ReadVariableOp RealDiv Reciprocal Relu Relu6 Reshape ResizeBilinear ResizeNearestNeighbor ReverseV2
    RngReadAndSkip Round Rsqrt Select SelectV2 Selu Shape Sigmoid Sign Sin Slice Softmax Softplus Softsign SpaceToBatchND
    SpaceToDepth Split SplitV Sqrt Square SquaredDifference Squeeze StatefulPartitionedCall StatelessIf StatelessRandomGetAlg
    StatelessRandomGetKeyCounter StatelessRandomUniformFullIntV2 StatelessRandomUniformIntV2 StatelessRandomUniformV2
    StaticRegexFullMatch StopGradient StridedSlice StridedSliceGrad StringJoin Sub Sum Tan Tanh Tile Transpose Unpack
    VarHandleOp VarIsInitializedOp Where ZerosLike
    """
)
"""What a net's graph may be made of, where the graph itself has to be run."""
_RANDOM = words(
    "RandomUniform RandomStandardNormal StatelessRandomUniformV2 StatelessRandomUniformFullIntV2 StatelessRandomUniformIntV2"
)
_SAVER = frozenset(("SaveV2", "RestoreV2", "MergeV2Checkpoints", "ShardedFilename"))


@dataclass(frozen=True, slots=True)
class SavedFacts:
    """What a SavedModel says of itself. ``inputs`` and ``outputs`` are the serving signature's shapes (-1: open)."""

    config: dict[str, Any] | None
    keras_version: str | None
    inputs: tuple[tuple[int, ...], ...]
    outputs: tuple[tuple[int, ...], ...]


def read_facts(folder: Path) -> SavedFacts:
    """Read config, signature and operations; raises SourceError or UntrustedError."""
    _check_files(folder)
    graph = folder / GRAPH
    if not graph.exists():
        raise SourceError(f"{folder}: {_what_else(folder)}")
    try:
        meta = protobuf.first(_bytes(graph), 2)
        if meta is None:
            raise SourceError(f"{graph}: holds no graph: save the model again")
        inputs, outputs = _signature(meta)
        config, version = _keras_config(folder)
        if config is None:  # else the graph is never run
            definition = protobuf.first(meta, 2) or b""
            _check_operations(folder, definition)
            if _draws(definition):
                raise UnsupportedError(
                    f"{folder}: its graph draws random numbers at inference (augmentation or dropout that stays on): "
                    "give the .keras or .h5 file of the model instead"
                )
    except protobuf.WireError as error:
        raise SourceError(f"{folder}: {GRAPH} is damaged or truncated: copy or save it again") from error
    _check_variables(folder)
    return SavedFacts(config, version, inputs, outputs)


def _check_variables(folder: Path) -> None:
    if not (folder / INDEX).exists():
        raise SourceError(f"{folder}: its variables are missing ({INDEX}): copy the whole folder")
    if not any((folder / "variables").glob("variables.data-*")):
        raise SourceError(f"{folder}: its variables are missing (variables/variables.data-*): copy the whole folder")


def files_of(folder: Path) -> list[Path]:
    """All files of the folder, sorted; never through a symbolic link."""
    return sorted(p for p in folder.rglob("*") if not p.is_symlink() and p.is_file())


def _check_files(folder: Path) -> None:
    for count, path in enumerate(folder.rglob("*")):
        if count > MAX_FILES:
            raise SourceError(f"{folder}: too many files: not a SavedModel")
        info = path.lstat()
        if stat.S_ISLNK(info.st_mode):
            raise SourceError(f"{folder}: {path.name} is a symbolic link: copy the files themselves")
        if not (stat.S_ISREG(info.st_mode) or stat.S_ISDIR(info.st_mode)):
            raise SourceError(f"{folder}: {path.name} is neither a file nor a folder: refused")


def _bytes(path: Path) -> bytes:
    if path.stat().st_size > MAX_GRAPH_BYTES:
        raise SourceError(f"{path}: larger than {MAX_GRAPH_BYTES >> 20} MiB: refused")
    data = path.read_bytes()
    if not data:
        raise SourceError(f"{path}: the file is empty: copy it again")
    return data


def _what_else(folder: Path) -> str:
    if (folder / "config.json").exists():
        return "an unpacked .keras archive: zip its contents into one file named model.keras"
    if (folder / INDEX).exists() or any(folder.glob("*.index")):
        return "a checkpoint, only weights: save the whole model with model.save()"
    if (folder / "saved_model.pbtxt").exists():
        return "a SavedModel in text form, which is not read: save it again"
    models = sorted(p.name for p in folder.iterdir() if p.suffix in (".keras", ".h5", ".hdf5"))
    if models:
        return f"a folder, with {models[0]} in it: give that file"
    return f"a folder without {GRAPH}: not a SavedModel"


def _check_operations(folder: Path, graph: bytes) -> None:
    """Every operation against the list; those that save and restore only in functions that no other function calls."""
    functions = list(protobuf.messages(protobuf.first(graph, 2) or b"", 1))
    savers = []
    for function in (None, *functions):
        nodes = protobuf.messages(graph, 1) if function is None else protobuf.messages(function, 3)
        ops = {(protobuf.first(node, 2) or b"").decode("utf-8", "replace") for node in nodes}
        if function is not None and ops & _SAVER:
            savers.append(function)
            ops -= _SAVER
        names = set() if function is None else {_function_name(f) for f in functions}
        strange = sorted(ops - OPS - names)
        if strange:
            raise UntrustedError(
                f"{folder}: its graph holds the operation {strange[0][:60]}, which is not known as harmless: "
                "give the .keras or .h5 file of the model instead"
            )
    for saver in savers:
        name = _function_name(saver).encode()
        if not name or any(name in other for other in functions if other is not saver):
            raise UntrustedError(f"{folder}: its graph writes or reads files while it runs: refused")


def _draws(graph: bytes) -> bool:
    """Whether what is run, from the graph itself through all functions that it calls, makes random numbers."""
    bodies = {
        name: list(protobuf.messages(function, 3))
        for function in protobuf.messages(protobuf.first(graph, 2) or b"", 1)
        if (name := _function_name(function).encode())
    }
    pending, reached = list(protobuf.messages(graph, 1)), set[bytes]()
    while pending:
        node = pending.pop()
        if (protobuf.first(node, 2) or b"").decode("utf-8", "replace") in _RANDOM:
            return True
        for attribute in protobuf.messages(node, 5):
            value = protobuf.first(attribute, 2) or b""
            called = (protobuf.first(value, 10), *protobuf.messages(protobuf.first(value, 1) or b"", 9))
            names = {protobuf.first(function, 1) or b"" for function in called if function} & set(bodies) - reached
            reached |= names
            pending.extend(node for name in sorted(names) for node in bodies[name])
    return False


def _function_name(function: bytes) -> str:
    return (protobuf.first(protobuf.first(function, 1) or b"", 1) or b"").decode("utf-8", "replace")


def _signature(meta: bytes) -> tuple[tuple[tuple[int, ...], ...], tuple[tuple[int, ...], ...]]:
    for entry in protobuf.messages(meta, 5):
        if protobuf.first(entry, 1) == b"serving_default":
            signature = protobuf.first(entry, 2) or b""
            return _shapes(signature, 1), _shapes(signature, 2)
    return (), ()


def _shapes(signature: bytes, number: int) -> tuple[tuple[int, ...], ...]:
    found = []
    for entry in protobuf.messages(signature, number):
        shape = protobuf.first(protobuf.first(entry, 2) or b"", 3) or b""
        found.append(tuple(protobuf.integer(dim, 1) for dim in protobuf.messages(shape, 2)))
    return tuple(found)


def _keras_config(folder: Path) -> tuple[dict[str, Any] | None, str | None]:
    path = folder / METADATA
    if not path.exists():
        return None, None
    for node in protobuf.messages(_bytes(path), 1):
        if protobuf.first(node, 3) == b"root":
            root = parse_json(path, protobuf.first(node, 5) or b"")
            if isinstance(root, dict) and isinstance(root.get("config"), dict) and "layers" in root["config"]:
                version = root.get("keras_version")
                known = version[:40] if isinstance(version, str) else None
                config = {"class_name": root.get("class_name"), "config": root["config"]}
                shape = root.get("build_input_shape")
                return ({**config, "build_config": {"input_shape": shape}} if shape else config), known
    return None, None
