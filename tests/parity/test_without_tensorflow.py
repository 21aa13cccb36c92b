"""Models, layers, weights and optimizers go with any Keras backend: Keras on JAX needs them."""

import ast
import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FREE = ("models.py", "layers.py", "optimizers.py", "options.py", "weights")
"""Of `keras_impl`: what imports TensorFlow nowhere, or only where it is the backend."""
ON_JAX = """
import sys
sys.modules["tensorflow"] = None  # an import of it fails
import keras
import numpy as np
from keras_impl import weights
from keras_impl.models import TWINS

assert keras.backend.backend() == "jax"
rng = np.random.default_rng(0)
rows = rng.standard_normal((5, 9)).astype("float32")
ids = rng.integers(0, 11, (5, 6)).astype("int32")
for twin, x in (
    (TWINS["wisconsin"](), rows),
    (TWINS["nietzsche"](vocabulary=11, window=6, cell="gru", units=4), ids),
    (TWINS["imdb"](vocabulary=11, length=6, units=4, masked=True), ids),
):
    twin.set_weights([rng.standard_normal(w.shape) for w in twin.get_weights()])
    expected = weights.from_keras(twin).predict(x)
    assert np.abs(expected).max() > 0.01
    assert np.abs(np.asarray(twin(x)) - expected).max() < 1e-5
"""


@pytest.mark.parametrize("name", FREE)
def test_it_imports_tensorflow_only_inside_functions(name):
    where = ROOT / "keras_impl" / name
    files = sorted(where.glob("*.py")) if where.is_dir() else [where]
    assert files
    for path in files:
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            names = [one.name for one in getattr(node, "names", [])]
            names += [getattr(node, "module", None) or ""]
            assert not any(one.partition(".")[0] == "tensorflow" for one in names), path


@pytest.mark.slow
def test_the_twins_on_jax():
    if importlib.util.find_spec("jax") is None:
        pytest.skip("JAX is not installed (extra `peers`)")
    environment = os.environ | {"KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu"}
    subprocess.run(
        [sys.executable, "-c", ON_JAX], cwd=ROOT, env=environment, check=True, timeout=200
    )
