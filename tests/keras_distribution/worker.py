"""A worker as a process: ``worker.py '{"problem": …}'``; what it was told goes to its output."""

import json
import os
import signal
import sys
import time
from pathlib import Path

from scratchnet.callbacks import Callback
from scratchnet.cli.quiet import import_tensorflow
from scratchnet.errors import ScratchnetError
from tests.keras_distribution.problems import PROBLEMS


class Book(Callback):
    """Writes down what it is told, and at some batch sends its process a signal, or stops all."""

    def __init__(self, at=None, signal=None):
        self.at, self.signal, self.count = at, signal, 0

    def on_epoch_begin(self, epoch, logs):
        self.epoch = epoch

    def on_train_batch_end(self, batch, logs):
        self.count += 1
        say(batch=[self.epoch, batch], loss=logs["loss"])
        if self.count == self.at:
            if self.signal == "stop":
                self.model.stop_training = True
            else:
                say(signalled=time.time())
                os.kill(os.getpid(), signal.Signals[self.signal])

    def on_epoch_end(self, epoch, logs):
        say(epoch=epoch, logs=logs)


def say(**what):
    print(json.dumps(what), flush=True)


def main():
    asked = json.loads(sys.argv[1])
    import_tensorflow()
    from keras_impl.distribution import train

    problem = PROBLEMS[asked.pop("problem")](**asked.pop("settings", {}))
    folder = asked.pop("folder", None)
    book = Book(**asked.pop("book", {}))
    folder = None if folder is None else Path(folder)
    say(begins=time.time())
    try:
        model = train(problem, folder, callbacks=[book], **asked)
    except ScratchnetError as error:
        print(error, file=sys.stderr)
        say(ends=time.time())
        sys.exit(2)
    say(weights=[array.tolist() for array in model.get_weights()])


if __name__ == "__main__":
    main()
