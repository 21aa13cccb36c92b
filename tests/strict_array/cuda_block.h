// A block's threads as fibers: each runs until it waits, all orders of which are legal on a GPU.
#include <ucontext.h>

#include <cstdlib>

struct dim3 { unsigned x, y, z; };
static dim3 threadIdx, blockIdx, blockDim, gridDim;
static const int warpSize = 32;

#define __global__
#define __shared__ static __attribute__((section("block_shared")))
extern char __start_block_shared[] __attribute__((weak));
extern char __stop_block_shared[] __attribute__((weak));

enum State { READY, AT_BLOCK, AT_WARP, DONE };
struct Fiber {
  ucontext_t context;
  char *stack;
  State state;
  dim3 index;
  uint64_t lane;  // what it gives to the other lanes of its warp
};
static const size_t MOST = 1024, STACK = 1 << 16;
static Fiber fibers[MOST];
static size_t fiber_count;
static ucontext_t scheduler;
static size_t current;
static void (*kernel_body)();

static void wait_in(State state) {
  Fiber &me = fibers[current];
  me.state = state;
  swapcontext(&me.context, &scheduler);
}
inline void __syncthreads() { wait_in(AT_BLOCK); }
inline void __syncwarp(unsigned = 0xffffffffu) { wait_in(AT_WARP); }
inline void __threadfence() {}
inline void __threadfence_block() {}

template <class T> inline T from_lane(T value, int lane, int width) {
  static_assert(sizeof(T) <= 8, "one register or two");
  std::memcpy(&fibers[current].lane, &value, sizeof(T));
  __syncwarp();
  T other = value;
  size_t place = current / 32 * 32 + lane;
  if (lane >= 0 && lane < 32 && lane / width == (int)(current % 32) / width && place < fiber_count)
    std::memcpy(&other, &fibers[place].lane, sizeof(T));
  __syncwarp();
  return other;
}
template <class T> inline T __shfl_sync(unsigned, T v, int lane, int width = 32) {
  return from_lane(v, (int)(current % 32) / width * width + lane % width, width);
}
template <class T> inline T __shfl_down_sync(unsigned, T v, unsigned d, int width = 32) {
  return from_lane(v, (int)(current % 32) + (int)d, width);
}
template <class T> inline T __shfl_up_sync(unsigned, T v, unsigned d, int width = 32) {
  return from_lane(v, (int)(current % 32) - (int)d, width);
}
template <class T> inline T __shfl_xor_sync(unsigned, T v, int m, int width = 32) {
  return from_lane(v, (int)(current % 32) ^ m, width);
}

static void fiber_main() {
  kernel_body();
  fibers[current].state = DONE;
  swapcontext(&fibers[current].context, &scheduler);
}

static bool released(size_t from, size_t to, State waited) {  // whoever has left is not waited for
  bool any = false;
  for (size_t k = from; k < to; ++k) {
    if (fibers[k].state != waited && fibers[k].state != DONE) return false;
    any = any || fibers[k].state == waited;
  }
  for (size_t k = from; any && k < to; ++k)
    if (fibers[k].state == waited) fibers[k].state = READY;
  return any;
}

// 0, or what is wrong: 1 threads wait at different barriers for ever.
static int run_block(dim3 block) {
  size_t count = (size_t)block.x * block.y * block.z;
  fiber_count = count;
  for (char *byte = __start_block_shared; byte < __stop_block_shared; ++byte) *byte = (char)0xff;
  for (size_t k = 0; k < count; ++k) {
    Fiber &fiber = fibers[k];
    if (!fiber.stack) fiber.stack = (char *)std::malloc(STACK);
    fiber.state = READY;
    fiber.index = {(unsigned)(k % block.x), (unsigned)(k / block.x % block.y),
                   (unsigned)(k / block.x / block.y)};
    getcontext(&fiber.context);
    fiber.context.uc_stack.ss_sp = fiber.stack;
    fiber.context.uc_stack.ss_size = STACK;
    fiber.context.uc_link = nullptr;
    makecontext(&fiber.context, fiber_main, 0);
  }
  static size_t order[MOST];
  for (size_t k = 0; k < count; ++k) order[k] = k;
  for (unsigned seed = 1;;) {
    size_t done = 0;
    for (size_t left = count; left > 0; --left) {  // in another order each time, always the same
      seed = seed * 1664525u + 1013904223u;
      size_t chosen = (seed >> 8) % left;
      current = order[chosen];
      order[chosen] = order[left - 1];
      order[left - 1] = current;
      if (fibers[current].state == READY) {
        threadIdx = fibers[current].index;
        swapcontext(&scheduler, &fibers[current].context);
      }
      done += fibers[current].state == DONE;
    }
    if (done == count) return 0;
    bool any = released(0, count, AT_BLOCK);
    for (size_t warp = 0; !any && warp < count; warp += 32)
      any = released(warp, warp + 32 < count ? warp + 32 : count, AT_WARP) || any;
    for (size_t k = 0; !any && k < count; ++k) any = fibers[k].state == READY;
    if (!any) return 1;
  }
}

static int run_grid(dim3 grid, dim3 block, void (*body)()) {
  kernel_body = body;
  gridDim = grid;
  blockDim = block;
  size_t count = (size_t)grid.x * grid.y * grid.z;
  for (size_t k = count; k-- > 0;) {  // blocks too come in any order
    blockIdx = {(unsigned)(k % grid.x), (unsigned)(k / grid.x % grid.y),
                (unsigned)(k / grid.x / grid.y)};
    if (int wrong = run_block(block)) return wrong;
  }
  return 0;
}
extern "C" size_t static_shared() { return __stop_block_shared - __start_block_shared; }
