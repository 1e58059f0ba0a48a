"""Loading a model that was opened: built from its admitted config, then given its weights. Only inside a child process."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path
from typing import Any

from convert.errors import LimitError, ModelError, SourceError, ToolError, UnsupportedError, gist
from convert.reading import archive, checkpoint, hdf5, shapes, trust, wrappers
from convert.reading.build import build
from convert.reading.graph import Graph
from convert.reading.parse import admit
from convert.reading.source import SourceModel, open_source
from convert.scratch import scratch
from edge.extras import how_to_install

OLDEST_KERAS = (3, 13, 2)
"""Earlier versions have known holes in reading files of strangers."""


def load_model(source: SourceModel, trust_code: Path | None = None) -> Any:
    """The Keras model in ``source`` with its weights, not compiled.

    Keras's own deserialiser is never called: the config was read into a ``Graph`` by our own rules, and layers are made
    from that. Weights are read by Keras with links, sizes and outside storage checked before.

    Args:
        source: from ``open_source``.
        trust_code: the user's own file of custom classes; it is run.

    Returns:
        keras.Model, float32. A SavedModel with a graph only comes as a model of one opaque layer.
    """
    need_keras()
    if source.config is None:
        return _graph_only(source)
    graph = admit(source, trust.names_in(trust_code)).graph
    shapes.measure(graph)
    model = build(graph, trust.load(trust_code))
    try:
        _load_weights(source, model, graph if wrappers.is_wrapped(graph) else None)
    except ModelError:
        raise
    except Exception as error:
        newer = f" ({source.too_new})" if source.too_new else ""
        raise SourceError(f"{source.path}: its weights do not fit its architecture: {gist(error)}{newer}") from error
    return model


def warnings_of(source: SourceModel, trust_code: Path | None = None) -> list[str]:
    """What a user must know of a model that loads before figures are trusted."""
    if source.config is None:
        return []
    notes = admit(source, trust.names_in(trust_code)).notes
    return [note for note in notes if note in (wrappers.NOTE, source.too_new)]


def need_keras() -> None:
    """Import TensorFlow and Keras; raises ToolError where they are missing or Keras is too old to be safe."""
    try:
        found = version("keras")
        import keras  # noqa: F401, PLC0415
        import tensorflow  # noqa: F401, ICN001, PLC0415
    except ModuleNotFoundError as error:
        raise ToolError(f"{error.name} is not installed: {how_to_install('convert')}") from error
    except ImportError as error:
        if any(words in str(error) for words in ("map segment", "allocate memory")):
            raise LimitError("stopped: out of memory before TensorFlow was up: allow it more") from error
        raise ToolError(f"TensorFlow does not start here: {gist(error)}") from error
    numbers = tuple(int(part) for part in found.split(".")[:3] if part.isdecimal())
    if numbers < OLDEST_KERAS:
        raise ToolError(f"Keras {found} is too old to open unknown files: {how_to_install('convert')}")


def describe(payload: dict[str, Any]) -> dict[str, Any]:
    """For ``run_in_child``: load the model at ``path`` and say what Keras made of it.

    Returns:
        parameters, input and output shapes (None: open), all plain values.
    """
    trusted = payload.get("trust_code")
    model = load_model(open_source(payload["path"]), Path(trusted) if trusted else None)
    return {
        "parameters": int(model.count_params()),
        "inputs": [list(tensor.shape) for tensor in model.inputs],
        "outputs": [list(tensor.shape) for tensor in model.outputs],
    }


def _load_weights(source: SourceModel, model: Any, wrapped: Graph | None) -> None:
    """Set the weights; ``wrapped``: the net, where its layers stood in wrappers."""
    if source.format == "savedmodel":
        if wrapped is not None:
            raise UnsupportedError(f"{source.path}: a net in wrappers is not read from a SavedModel: save it as .h5")
        checkpoint.restore(source.path, model)
        return
    with scratch() as folder:
        if source.format == "h5":
            hdf5.check_weights(source.path)
            if wrapped is not None:
                wrappers.restore(source.path, wrapped, model)
                return
            # Keras goes by the ending, people do not
            link = Path(folder, "model.h5")
            link.symlink_to(source.path.resolve())
            model.load_weights(str(link))
        else:
            weights = Path(folder, "model.weights.h5")
            archive.copy_weights(source.path, weights)
            hdf5.check_weights(weights)
            if wrapped is not None:
                wrappers.restore(weights, wrapped, model)
                return
            model.load_weights(str(weights))


def _graph_only(source: SourceModel) -> Any:
    import keras  # noqa: PLC0415

    inputs, outputs = source.signature
    if len(inputs) != 1 or not outputs or any(dim < 0 for dim in inputs[0][1:]):
        raise SourceError(f"{source.path}: its signature has no single input of fixed size: save the Keras model")
    tensor = keras.Input(tuple(inputs[0][1:]), name="image")
    try:
        layer = keras.layers.TFSMLayer(str(source.path), call_endpoint="serving_default")
        result = layer(tensor)
    except Exception as error:
        raise SourceError(f"{source.path}: the SavedModel cannot be loaded: {gist(error)}") from error
    values = list(result.values()) if isinstance(result, dict) else result
    return keras.Model(tensor, values[0] if isinstance(values, list) and len(values) == 1 else values)
