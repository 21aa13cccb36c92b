"""The same models as a practitioner ships them: Keras 3 on TensorFlow."""
