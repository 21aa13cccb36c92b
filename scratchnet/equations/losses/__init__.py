r"""Losses, under Keras's names, each with its backward right below it.

Forward: ``values = f(y_true, y_pred)``, one value for each position but the last axis.
Backward: ``dy_pred = f_backward(dvalues, y_true, y_pred)``, where ``dvalues`` is
:math:`\partial L/\partial values`.  The labels are data: nothing goes back to them.

===========  ==========  =========================================
array        shape       meaning
===========  ==========  =========================================
``y_true``   (…, K)      :math:`y`, the targets; sparse: (…) labels
``y_pred``   (…, K)      :math:`p`, the predictions
``logits``   (…, K)      :math:`x`, what the activation would get
``values``   (…)         :math:`\ell`, one loss a sample
``dvalues``  (…)         has the shape of ``values``
``dy_pred``  (…, K)      has the shape of ``y_pred``
===========  ==========  =========================================

At a kink the derivative is the one TensorFlow takes: 0 for :math:`|x|` at 0, the slope of the
inside at the edge of a clip or of a hinge, equal shares where a maximum is tied.
"""

from scratchnet.equations.losses.crossentropy import (
    binary_crossentropy,
    binary_crossentropy_backward,
    binary_crossentropy_with_logits,
    binary_crossentropy_with_logits_backward,
    categorical_crossentropy,
    categorical_crossentropy_backward,
    categorical_crossentropy_with_logits,
    categorical_crossentropy_with_logits_backward,
    smooth_binary_labels,
    smooth_categorical_labels,
    sparse_categorical_crossentropy,
    sparse_categorical_crossentropy_backward,
    sparse_categorical_crossentropy_with_logits,
    sparse_categorical_crossentropy_with_logits_backward,
)
from scratchnet.equations.losses.hinge import (
    binary_labels_to_signs,
    categorical_hinge,
    categorical_hinge_backward,
    hinge,
    hinge_backward,
    squared_hinge,
    squared_hinge_backward,
)
from scratchnet.equations.losses.mean import EPSILON
from scratchnet.equations.losses.probabilistic import (
    kl_divergence,
    kl_divergence_backward,
    poisson,
    poisson_backward,
)
from scratchnet.equations.losses.regression import (
    cosine_similarity,
    cosine_similarity_backward,
    huber,
    huber_backward,
    log_cosh,
    log_cosh_backward,
    mean_absolute_error,
    mean_absolute_error_backward,
    mean_absolute_percentage_error,
    mean_absolute_percentage_error_backward,
    mean_squared_error,
    mean_squared_error_backward,
    mean_squared_logarithmic_error,
    mean_squared_logarithmic_error_backward,
)

__all__ = [
    "EPSILON",
    "binary_crossentropy",
    "binary_crossentropy_backward",
    "binary_crossentropy_with_logits",
    "binary_crossentropy_with_logits_backward",
    "binary_labels_to_signs",
    "categorical_crossentropy",
    "categorical_crossentropy_backward",
    "categorical_crossentropy_with_logits",
    "categorical_crossentropy_with_logits_backward",
    "categorical_hinge",
    "categorical_hinge_backward",
    "cosine_similarity",
    "cosine_similarity_backward",
    "hinge",
    "hinge_backward",
    "huber",
    "huber_backward",
    "kl_divergence",
    "kl_divergence_backward",
    "log_cosh",
    "log_cosh_backward",
    "mean_absolute_error",
    "mean_absolute_error_backward",
    "mean_absolute_percentage_error",
    "mean_absolute_percentage_error_backward",
    "mean_squared_error",
    "mean_squared_error_backward",
    "mean_squared_logarithmic_error",
    "mean_squared_logarithmic_error_backward",
    "poisson",
    "poisson_backward",
    "smooth_binary_labels",
    "smooth_categorical_labels",
    "sparse_categorical_crossentropy",
    "sparse_categorical_crossentropy_backward",
    "sparse_categorical_crossentropy_with_logits",
    "sparse_categorical_crossentropy_with_logits_backward",
    "squared_hinge",
    "squared_hinge_backward",
]
