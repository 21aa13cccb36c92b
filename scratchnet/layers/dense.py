"""The fully connected layer."""

from __future__ import annotations

from typing import Any

from scratchnet import initializers
from scratchnet.arguments import positive_integer
from scratchnet.backend import Array
from scratchnet.kernels.dense import dense, dense_backward
from scratchnet.layers.activation import ActivatedLayer, Identifier, get_activation
from scratchnet.layers.parameters import Shape


class Dense(ActivatedLayer):
    r"""A fully connected layer, :math:`y = f(x W + b)`.

    ================  ==============  =======================
    array             shape           key in ``params``
    ================  ==============  =======================
    :math:`x`         (B, …, D)
    :math:`W`         (D, H)          ``kernel``
    :math:`b`         (H,)            ``bias``
    :math:`y`         (B, …, H)
    ================  ==============  =======================

    Parameters
    ----------
    units : int
        H, the number of outputs.
    activation : str or function, optional
        f; linear unless given.
    use_bias : bool
        Whether there is a b.
    kernel_initializer, bias_initializer : str, dict or initializer
        Keras's names and defaults.

    Raises
    ------
    InputError
        If ``units`` is not a positive integer, or a name is unknown.
    """

    def __init__(
        self,
        units: int,
        activation: Identifier = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        *,
        name: str | None = None,
        dtype: str | None = None,
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        self.units = positive_integer("Dense", "units", units)
        self.activation = get_activation(activation)
        self.use_bias = bool(use_bias)
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)

    def _build(self, input_shape: Shape) -> None:
        features = positive_integer("Dense", "the last axis of x", input_shape[-1])
        self.add_weight("kernel", (features, self.units), self.kernel_initializer)
        if self.use_bias:
            self.add_weight("bias", (self.units,), self.bias_initializer)

    def _pre_activation(self, x: Array) -> tuple[Array, Any]:
        kernel, bias = self.params["kernel"], self.params.get("bias")
        if x.ndim == 2:
            return dense(x, kernel, bias), x
        rows = x.reshape(-1, x.shape[-1])  # (B…, D): every leading axis is a batch axis
        return dense(rows, kernel, bias).reshape(*x.shape[:-1], self.units), x

    def _pre_activation_backward(self, da: Array, cache: Array) -> Array | None:
        return self._backward_through(da, cache, needs_dx=True)

    def _pre_activation_backward_to_params(self, da: Array, cache: Array) -> None:
        self._backward_through(da, cache, needs_dx=False)

    def _backward_through(self, da: Array, cache: Array, needs_dx: bool) -> Array | None:
        x = cache
        if x.ndim != 2:
            da, x = da.reshape(-1, self.units), x.reshape(-1, x.shape[-1])
        dx, dkernel, dbias = dense_backward(da, x, self.params["kernel"], needs_dx)
        self.grads["kernel"] = dkernel
        if self.use_bias:
            self.grads["bias"] = dbias
        return dx if dx is None or x is cache else dx.reshape(cache.shape)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return the input's shape with H in place of D."""
        return (*input_shape[:-1], self.units)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make this layer again."""
        return {
            **super().get_config(),
            "units": self.units,
            "activation": self.activation.config(),
            "use_bias": self.use_bias,
            "kernel_initializer": initializers.serialize(self.kernel_initializer),
            "bias_initializer": initializers.serialize(self.bias_initializer),
        }
