"""Random models of somebody who has only Keras: saved, with what Keras says of them.

Run as a program, ``plain_keras.py FOLDER COUNT``: nothing of this project is imported.
"""

import sys
import warnings
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from keras import layers

BATCH, TIME, FEATURES, IDS = 2, 4, 3, 7
ACTIVATIONS = ("tanh", "sigmoid", "softplus", "elu", "softsign", "silu", "hard_sigmoid")


class Random:
    """Choices that a seed decides."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)

    def one_of(self, options):
        return options[self.rng.integers(len(options))]

    def chance(self, share: float = 0.5) -> bool:
        return bool(self.rng.random() < share)


def recurrent(r: Random, sequences: bool, stateful: bool) -> keras.Layer:
    kind = r.one_of((layers.SimpleRNN, layers.LSTM, layers.GRU))
    options = {
        "activation": r.one_of(ACTIVATIONS),
        "use_bias": r.chance(0.8),
        "go_backwards": r.chance(0.3),
        "zero_output_for_mask": r.chance(0.3) and kind is not layers.SimpleRNN,
        "return_sequences": sequences,
        "stateful": stateful,
    }
    if kind is layers.SimpleRNN:
        del options["zero_output_for_mask"]
    else:
        options["recurrent_activation"] = r.one_of(ACTIVATIONS)
    if kind is layers.GRU:
        options["reset_after"] = r.chance()
    if kind is layers.LSTM:
        options["unit_forget_bias"] = r.chance()
    if not stateful and r.chance(0.4):
        options["go_backwards"] = False
        merge = r.one_of(("concat", "sum", "mul", "ave"))
        return layers.Bidirectional(kind(int(r.rng.integers(1, 4)), **options), merge_mode=merge)
    return kind(int(r.rng.integers(1, 4)), **options)


def made(r: Random, stateful: bool) -> tuple[keras.KerasTensor, list]:
    """An input, and a line of layers for it."""
    ids, batch = r.chance(), BATCH if stateful else None
    x = keras.Input(batch_shape=(batch, TIME) if ids else (batch, TIME, FEATURES))
    line = []
    if ids:
        line.append(layers.Embedding(IDS, FEATURES, mask_zero=r.chance(0.7)))
    elif r.chance():
        line.append(layers.Masking(0.5))
    for _ in range(r.rng.integers(0, 3)):
        line.append(recurrent(r, True, stateful))
        if r.chance(0.3):
            line.append(layers.SpatialDropout1D(0.5))
        if r.chance(0.3):
            line.append(layers.TimeDistributed(layers.Dense(3, r.one_of(ACTIVATIONS))))
    line.append(layers.Flatten() if r.chance(0.3) else recurrent(r, False, stateful))
    if r.chance():
        line.append(layers.Dropout(0.25))
    if r.chance():
        line.append(r.one_of((layers.ELU(0.75), layers.Activation("tanh"))))
    line.append(layers.Dense(int(r.rng.integers(1, 5)), r.one_of((*ACTIVATIONS, "softmax"))))
    return x, line


def model_of(r: Random, x, line: list) -> keras.Model:
    """The same line in one of the ways in which people build models."""
    way = r.one_of(("sequential", "functional", "nested", "nested functional"))
    cut = int(r.rng.integers(1, len(line))) if len(line) > 1 else 0
    if way == "sequential" or not cut:
        return keras.Sequential([x, *line])
    if way == "nested":
        return keras.Sequential([x, *line[:cut], keras.Sequential(line[cut:])])
    if way == "nested functional":
        line = [*line[:cut], keras.Sequential(line[cut:])]
    y = x
    for layer in line:
        y = layer(y)
    return keras.Model(x, y)


def answers(r: Random, model: keras.Model, dtype: str) -> dict[str, np.ndarray]:
    """A random batch, what the model makes of it, and the tape's gradients."""
    shape = (BATCH, *model.input_shape[1:])
    if len(shape) == 2:
        x = r.rng.integers(1, IDS, shape)
        x[1, 0], x[0, 2] = 0, 0
    else:
        x = r.rng.standard_normal(shape).astype(dtype)
        x[1, 0], x[0, 2] = 0.5, 0.5
    inputs = tf.convert_to_tensor(x)
    with tf.GradientTape() as tape:
        if inputs.dtype.is_floating:
            tape.watch(inputs)
        y = model(inputs, training=False)
    dy = r.rng.standard_normal(y.shape).astype(dtype)
    weights = model.trainable_weights
    dx, *dweights = tape.gradient(
        y, [inputs, *(w.value for w in weights)], tf.convert_to_tensor(dy)
    )
    found = {"x": x, "y": y.numpy(), "dy": dy}
    if dx is not None:
        found["dx"] = dx.numpy()
    for number, gradient in enumerate(dweights):
        found[f"dw{number}"] = tf.convert_to_tensor(gradient).numpy()
    return found


def main(folder: Path, count: int) -> None:
    warnings.simplefilter("ignore")
    for number in range(count):
        dtype = ("float64", "float32")[number % 4 == 3]
        keras.config.set_floatx(dtype)
        keras.config.set_dtype_policy(dtype)
        r = Random(number)
        model = model_of(r, *made(r, stateful=number % 5 == 4))
        weights = [0.7 * r.rng.standard_normal(w.shape) for w in model.get_weights()]
        model.set_weights(weights)
        model.save(folder / f"{number}.keras")
        np.savez(folder / f"{number}.npz", **answers(r, model, dtype))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
