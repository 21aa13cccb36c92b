"""Random numbers on a device, the same as NumPy's: Philox4x64 of ten rounds (Salmon et al. 2011).

The n-th number depends on the key and n alone, so that every thread makes its own: a double of 53
bits of the n-th word, or a float of 24 bits of half a word.
"""

from __future__ import annotations

import functools
from typing import Any

from scratchnet.backend import Array, array_module

PREAMBLE = """
__device__ unsigned long long philox(
    unsigned long long n, unsigned long long k0, unsigned long long k1) {
  unsigned long long c0 = n / 4 + 1, c1 = 0, c2 = 0, c3 = 0;
  for (int round = 0; round < 10; ++round) {
    const unsigned long long high0 = __umul64hi(0xD2E7470EE14C6C93ull, c0);
    const unsigned long long high1 = __umul64hi(0xCA5A826395121157ull, c2);
    const unsigned long long low0 = 0xD2E7470EE14C6C93ull * c0;
    const unsigned long long low1 = 0xCA5A826395121157ull * c2;
    c0 = high1 ^ c1 ^ k0;
    c2 = high0 ^ c3 ^ k1;
    c1 = low1;
    c3 = low0;
    k0 += 0x9E3779B97F4A7C15ull;
    k1 += 0xBB67AE8584CAA73Bull;
  }
  const unsigned long long words[4] = {c0, c1, c2, c3};
  return words[n % 4];
}
__device__ double uniform(
    unsigned long long n, unsigned long long k0, unsigned long long k1, double) {
  return (philox(n, k0, k1) >> 11) * (1.0 / 9007199254740992.0);
}
__device__ float uniform(
    unsigned long long n, unsigned long long k0, unsigned long long k1, float) {
  const unsigned int half = philox(n / 2, k0, k1) >> (n % 2 ? 32 : 0);
  return (half >> 8) * (1.0f / 16777216.0f);
}
"""


def dropout_mask(seed: int, draw: Any, shape: tuple[int, ...], rate: float, like: Array) -> Array:
    """Return a mask: 0 with probability ``rate``, otherwise 1/(1 - rate), where ``like`` is.

    ``draw``, the second half of the key, is a number or a device's array of one.
    """
    mask = array_module(like).empty(shape, dtype=like.dtype)
    scale = 0.0 if rate == 1 else 1 / (1 - rate)
    _kernel(array_module(like))(seed, draw, rate, scale, mask)
    return mask


@functools.cache
def _kernel(xp: Any) -> Any:
    return xp.ElementwiseKernel(
        "uint64 seed, float64 draw, float64 rate, float64 scale",
        "T mask",
        "mask = uniform(i, seed, (unsigned long long)draw, T(0)) >= T(rate) ? T(scale) : T(0)",
        "dropout_mask",
        preamble=PREAMBLE,
    )
