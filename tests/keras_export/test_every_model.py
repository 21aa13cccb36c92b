"""Every model: builds, trains two steps, saves, reloads, exports, agrees with its scratch twin."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

keras = pytest.importorskip("keras", reason="needs the extra keras")

from keras_impl.export import FORMATS, planned  # noqa: E402
from keras_impl.export.samples import samples  # noqa: E402
from keras_impl.models import TWINS  # noqa: E402
from keras_impl.optimizers import densify  # noqa: E402
from keras_impl.preprocessing import with_preprocessing  # noqa: E402
from keras_impl.weights import to_keras  # noqa: E402
from tests.helpers import (  # noqa: E402
    FORWARD_TOLERANCE,
    GRADIENT_TOLERANCE,
    assert_agrees,
    assert_not_negligible,
)
from tests.keras_export.cases import NAMES, problem_of, run_of  # noqa: E402

ROOT = Path(__file__).parents[2]
SECONDS = 100
"""That the fresh process may take."""
ASKED_BEFORE = ("shakespeare", "imdb")
"""Those whose files the process that writes them asks too, as the command does."""


def test_there_is_a_case_for_every_twin():
    assert {name.partition("-")[0] for name in NAMES} == set(TWINS)


@pytest.mark.parametrize("name", NAMES)
def test_two_steps_saved_and_reloaded(name, tmp_path, monkeypatch):
    problem = problem_of(name, tmp_path, monkeypatch)
    model, twin = problem.build_model(), TWINS[problem.experiment](**problem.architecture)
    densify(twin.optimizer)
    twin.run_eagerly = True
    start = model.get_weights()
    twin.set_weights(start)
    batches = [*problem.batches(0), *problem.batches(1)][:2]
    for rows in batches:
        x, y = problem.x_train[rows], problem.y_train[rows]
        losses = [np.ravel(one.train_on_batch(x, y))[0] for one in (twin, model)]
        assert_agrees(*losses, FORWARD_TOLERANCE["float32"])
    for before, after, theirs in zip(start, model.get_weights(), twin.get_weights(), strict=True):
        assert_agrees(theirs - before, after - before, 10 * GRADIENT_TOLERANCE["float32"])

    whole = with_preprocessing(twin, problem.reader)
    whole.save(tmp_path / "whole.keras")
    again = keras.saving.load_model(tmp_path / "whole.keras")
    raw, expected = samples(model, problem.reader)
    given = keras.ops.convert_to_tensor(raw, again.inputs[0].dtype)
    assert_agrees(again(given), expected, 1e-5)
    np.testing.assert_array_equal(again(given), whole(given))
    for ours, theirs in zip(whole.layers, again.layers, strict=True):
        if type(ours).__module__.startswith("keras_impl.preprocessing"):
            assert theirs.get_config() == ours.get_config()


@pytest.mark.slow
def test_exported_and_loaded_in_a_fresh_process(tmp_path, monkeypatch):
    pytest.importorskip("tf2onnx", reason="needs the extra export")
    pytest.importorskip("onnxruntime", reason="needs the extra export")
    from keras_impl.export.writing import WRITERS, write

    raw, expected = {}, {}
    for number, name in enumerate(NAMES):
        dtype = "float64" if name in ("nietzsche", "imdb") else "float32"
        problem = problem_of(name, tmp_path, monkeypatch, dtype)
        folder = tmp_path / f"run-{name}"
        model = run_of(problem, folder, ("scratch", "keras")[number % 2])
        for kind, ending in FORMATS.items():
            plan = planned(folder, kind, tmp_path / f"{name}{ending}")
            if name in ASKED_BEFORE:
                assert 0 < write(plan).difference <= 1e-5
            else:
                WRITERS[kind].write(plan.path, to_keras(model), plan.run)
        asked, expected[name] = samples(model, problem.reader, seed=7)
        raw[name] = asked if isinstance(asked, list) else asked.tolist()
        assert_not_negligible(expected[name].std(axis=0))
    (tmp_path / "raw.json").write_text(json.dumps(raw), encoding="utf-8")
    subprocess.run(
        [sys.executable, Path(__file__).with_name("fresh.py"), tmp_path],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "ignore"},
        check=True,
        timeout=SECONDS,
    )
    with np.load(tmp_path / "answers.npz") as answers:
        assert set(answers) == {f"{name}{end}" for name in NAMES for end in FORMATS.values()}
        for key, found in answers.items():
            assert_agrees(found, expected[key.partition(".")[0]], FORWARD_TOLERANCE["float32"], key)
