"""What a step on a device costs beside its kernels: no waiting, no memory, nothing unexpected."""

import gc
import threading

import pytest

from scratchnet import to_device
from scratchnet.kernels.device import products
from scratchnet.layers import Dense
from tests.device.models import IDS, LABELS, NETWORKS, B, Network, steps
from tests.layers.cases import random_array
from tests.strict_array import crossings

every_network = pytest.mark.parametrize("name", NETWORKS)
eagerly_or_recorded = pytest.mark.parametrize("eagerly", [True, False], ids=["eager", "recorded"])


def watch(model, context):
    """Let the work of every step, all but reading its loss, happen in a context."""
    take = model._steps.take

    def watched(*arguments):
        with context():
            return take(*arguments)

    model._steps.take = watched


@every_network
@eagerly_or_recorded
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_nobody_waits_within_a_step(name, eagerly, dtype, place):
    network = NETWORKS[name]
    model = network.model(dtype, run_eagerly=eagerly).to("gpu")
    watch(model, place.no_waiting)
    assert len(steps(model, network.batches(4), place)) == 4


@eagerly_or_recorded
@pytest.mark.parametrize("name", ["words", "masked-steps", "both-ways"])
def test_one_number_is_read_after_it(name, eagerly, strict_cupy):
    """And nothing is sent but the step's numbers, all at once."""
    network = NETWORKS[name]
    model = network.model(run_eagerly=eagerly).to("gpu")
    batches = [tuple(to_device(a, "gpu") for a in batch) for batch in network.batches(5)]
    steps(model, batches[:3])
    for batch in batches[3:]:
        with crossings() as counter:
            model.train_on_batch(*batch)
        assert len(counter.to_host) == 1, counter.to_host
        assert len(counter.to_device) <= 1, counter.to_device


@pytest.mark.parametrize("name", sorted(set(NETWORKS) - {"stateful"}))
def test_what_a_recording_reads_is_known(name, strict_cupy):
    network = NETWORKS[name]
    model = network.model().to("gpu")
    for batch in network.batches(4):
        model.train_on_batch(*(to_device(a, "gpu") for a in batch))
    (recorded,) = model._steps._recordings.values()
    kept = [model._weights(), model.optimizer.slots]
    own = [recorded._batch.x, recorded._batch.y, recorded._recording._on_device]
    assert recorded._graph.outside_reads([kept, own]) == []
    assert recorded._graph.outside_writes(kept) == []
    assert recorded._graph.outside_reads(own) != []


TINY = Network(lambda: [Dense(3, "tanh"), Dense(2)], random_array(B, 4), random_array(B, 2), "mse")


@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("tiny", 200),
        ("words", 60),
        ("both-ways", 12),
        pytest.param("tiny", 1000, marks=pytest.mark.slow),
    ],
)
@eagerly_or_recorded
def test_memory_does_not_grow(name, count, eagerly, place):
    """Over 1,000 steps, for which the stand-in would need a minute."""
    network = TINY if name == "tiny" else NETWORKS[name]
    count = count if place.stands_in else 1000
    model = network.model(run_eagerly=eagerly).to("gpu")
    batches = [place.put(*batch) for batch in network.batches(4)]
    steps(model, batches * 2)
    gc.collect()
    before = place.used_bytes()
    for _ in range(count // 4):
        steps(model, batches)
    gc.collect()
    assert place.used_bytes() <= before


def test_shapes_that_come_and_go_leave_nothing_behind(place):
    network = NETWORKS["words"]
    model = network.model().to("gpu")
    used = []
    for _ in range(3):
        for size in (2, 3, 4, 5, 6, 7):
            for _ in range(3):
                steps(model, network.batches(1, size), place)
        gc.collect()
        used.append(place.used_bytes())
    assert used[0] == used[1] == used[2]


def test_a_model_that_left_leaves_nothing_behind(place):
    products._handle(place.xp, 0, threading.get_ident())  # once for all models
    gc.collect()
    before = place.used_bytes()
    network = NETWORKS["words"]
    model = network.model().to("gpu")
    steps(model, network.batches(4), place)
    gc.collect()
    assert place.used_bytes() > before
    model.to("cpu")
    model.forward(IDS, training=True)
    model.train_on_batch(IDS, LABELS)
    gc.collect()
    assert place.used_bytes() <= before
