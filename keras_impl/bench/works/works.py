"""What is measured: the experiments' training steps, a character written, rows predicted.

A work is made from the experiment's own data where they are on this machine; nothing is
downloaded for a measurement: random ids of the same shape cost the same.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import keras
import numpy as np

from keras_impl.bench import check
from keras_impl.bench.floor import training_products
from keras_impl.bench.race import FEWEST_UNITS, MOST_UNITS, WARM_UP, Candidate
from keras_impl.bench.works import engines, predicting, writing
from keras_impl.bench.works.engines import SCRATCH, KerasSteps, ScratchSteps
from keras_impl.bench.works.work import DTYPE, REAL, Training, Work
from keras_impl.models import TWINS
from keras_impl.optimizers import densify
from keras_impl.parity.compare import Agreement, agreements, difference
from keras_impl.parity.oracle import keras_floats
from keras_impl.pipelines import as_keras_takes_it
from scratchnet import Sequential, datasets, experiments
from scratchnet.backend import Array
from scratchnet.experiments import imdb as imdb_experiment
from scratchnet.experiments import language
from scratchnet.experiments.problem import Problem

LOSSES = 10
"""Training steps whose losses are compared before the clock starts."""
LOSS_TOLERANCE = 1e-5
"""Of the first loss; later ones have been through updates, which multiply rounding."""
LOSSES_TOLERANCE = 1e-3
RANDOM = "random ids of the same shape: the data are not on this machine"


class Data(NamedTuple):
    """What a network is made of and trained on."""

    training: Training
    source: str


def training_work(
    name: str,
    title: str,
    data: Data,
    required: float | None = None,
    aimed: float | None = None,
    *,
    short: bool = False,
) -> Work:
    """Return a training step as a work.

    Parameters
    ----------
    short : bool
        Whether a step is so short that running several in one call pays.
    """
    training = data.training
    batch = len(training.batches[0][0])
    return Work(
        name,
        title,
        "step",
        required,
        aimed,
        training_products(training.build_model(), batch),
        functools.partial(_step_candidates, training, short),
        functools.partial(_step_agreement, training),
        data=data.source,
        training=training,
    )


def _step_candidates(training: Training, short: bool, threads: int, peers: bool) -> list[Candidate]:
    units = MOST_UNITS if short else FEWEST_UNITS
    at_once = len(training.batches) if short else FEWEST_UNITS // 3
    batches = training.batches
    with keras_floats(DTYPE):
        ways = engines.keras_candidates(training.build_twin, batches, units, at_once)
        if short:
            ways.append(engines.one_graph(training.build_twin, batches, at_once))
    scratch = ScratchSteps(training.build_model())
    ours = engines.candidate(scratch, SCRATCH, batches, units)
    others = [
        engines.candidate(engine, kind, batches, units)
        for kind, engine in _peers(training, threads, peers)
    ]
    return [ways[0], ours, *ways[1:], *others]


def _peers(training: Training, threads: int, peers: bool) -> Iterator[tuple[str, engines.Engine]]:
    for kind in engines.PEERS if peers else ():
        engine = engines.peer_engine(kind, training.build_model(), threads)
        if engine is not None:
            yield kind, engine


def _step_agreement(training: Training, threads: int, peers: bool) -> list[Agreement]:
    """Hold outputs, loss and gradients of the first batch, and ten losses, against Keras's."""
    x, y = training.batches[0]
    with keras_floats(DTYPE):
        model, twin = training.build_model(), training.build_twin()
        densify(twin.optimizer)
        twin.set_weights(model.get_weights())
        found = agreements(model, twin, x, y)
        reference = losses(KerasSteps(twin), training.batches)
    others = list(_peers(training, threads, peers))
    for kind, engine in [(SCRATCH, ScratchSteps(model)), *others]:
        curve = losses(engine, training.batches)
        first = difference(curve[0], reference[0])
        all_of_them = difference(curve, reference)
        found += [
            Agreement(f"{kind}, loss of the first step", first, LOSS_TOLERANCE),
            Agreement(f"{kind}, losses of {len(curve)} steps", all_of_them, LOSSES_TOLERANCE),
        ]
    return found


def losses(engine: engines.Engine, batches: engines.Batches) -> list[float]:
    """Return the losses of an engine's first training steps."""
    found = []
    for x, y in batches[:LOSSES]:
        if isinstance(engine, KerasSteps):
            engine.forget()
        found.append(float(engine.step(*engine.prepare(x, y))))
    return found


def wisconsin() -> Work:
    """A step so short that calling it costs more than computing it."""
    problem = experiments.get("wisconsin").module().problem(dtype=DTYPE)
    title = "wisconsin training step, 10×9→9→12→1"
    return training_work("wisconsin", title, _of(problem, 49), required=0.15, aimed=0.1, short=True)


def nietzsche(cell: str = "lstm") -> Work:
    """The character model's training step."""
    name = "nietzsche" if cell == "lstm" else f"nietzsche-{cell}"
    data = _language("nietzsche", 57, cell=cell)
    title = f"char {cell.upper()} training step, 128×40×57→128"
    return training_work(name, title, data, required=0.85, aimed=0.65)


def imdb() -> Work:
    """The reviews' training step: 500 time steps."""
    title = "imdb training step, 64×500, 32→100"
    if _here("imdb") or _here("imdb-keras"):
        data = _of(experiments.get("imdb").module().problem(dtype=DTYPE))
    else:
        vocabulary, length = imdb_experiment.VOCABULARY, imdb_experiment.LENGTH
        twin = functools.partial(TWINS["imdb"], vocabulary, length)
        build, size = imdb_experiment.build_model, imdb_experiment.BATCH_SIZE
        data = _random(build, twin, size, vocabulary, length, labels=2)
    return training_work("imdb", title, data, required=1.0, aimed=0.7)


def shakespeare() -> Work:
    """The word model's training step, in batches large enough for products to count."""
    data = _language("shakespeare", 11_636, batch_size=128)
    title = "shakespeare training step, 128×50, 50→50→50→100→11,636"
    return training_work("shakespeare", title, data, required=0.85, aimed=0.6)


def _language(name: str, vocabulary: int, **settings: Any) -> Data:
    module = experiments.get(name).module()
    if _here(name):
        return _of(module.problem(dtype=DTYPE, **settings))
    chosen = language.chosen(module.PUBLISHED, settings)
    architecture = {
        key: getattr(chosen, key)
        for key in ("window", "cell", "units", "layers", "embedding", "hidden")
    }
    architecture |= {"optimizer": chosen.optimizer, "learning_rate": chosen.learning_rate}
    build = functools.partial(language.build_model, vocabulary, **architecture)
    twin = functools.partial(TWINS[name], vocabulary, **architecture)
    return _random(build, twin, chosen.batch_size, vocabulary, chosen.window)


def _here(dataset: str) -> bool:
    return datasets.find(dataset) is not None


def _of(problem: Problem, count: int = WARM_UP + FEWEST_UNITS) -> Data:
    """Return an experiment's own data: the first whole batches of its first epoch."""
    batches = []
    for rows in problem.batches(0)[:count]:
        if len(rows) == problem.batch_size:
            x, y = problem.x_train[rows], problem.y_train[rows]
            batches.append((as_keras_takes_it(x, DTYPE), as_keras_takes_it(y, DTYPE)))
    twin = functools.partial(TWINS[problem.experiment], **problem.architecture)
    return Data(Training(problem.build_model, twin, batches), REAL)


def _random(
    build_model: Callable[[], Sequential],
    build_twin: Callable[..., keras.Model],
    batch_size: int,
    vocabulary: int,
    length: int,
    labels: int = 0,
) -> Data:
    """Return random ids; targets are ids too, or (B, 1) numbers where there are ``labels``."""
    rng = np.random.default_rng(0)
    batches: list[tuple[Array, Array]] = []
    for _ in range(WARM_UP + FEWEST_UNITS):
        x = rng.integers(0, vocabulary, (batch_size, length)).astype("int32")
        y = rng.integers(0, labels or vocabulary, batch_size).astype("int32")
        batches.append((x, y[:, None].astype(DTYPE) if labels else y))
    return Data(Training(build_model, build_twin, batches), RANDOM)


def get(name: str) -> Work:
    """Return a work, made now.

    Raises
    ------
    InputError
        There is none of that name.
    """
    check(name)
    makers: dict[str, Callable[[], Work]] = {
        "wisconsin": wisconsin,
        "nietzsche": nietzsche,
        "nietzsche-gru": functools.partial(nietzsche, "gru"),
        "imdb": imdb,
        "shakespeare": shakespeare,
        "generate": writing.generate,
        "generate-window": writing.generate_window,
        "predict": predicting.predict,
    }
    return makers[name]()
