"""``python -m keras_impl`` is the command ``keras_impl``."""

from keras_impl.cli import main

main()
