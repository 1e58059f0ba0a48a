"""What to do about a class that is not known here, by the package it comes from.

``--trust-code`` takes a file of the user's own. The classes of an installed package cannot be given so: for these the net is
exported whole, or what the package put around the layers is taken off before the model is saved.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_EXPORT = 'run model.export("folder") where it was trained and give that folder: its graph runs without the package'
_PACKAGES = {
    "tensorflow_model_optimization": (
        "TensorFlow Model Optimization: save the net without its wrappers (tfmot.sparsity.keras.strip_pruning, "
        "tfmot.clustering.keras.strip_clustering, or the net from before quantize_model, with its weights)"
    ),
    "tensorflow_hub": f"TensorFlow Hub, whose nets are not in the file, only their address: {_EXPORT}",
    "keras_cv": f"keras-cv: {_EXPORT}, or build the net again of plain Keras layers",
    "keras_hub": f"keras_hub: {_EXPORT}, or build the net again of plain Keras layers",
    "keras_nlp": f"keras_nlp: {_EXPORT}, or build the net again of plain Keras layers",
    "tensorflow_addons": f"TensorFlow Addons: put Keras's own layer of that kind in its place, or {_EXPORT}",
    "transformers": f"transformers: {_EXPORT}",
}
_ALSO_CALLED = {"Addons": "tensorflow_addons", "tfm": "tensorflow_model_optimization"}  # in registered names
_CLASSES = {  # old files give the class alone
    "KerasLayer": "tensorflow_hub",
    **dict.fromkeys(("PruneLowMagnitude", "ClusterWeights"), "tensorflow_model_optimization"),
    **dict.fromkeys(
        ("QuantizeLayer", "QuantizeWrapper", "QuantizeWrapperV2", "QuantizeAnnotate"), "tensorflow_model_optimization"
    ),
}
_OWN = ("__main__", "Custom", "builtins", "None")  # modules and packages of classes that a notebook defines


def advice(name: str, node: Mapping[str, Any]) -> str:
    """What to do about a class.

    Args:
        name: of the class, perhaps behind its package as ``package>name``.
        node: as the config has it; ``module`` and ``registered_name`` are read.
    """
    package = package_of(name, node)
    if package in _PACKAGES:
        return f"it comes from {_PACKAGES[package]}"
    text = "pass the file that defines it with --trust-code, if you trust it"
    return text if package is None else f"{text}; if it comes from an installed package: {_EXPORT}"


def package_of(name: str, node: Mapping[str, Any]) -> str | None:
    """The package of a class as far as the config tells it; None: the user's own, or unknown."""
    registered, module = node.get("registered_name"), node.get("module")
    bare = name.rsplit(">", maxsplit=1)[-1]
    for text in (name, registered if isinstance(registered, str) else ""):
        head, found, _ = text.partition(">")
        if found and head not in _OWN:
            return _ALSO_CALLED.get(head, head)[:60]
    root = str(module).split(".", maxsplit=1)[0]
    if root not in _OWN:
        return root[:60]
    return _CLASSES.get(bare)
