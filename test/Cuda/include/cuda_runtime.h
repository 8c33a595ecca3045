//===- cuda_runtime.h - Plays CUDA C++ on the CPU ---------------*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Takes the place of CUDA's header of this name: what --emit=cuda writes is
// compiled as C++ with it,
//
//   g++ -std=c++17 -O2 -fsanitize=thread -I test/Cuda/include -c -x c++ net.cu
//
// and linked with Player.cpp, not with the thread sanitizer: the calls that the
// compiler puts before accesses of memory go to the player. It runs a grid's
// blocks one after another, and a block's threads one after another from one
// barrier to the next. Wrong, and said at the next call of the runtime, are
//
// - a barrier that some threads of a block do not reach, or not the same one,
// - two threads that use one place in one interval between barriers, and one of
//   them changes it; two blocks of a launch that do,
// - a read of the device's memory that nobody has written,
// - an access of the device's memory outside of what is allocated,
// - a product by tensor cores that not all threads of a warp reach, or not the
//   same one; the copy of an address that is no multiple of its size.
//
// All memory holds NaNs until it is written, shared memory anew for each block:
// a thread that has no results to store may read what is not there. So does
// what a copy to shared memory has begun to write, until the thread waits for
// it; others then need a barrier.
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_TEST_CUDA_RUNTIME_H
#define ROOTC_TEST_CUDA_RUNTIME_H

#include <math.h>
#include <stddef.h>
#include <stdint.h>

#include <functional>
#include <string>
#include <tuple>
#include <utility>

#define __global__
#define __device__
#define __host__
#define __launch_bounds__(...)
// Of all blocks; the player tells which of them has written what.
#define __shared__ static __attribute__((section("rootc_played_shared")))
#define __syncthreads() rootc_played::barrier(__LINE__)

struct uint3 {
  unsigned x, y, z;
};
struct dim3 {
  unsigned x, y, z;
  dim3(unsigned x = 1, unsigned y = 1, unsigned z = 1) : x(x), y(y), z(z) {}
};
extern uint3 threadIdx, blockIdx;
extern dim3 blockDim, gridDim;

enum cudaError_t {
  cudaSuccess = 0,
  cudaErrorInvalidValue = 1,
  cudaErrorMemoryAllocation = 2,
  cudaErrorInsufficientDriver = 35,
  cudaErrorLaunchFailure = 719
};
enum cudaMemcpyKind { cudaMemcpyHostToDevice = 1, cudaMemcpyDeviceToHost = 2 };
enum cudaMemoryType {
  cudaMemoryTypeUnregistered = 0,
  cudaMemoryTypeDevice = 2,
  cudaMemoryTypeManaged = 3
};
struct cudaPointerAttributes {
  cudaMemoryType type;
};
typedef struct rootc_played_stream *cudaStream_t;
const unsigned cudaStreamNonBlocking = 1;

cudaError_t cudaGetDeviceCount(int *count);
cudaError_t cudaGetLastError();
/// Of a launch failure: what went wrong in it.
const char *cudaGetErrorString(cudaError_t error);
cudaError_t cudaMemGetInfo(size_t *unused, size_t *all);
cudaError_t cudaPointerGetAttributes(cudaPointerAttributes *of,
                                     const void *address);
cudaError_t cudaStreamCreateWithFlags(cudaStream_t *stream, unsigned flags);
cudaError_t cudaStreamSynchronize(cudaStream_t stream);
cudaError_t cudaStreamDestroy(cudaStream_t stream);
cudaError_t cudaMallocAsync(void **address, size_t bytes, cudaStream_t stream);
cudaError_t cudaFreeAsync(void *address, cudaStream_t stream);
cudaError_t cudaMemcpyAsync(void *to, const void *from, size_t bytes,
                            cudaMemcpyKind kind, cudaStream_t stream);
cudaError_t cudaMemsetAsync(void *to, int value, size_t bytes,
                            cudaStream_t stream);

namespace rootc_played {
void barrier(int line);
cudaError_t launch(const std::function<void()> &thread, dim3 grid, dim3 block);

/// A product's fragments in the registers of a thread (Fragments.h).
void multiply(float *d, const uint32_t *a, const uint32_t *b, bool bf16,
              int line);
void copy(void *to, const void *from, size_t bytes, bool exists);

template <typename... Parameters, size_t... I>
std::function<void()> bind(void (*kernel)(Parameters...), void **arguments,
                           std::index_sequence<I...>) {
  return [kernel, given = std::tuple<Parameters...>(*static_cast<Parameters *>(
                      arguments[I])...)] { kernel(std::get<I>(given)...); };
}
} // namespace rootc_played

template <typename... Parameters>
cudaError_t cudaLaunchKernel(void (*kernel)(Parameters...), dim3 grid,
                             dim3 block, void **arguments, size_t,
                             cudaStream_t) {
  return rootc_played::launch(
      rootc_played::bind(kernel, arguments,
                         std::index_sequence_for<Parameters...>()),
      grid, block);
}

// What runtime/support/TensorCores.cu says in PTX for nvcc.
inline void rootc_multiply_tf32(float (&d)[4], const uint32_t (&a)[4],
                                const uint32_t (&b)[2],
                                int line = __builtin_LINE()) {
  rootc_played::multiply(d, a, b, false, line);
}
inline void rootc_multiply_bf16(float (&d)[4], const uint32_t (&a)[4],
                                const uint32_t (&b)[2],
                                int line = __builtin_LINE()) {
  rootc_played::multiply(d, a, b, true, line);
}
/// To nearest, of two the one farther from zero.
uint32_t rootc_tf32(float value);
/// To nearest, of two the even one; `low` in the lower half.
uint32_t rootc_bf16_pair(float low, float high);
template <int Floats>
void rootc_copy(float *to, const float *from, bool exists) {
  rootc_played::copy(to, from, 4 * Floats, exists);
}
void rootc_wait_for_copies();

#endif // ROOTC_TEST_CUDA_RUNTIME_H
