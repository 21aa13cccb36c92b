"""Rosenblatt's rule against scikit-learn's, Novikoff's bound, and data that is wrong."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import Perceptron as Reference

from scratchnet.backend import to_host
from scratchnet.equations.perceptron import perceptron, perceptron_update
from scratchnet.errors import InputError
from scratchnet.experiments import perceptron as experiment
from scratchnet.perceptron import INITIAL_SCALE, Perceptron
from tests.strict_array import StrictArray, to_strict

SQUARE = np.array(experiment.INPUTS, dtype=float)


def separable_points(seed: int, B: int, D: int, margin: float) -> tuple[np.ndarray, np.ndarray]:
    """Points at least ``margin`` away from a random plane, and their side.

    The margin is that of the points with a 1 appended, as Novikoff's theorem takes it.
    """
    generator = np.random.default_rng([seed, D])  # not the stream of a Perceptron's weights
    plane = generator.standard_normal(D + 1)
    plane /= np.linalg.norm(plane)
    X = 2 * generator.standard_normal((20 * B + 200, D))
    z = X @ plane[:-1] + plane[-1]
    X, z = X[abs(z) > margin][:B], z[abs(z) > margin][:B]
    return X, (z > 0).astype(int)


def random_labels(seed: int, B: int, D: int) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    return generator.standard_normal((B, D)), generator.integers(0, 2, B)


class TestEquation:
    def test_is_1_from_the_line_on(self):
        x = np.array([[1.0, 1.0], [1.0, 0.5], [0.0, 3.0]])
        np.testing.assert_array_equal(perceptron(x, np.array([2.0, -1.0]), -1.0), [1, 1, 0])
        assert perceptron(x[0], np.array([2.0, -1.0]), -1.0) == 1  # z is exactly 0

    @pytest.mark.parametrize(("y_true", "y_pred", "error"), [(1, 0, 1), (0, 1, -1), (1, 1, 0)])
    def test_update_is_the_error_times_the_input(self, y_true, y_pred, error):
        x, w = np.array([0.3, -0.7, 2.0]), np.array([0.1, 0.2, 0.4])
        new_w, new_b = perceptron_update(x, y_true, y_pred, w, 0.5, learning_rate=0.25)
        np.testing.assert_allclose(new_w, w + 0.25 * error * x, rtol=1e-15)
        assert new_b == 0.5 + 0.25 * error
        np.testing.assert_array_equal(w, [0.1, 0.2, 0.4])


class TestAgainstScikitLearn:
    """The same samples in the same order from the same weights give the same weights.

    scikit-learn's classes are -1 and 1 and its update of a wrong answer is η y x; ours is
    η (y_true − y_pred) x with classes 0 and 1.  A wrong answer's error is then -1 or 1 as well, so
    the two are equal in size (it is the rule η (y − ŷ) x *with* -1 and 1 that is twice as large).
    """

    @pytest.mark.parametrize("learning_rate", [1.0, 0.07])
    @pytest.mark.parametrize("separable", [True, False])
    @pytest.mark.parametrize("seed", range(5))
    def test_same_weights_after_several_epochs(self, seed, separable, learning_rate):
        if separable:
            X, y = separable_points(seed, B=40, D=3, margin=0.02)
        else:
            X, y = random_labels(seed, B=40, D=3)
        *w, b = np.random.default_rng(seed).standard_normal(4)
        ours = Perceptron(learning_rate)
        ours.weights, ours.bias = np.array(w), b
        ours.fit(X, y, epochs=7)
        theirs = Reference(
            eta0=learning_rate, max_iter=7, shuffle=False, tol=None, penalty=None
        ).fit(X, y, coef_init=np.array([w]), intercept_init=np.array([b]))
        assert sum(ours.mistakes) > 5
        np.testing.assert_allclose(ours.weights, theirs.coef_[0], rtol=1e-12)
        np.testing.assert_allclose(ours.bias, theirs.intercept_[0], rtol=1e-12)
        np.testing.assert_array_equal(ours.predict(X), theirs.predict(X))

    @pytest.mark.parametrize("label", [0, 1])
    def test_on_the_line_they_differ_as_they_should(self, label):
        """At z = 0 our answer is 1, so only a 0 is a mistake; scikit-learn corrects both."""
        X, y = np.array([[2.0, 1.0], [2.0, 1.0]]), np.array([label, 1 - label])
        ours = Perceptron()
        ours.weights = np.zeros(2)
        assert ours.update(X[0], label) == 1
        theirs = Reference(eta0=1.0, shuffle=False, tol=None, penalty=None)
        theirs.partial_fit(X[:1], y[:1], classes=[0, 1])
        np.testing.assert_array_equal(theirs.coef_[0], X[0] if label else -X[0])
        np.testing.assert_array_equal(ours.weights, np.zeros(2) if label else -X[0])


class TestLearning:
    @given(
        seed=st.integers(0, 10**6),
        B=st.integers(1, 50),
        D=st.integers(1, 6),
        learning_rate=st.sampled_from([1.0, 0.1, 7.0]),
        shuffle=st.booleans(),
    )
    def test_converges_on_separable_data_within_novikoffs_bound(
        self, seed, B, D, learning_rate, shuffle
    ):
        margin = 0.2
        X, y = separable_points(seed, B, D, margin)
        unit = Perceptron(learning_rate, seed).fit(X, y, epochs=10_000, shuffle=shuffle)
        assert unit.converged
        assert unit.mistakes[-1] == 0
        np.testing.assert_array_equal(unit.predict(X), y)
        w, b = unit.boundaries[0]
        start = np.linalg.norm([*w, b]) / learning_rate  # the theorem starts from zero
        radius = np.sqrt((X**2).sum(axis=1).max() + 1)
        assert sum(unit.mistakes) <= (radius**2 + 2 * margin * start) / margin**2

    @given(seed=st.integers(0, 10**6), shuffle=st.booleans())
    def test_xor_never_converges(self, seed, shuffle):
        y = experiment.LABELS["XOR"]
        unit = Perceptron(seed=seed).fit(SQUARE, y, epochs=60, shuffle=shuffle)
        assert not unit.converged
        assert unit.epochs_run == 60
        assert min(unit.mistakes) > 0
        assert (unit.predict(SQUARE) != y).any()

    def test_remembers_each_boundary(self):
        X, y = random_labels(3, B=20, D=2)
        unit = Perceptron(0.3, seed=3).fit(X, y, epochs=4)
        assert len(unit.boundaries) == 1 + sum(unit.mistakes)
        weights = [(*w, b) for w, b in unit.boundaries]
        assert len(set(weights)) == len(weights)
        assert weights[-1] == (*unit.weights, unit.bias)
        unit.weights[:] = 0
        assert weights[-1] == (*unit.boundaries[-1][0], unit.boundaries[-1][1])

    def test_steps_equal_fit(self):
        X, y = random_labels(4, B=15, D=3)
        fitted = Perceptron(0.5, seed=1).fit(X, y, epochs=3)
        stepped = Perceptron(0.5, seed=1)
        mistakes = [
            sum(stepped.update(x, label) != label for x, label in zip(X, y, strict=True))
            for _ in range(3)
        ]
        assert mistakes == fitted.mistakes
        np.testing.assert_array_equal(stepped.weights, fitted.weights)
        assert stepped.bias == fitted.bias

    def test_update_returns_the_answer_from_before(self):
        unit = Perceptron()
        unit.weights, unit.bias = np.array([1.0, 0.0]), -0.5
        assert [unit.update([1.0, 0.0], 0) for _ in range(2)] == [1, 0]
        assert not unit.converged

    def test_a_later_mistake_undoes_convergence(self):
        unit = Perceptron(seed=0).fit(SQUARE, experiment.LABELS["OR"])
        assert unit.converged
        unit.update([1.0, 1.0], 0)
        assert not unit.converged

    def test_fit_goes_on_where_it_was(self):
        X, y = random_labels(5, B=20, D=2)
        once = Perceptron(seed=5).fit(X, y, epochs=6)
        twice = Perceptron(seed=5).fit(X, y, epochs=2).fit(X, y, epochs=4)
        assert twice.mistakes == once.mistakes
        np.testing.assert_array_equal(twice.weights, once.weights)

    def test_initial_weights_are_small_random_and_seeded(self):
        X = np.random.default_rng(0).standard_normal((2, 1000))
        units = [Perceptron(seed=seed) for seed in (1, 1, 2)]
        for unit in units:
            unit.predict(X)
        first, same, other = ((*unit.weights, unit.bias) for unit in units)
        assert first == same != other
        assert np.std(first) == pytest.approx(INITIAL_SCALE, rel=0.1)
        assert first[-1] != 0

    def test_shuffling_changes_the_order_by_seed(self):
        X, y = random_labels(6, B=30, D=2)
        in_order, first, same = (
            Perceptron(seed=6).fit(X, y, epochs=2, shuffle=shuffle).weights.tolist()
            for shuffle in (False, True, True)
        )
        assert first == same != in_order

    def test_stops_at_the_first_epoch_without_a_mistake(self):
        unit = Perceptron(seed=0).fit(SQUARE, experiment.LABELS["AND"], epochs=50)
        assert unit.epochs_run < 50
        assert unit.mistakes.index(0) == unit.epochs_run - 1

    def test_takes_lists(self):
        unit = Perceptron(seed=0).fit([[0, 0], [0, 1], [1, 0], [1, 1]], [False, True, True, True])
        assert unit.predict([[0, 0], [1, 0]]).tolist() == [0, 1]

    def test_stays_on_the_device_of_its_data(self):
        X, y = random_labels(7, B=20, D=3)
        here, there = Perceptron(seed=7), Perceptron(seed=7)
        here.fit(X, y, epochs=3, shuffle=True)
        there.fit(to_strict(X), to_strict(y), epochs=3, shuffle=True)
        assert type(there.weights) is StrictArray
        np.testing.assert_array_equal(to_host(there.weights), here.weights)
        np.testing.assert_array_equal(to_host(there.predict(to_strict(X))), here.predict(X))


class TestExperiment:
    @pytest.mark.parametrize("seed", range(20))
    def test_and_or_are_learned_and_xor_is_not(self, seed):
        gates = experiment.run(seed)
        assert {name: gate.learned for name, gate in gates.items()} == {
            "AND": True,
            "OR": True,
            "XOR": False,
        }
        assert not gates["XOR"].perceptron.converged

    def test_truth_tables(self):
        for (p, q), *labels in zip(experiment.INPUTS, *experiment.LABELS.values(), strict=True):
            assert labels == [p & q, p | q, p ^ q]

    def test_says_plainly_that_xor_was_not_learned_and_why(self):
        lines = experiment.lines(experiment.run())
        assert ["NOT learned" in line for line in lines] == [False, False, True, False]
        assert lines[2].startswith("XOR")
        assert "no line separates" in lines[3]


class TestBadInput:
    """One line that names the argument, what was expected and what came."""

    X, y = np.array([[0.5, 1.0], [2.0, -1.0]]), np.array([0, 1])

    @pytest.mark.parametrize(
        ("y", "message"),
        [
            ([0, 2], r"y to hold 0 and 1 only, got 2 at position 1\. Encode"),
            ([-1, 1], "got -1 at position 0"),
            ([0.5, 1], "got 0.5 at position 0"),
            ([np.nan, 1], "got nan at position 0"),
            (["a", "b"], "got 'a' at position 0"),
            ([[0], [1]], r"y of shape \(examples,\), got \(2, 1\)"),
            ([[0], [1, 1]], "y to hold 0 and 1 only"),
            (1, r"y of shape \(examples,\), got \(\)"),
            ([0, 1, 1], "2 rows and 3 labels"),
        ],
    )
    def test_labels(self, y, message):
        with pytest.raises(InputError, match=message):
            Perceptron().fit(self.X, y)

    @pytest.mark.parametrize(
        ("X", "message"),
        [
            ([0.5, 1.0], r"X of shape \(examples, features\), got \(2,\)"),
            (np.zeros((2, 2, 2)), r"got \(2, 2, 2\)"),
            (np.zeros((0, 2)), r"got \(0, 2\)"),
            ([[0.5, np.nan], [1, 1]], r"got NaN or infinity at X\[0, 1\]"),
            ([[0.5, 1], [-np.inf, 1]], r"at X\[1, 0\]"),
            ([[0.5, 1], [1]], "X to hold numbers"),
            ([["a", "b"], ["c", "d"]], "X to hold numbers"),
        ],
    )
    @pytest.mark.parametrize("method", ["fit", "predict"])
    def test_examples(self, X, message, method):
        arguments = (X, self.y) if method == "fit" else (X,)
        with pytest.raises(InputError, match=message):
            getattr(Perceptron(), method)(*arguments)

    @pytest.mark.parametrize(
        ("x", "y_true", "message"),
        [
            ([[0.5, 1.0]], 1, r"x of shape \(features,\), got \(1, 2\)"),
            ([], 1, r"got \(0,\)"),
            ([0.5, np.inf], 1, r"at x\[1\]"),
            ([0.5, 1.0], 3, "y_true to hold 0 and 1 only, got 3"),
            ([0.5, 1.0], [1], r"y_true of shape \(\), a single class, got \(1,\)"),
        ],
    )
    def test_one_example(self, x, y_true, message):
        with pytest.raises(InputError, match=message):
            Perceptron().update(x, y_true)

    def test_feature_count_is_the_first_examples(self):
        unit = Perceptron().fit(self.X, self.y)
        with pytest.raises(InputError, match=r"expected 2 features.*got 3"):
            unit.predict([[1.0, 2.0, 3.0]])
        with pytest.raises(InputError, match=r"expected 2 features.*got 1"):
            unit.update([1.0], 0)

    def test_nothing_is_learned_from_bad_data(self):
        unit = Perceptron(seed=0).fit(self.X, self.y)
        kept = unit.weights.copy()
        with pytest.raises(InputError):
            unit.fit([[9.0, 9.0], [np.nan, 1.0]], [0, 0])
        np.testing.assert_array_equal(unit.weights, kept)

    @pytest.mark.parametrize("learning_rate", [0.0, -1.0, np.nan, np.inf])
    def test_learning_rate(self, learning_rate):
        with pytest.raises(InputError, match="positive learning_rate"):
            Perceptron(learning_rate)

    @pytest.mark.parametrize("epochs", [0, -1, 2.5])
    def test_epochs(self, epochs):
        with pytest.raises(InputError, match="epochs of at least 1"):
            Perceptron().fit(self.X, self.y, epochs=epochs)
