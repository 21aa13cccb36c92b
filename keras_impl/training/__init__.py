"""Training with Keras: a problem is fed to ``model.fit`` as a practitioner would."""

from keras_impl.training.fitting import train, watched
from keras_impl.training.saved import reached

__all__ = ["reached", "train", "watched"]
