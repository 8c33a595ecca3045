//===- TensorCores.cpp - Launches convolutions by tensor cores ------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// In libraries what the `_argv` function of such a kernel does in CUDA C++
// (codegen/TensorCoreSource.cpp).
//
//===----------------------------------------------------------------------===//

#include "runtime/support/device/Kernels.h"

namespace {

int32_t parts(int64_t all, int32_t of) { return int32_t((all + of - 1) / of); }

/// The sums of chunks, and how many there are; its place in memory ends with
/// it, which the stream's order allows.
class Partial {
public:
  Partial(void *userContext, int64_t floats)
      : userContext(userContext), bytes(size_t(floats) * sizeof(float)),
        address(rootc_support_take_temporary(laneOf(userContext), bytes)) {}
  ~Partial() {
    if (address)
      rootc_support_give_temporary(laneOf(userContext), address);
  }
  Partial(const Partial &) = delete;

  void *const userContext;
  const size_t bytes;
  uint64_t address;
};

int runGradient(void *userContext, const rootc_products &of, int32_t n,
                void *operands, size_t operandBytes) {
  int32_t all = parts(int64_t(n) * of.pixels, of.tile);
  int32_t most = parts(all, of.stages);
  if (most > of.split)
    most = of.split;
  int32_t stages = parts(all, most), chunks = parts(all, stages);
  Partial partial(userContext, int64_t(chunks) * of.weights);
  if (!partial.address)
    return lacksTemporary(userContext, partial.bytes);
  void *arguments[] = {operands, &stages, &partial.address};
  size_t sizes[] = {operandBytes, sizeof stages, sizeof partial.address, 0};
  const int8_t isBuffer[3] = {};
  rootc_launch launch = {{of.blocks[0], of.blocks[1], chunks * of.blocks[2]},
                         {of.threads, 1, 1},
                         0,
                         sizes,
                         arguments,
                         isBuffer};
  int code = run(userContext, (void *)of.text, of.names[0], launch);
  if (code)
    return code;
  arguments[1] = &chunks;
  launch.blocks[0] = parts(of.weights, of.sum_threads);
  launch.blocks[1] = launch.blocks[2] = 1;
  launch.threads[0] = of.sum_threads;
  return run(userContext, (void *)of.text, of.names[1], launch);
}

} // namespace

#pragma GCC visibility push(hidden)
/// `given`: a kernel's arguments as Program.cpp has them.
extern "C" int rootc_support_products(void **given, const rootc_products *of) {
  void *userContext = *(void **)given[0];
  auto argument = [&](int32_t i) {
    return (const rootc_kernel_buffer *)given[i + 1];
  };
  const rootc_kernel_buffer *batched = argument(of->batched);
  int32_t n = batched->dim[batched->dimensions - 1].extent;
  size_t bytes = (of->operands + 1) * sizeof(uint64_t);
  auto *operands = (uint64_t *)__builtin_alloca(bytes);
  operands[0] = 0;
  __builtin_memcpy(operands, &n, sizeof n);
  for (int32_t i = 0; i < of->operands; ++i)
    operands[i + 1] = argument(i)->device;
  if (of->names[1])
    return runGradient(userContext, *of, n, operands, bytes);
  void *arguments[] = {operands};
  size_t sizes[] = {bytes, 0};
  const int8_t isBuffer[1] = {};
  rootc_launch launch = {
      {parts(int64_t(n) * of->pixels, of->tile), of->blocks[1], of->blocks[2]},
      {of->threads, 1, 1},
      0,
      sizes,
      arguments,
      isBuffer};
  return run(userContext, (void *)of->text, of->names[0], launch);
}
#pragma GCC visibility pop
