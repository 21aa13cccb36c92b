"""The embedding layer."""

import numpy as np
import pytest

from scratchnet.errors import InputError
from scratchnet.layers import Embedding
from tests.layers.cases import every_dtype, message, random_array


def with_table(table, **arguments):
    layer = Embedding(*table.shape, dtype=str(table.dtype), **arguments)
    layer.build((None, 1))
    layer.set_weights([table])
    return layer


@pytest.mark.parametrize("shape", [(6,), (4, 6), (1, 1), (2, 3, 4), (3, 0)])
@every_dtype
def test_rows_and_their_gradient(shape, dtype):
    table = random_array(5, 3, dtype=dtype)
    layer = with_table(table)
    ids = np.random.default_rng(0).integers(5, size=shape)
    dy = random_array(*shape, 3, dtype=dtype)
    y = layer.forward(ids, training=True)
    assert y.shape == (*shape, 3)
    expected, dtable = np.zeros_like(y), np.zeros((5, 3))
    for place in np.ndindex(shape):
        expected[place] = table[ids[place]]
        dtable[ids[place]] += dy[place]
    np.testing.assert_array_equal(y, expected, strict=True)
    assert layer.backward(dy) is None
    assert layer.grads["embeddings"].dtype == dtype
    assert layer.grads["embeddings"].shape == table.shape
    np.testing.assert_allclose(layer.grads["embeddings"], dtable, rtol=1e-6, atol=1e-7)


def test_repeated_ids_add_up():
    layer = with_table(random_array(4, 2))
    dy = random_array(2, 3, 2)
    layer.forward([[2, 2, 0], [0, 2, 2]], training=True)
    layer.backward(dy)
    dtable = layer.grads["embeddings"]
    np.testing.assert_allclose(dtable[2], dy[0, 0] + dy[0, 1] + dy[1, 1] + dy[1, 2], rtol=1e-14)
    np.testing.assert_allclose(dtable[0], dy[0, 2] + dy[1, 0], rtol=1e-14)
    assert not dtable[[1, 3]].any()


def test_many_small_gradients_are_not_lost():
    """A float32 sum would stop growing at 2**24 times its addend; this one does not."""
    layer = with_table(np.zeros((2, 1), "float32"))
    ids = np.zeros(100_001, int)
    dy = np.full((100_001, 1), 1e-4, "float32")
    dy[0] = 1e4
    layer.forward(ids, training=True)
    layer.backward(dy)
    np.testing.assert_allclose(layer.grads["embeddings"][0], 1e4 + 10, rtol=1e-7)


@pytest.mark.parametrize(
    "dtype", ["int8", "uint8", "int32", "uint64", "float32", "float64", "bool"]
)
def test_ids_of_any_type(dtype):
    table = random_array(5, 3)
    ids = np.array([[0, 1], [1, 0]]).astype(dtype)
    np.testing.assert_array_equal(with_table(table)(ids), table[[[0, 1], [1, 0]]])
    layer = with_table(table)
    layer.forward(ids, training=True)
    layer.backward(np.ones((2, 2, 3)))
    np.testing.assert_array_equal(layer.grads["embeddings"][:, 0], [2, 2, 0, 0, 0])


def test_lists():
    table = random_array(5, 3)
    np.testing.assert_array_equal(with_table(table)([[4, 0]]), table[[[4, 0]]])
    assert with_table(table)([[], []]).shape == (2, 0, 3)


@pytest.mark.parametrize(
    ("ids", "got"),
    [
        ([[1, 5]], "5"),
        ([[-1, 1]], "-1"),
        ([[-1, 7]], "-1"),
        (np.array([2**40]), str(2**40)),
        (np.array([2**63 + 1], "uint64"), str(2**63 + 1)),
        ([1e30], "1e[+]30"),
        ([np.nan, 1], "nan"),
        ([np.inf], "inf"),
    ],
)
def test_ids_outside_the_vocabulary(ids, got):
    layer = with_table(random_array(5, 3))
    with pytest.raises(InputError, match=f"Embedding: expected token ids x from 0 to 4, got {got}"):
        layer(ids)
    with pytest.raises(InputError) as e:
        Embedding(5, 3)(ids)  # not built either
    assert "Raise input_dim" in message(e)


def test_ids_with_a_fraction():
    with pytest.raises(
        InputError, match=r"expected token ids x to be whole numbers, got float64"
    ) as e:
        Embedding(5, 3)([[1.0, 2.5]])
    message(e)


@pytest.mark.parametrize("bad", [0, -2, 1.5, "8", None, True])
def test_sizes(bad):
    for name, arguments in (("input_dim", (bad, 3)), ("output_dim", (3, bad))):
        with pytest.raises(InputError, match=f"Embedding: expected {name} to be a positive") as e:
            Embedding(*arguments)
        assert repr(bad) in message(e)


class TestMask:
    ids = np.array([[3, 0, 1, 0], [0, 0, 0, 0]])

    def test_zero_is_padding(self):
        mask = Embedding(5, 3, mask_zero=True).compute_mask(self.ids)
        np.testing.assert_array_equal(mask, [[1, 0, 1, 0], [0, 0, 0, 0]])
        assert mask.dtype == bool
        mask = Embedding(5, 3, mask_zero=True).compute_mask(self.ids.astype(float).tolist())
        np.testing.assert_array_equal(mask, self.ids != 0)

    def test_zero_is_a_word_unless_asked(self):
        assert Embedding(5, 3).compute_mask(self.ids, self.ids != 1) is None

    def test_padding_has_a_row_and_its_gradient(self):
        """As in Keras: what is masked is the layers' business that follow."""
        layer = with_table(random_array(5, 3), mask_zero=True)
        layer.forward(self.ids, training=True)
        layer.backward(np.ones((2, 4, 3)))
        np.testing.assert_array_equal(layer.grads["embeddings"][:, 0], [6, 1, 0, 1, 0])


def test_default_initializer_is_keras():
    layer = Embedding(300, 100)
    layer.build((None, 4))
    table = layer.params["embeddings"]
    assert 0.0499 < abs(table).max() <= 0.05
    assert abs(table.std() - 0.05 / np.sqrt(3)) < 2e-4
