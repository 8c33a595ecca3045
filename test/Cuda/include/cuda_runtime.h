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
// - an access of the device's memory outside of what is allocated.
//
// All memory holds NaNs until it is written, shared memory anew for each block:
// a thread that has no results to store may read what is not there. Nothing
// here knows of warps.
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

#endif // ROOTC_TEST_CUDA_RUNTIME_H
