"""The floor: which products a network has, counted by hand, and the machine's peak."""

import threading

import numpy as np
import pytest

from keras_impl.bench import floor
from keras_impl.bench.floor import Product, flops, inference_products, training_products
from scratchnet import Sequential
from scratchnet.experiments import imdb, language, wisconsin
from scratchnet.layers import GRU, LSTM, Dense, Dropout, Embedding, SimpleRNN


def test_a_product_multiplies_and_adds():
    assert Product(2, 3, 5).flops == 2 * 2 * 3 * 5
    assert Product(2, 3, 5, 7).flops == 7 * 60


def test_dense_layers():
    found = training_products(wisconsin.build_model(), 10)
    assert sorted(found, key=repr) == sorted(
        [
            *(Product(10, 9, 9), Product(10, 9, 12), Product(10, 12, 1)),  # forward
            *(Product(9, 10, 9), Product(9, 10, 12), Product(12, 10, 1)),  # kernels
            *(Product(10, 12, 9), Product(10, 1, 12)),  # not before the first layer
        ],
        key=repr,
    )


def test_the_char_lstm_has_what_the_design_says():
    B, T, V, H = 128, 40, 57, 128
    found = training_products(language.build_model(V, T), B)
    one_hot = 2 * (2 * B * T * V * 4 * H)
    recurrent = 3 * (2 * B * H * 4 * H * T)
    dense = 3 * (2 * B * H * V)
    assert flops(found) == one_hot + recurrent + dense
    assert flops(found, one_hot=False) == recurrent + dense
    assert flops(found) / 200e9 == pytest.approx(13e-3, rel=0.01)  # at 100 GFLOP/s a core
    assert flops(found, one_hot=False) / 200e9 == pytest.approx(10e-3, rel=0.01)


def test_an_embedding_is_looked_up_but_wants_its_gradient():
    B, T, D, H = 64, 500, 32, 100
    found = training_products(imdb.build_model(), B)
    inputs = 3 * (2 * B * T * D * 4 * H)
    recurrent = 3 * (2 * B * H * 4 * H * T)
    assert flops(found) == flops(found, one_hot=False) == inputs + recurrent + 3 * 2 * B * H


@pytest.mark.parametrize(("layer", "gates"), [(LSTM, 4), (GRU, 3), (SimpleRNN, 1)])
def test_every_cell_has_its_gates(layer, gates):
    B, T, D, H = 3, 5, 7, 2
    model = Sequential([layer(H)])
    model.build((None, T, D))
    assert inference_products(model, B) == [
        Product(B * T, D, gates * H),
        Product(B, H, gates * H, T),
    ]


def test_a_dense_layer_works_on_every_time_step():
    model = Sequential([Embedding(11, 3), LSTM(2, return_sequences=True), Dropout(0.5), Dense(5)])
    model.build((None, 7))
    assert inference_products(model, 4)[-1] == Product(4 * 7, 2, 5)


def test_the_peak_is_of_the_least_disturbed_repetition_on_all_threads(monkeypatch):
    clock = iter([10.0, 14.0, 20.0, 22.0, 30.0, 33.0])  # 4, 2 and 3 seconds
    monkeypatch.setattr(floor.time, "perf_counter", lambda: next(clock))
    assert floor.peak(3, repetitions=3, size=4) == 3 * 2 * 4**3 / 2.0


def test_every_thread_multiplies_with_one_thread_of_blas(monkeypatch):
    from threadpoolctl import threadpool_info

    real, seen = np.matmul, []
    together = threading.Barrier(2, timeout=10)

    def matmul(*arguments, **options):
        together.wait()  # ends only if two threads are here at once
        blas = [one["num_threads"] for one in threadpool_info() if one["user_api"] == "blas"]
        seen.append((threading.get_ident(), *blas))
        return real(*arguments, **options)

    monkeypatch.setattr(np, "matmul", matmul)
    assert floor.peak(2, repetitions=2, size=8) > 0
    assert len({ident for ident, *_ in seen}) == 2
    assert {count for _, *counts in seen for count in counts} == {1}
