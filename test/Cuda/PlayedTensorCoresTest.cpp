//===- PlayedTensorCoresTest.cpp - Warps and copies, played ---------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What runtime/support/TensorCores.cu asks of the player: a warp's products of
// matrices, and copies to shared memory that others see late. Compiled as
// emitted CUDA C++ is.
//
//===----------------------------------------------------------------------===//

#include <cuda_runtime.h>

#include <cmath>
#include <gtest/gtest.h>
#include <vector>

namespace {

enum Break { None, HalfAWarp, TwoProducts, NoWait, NoBarrier, Misaligned };

/// d = a b of 16 x k and k x 8 row-major matrices. A thread's place in a
/// fragment is found by looking through the matrix for who has it.
__global__ void product(const float *a, const float *b, float *d, int bf16,
                        int wrong) {
  const int lane = threadIdx.x, group = lane / 4, place = lane % 4;
  uint32_t left[4], right[2];
  float sums[4] = {};
  for (int r = 0; r < 4; ++r) {
    const int row = group + (r % 2 ? 8 : 0);
    const float *at =
        a + row * (bf16 ? 16 : 8) +
        (bf16 ? 2 * place + (r > 1 ? 8 : 0) : place + (r > 1 ? 4 : 0));
    left[r] = bf16 ? rootc_bf16_pair(at[0], at[1]) : rootc_tf32(at[0]);
  }
  for (int r = 0; r < 2; ++r) {
    const float *at =
        b + group + 8 * (bf16 ? 2 * place + 8 * r : place + 4 * r);
    right[r] = bf16 ? rootc_bf16_pair(at[0], at[8]) : rootc_tf32(at[0]);
  }
  if (wrong == HalfAWarp && lane >= 16)
    return;
  if (wrong == TwoProducts && lane >= 16)
    rootc_multiply_tf32(sums, left, right);
  else if (bf16)
    rootc_multiply_bf16(sums, left, right);
  else
    rootc_multiply_tf32(sums, left, right);
  for (int i = 0; i < 4; ++i)
    d[(group + (i > 1 ? 8 : 0)) * 8 + 2 * place + i % 2] = sums[i];
}

/// Turns values around by a tile in shared memory, copied four at a time;
/// the last ones are zeros.
__global__ void turn(const float *in, float *out, int wrong) {
  alignas(16) __shared__ float tile[36];
  const int t = threadIdx.x;
  if (t < 8)
    rootc_copy<4>(tile + 4 * t + (wrong == Misaligned), in + 4 * t, t < 7);
  if (wrong != NoWait)
    rootc_wait_for_copies();
  if (wrong != NoBarrier)
    __syncthreads();
  out[t] = tile[31 - t];
}

class Device {
public:
  float *array(const std::vector<float> &values) {
    float *address = nullptr;
    cudaMallocAsync(reinterpret_cast<void **>(&address), values.size() * 4,
                    nullptr);
    cudaMemcpyAsync(address, values.data(), values.size() * 4,
                    cudaMemcpyHostToDevice, nullptr);
    arrays.push_back(address);
    return address;
  }
  ~Device() {
    for (float *address : arrays)
      cudaFreeAsync(address, nullptr);
  }

private:
  std::vector<float *> arrays;
};

/// What is wrong; the result otherwise.
template <typename... Parameters>
std::string play(void (*kernel)(Parameters...), void **arguments,
                 const float *from, std::vector<float> &result) {
  cudaError_t error =
      cudaLaunchKernel(kernel, dim3(1), dim3(32), arguments, 0, nullptr);
  if (error == cudaSuccess)
    error = cudaMemcpyAsync(result.data(), from, result.size() * 4,
                            cudaMemcpyDeviceToHost, nullptr);
  return error == cudaSuccess ? "" : cudaGetErrorString(error);
}

std::string playProduct(int bf16, int wrong, std::vector<float> &d) {
  const size_t terms = bf16 ? 16 : 8;
  // Small whole numbers, which either kind of operand holds exactly.
  std::vector<float> a(16 * terms), b(terms * 8);
  for (size_t i = 0; i < a.size(); ++i)
    a[i] = float(i * i % 23) - 11;
  for (size_t i = 0; i < b.size(); ++i)
    b[i] = float(i * 7 % 19) - 9;
  d.assign(128, 0);
  Device device;
  float *onDevice[] = {device.array(a), device.array(b), device.array(d)};
  void *arguments[] = {&onDevice[0], &onDevice[1], &onDevice[2], &bf16, &wrong};
  std::string problem = play(product, arguments, onDevice[2], d);
  for (size_t row = 0; row < 16 && problem.empty() && wrong == None; ++row)
    for (size_t column = 0; column < 8; ++column) {
      float sum = 0;
      for (size_t k = 0; k < terms; ++k)
        sum += a[row * terms + k] * b[k * 8 + column];
      EXPECT_EQ(d[row * 8 + column], sum) << row << ", " << column;
    }
  return problem;
}

TEST(PlayedTensorCores, Multiply) {
  std::vector<float> d;
  EXPECT_EQ(playProduct(0, None, d), "");
  EXPECT_EQ(playProduct(1, None, d), "");
}

TEST(PlayedTensorCores, NoticesThatAWarpIsNotWhole) {
  std::vector<float> d;
  EXPECT_NE(playProduct(0, HalfAWarp, d).find("by 16 of 32 threads of a warp"),
            std::string::npos);
  EXPECT_NE(playProduct(1, TwoProducts, d).find("at products of the lines"),
            std::string::npos);
  EXPECT_EQ(playProduct(0, None, d), "");
}

TEST(PlayedTensorCores, Rounds) {
  auto bits = [](float value) {
    uint32_t result;
    __builtin_memcpy(&result, &value, sizeof result);
    return result;
  };
  // Half of the last place: away from zero in TF32, to the even one in bf16.
  EXPECT_EQ(rootc_tf32(1 + 0x1p-11f), bits(1 + 0x1p-10f));
  EXPECT_EQ(rootc_tf32(-1 - 0x1p-11f), bits(-1 - 0x1p-10f));
  EXPECT_EQ(rootc_tf32(1 + 0x1p-12f), bits(1));
  EXPECT_EQ(rootc_bf16_pair(1 + 0x1p-8f, 1 + 3 * 0x1p-8f),
            bits(1) >> 16 | (bits(1 + 0x1p-6f) & 0xffff0000));
}

std::string playTurn(int wrong, std::vector<float> &result) {
  std::vector<float> values(32);
  for (size_t i = 0; i < 32; ++i)
    values[i] = float(i + 1);
  result.assign(32, 0);
  Device device;
  float *in = device.array(values), *out = device.array(result);
  void *arguments[] = {&in, &out, &wrong};
  return play(turn, arguments, out, result);
}

TEST(PlayedTensorCores, CopiesAreSeenLate) {
  std::vector<float> result;
  ASSERT_EQ(playTurn(None, result), "");
  for (size_t i = 0; i < 32; ++i)
    EXPECT_EQ(result[i], i < 4 ? 0.0f : float(32 - i));
  ASSERT_EQ(playTurn(NoWait, result), "");
  EXPECT_TRUE(std::isnan(result[0]) && std::isnan(result[31]));
  EXPECT_NE(playTurn(NoBarrier, result).find("a race"), std::string::npos);
  EXPECT_NE(playTurn(Misaligned, result).find("no multiple"),
            std::string::npos);
}

} // namespace
