"""The only place that knows how layers and weights map between scratchnet and Keras.

Both sides use Keras's argument names, weight order and layout, so most of the map is the identity:
a layer's configuration makes its twin, and ``get_weights`` goes into ``set_weights``.
"""

from keras_impl.weights.activations import ActivationWithSettings
from keras_impl.weights.chain import chain
from keras_impl.weights.files import load
from keras_impl.weights.layers import SUPPORTED, from_keras_layer, to_keras_layer, weight_keys
from keras_impl.weights.models import from_keras, to_keras

__all__ = [
    "SUPPORTED",
    "ActivationWithSettings",
    "chain",
    "from_keras",
    "from_keras_layer",
    "load",
    "to_keras",
    "to_keras_layer",
    "weight_keys",
]
