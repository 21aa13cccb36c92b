"""Text as numbers and back: words, vocabularies, windows, padding, sampling, Markov chains.

>>> from scratchnet.text import Vocabulary, windows
>>> text = "a rose is a rose is a rose"
>>> vocabulary = Vocabulary.of(text)
>>> x, y = windows(vocabulary.encode(text), length=6, stride=2)
>>> vocabulary.decode(x[1]), vocabulary.symbols[y[1]]
('rose i', 's')
"""

from scratchnet.text.markov import MarkovChain
from scratchnet.text.padding import buckets, pad_sequences
from scratchnet.text.reading import Report, read_texts
from scratchnet.text.sampling import Sampler, softmax_at
from scratchnet.text.tokens import join_words, split_characters, split_words
from scratchnet.text.vocabulary import Vocabulary
from scratchnet.text.windows import windows

__all__ = [
    "MarkovChain",
    "Report",
    "Sampler",
    "Vocabulary",
    "buckets",
    "join_words",
    "pad_sequences",
    "read_texts",
    "softmax_at",
    "split_characters",
    "split_words",
    "windows",
]
