"""The rooms: one layer a file, each holding parameters and shapes around the page's equations."""

from scratchnet.layers.activation import Activation
from scratchnet.layers.base import Layer
from scratchnet.layers.bidirectional import Bidirectional
from scratchnet.layers.dense import Dense
from scratchnet.layers.dropout import Dropout
from scratchnet.layers.embedding import Embedding
from scratchnet.layers.flatten import Flatten
from scratchnet.layers.gru import GRU
from scratchnet.layers.lstm import LSTM
from scratchnet.layers.masking import Masking
from scratchnet.layers.one_hot import OneHot
from scratchnet.layers.simple_rnn import SimpleRNN
from scratchnet.layers.time_distributed import TimeDistributed

__all__ = [
    "GRU",
    "LSTM",
    "Activation",
    "Bidirectional",
    "Dense",
    "Dropout",
    "Embedding",
    "Flatten",
    "Layer",
    "Masking",
    "OneHot",
    "SimpleRNN",
    "TimeDistributed",
]
