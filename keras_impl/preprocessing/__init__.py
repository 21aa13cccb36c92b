"""Preprocessing inside the model, so that what is saved takes what a user has.

Rows of a table with their gaps, reviews in words, texts of any length: the layers here give the
core of the model exactly what `scratchnet.experiments.readers` does.  Importing this registers
all that a saved model needs.  The layers of texts work on TensorFlow's strings.
"""

from __future__ import annotations

import keras

import keras_impl.layers
import keras_impl.weights  # noqa: F401  with the layers: what else a saved core may hold is registered
from keras_impl.preprocessing.rows import FillMissing
from keras_impl.preprocessing.texts import LatestIds, ReviewIds
from scratchnet.errors import InputError
from scratchnet.experiments.readers import Columns, Language, Reader, Reviews

__all__ = ["FillMissing", "LatestIds", "ReviewIds", "with_preprocessing"]


def with_preprocessing(core: keras.Model, reader: Reader) -> keras.Model:
    """Return a model that takes raw data and gives the core's answer; its weights are the core's.

    ========== ============================================ =====================================
    reader     input                                        output
    ========== ============================================ =====================================
    `Columns`  ``rows``, numbers (B, D), NaN where missing  (B, ``len(reader.outputs)``)
    `Reviews`  ``texts``, strings (B,)                      (B, 1), the probability of "positive"
    `Language` ``texts``, strings (B,)                      (B, V), the probability of each next
    ========== ============================================ =====================================

    A language model reads the last window of each text, or a shorter text whole, from zero states;
    rows do not disturb each other.  Characters outside the vocabulary are passed over, words are
    read as the unknown one; nothing that is known leaves what the network says unasked.

    Parameters
    ----------
    core : keras.Model
        A stack of layers on the reader's inputs: a run's model.
    reader : Columns, Reviews or Language
        Of the run.

    Raises
    ------
    InputError
        If the reader is another: a chain has no Keras model.
    """
    if isinstance(reader, Columns):
        return _of_rows(core, reader)
    if isinstance(reader, Reviews):
        return _of_reviews(core, reader)
    if isinstance(reader, Language):
        return _of_texts(core, reader)
    raise InputError(
        f"with_preprocessing: expected a reader of rows, reviews or a text, got "
        f"{type(reader).__name__}. Name a run of a network."
    )


def _of_rows(core: keras.Model, columns: Columns) -> keras.Model:
    dtype = core.layers[0].variable_dtype  # the model's own is Keras's default, whatever it holds
    rows = x = keras.Input((len(columns.features),), dtype=dtype, name="rows")
    if columns.fill:
        values = [columns.fill.get(feature) for feature in columns.features]
        x = FillMissing(values, dtype=dtype, name="fill")(x)
    x = keras.layers.Rescaling(columns.scale, dtype=dtype, name="rescaling")(x)
    return keras.Model(rows, core(x), name=core.name)


def _of_reviews(core: keras.Model, reviews: Reviews) -> keras.Model:
    texts = keras.Input((), dtype="string", name="texts")
    ids = ReviewIds(reviews.vocabulary.symbols, reviews.length, name="ids")(texts)
    return keras.Model(texts, core(ids), name=core.name)


def _of_texts(core: keras.Model, language: Language) -> keras.Model:
    vocabulary = language.vocabulary
    texts = keras.Input((), dtype="string", name="texts")
    x, mask = LatestIds(
        vocabulary.symbols,
        language.window,
        unit=vocabulary.unit,
        lower_case=language.lower_case,
        unknown=vocabulary.unknown is not None,
        name="ids",
    )(texts)
    for layer in core.layers:
        x = layer(x, mask=mask) if isinstance(layer, keras.layers.RNN) else layer(x)
    return keras.Model(texts, x, name=core.name)
