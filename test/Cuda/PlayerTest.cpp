//===- PlayerTest.cpp - What the player of CUDA C++ notices ---------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Kernels that are right and, each broken in one way, wrong: a sum of three
// neighbours through shared memory. Compiled as emitted CUDA C++ is.
//
//===----------------------------------------------------------------------===//

#include <cuda_runtime.h>

#include <cmath>
#include <gtest/gtest.h>
#include <vector>

namespace {

enum Break {
  None,
  NoBarrier,
  SomeThreadsAtTheBarrier,
  TwoBarriers,
  EdgeUnwritten,
  TileOfAnotherBlock,
  OneForAll,
  ReadsWhatIsWritten,
  BehindTheEnd,
};

const int Block = 64, Blocks = 4, Count = Block * Blocks;

/// out[i] = in[i - 1] + in[i] + in[i + 1], zeros around. `scratch` has a value
/// of which nobody knows.
__global__ void sums(const float *in, float *out, float *scratch, int wrong) {
  __shared__ float tile[Block + 2];
  const int t = threadIdx.x, i = blockIdx.x * Block + t;
  if (wrong != TileOfAnotherBlock || blockIdx.x == 0)
    tile[t + 1] = in[i];
  if (t == 0 && wrong != EdgeUnwritten)
    tile[0] = i > 0 ? in[i - 1] : 0.0f;
  if (t == Block - 1)
    tile[Block + 1] = i + 1 < Count ? in[i + 1] : 0.0f;
  if (wrong == SomeThreadsAtTheBarrier) {
    if (t % 4 == 0)
      __syncthreads();
    return;
  } else if (wrong == TwoBarriers && t % 2) {
    __syncthreads();
  } else if (wrong != NoBarrier) {
    __syncthreads();
  }
  float sum = tile[t] + tile[t + 1] + tile[t + 2];
  if (wrong == OneForAll)
    scratch[0] = sum; // the last one's
  if (wrong == ReadsWhatIsWritten)
    sum += out[Count - 1 - i];
  out[wrong == BehindTheEnd ? i + 64 : i] = sum;
}

struct Memory {
  float *address = nullptr;
  explicit Memory(size_t count) {
    cudaMallocAsync(reinterpret_cast<void **>(&address), count * 4, nullptr);
  }
  ~Memory() { cudaFreeAsync(address, nullptr); }
};

/// What is wrong with the launch; its results otherwise.
std::string play(int wrong, std::vector<float> &result) {
  Memory in(Count), out(Count), scratch(1);
  std::vector<float> values(Count);
  for (int i = 0; i < Count; ++i)
    values[i] = float(i * i % 37);
  cudaMemcpyAsync(in.address, values.data(), Count * 4, cudaMemcpyHostToDevice,
                  nullptr);
  void *arguments[] = {&in.address, &out.address, &scratch.address, &wrong};
  cudaError_t error =
      cudaLaunchKernel(sums, dim3(Blocks), dim3(Block), arguments, 0, nullptr);
  if (error == cudaSuccess) {
    result.resize(Count);
    error = cudaMemcpyAsync(result.data(), out.address, Count * 4,
                            cudaMemcpyDeviceToHost, nullptr);
  }
  return error == cudaSuccess ? "" : cudaGetErrorString(error);
}

TEST(Player, RunsAKernel) {
  std::vector<float> result;
  ASSERT_EQ(play(None, result), "");
  auto value = [](int i) {
    return i < 0 || i >= Count ? 0.0f : float(i * i % 37);
  };
  for (int i = 0; i < Count; ++i)
    EXPECT_EQ(result[i], value(i - 1) + value(i) + value(i + 1));
}

struct Case {
  Break wrong;
  const char *name, *message;
};
const Case cases[] = {
    {NoBarrier, "NoBarrier", "a race: what is written is read"},
    {SomeThreadsAtTheBarrier, "SomeThreadsAtTheBarrier",
     "is reached by 16 of 64 threads"},
    {TwoBarriers, "TwoBarriers", "threads wait at different barriers"},
    {OneForAll, "OneForAll", "a race: two threads write different values"},
    {ReadsWhatIsWritten, "ReadsWhatIsWritten",
     "memory is read that nobody has written"},
    {BehindTheEnd, "BehindTheEnd", "memory is written that is not allocated"},
};

class PlayerNotices : public ::testing::TestWithParam<Case> {};

TEST_P(PlayerNotices, It) {
  std::vector<float> result;
  std::string problem = play(GetParam().wrong, result);
  EXPECT_NE(problem.find(GetParam().message), std::string::npos) << problem;
  // And goes on.
  EXPECT_EQ(play(None, result), "");
}

INSTANTIATE_TEST_SUITE_P(Kernels, PlayerNotices, ::testing::ValuesIn(cases),
                         [](const auto &info) { return info.param.name; });

TEST(Player, PoisonsSharedMemory) {
  std::vector<float> result;
  EXPECT_EQ(play(EdgeUnwritten, result), "");
  EXPECT_TRUE(std::isnan(result[0]) && std::isnan(result[Block]));
  EXPECT_FALSE(std::isnan(result[1]));
  // What the first block has left there.
  EXPECT_EQ(play(TileOfAnotherBlock, result), "");
  EXPECT_FALSE(std::isnan(result[0]));
  EXPECT_TRUE(std::isnan(result[Block + 1]));
}

/// Turns values around in shared memory, again and again in the same tile.
__global__ void turns(float *data, int barriers) {
  __shared__ float tile[Block];
  const int t = threadIdx.x;
  float value = data[t];
  for (int i = 0; i < 3; ++i) {
    tile[t] = value;
    if (barriers != 1)
      __syncthreads();
    value = tile[Block - 1 - t];
    if (barriers != 2)
      __syncthreads();
  }
  data[t] = value;
}

std::string playTurns(int barriers) {
  Memory data(Block);
  std::vector<float> values(Block);
  for (int i = 0; i < Block; ++i)
    values[i] = float(i);
  cudaMemcpyAsync(data.address, values.data(), Block * 4,
                  cudaMemcpyHostToDevice, nullptr);
  void *arguments[] = {&data.address, &barriers};
  cudaError_t error =
      cudaLaunchKernel(turns, dim3(1), dim3(Block), arguments, 0, nullptr);
  return error == cudaSuccess ? "" : cudaGetErrorString(error);
}

TEST(Player, NoticesATileThatIsWrittenWhileItIsRead) {
  EXPECT_EQ(playTurns(0), "");
  EXPECT_NE(playTurns(1), "");
  EXPECT_NE(playTurns(2).find("a race"), std::string::npos);
}

/// Each block writes what the next one reads, or what all write.
__global__ void chain(float *data, int how) {
  const int i = blockIdx.x;
  if (how == 0)
    data[i] = 1.0f;
  else if (how == 1)
    data[i + 1] = data[i] + 1.0f;
  else if (how == 2)
    data[0] = 7.0f; // all the same
  else
    data[0] = float(i);
}

std::string playChain(int how) {
  Memory data(Blocks + 1);
  cudaMemsetAsync(data.address, 0, (Blocks + 1) * 4, nullptr);
  void *arguments[] = {&data.address, &how};
  cudaError_t error =
      cudaLaunchKernel(chain, dim3(Blocks), dim3(1), arguments, 0, nullptr);
  return error == cudaSuccess ? "" : cudaGetErrorString(error);
}

TEST(Player, NoticesBlocksThatDependOnEachOther) {
  EXPECT_EQ(playChain(0), "");
  EXPECT_NE(playChain(1).find("a race: another block has written what is read"),
            std::string::npos);
  EXPECT_EQ(playChain(2), "");
  EXPECT_NE(playChain(3).find("a race: two blocks write different values"),
            std::string::npos);
}

/// Neighbours' bytes lie in one word.
__global__ void bytes(unsigned char *data) {
  data[threadIdx.x] = static_cast<unsigned char>(threadIdx.x);
}

TEST(Player, TellsBytesOfAWordApart) {
  Memory data(16);
  void *arguments[] = {&data.address};
  auto *kernel = reinterpret_cast<void (*)(float *)>(bytes);
  EXPECT_EQ(cudaLaunchKernel(kernel, dim3(1), dim3(64), arguments, 0, nullptr),
            cudaSuccess);
}

} // namespace
