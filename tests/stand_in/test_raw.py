"""The stand-in's RawKernel: blocks, threads, barriers, shared memory, types that must be exact."""

import numpy as np
import pytest

from tests.strict_array import NAMESPACE, to_strict
from tests.strict_array.compiling import needs_compiler

pytestmark = needs_compiler
rng = np.random.default_rng(1)

ROW_SUMS = """
extern "C" __global__ void __launch_bounds__(64)
row_sums(const float *__restrict__ x, double* total, long long V, int skip) {
  __shared__ double part[64];
  double sum = 0;
  for (long long v = threadIdx.x; v < V; v += blockDim.x) sum += x[blockIdx.x * V + v];
  part[threadIdx.x] = sum;
  __syncthreads();
  for (int half = blockDim.x / 2; half; half /= 2) {
    if (threadIdx.x < half) part[threadIdx.x] += part[threadIdx.x + half];
    BARRIER
  }
  if (threadIdx.x == 0 && (int)blockIdx.x != skip) atomicAdd(total + blockIdx.x, part[0]);
}
"""
WARP_MAX = """
__device__ __forceinline__ float largest(float m) {
  for (int d = 16; d; d >>= 1) m = fmaxf(m, __shfl_xor_sync(0xffffffffu, m, d));
  return m;
}
extern "C" __global__ void warp_max(const float* x, float* y, int n) {
  extern __shared__ float kept[];
  int k = blockIdx.x * blockDim.x + threadIdx.x;
  float m = largest(k < n ? x[k] : -INFINITY);
  if (threadIdx.x % 32 == 0) kept[threadIdx.x / 32] = m;
  __syncthreads();
  if (threadIdx.x >= blockDim.x / 32) return;
  y[blockIdx.x * (blockDim.x / 32) + threadIdx.x] = kept[threadIdx.x];
}
"""


def row_sums(barrier="__syncthreads();"):
    return NAMESPACE.RawKernel(ROW_SUMS.replace("BARRIER", barrier), "row_sums")


@pytest.mark.parametrize("threads", [1, 2, 32, 64])
def test_threads_of_a_block_meet_at_the_barrier(threads):
    x = rng.standard_normal((5, 41)).astype("float32")
    total = NAMESPACE.zeros(5)
    row_sums()((5,), (threads,), (to_strict(x), total, 41, np.int32(3)))
    expected = x.sum(axis=1, dtype="float64")
    expected[3] = 0
    np.testing.assert_allclose(total.get(), expected, rtol=1e-12)


def test_a_forgotten_barrier_shows():
    x = rng.standard_normal((5, 41)).astype("float32")
    total = NAMESPACE.zeros(5)
    row_sums(barrier="")((5,), (64,), (to_strict(x), total, 41, np.int32(9)))
    assert not np.allclose(total.get(), x.sum(axis=1))


def test_lanes_of_a_warp_exchange_values_and_dynamic_shared_memory():
    x = rng.standard_normal(200).astype("float32")
    y = NAMESPACE.zeros(8, dtype="float32")
    NAMESPACE.RawKernel(WARP_MAX, "warp_max")(
        (4,), (64,), (to_strict(x), y, np.int32(200)), shared_mem=8
    )
    padded = np.append(x, np.full(56, -np.inf, "float32"))
    np.testing.assert_array_equal(y.get(), padded.reshape(8, 32).max(axis=1))


def test_threads_that_can_never_meet_are_an_error_and_not_a_hang():
    code = """extern "C" __global__ void stuck(float* y) {
      if (threadIdx.x == 0) __syncwarp(); else __syncthreads();
    }"""
    with pytest.raises(RuntimeError, match="for ever"):
        # Warp 0's first thread waits for the warp, the others for the block.
        NAMESPACE.RawKernel(code, "stuck")((1,), (2,), (NAMESPACE.zeros(1, dtype="float32"),))


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (0, np.ones((1, 3))),
        (1, np.ones(1, "float32")),
        (2, np.int32(3)),
        (2, 3.0),
        (3, 3),
        (0, 7),
        (2, None),
    ],
)
def test_types_must_be_exactly_those_declared(place, value):
    arguments = [np.ones((1, 3), "float32"), np.zeros(1), 3, np.int32(0)]
    arguments[place] = value
    strict = tuple(to_strict(a) if isinstance(a, np.ndarray) else a for a in arguments)
    with pytest.raises(TypeError, match="row_sums"):
        row_sums()((1,), (2,), strict)


def test_a_hosts_array_and_impossible_blocks_are_refused():
    y = NAMESPACE.zeros(1)
    good = (NAMESPACE.zeros((1, 3), dtype="float32"), y, 3, np.int32(0))
    with pytest.raises(TypeError, match="ndarray"):
        row_sums()((1,), (2,), (np.zeros((1, 3), "float32"), *good[1:]))
    for grid, block in (((1,), (2048,)), ((0,), (2,)), ((1, 70000), (2,)), ((1,), (32, 64))):
        with pytest.raises(ValueError, match=r"invalid|threads"):
            row_sums()(grid, block, good)
    with pytest.raises(MemoryError, match="shared"):
        row_sums()((1,), (2,), good, shared_mem=48 * 1024)
