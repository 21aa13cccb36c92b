"""Training with Keras: what scratchnet's callbacks are told, and going on after a stop."""

import json
import signal
import zipfile
from dataclasses import replace

import keras
import numpy as np
import pytest

from keras_impl.training import reached, saved, train
from keras_impl.training.saved import PROGRESS
from scratchnet import Sequential
from scratchnet.callbacks import Callback, History
from scratchnet.errors import CheckpointError, InputError, NonFiniteError
from scratchnet.experiments import imdb, readers, wisconsin
from scratchnet.experiments.problem import Problem
from scratchnet.progress import Progress
from scratchnet.runs.folder import KERAS_MODEL
from tests.layers.cases import message
from tests.parity.test_pipelines import text_problem


class Book(Callback):
    """Writes down what it is told; stops where it is asked to."""

    def __init__(self, stop=None, interrupt=None):
        self.told, self.stop, self.interrupt = [], stop, interrupt
        self.weights = []

    def on_train_begin(self, logs):
        self.told.append(("begin", dict(self.params)))

    def on_epoch_begin(self, epoch, logs):
        self.told.append(("epoch", epoch))

    def on_train_batch_end(self, batch, logs):
        self.told.append(("batch", batch, logs["loss"]))
        if self.stop == self.count:
            self.model.stop_training = True
        if self.interrupt == self.count:
            signal.raise_signal(signal.SIGINT)

    def on_epoch_end(self, epoch, logs):
        self.told.append(("end of epoch", epoch, logs))
        self.weights.append(self.model.get_weights())

    def on_train_end(self, logs):
        self.told.append(("end", logs))

    @property
    def count(self):
        return sum(one[0] == "batch" for one in self.told)

    def ends(self):
        return [one[2] for one in self.told if one[0] == "end of epoch"]


def reviews_problem(epochs=2, dtype="float32"):
    """Some reviews of eight words, good where they have more large ids than small ones."""
    rng = np.random.default_rng(8)
    x = rng.integers(1, 9, (50, 8)).astype("int32")
    x[rng.random(x.shape) < 0.2] = 0
    y = (x.sum(axis=1) > 30).astype("float32")[:, None]
    architecture = {"vocabulary": 9, "length": 8, "embedding": 3, "units": 4, "masked": True}
    return Problem(
        "imdb", x[:40], y[:40], x[40:], y[40:],
        lambda: imdb.build_model(**architecture, seed=1, dtype=dtype),
        readers.Reviews(None, 8), 16, epochs, 1, dtype,
        validation=(x[40:], y[40:]), architecture=architecture,
    )  # fmt: skip


def table_problem(epochs=2):
    """Some records of the cells, in a few batches."""
    cells = wisconsin.problem(epochs=epochs)
    return replace(
        cells, x_train=cells.x_train[:45], y_train=cells.y_train[:45],
        validation=(cells.x_train[50:90], cells.y_train[50:90]), batch_size=15,
    )  # fmt: skip


def assert_same(model, other, tolerance=0.0):
    for ours, theirs in zip(model.get_weights(), other.get_weights(), strict=True):
        assert abs(ours - theirs).max() <= tolerance * abs(theirs).max()


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A text's training of two epochs, never stopped: its folder, model and book."""
    folder, book = tmp_path_factory.mktemp("whole"), Book()
    problem = text_problem(validation=0.3)
    return folder, train(problem, folder, [book]), book


class TestCallbacks:
    def test_they_are_told_what_scratchnet_tells_them(self, whole):
        problem, book = text_problem(validation=0.3), Book()
        model = problem.build_model()
        steps = len(problem.batches(0))
        model.fit(
            problem.x_train, problem.y_train, problem.batch_size, 2, 0, [book],
            validation_data=problem.validation, seed=problem.seed,
        )  # fmt: skip
        _, trained, told = whole
        assert [one[:2] for one in told.told if one[0] != "end"] == [
            one[:2] for one in book.told if one[0] != "end"
        ]
        assert told.told[0][1] == {
            "epochs": 2, "steps": steps, "initial_epoch": 0, "initial_batch": 0
        }  # fmt: skip
        for theirs, ours in zip(told.ends(), book.ends(), strict=True):
            assert list(theirs) == list(ours) == ["loss", "val_loss"]
            assert theirs == pytest.approx(ours, rel=1e-4)
            assert all(type(value) is float for value in theirs.values())
        assert told.told[-1] == ("end", told.ends()[-1])
        assert_same(trained, model, 1e-3)

    def test_the_mirror_has_the_weights_when_an_epoch_ends(self, whole):
        _, trained, book = whole
        for kept, last in zip(book.weights[-1], trained.get_weights(), strict=True):
            np.testing.assert_array_equal(kept, last)
        assert any((a != b).any() for a, b in zip(*book.weights, strict=True))
        assert isinstance(book.model, Sequential)
        assert book.model.progress == Progress(2)

    def test_the_loss_of_a_batch_is_the_mean_so_far(self, whole):
        _, _, book = whole
        last = [one for one in book.told if one[0] == "batch"][-1]
        assert last[2] == pytest.approx(book.ends()[-1]["loss"], rel=1e-6)

    def test_metrics_have_their_names(self, tmp_path):
        book = Book()
        train(reviews_problem(epochs=1), tmp_path, [book])
        assert set(book.ends()[0]) == {"accuracy", "loss", "val_accuracy", "val_loss"}

    def test_a_callback_stops_the_training(self, tmp_path):
        book = Book(stop=2)
        train(table_problem(), tmp_path, [book])
        assert book.count == 2
        assert len(book.ends()) == 1
        assert book.told[-1][0] == "end"

    def test_without_validation_nothing_is_held_out(self, tmp_path):
        history = History()
        train(replace(table_problem(epochs=1), validation=None), tmp_path, [history])
        assert set(history.history) == {"loss", "accuracy"}

    def test_a_table_goes_the_same_way(self, tmp_path):
        problem = replace(wisconsin.problem(epochs=1, dtype="float64"), validation=None)
        model, history = problem.build_model(), History()
        trained = train(problem, tmp_path, [history])
        kept = model.fit(problem.x_train, problem.y_train, problem.batch_size, 1, 0, seed=0)
        assert_same(trained, model, 1e-12)
        for name, values in kept.history.items():
            assert history.history[name] == pytest.approx(values, rel=1e-12)


class TestFile:
    def test_keras_reads_it(self, whole):
        folder, trained, _ = whole
        twin = keras.saving.load_model(folder / KERAS_MODEL)
        for ours, theirs in zip(trained.get_weights(), twin.get_weights(), strict=True):
            np.testing.assert_array_equal(ours, theirs)
        assert int(twin.optimizer.iterations) == 2 * len(text_problem(validation=0.3).batches(0))
        assert [file.name for file in folder.iterdir()] == [KERAS_MODEL]

    def test_it_says_how_far_it_is(self, whole, tmp_path):
        assert reached(whole[0]) == Progress(2)
        assert reached(tmp_path) == Progress()


@pytest.mark.slow
class TestGoingOn:
    @pytest.mark.parametrize(
        ("make", "at"),
        [
            (table_problem, "first"),
            (table_problem, "last of an epoch"),
            (table_problem, "second epoch"),
            pytest.param(text_problem, "middle", marks=pytest.mark.slow),
            pytest.param(reviews_problem, "second epoch", marks=pytest.mark.slow),
        ],
    )
    def test_after_ctrl_c_as_if_there_had_been_no_stop(self, make, at, tmp_path):
        problem = make()
        steps = len(problem.batches(0))
        assert steps > 2
        batch = {"first": 1, "middle": 2, "last of an epoch": steps, "second epoch": steps + 1}[at]
        uninterrupted = Book()
        expected = train(problem, tmp_path / "whole", [uninterrupted])
        stopped, book = Book(interrupt=batch), Book()
        folder = tmp_path / "stopped"
        with pytest.raises(KeyboardInterrupt):
            train(problem, folder, [stopped])
        assert stopped.count == batch
        assert stopped.told[-1][0] == "end"
        progress = reached(folder)
        assert (progress.epoch, progress.batch) == divmod(batch, steps)
        assert_same(train(problem, folder, [book], resume=True), expected)
        assert book.count == 2 * steps - batch
        assert book.told[0][1]["initial_epoch"] == progress.epoch
        assert book.told[0][1]["initial_batch"] == progress.batch
        batches = [one[1] for one in stopped.told + book.told if one[0] == "batch"]
        assert batches == [*range(steps), *range(steps)]
        for ours, theirs in zip(book.ends()[::-1], uninterrupted.ends()[::-1], strict=False):
            assert ours == theirs
        assert len(stopped.ends() + book.ends()) == 2

    def test_from_what_was_saved_on_the_way(self, tmp_path, monkeypatch):
        """As after kill -9: the last whole file is some batches back."""
        problem = replace(table_problem(), batch_size=10)
        expected = train(problem, tmp_path / "whole")
        folder = tmp_path / "killed"
        saves = []

        class Killed(BaseException):
            pass

        real = saved.Saved.save

        def save(self, path):
            if len(saves) == 4:
                raise Killed
            real(self, path)
            saves.append((self.epoch, self.batch))

        monkeypatch.setattr(saved.Saved, "save", save)
        with pytest.raises(Killed):
            train(problem, folder, minutes=0)
        monkeypatch.undo()
        assert saves == [(0, 0), (0, 1), (0, 2), (0, 3)]  # the first is a try, and is removed
        assert_same(train(problem, folder, resume=True), expected)

    def test_from_the_beginning_where_there_is_nothing_yet(self, tmp_path):
        model = train(table_problem(epochs=1), tmp_path / "a", resume=True)
        assert_same(model, train(table_problem(epochs=1), tmp_path / "b"))

    def test_more_epochs(self, tmp_path):
        train(table_problem(epochs=1), tmp_path)
        book = Book()
        model = train(table_problem(), tmp_path, [book], resume=True)
        assert_same(model, train(table_problem(), tmp_path / "whole"))
        assert len(book.ends()) == 1

    def test_nothing_is_left_to_do(self, whole):
        folder, trained, _ = whole
        book = Book()
        assert_same(train(text_problem(validation=0.3), folder, [book], resume=True), trained)
        assert book.count == 0

    @pytest.mark.parametrize("harm", ["empty", "cut", "other", "no progress", "foreign progress"])
    def test_a_file_that_is_not_ours(self, whole, tmp_path, harm):
        content = (whole[0] / KERAS_MODEL).read_bytes()
        path = tmp_path / KERAS_MODEL
        if harm == "other":
            train(table_problem(epochs=1), tmp_path)
        elif "progress" in harm:
            with zipfile.ZipFile(whole[0] / KERAS_MODEL) as old, zipfile.ZipFile(path, "w") as new:
                for name in old.namelist():
                    if name != PROGRESS:
                        new.writestr(name, old.read(name))
                if harm == "foreign progress":
                    new.writestr(PROGRESS, json.dumps({"epoch": -1, "batch": 0, "sums": {}}))
        else:
            path.write_bytes(content[: {"empty": 0, "cut": len(content) // 2}[harm]])
        before = path.read_bytes()
        with pytest.raises(CheckpointError) as e:
            train(text_problem(validation=0.3), tmp_path, resume=True)
        message(e)
        assert KERAS_MODEL in str(e.value)
        assert path.read_bytes() == before

    def test_a_checkpoint_is_not_for_another_number_of_batches(self, tmp_path):
        with pytest.raises(KeyboardInterrupt):
            train(table_problem(), tmp_path, [Book(interrupt=2)])
        with pytest.raises(InputError, match="within an epoch of 2 batches"):
            train(replace(table_problem(), batch_size=30), tmp_path, resume=True)


def test_a_loss_that_is_not_finite_ends_it(tmp_path):
    problem = text_problem(embedding=3, learning_rate=1e38)
    with pytest.raises(NonFiniteError, match=r"in epoch 1, batch \d+\. Try a smaller") as e:
        train(problem, tmp_path)
    message(e)
    assert not (tmp_path / KERAS_MODEL).exists()
