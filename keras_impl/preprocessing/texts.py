"""Texts as they come: strings (B,) to the ids that `scratchnet.experiments.readers` gives them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_impl.preprocessing import code_points
from keras_impl.preprocessing.code_points import Runs
from scratchnet.experiments.imdb_data import MARKERS, SEPARATORS

REVIEW_SEPARATORS = f"[{re.escape(SEPARATORS)}]"

# Words as `scratchnet.text.tokens` finds them, on texts of letters, ' and spaces alone.  What
# RE2 cannot do, to look ahead, is done by a mark behind every run of letters: no letter follows.
_MARK = "\x01"
_LETTER = rf"[^ '{_MARK}]"
_NOT = rf"n{_MARK}'t{_MARK}"
_SHORT = rf"'(?:ll|re|ve|s|d|m){_MARK}"
_BEFORE_ENDING = rf"({_LETTER}(?:(?:{_MARK}')?{_LETTER})*?)({_NOT}|{_MARK}{_SHORT})"
_WHOLE = rf"({_LETTER}+{_MARK}(?:'{_LETTER}+{_MARK})*)"
_WORD = rf"({_NOT}|{_SHORT})|{_BEFORE_ENDING}|{_WHOLE}|'"


class _Ids(keras.layers.Layer):
    """What is common to layers from strings to ids."""

    lookup: Any = None
    """The table of words, a ``StringLookup``, where there is one."""

    def __init__(self, symbols: Sequence[str], length: int, **kwargs: Any) -> None:
        super().__init__(autocast=False, **kwargs)
        self.symbols, self.length = list(symbols), length

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Make the table: all symbols are known."""
        if self.lookup is not None:
            self.lookup.build(input_shape)
        self.built = True

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make this layer again."""
        return {**super().get_config(), "symbols": self.symbols, "length": self.length}


@keras.saving.register_keras_serializable("scratchnet")
class ReviewIds(_Ids):
    """Reviews as ids: the start marker, then the words; strings (B,) to int32 (B, length).

    The last ``length`` ids are kept, with zeros before a shorter review.  A word outside the
    vocabulary has the id 2.

    Parameters
    ----------
    symbols : sequence of str
        The four markers and the words, as `scratchnet.experiments.imdb_data.vocabulary_of`.
    length : int
        Ids of a review.
    """

    def __init__(self, symbols: Sequence[str], length: int, **kwargs: Any) -> None:
        super().__init__(symbols, length, **kwargs)
        _, start, unknown, *rest = self.symbols
        # Keras numbers its two markers 0 and 1: with 1 added, these are the start and the unknown.
        self.lookup = keras.layers.StringLookup(
            vocabulary=rest, mask_token=start, oov_token=unknown
        )

    def call(self, texts: Any) -> Any:
        """Return the ids."""
        spaced = tf.strings.regex_replace(tf.strings.lower(texts), REVIEW_SEPARATORS, " ")
        words = _split(spaced)  # lower() without an encoding is ASCII's
        start = tf.fill((words.nrows(), 1), MARKERS[1])
        ids = tf.cast(self.lookup(tf.concat([start, words], axis=1)), tf.int32) + 1
        return _padded_in_front(ids, self.length)

    def compute_output_spec(self, texts: Any) -> keras.KerasTensor:
        """Return the ids' shape and dtype."""
        return keras.KerasTensor((texts.shape[0], self.length), "int32")


@keras.saving.register_keras_serializable("scratchnet")
class LatestIds(_Ids):
    """The end of each text as ids: strings (B,) to int32 ids and their mask, both (B, length).

    A shorter text stands at the beginning of its row; the mask is true where there is an id.
    Symbols outside the vocabulary are passed over, unless it has one for the unknown.

    Parameters
    ----------
    symbols : sequence of str
        Of a `scratchnet.text.Vocabulary`.
    length : int
        Ids that are kept at most.
    unit : {"char", "word"}
    lower_case : bool
        Of characters; words are always lower-cased.
    unknown : bool
        Whether the first symbol stands for whatever is not known.
    """

    def __init__(
        self,
        symbols: Sequence[str],
        length: int,
        unit: str = "char",
        lower_case: bool = True,
        unknown: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(symbols, length, **kwargs)
        self.unit, self.lower_case, self.unknown = unit, lower_case, unknown
        if unit == "word":
            self.lookup = keras.layers.StringLookup(vocabulary=self.symbols, mask_token=None)

    def call(self, texts: Any) -> tuple[Any, Any]:
        """Return the ids and the mask."""
        ids = self._of_words(texts) if self.unit == "word" else self._of_characters(texts)
        if self.unknown:
            ids = ids.with_flat_values(tf.maximum(ids.flat_values, 0))
        else:
            ids = tf.ragged.boolean_mask(ids, ids >= 0)
        ids = ids[:, -self.length :]
        mask = tf.sequence_mask(ids.row_lengths(), self.length)
        return ids.to_tensor(shape=(None, self.length)), mask

    def _of_characters(self, texts: Any) -> Any:
        """Return the id of each character, -1 where it has none."""
        codes = code_points.lowered(texts) if self.lower_case else code_points.decoded(texts)
        table = np.full(code_points.CODES, -1, np.int32)
        table[[ord(symbol) for symbol in self.symbols]] = np.arange(len(self.symbols))
        return codes.with_flat_values(Runs.of(table)(codes.flat_values))

    def _of_words(self, texts: Any) -> Any:
        """Return the id of each word, -1 where it has none."""
        return tf.cast(self.lookup(split_words(texts)), tf.int32) - 1  # Keras's unknown is 0

    def compute_output_spec(self, texts: Any) -> tuple[keras.KerasTensor, keras.KerasTensor]:
        """Return the shapes and dtypes of ids and mask."""
        shape = (texts.shape[0], self.length)
        return keras.KerasTensor(shape, "int32"), keras.KerasTensor(shape, "bool")

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make this layer again."""
        own = {"unit": self.unit, "lower_case": self.lower_case, "unknown": self.unknown}
        return {**super().get_config(), **own}


def split_words(texts: Any) -> Any:
    """Return what `scratchnet.text.split_words` does, for strings (B,), a ragged (B, None)."""
    codes = code_points.lowered(texts)
    flat = codes.flat_values
    flat = tf.where(flat == ord("’"), ord("'"), flat)
    kept = code_points.letters()(flat) | (flat == ord("'"))
    flat = tf.where(kept, flat, code_points.SPACE)
    plain = tf.strings.unicode_encode(codes.with_flat_values(flat), "UTF-8")
    marked = tf.strings.regex_replace(plain, f"({_LETTER}+)", rf"\1{_MARK}")
    spaced = tf.strings.regex_replace(marked, _WORD, r" \1 \2 \3 \4 ")
    return _split(tf.strings.regex_replace(spaced, _MARK, ""))


def _split(texts: Any) -> Any:
    """Return what stands between spaces, and no other white space, a ragged (B, None)."""
    pieces = tf.strings.split(texts, " ")
    return tf.ragged.boolean_mask(pieces, pieces != "")


def _padded_in_front(ids: Any, length: int) -> Any:
    """Return the last ids of each row, with zeros before a shorter one, (B, length)."""
    from_the_end = ids[:, -length:][:, ::-1].to_tensor(shape=(None, length))
    return tf.reverse(from_the_end, axis=[1])
