//===- CudaFunctions.h - What kernels in CUDA C++ call ----------*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_CUDAFUNCTIONS_H
#define ROOTC_CUDAFUNCTIONS_H

#include <cuda_runtime.h>
#include <stdint.h>

// What is not a number stays: a > b is false then.
template <typename T> __host__ __device__ inline T larger(T a, T b) {
  return a > b ? a : b;
}
template <typename T> __host__ __device__ inline T smaller(T a, T b) {
  return a < b ? a : b;
}
/// The bits of a value as those of another type.
template <typename To, typename From>
__host__ __device__ inline To bits_as(From from) {
  static_assert(sizeof(To) == sizeof(From), "as many bits");
  union {
    From from;
    To to;
  } bits = {from};
  return bits.to;
}
/// Rounded to below, as the remainder is that of it; b is positive.
template <typename T> __host__ __device__ inline T floor_div(T a, T b) {
  return a / b - (a % b < 0);
}
template <typename T> __host__ __device__ inline T floor_mod(T a, T b) {
  return a % b + (a % b < 0 ? b : 0);
}

#endif // ROOTC_CUDAFUNCTIONS_H
