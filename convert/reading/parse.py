"""From a stranger's config to a ``Graph``: every class against the allow-list, every option against its layer's list.

Nothing of the config is kept that is not understood here; what training alone needs is dropped.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from convert.errors import ModelError, SourceError, UnsupportedError, UntrustedError
from convert.reading import allow, checked, migrate, wrappers
from convert.reading.graph import INPUT, MODEL, OP_PREFIX, AdmittedNet, Call, Graph, Layer, Ref, words
from convert.reading.layers import fold_round_trips, stand_in
from convert.reading.nodes import graph_call, parse_calls, parse_refs, settle_calls
from convert.reading.source import SourceModel

MAX_LAYERS = 5000  # no honest model comes near
_IGNORED = words(
    "name trainable dtype batch_input_shape batch_shape input_shape build_input_shape autocast quantization_config lora_rank "
    "lora_alpha seed synchronized renorm renorm_clipping renorm_momentum fused virtual_batch_size momentum implementation "
    "init weights input_length noise_shape sparse ragged optional input_dtype input_dim groups rng_type adjustment function rank "
)


def admit(source: SourceModel, trusted: frozenset[str] = frozenset()) -> AdmittedNet:
    """Read the config of ``source`` into a Graph.

    Args:
        source: from ``open_source``; with a config.
        trusted: names of classes and functions that the user's own file defines.

    Raises:
        UntrustedError: code, or a class not known here; names the layer.
        UnsupportedError: a Keras layer with no place on the device.
        SourceError: no sense in it.
    """
    if source.config is None:
        raise UnsupportedError(f"{source.path}: a SavedModel with a graph only, no layers to take apart")
    parser = _Parser(source.keras_major, trusted)
    if source.too_new:
        parser.notes.append(source.too_new)
    try:
        graph = parser.model(source.config, 0)
    except ModelError as error:
        raise type(error)(f"{error} ({source.too_new})" if source.too_new else str(error)) from error
    except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
        raise SourceError(
            f"{source.path}: its config cannot be understood ({type(error).__name__}: {error}): save the model again"
        ) from error
    if all(layer.kind == INPUT for layer in graph.leaves()):
        raise SourceError(f"{source.path}: only an input, no layers")
    graph, notes = fold_round_trips(graph)
    return AdmittedNet(graph, (*dict.fromkeys(parser.notes), *notes))


class _Parser:
    def __init__(self, keras_major: int, trusted: frozenset[str]) -> None:
        self.keras_major = keras_major
        self.trusted = trusted
        self.notes: list[str] = []
        self.count = 0

    def model(self, node: Mapping[str, Any], depth: int) -> Graph:
        """A whole net, at the top or nested."""
        config = node["config"]
        name = migrate.class_name(str(node["class_name"]))
        bare = isinstance(config, list)
        label = checked.name(node.get("name") or (config.get("name") if not bare else None) or name.lower())
        if self.foreign(node) and name not in self.trusted:
            raise allow.unknown(str(node["class_name"]), label, node)
        if name in allow.CODE:
            allow.check_class(name, dict(node), label, self.trusted)
        if not bare and "input_layers" in config and "layers" in config:
            return self.functional(label, config, depth)
        if name == "Sequential" and (bare or "layers" in config):
            return self.sequential(label, node, depth)
        if migrate.is_model(name) or name in self.trusted:
            raise UnsupportedError(f"{label!r} is a subclassed model, which is code: save it as a functional model")
        if self.foreign(node) or not (name in allow.LAYERS or allow.is_keras_module(node.get("module"))):
            raise allow.unknown(str(node["class_name"]), label, node)
        raise UnsupportedError(f"{label!r} is a single layer ({name}), not a model")

    def functional(self, label: str, config: dict[str, Any], depth: int) -> Graph:
        layers = tuple(self.layer(node, depth + 1, in_graph=True) for node in config["layers"])
        _check_unique(label, layers)
        inputs, outputs = parse_refs(config["input_layers"]), parse_refs(config["output_layers"])
        if not inputs or not outputs:
            raise SourceError(f"{label!r} has no input or no output")
        graph = Graph(label, layers, inputs, outputs, trainable=config.get("trainable") is not False)
        return settle_calls(graph)

    def sequential(self, label: str, node: Mapping[str, Any], depth: int) -> Graph:
        config = node["config"]
        nodes = config if isinstance(config, list) else config["layers"]
        layers = [self.layer(item, depth + 1, in_graph=False) for item in nodes]
        if not layers:
            raise SourceError(f"{label!r} has no layers")
        if layers[0].kind != INPUT:
            shape = migrate.input_shape(nodes[0]["config"]) if isinstance(nodes[0]["config"], dict) else None
            if shape is None and layers[0].body is None:
                built = {} if isinstance(config, list) else config
                later = ((one.get("build_config") or {}).get("input_shape") for one in (node, nodes[0]))
                shape = next(filter(None, map(migrate.untuple, (built.get("build_input_shape"), *later))), None)
            if shape is None and layers[0].body is not None:
                shape = [None, *(layers[0].body.layer(layers[0].body.inputs[0].layer).params["shape"] or ())]
            head = f"{label}_input"
            known = checked.shape(shape[1:], head) if shape and shape[1:] else None
            layers.insert(0, Layer(head, INPUT, {"shape": known}))
        _check_unique(label, tuple(layers))
        chained = [layers[0]]
        for layer in layers[1:]:
            chained.append(replace(layer, calls=(Call((Ref(chained[-1].name),)),)))
        trainable = isinstance(config, list) or config.get("trainable") is not False
        ends = (Ref(chained[0].name),), (Ref(chained[-1].name),)
        return Graph(label, tuple(chained), *ends, sequential=True, trainable=trainable)

    def layer(self, node: Any, depth: int, *, in_graph: bool) -> Layer:
        """One layer with its calls (none in a Sequential, where they follow from the order)."""
        self.count += 1
        if depth > allow.MAX_DEPTH or self.count > MAX_LAYERS:
            raise SourceError("nested too deep or too many layers: refused")
        if not isinstance(node, dict) or not isinstance(node.get("class_name"), str):
            raise SourceError("a layer without a class: the config is damaged")
        written, layer_in_wrapper = node["class_name"], wrappers.unwrapped(node)
        if layer_in_wrapper is not None:
            self.notes.append(wrappers.NOTE)
            node = layer_in_wrapper
            if not isinstance(node.get("class_name"), str):
                raise SourceError("a wrapper whose layer has no class: the config is damaged")
        config = node.get("config")
        name = migrate.class_name(node["class_name"])
        own = config.get("name") if isinstance(config, dict) else None
        label = checked.name(node.get("name") or own or f"{name.lower()}_{self.count}")
        by_default = self.keras_major >= 3 and name in allow.RANDOM and not self.foreign(node)
        nodes = node.get("inbound_nodes") or [] if in_graph else []
        calls = parse_calls(nodes, label, self.notes, by_default=by_default)
        if isinstance(config, list) or (isinstance(config, dict) and "layers" in config):
            body = self.model(node, depth)
            return Layer(label, MODEL, {}, calls, body, trainable=body.trainable, written_as=written)
        if not isinstance(config, dict):
            raise SourceError(f"layer {label!r}: its config is missing")
        trainable = config.get("trainable") is not False
        if name == "TensorFlowOpLayer":
            calls = tuple(graph_call(call, config, label) for call in calls)
        if _is_operation(name, node, calls):
            node = {**node, "module": "keras.src.ops"}
        kind, params, inner = self.kind(name, node, label, depth)
        if kind.startswith(OP_PREFIX):
            params, calls = _op(kind, name, params, calls)
        return Layer(label, kind, params, calls, None, inner, trainable, written)

    def foreign(self, node: Mapping[str, Any]) -> bool:
        """Whether a node says that its class is none of Keras's own."""
        module, registered = node.get("module"), node.get("registered_name")
        if ">" in str(node["class_name"]) or (isinstance(registered, str) and ">" in registered):
            return True
        return "module" in node and not allow.is_keras_module(module)

    def kind(self, name: str, node: dict[str, Any], label: str, depth: int) -> tuple[str, dict[str, Any], Layer | None]:
        """What a node is in our words, its options, and the layer inside a wrapper."""
        config = node["config"]
        registered = node.get("registered_name")
        if isinstance(registered, str) and ">" in registered:
            name = registered.rsplit(">", maxsplit=1)[-1]
        if name in allow.CODE:
            allow.check_class(name, node, label, self.trusted)
        inner_node = config.get("layer") if isinstance(config.get("layer"), dict) else None
        inner = None
        if inner_node is not None:  # what a wrapper holds is judged before the wrapper
            inner = self.layer(inner_node, depth + 1, in_graph=False)
        allow.check_objects({k: v for k, v in config.items() if k != "layer"}, label, self.trusted)
        foreign = self.foreign(node)
        if name in self.trusted and (foreign or name not in allow.LAYERS):
            return f"trusted:{name}", dict(config), inner
        if not foreign:
            known = self.known(name, node, label)
            if known is not None:
                return (*known, inner)
        replacement = stand_in(name)
        if replacement is not None:
            kind, note = replacement
            self.notes.append(f"layer {label!r} ({name}): {note}")
            return kind, {}, None
        if not foreign and (name in allow.RECURRENT | allow.UNSUPPORTED or "module" in node):
            raise allow.unsupported(name, label)
        raise allow.unknown(str(node["class_name"]), label, node)

    def known(self, name: str, node: dict[str, Any], label: str) -> tuple[str, dict[str, Any]] | None:
        """The kind and options of one of Keras's own classes; None where it is not on the list."""
        config = node["config"]
        module = str(node.get("module", ""))
        if ".ops." in f".{module}." or (module.startswith("keras.src.ops")):
            function = allow.OP_CLASSES.get(name)
            if function is None:
                raise allow.unsupported(f"operation {name}", label)
            return OP_PREFIX + function, config
        if name in ("TFOpLambda", "SlicingOpLambda", "TensorFlowOpLayer"):
            function = _tensorflow_function(config)
            if function not in allow.TF_OPS:
                raise allow.unsupported(f"TensorFlow function {function}", label)
            return OP_PREFIX + allow.TF_OPS[function][0], {"tf": function}
        name, config = migrate.options(name, config)
        if name in allow.RANDOM:
            self.notes.append(f"layer {label!r} ({name}) acts in training only: left out")
            return "Identity", {}
        if name not in allow.LAYERS:
            return None
        if name == INPUT:
            shape = migrate.input_shape(config)
            if shape is None:
                raise SourceError(f"layer {label!r}: an input without a shape")
            if shape[0] is not None:
                self.notes.append(f"the batch is fixed at {shape[0]}: opened")
            return name, {"shape": checked.shape(shape[1:], label)}
        return name, self.options(name, config, label)

    def options(self, name: str, config: dict[str, Any], label: str) -> dict[str, Any]:
        allowed = allow.LAYERS[name]
        taken: dict[str, Any] = {}
        for key, value in config.items():
            if key == "activation" and key in allowed:
                taken[key] = self.activation(value, label)
            elif key in allowed:
                taken[key] = checked.plain(value, label, key)
            elif not (key in _IGNORED or allow.dropped(key) or value in (None, False, "layer") or key == "layer"):
                self.notes.append(f"layer {label!r}: its option {key[:40]!r} is not known here and was left out")
        if taken.get("data_format") == "channels_first":
            raise UnsupportedError(f"layer {label!r} has the channels first: the device wants them last, retrain it so")
        return taken

    def activation(self, value: Any, label: str) -> Any:
        if value is None:
            return "linear"
        if isinstance(value, dict):
            name, config = migrate.class_name(str(value.get("class_name"))), value.get("config")
            if name in ("function", "Activation"):
                inside = config if isinstance(config, str) else (config or {}).get("activation")
                return self.activation(inside, label)
            if name in allow.ACTIVATION_LAYERS - {"PReLU"} and isinstance(config, dict) and not self.foreign(value):
                name, config = migrate.options(name, config)
                return Layer(f"{label}_activation", name, self.options(name, config, label))
            raise allow.unknown(name, label, value)
        if not isinstance(value, str):
            raise UntrustedError(f"layer {label!r}: its activation is neither a name nor a layer: refused")
        if value == "<lambda>":
            allow.check_class("Lambda", {}, label, self.trusted)
        bare = value.rsplit(">", maxsplit=1)[-1]
        if bare in self.trusted:
            return f"trusted:{bare}"
        if bare not in allow.ACTIVATIONS or bare != value:
            raise allow.unknown(f"activation {value}", label, {})
        return migrate.activation(bare, self.keras_major)


def _tensorflow_function(config: Mapping[str, Any]) -> str:
    """The function of a ``TFOpLambda``, or of a ``TensorFlowOpLayer``, which names a graph's operation."""
    if "node_def" not in config:
        return str(config.get("function"))
    operation = str(config["node_def"]["op"])
    return allow.GRAPH_OPS.get(operation, operation)


def _is_operation(name: str, node: Mapping[str, Any], calls: tuple[Call, ...]) -> bool:
    """Whether Keras 3 wrote an operation into an old-style file, where it looks like a layer without a module."""
    if "module" in node or name not in allow.OP_CLASSES:
        return False
    return name not in allow.LAYERS or any(len(call.args) > 1 for call in calls) or "newshape" in node["config"]


def _op(
    kind: str, name: str, params: dict[str, Any], calls: tuple[Call, ...]
) -> tuple[dict[str, Any], tuple[Call, ...]]:
    """Options and calls of a bare operation, TensorFlow's argument names brought to positions."""
    options = allow.OPS[kind.removeprefix(OP_PREFIX)]
    if "tf" not in params:
        return {key: checked.plain(params[key], name, key) for key in options if params.get(key) is not None}, calls
    names = allow.TF_OPS[params["tf"]][1:]
    options = options[: len(names) - 1]
    tensors, rest = names[: len(names) - len(options)], names[len(names) - len(options) :]
    settled = []
    for call in calls:
        given = dict(zip(names, call.args, strict=False)) | {k: v for k, v in call.kwargs.items() if k in names}
        given = allow.TF_DEFAULTS.get(params["tf"], {}) | given
        args = tuple(given[key] for key in tensors if given.get(key) is not None)
        kwargs = {new: given[key] for key, new in zip(rest, options, strict=True) if given.get(key) is not None}
        settled.append(Call(args, kwargs))
    return {}, tuple(settled)


def _check_unique(label: str, layers: tuple[Layer, ...]) -> None:
    names = [layer.name for layer in layers]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise SourceError(f"{label!r} has two layers named {twice!r}")
