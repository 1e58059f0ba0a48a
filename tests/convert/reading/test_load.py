"""Loading into Keras: every age and format gives the outputs that the writer had. Needs TensorFlow."""

from __future__ import annotations

import json
import os
import shutil
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from convert.child import run_in_child
from convert.errors import ModelError, SourceError, UnsupportedError, UntrustedError
from convert.reading.inspection import inspect
from convert.reading.load import load_model
from convert.reading.source import open_source
from convert.reading.wrappers import learnt_ranges
from tests.convert.make import archive, dense, node, sequential

pytestmark = [pytest.mark.build, pytest.mark.filterwarnings("ignore")]
tf = pytest.importorskip("tensorflow", reason="needs TensorFlow (make test-build brings it)")
keras: Any = pytest.importorskip("keras")
h5py: Any = pytest.importorskip("h5py")

SHARED = Path(os.environ.get("EDGE_DATA", Path(__file__).parents[4] / "shared" / "data")).parent
RESNET8 = SHARED / "models" / "mlperf_tiny" / "pretrainedResnet.h5"
RNG = np.random.default_rng(3)


def unpacked(folder: Path, name: str) -> Path:
    """The folder, with what an archive of tests/convert/data holds."""
    with zipfile.ZipFile(Path(__file__).parents[1] / "data" / name) as file:
        file.extractall(folder)
    return folder


@pytest.fixture(scope="module")
def keras2(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One net as Keras 2 saved it in every format; see data/make_keras2.py."""
    return unpacked(tmp_path_factory.mktemp("keras2"), "keras2.zip")


@pytest.mark.parametrize("name", ["net.h5", "net.keras", "net_saved"])
def test_what_keras_2_wrote_scores_as_it_did_there(keras2: Path, name: str) -> None:
    source = open_source(keras2 / name)
    assert source.keras_major == 2
    model = load_model(source)
    scores = model(np.load(keras2 / "images.npy"), training=False).numpy()
    np.testing.assert_allclose(scores, np.load(keras2 / "scores.npy"), atol=1e-6)
    assert inspect(source).parameters == model.count_params()


@pytest.fixture(scope="module")
def old_keras(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Small nets as Keras 2.15 saved them; see data/make_old_keras.py."""
    return unpacked(tmp_path_factory.mktemp("old_keras"), "old_keras.zip")


@pytest.mark.parametrize("name", ["normalization", "time_distributed", "functions.h5", "same_names.keras"])
def test_functions_wrappers_and_adapted_layers_of_keras_2_score_as_they_did_there(old_keras: Path, name: str) -> None:
    images = (np.arange(3 * 12 * 12 * 3) * 37 % 256).astype(np.float32).reshape(3, 12, 12, 3)
    source = open_source(old_keras / name)
    model = load_model(source)
    np.testing.assert_allclose(model(images, training=False), np.load(old_keras / "scores.npz")[name], atol=1e-5)
    found = inspect(source)
    assert found.outputs == ((2,),)
    assert found.parameters == model.count_params()


@pytest.fixture(scope="module")
def wrapped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Nets in the wrappers of TensorFlow Model Optimization; see data/make_wrapped.py."""
    return unpacked(tmp_path_factory.mktemp("wrapped"), "wrapped.zip")


@pytest.mark.parametrize("ending", [".h5", ".keras"])
@pytest.mark.parametrize("name", ["rounded", "rounded_chain", "pruned", "pruned_chain"])
def test_a_net_in_wrappers_scores_as_without_them(wrapped: Path, name: str, ending: str) -> None:
    images = (np.arange(3 * 12 * 12 * 3) * 37 % 256).astype(np.float32).reshape(3, 12, 12, 3) / 255
    source = open_source(wrapped / f"{name}{ending}")
    model = load_model(source)
    np.testing.assert_allclose(model(images, training=False), np.load(wrapped / "scores.npz")[name], atol=1e-5)
    found = inspect(source)
    assert found.parameters == model.count_params()
    assert any("taken off" in note for note in found.notes)


@pytest.mark.parametrize(
    ("step", "known"),
    [
        pytest.param(-1, {}, id="never trained: the wrappers' first guess is no range"),
        pytest.param(40, {"quant_conv2d": (-0.5, 2.5)}, id="trained"),
    ],
)
def test_ranges_that_training_with_rounding_learnt_are_read(
    wrapped: Path, tmp_path: Path, step: int, known: dict[str, tuple[float, float]]
) -> None:
    path = tmp_path / "net.h5"
    shutil.copy(wrapped / "rounded.h5", path)
    with h5py.File(path, "r+") as file:
        place = file["model_weights/quant_conv2d/quant_conv2d"]
        place["optimizer_step:0"][()] = step
        place["post_activation_min:0"][()], place["post_activation_max:0"][()] = -0.5, 2.5
    assert learnt_ranges(load_model(open_source(path))) == known


def test_an_exported_graph_that_is_random_at_inference_is_refused(tmp_path: Path) -> None:
    inputs = keras.Input((8, 8, 3))
    tensor = keras.layers.Dropout(0.5)(inputs, training=True)
    keras.Model(inputs, keras.layers.Flatten()(tensor)).export(str(tmp_path / "graph"), verbose=False)
    with pytest.raises(UnsupportedError, match="draws random numbers"):
        open_source(tmp_path / "graph")


def test_weights_alone_are_told_from_a_model(keras2: Path) -> None:
    with pytest.raises(SourceError, match=r"weights only, no architecture: .*model\.save"):
        open_source(keras2 / "weights.h5")


@pytest.mark.skipif(not RESNET8.exists(), reason=f"{RESNET8} is not here")
def test_the_published_resnet8_of_keras_2_4() -> None:
    source = open_source(RESNET8)
    model = load_model(source)
    theirs = keras.saving.load_model(RESNET8, compile=False)
    images = (RNG.random((8, 32, 32, 3)) * 255).astype(np.float32)
    np.testing.assert_array_equal(model(images).numpy(), theirs(images).numpy())
    found = inspect(source)
    assert (found.parameters, found.head, found.classes) == (78_666, "softmax", 10)
    assert found.macs == 12_501_632


def small_net() -> Any:
    layers = keras.layers
    inputs = keras.Input((24, 24, 3))
    x = keras.applications.mobilenet_v2.preprocess_input(inputs)[..., ::-1]
    x = layers.Conv2D(4, 3, activation=layers.LeakyReLU(0.1), kernel_regularizer="l2")(x)
    body = keras.Sequential(
        [layers.Conv2D(4, 3, padding="same"), layers.BatchNormalization(), layers.PReLU(shared_axes=[1, 2])]
    )
    x = layers.Add()([x, body(x)])
    x = layers.SpatialDropout2D(0.2)(layers.RandomContrast(0.2)(x))
    x = keras.ops.mean(x, axis=[1, 2])
    return keras.Model(inputs, layers.Dense(3, activation="softmax")(x))


def shaken(model: Any) -> Any:
    model.set_weights([np.abs(RNG.normal(0, 0.5, w.shape)).astype(w.dtype) for w in model.get_weights()])
    return model


@pytest.mark.parametrize("ending", [".keras", ".h5"])
def test_what_keras_3_wrote(tmp_path: Path, ending: str) -> None:
    model = shaken(small_net())
    path = tmp_path / f"net{ending}"
    model.save(path)
    images = (RNG.random((4, 24, 24, 3)) * 255).astype(np.float32)
    loaded = load_model(open_source(path))
    np.testing.assert_allclose(loaded(images).numpy(), model(images, training=False).numpy(), atol=1e-6)
    assert inspect(open_source(path)).parameters == model.count_params()


def test_an_exported_graph_runs_whole(tmp_path: Path) -> None:
    model = shaken(
        keras.Sequential([keras.Input((8, 8, 3)), keras.layers.Conv2D(2, 3), keras.layers.GlobalMaxPooling2D()])
    )
    model.export(str(tmp_path / "graph"), verbose=False)
    source = open_source(tmp_path / "graph")
    assert source.config is None
    assert inspect(source).inputs == ((8, 8, 3),)
    images = RNG.random((2, 8, 8, 3)).astype(np.float32)
    np.testing.assert_allclose(load_model(source)(images).numpy(), model(images).numpy(), atol=1e-6)


def keras_1_words(path: Path) -> None:
    """Rewrite a saved Sequential in the words of Keras 1 and 2.2."""
    with h5py.File(path, "r+") as file:
        config = json.loads(file.attrs["model_config"])
        layers = [item for item in config["config"]["layers"] if item["class_name"] != "InputLayer"]
        layers[0]["config"]["batch_input_shape"] = [None, 12, 12, 3]
        for item in layers:
            for key in ("dtype", "build_config", "groups"):
                item["config"].pop(key, None)
            item["config"]["dtype"] = {"class_name": "Policy", "config": {"name": "float32"}}
            if item["class_name"] == "BatchNormalization":
                item["config"]["axis"] = [3]
            if item["class_name"] == "DepthwiseConv2D":
                item["config"]["groups"] = 1
            if item["class_name"] == "LeakyReLU":
                item["config"]["alpha"] = item["config"].pop("negative_slope")
        file.attrs["model_config"] = json.dumps({"class_name": "Sequential", "config": layers}).encode()
        file.attrs["keras_version"] = b"2.2.4"
        file.attrs["training_config"] = json.dumps({"optimizer_config": {"class_name": "Adam", "config": {"lr": 0.1}}})


def test_a_sequential_of_keras_2_2_as_a_bare_list_of_layers(tmp_path: Path) -> None:
    layers = keras.layers
    parts = [
        layers.Conv2D(4, 3),
        layers.BatchNormalization(),
        layers.DepthwiseConv2D(3),
        layers.LeakyReLU(0.3),
        layers.Flatten(),
        layers.Dense(1, activation="sigmoid"),
    ]
    model = shaken(keras.Sequential([keras.Input((12, 12, 3)), *parts]))
    path = tmp_path / "old.hdf5"
    model.save(tmp_path / "old.h5")
    (tmp_path / "old.h5").rename(path)
    keras_1_words(path)
    images = RNG.random((4, 12, 12, 3)).astype(np.float32)
    np.testing.assert_allclose(
        load_model(open_source(path))(images).numpy(), model(images, training=False).numpy(), atol=1e-6
    )


def test_class_names_of_older_days(tmp_path: Path) -> None:
    model = shaken(small_net())
    path = tmp_path / "net.h5"
    model.save(path)
    with h5py.File(path, "r+") as file:
        config = json.loads(file.attrs["model_config"])
        config["class_name"] = "Model"
        file.attrs["model_config"] = json.dumps(config)
        del file.attrs["keras_version"]
    images = (RNG.random((4, 24, 24, 3)) * 255).astype(np.float32)
    np.testing.assert_allclose(
        load_model(open_source(path))(images).numpy(), model(images, training=False).numpy(), atol=1e-6
    )


@pytest.mark.parametrize("what", ["external", "soft", "outside", "virtual", "huge", "twice", "no_config", "truncated"])
def test_hostile_hdf5_is_refused(tmp_path: Path, what: str) -> None:
    path = tmp_path / "net.h5"
    keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)]).save(path)
    with h5py.File(path, "r+") as file:
        group = file["model_weights"]
        if what == "external":
            group["evil"] = h5py.ExternalLink("/etc/passwd", "/x")
        elif what == "soft":
            group["evil"] = h5py.SoftLink("/model_weights")
        elif what == "outside":
            group.create_dataset("evil", (4,), "u1", external=[("/etc/passwd", 0, 4)])
        elif what == "virtual":
            layout = h5py.VirtualLayout((4,), "u1")
            layout[:] = h5py.VirtualSource("/etc/passwd", "x", (4,))
            group.create_virtual_dataset("evil", layout)
        elif what == "huge":
            group.create_dataset("evil", (2**20, 2**20), "f4", chunks=(1024, 1024))
        elif what == "twice":
            group["loop"] = group
        elif what == "no_config":
            del file.attrs["model_config"]
    if what == "truncated":
        path.write_bytes(path.read_bytes()[:6000])
    with pytest.raises(SourceError) as caught:
        open_source(path)
    assert "\n" not in str(caught.value)


def test_the_weights_inside_an_archive_are_checked_too(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "w.h5", "w") as file:
        file["layers"] = h5py.ExternalLink("/etc/passwd", "/x")
    config = sequential(dense(), shape=(4,))
    path = archive(tmp_path / "m.keras", config, weights=(tmp_path / "w.h5").read_bytes())
    with pytest.raises(SourceError, match="link"):
        load_model(open_source(path))


def test_weights_of_another_shape_are_one_line(tmp_path: Path) -> None:
    keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)]).save(tmp_path / "a.keras")
    with zipfile.ZipFile(tmp_path / "a.keras") as file:
        weights = file.read("model.weights.h5")
    path = archive(tmp_path / "m.keras", sequential(dense(units=3), shape=(4,)), weights=weights)
    with pytest.raises(SourceError, match="weights do not fit") as caught:
        load_model(open_source(path))
    assert "\n" not in str(caught.value)


CODE = """
import keras
open({mark!r}, "w").write("ran")

@keras.saving.register_keras_serializable(package="notebook")
class Doubler(keras.layers.Layer):
    def __init__(self, by=2.0, **kwargs):
        super().__init__(**kwargs)
        self.by = by
    def call(self, x):
        return x * self.by
    def get_config(self):
        return {{**super().get_config(), "by": self.by}}
"""


def test_trusted_code_runs_in_the_child_only_and_only_when_asked(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    code = tmp_path / "layers.py"
    code.write_text(CODE.format(mark=str(mark)))
    custom = node("Doubler", "layers", registered="notebook>Doubler", name="twice", by=3.0)
    plain = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
    plain.save(tmp_path / "a.keras")
    with zipfile.ZipFile(tmp_path / "a.keras") as file:
        weights = file.read("model.weights.h5")
    path = archive(tmp_path / "m.keras", sequential(dense(), custom, shape=(4,)), weights=weights)
    with pytest.raises(UntrustedError, match="twice"):
        inspect(open_source(path))
    assert inspect(open_source(path), code).layers[-1].name == "twice"
    assert not mark.exists()
    got = run_in_child("convert.reading.load:describe", {"path": str(path), "trust_code": str(code)})
    assert got["parameters"] == 10
    assert mark.exists()
    model = load_model(open_source(path), code)
    rows = RNG.random((3, 4)).astype(np.float32)
    np.testing.assert_allclose(model(rows).numpy(), 3 * plain(rows).numpy(), rtol=1e-5)


def test_code_that_fails_is_one_line(tmp_path: Path) -> None:
    keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)]).save(tmp_path / "a.keras")
    code = tmp_path / "layers.py"
    for text, said in (("def (", "no valid Python"), ("raise ValueError('x')", "fails: ValueError: x")):
        code.write_text(text)
        with pytest.raises(ModelError, match=said):
            load_model(open_source(tmp_path / "a.keras"), code)
