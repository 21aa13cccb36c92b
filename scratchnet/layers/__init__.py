"""The rooms: one layer a file, each holding parameters and shapes around the page's equations."""

from scratchnet.layers.activation import Activation
from scratchnet.layers.base import Layer
from scratchnet.layers.dense import Dense
from scratchnet.layers.dropout import Dropout
from scratchnet.layers.embedding import Embedding
from scratchnet.layers.flatten import Flatten

__all__ = ["Activation", "Dense", "Dropout", "Embedding", "Flatten", "Layer"]
