"""Every experiment's training step, beside Keras's compiled one on the same batches."""

import pytest


@pytest.mark.parametrize("name", ["wisconsin", "nietzsche", "nietzsche-gru", "imdb", "shakespeare"])
def test_training_step(work_beside_keras, name):
    work_beside_keras(name)
