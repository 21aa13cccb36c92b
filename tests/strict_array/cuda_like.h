// What a kernel written for CUDA expects to find, for g++: one thread, or fibers in its place.
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <type_traits>

#define __device__
#define __host__
#define __forceinline__ inline
#define __noinline__
#define __restrict__
#define __launch_bounds__(...)

typedef unsigned long long ull;

static int fault = 0;  // an index was outside its array
extern "C" int kernel_fault() {
  int seen = fault;
  fault = 0;
  return seen;
}

using std::abs; using std::exp; using std::expm1; using std::log; using std::log1p;
using std::tanh; using std::sqrt; using std::pow; using std::erf; using std::erfc;
using std::floor; using std::ceil; using std::fabs; using std::fmod; using std::copysign;
using std::isnan; using std::isinf; using std::isfinite; using std::signbit; using std::fma;
using std::sin; using std::cos; using std::tan; using std::cosh; using std::sinh; using std::atan;
using std::round; using std::rint; using std::trunc; using std::exp2; using std::log2; using std::log10;

template <class A, class B> using Common = typename std::common_type<A, B>::type;
template <class A, class B> inline Common<A, B> max(A a, B b) {  // CUDA's: a NaN loses
  typedef Common<A, B> C;
  if constexpr (std::is_floating_point<C>::value) return std::fmax((C)a, (C)b);
  else return (C)a > (C)b ? (C)a : (C)b;
}
template <class A, class B> inline Common<A, B> min(A a, B b) {
  typedef Common<A, B> C;
  if constexpr (std::is_floating_point<C>::value) return std::fmin((C)a, (C)b);
  else return (C)a < (C)b ? (C)a : (C)b;
}
inline float rsqrt(float x) { return 1.0f / std::sqrt(x); }
inline double rsqrt(double x) { return 1.0 / std::sqrt(x); }
inline float rsqrtf(float x) { return 1.0f / std::sqrt(x); }
inline ull __umul64hi(ull a, ull b) { return (ull)(((unsigned __int128)a * b) >> 64); }
inline unsigned __umulhi(unsigned a, unsigned b) { return (unsigned)(((ull)a * b) >> 32); }
template <class T> inline T __ldg(const T *p) { return *p; }
template <class T, class U> inline T atomicAdd(T *p, U v) {
  static_assert(!std::is_same<T, long long>::value && !std::is_same<T, short>::value,
                "CUDA has no atomicAdd of this type");
  T old = *p;
  *p = old + (T)v;
  return old;
}

// An array of any strides; T[i] counts in C order, T[index] takes one number an axis.
template <class T> class CArray {
  T *data_;
  const ptrdiff_t *shape_, *strides_;
  ptrdiff_t size_;
  static T nowhere_;

  T &at(const ptrdiff_t *index) const {
    char *place = (char *)data_;
    for (int axis = 0; axis < ndim; ++axis) {
      if (index[axis] < 0 || index[axis] >= shape_[axis]) { fault = 1; return nowhere_; }
      place += index[axis] * strides_[axis];
    }
    return *(T *)place;
  }
  T &at(ptrdiff_t i) const {
    if (i < 0 || i >= size_) { fault = 1; return nowhere_; }
    char *place = (char *)data_;
    for (int axis = ndim; --axis >= 0;) {
      place += (i % shape_[axis]) * strides_[axis];
      i /= shape_[axis];
    }
    return *(T *)place;
  }
  T &at(std::initializer_list<ptrdiff_t> index) const {
    if ((int)index.size() != ndim) { fault = 1; return nowhere_; }
    return at(index.begin());
  }

 public:
  const int ndim;
  CArray(void *data, ptrdiff_t rank, const ptrdiff_t *shape, const ptrdiff_t *strides)
      : data_((T *)data), shape_(shape), strides_(strides), size_(1), ndim((int)rank) {
    for (int axis = 0; axis < ndim; ++axis) size_ *= shape[axis];
  }
  ptrdiff_t size() const { return size_; }
  const ptrdiff_t *shape() const { return shape_; }
  const ptrdiff_t *strides() const { return strides_; }
  template <class I> T &operator[](I i) { return at(i); }
  template <class I> const T &operator[](I i) const { return at(i); }
  T &operator[](std::initializer_list<ptrdiff_t> index) { return at(index); }
  const T &operator[](std::initializer_list<ptrdiff_t> index) const { return at(index); }
};
template <class T> T CArray<T>::nowhere_;

class CIndexer {
  const ptrdiff_t *shape_;
  ptrdiff_t size_, index_[32];

 public:
  const int ndim;
  CIndexer(ptrdiff_t rank, const ptrdiff_t *shape) : shape_(shape), size_(1), ndim((int)rank) {
    for (int axis = 0; axis < ndim; ++axis) size_ *= shape[axis];
  }
  ptrdiff_t size() const { return size_; }
  void set(ptrdiff_t i) {
    for (int axis = ndim; --axis >= 0; i /= shape_[axis]) index_[axis] = i % shape_[axis];
  }
  const ptrdiff_t *get() const { return index_; }
};
