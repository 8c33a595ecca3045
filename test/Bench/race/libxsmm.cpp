//===- libxsmm.cpp - LIBXSMM on the 1x1 gradients of ResNet-50 ------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What the blocked kernels of LIBXSMM reach on one core for what the rows
// `core:*` of race.py time: maps as [image][block of channels][pixel][64],
// filters as [block][block][64][64], warm, the best of its blockings of pixels.
// Strided gradients are those of the small map, written at every other pixel,
// zeros between them. README.md says how to build it; the argument is the
// core's peak in GFLOP/s.
//
//===----------------------------------------------------------------------===//

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <libxsmm.h>
#include <time.h>

namespace {
constexpr long Block = 64, Images = 8;

double now() {
  timespec time;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return double(time.tv_sec) + double(time.tv_nsec) * 1e-9;
}

double best(const std::function<void()> &run) {
  run();
  double least = 1e9;
  for (int i = 0; i < 4; ++i) {
    double begin = now();
    run();
    least = std::min(least, now() - begin);
  }
  return least;
}

float *floats(size_t count) {
  size_t page = size_t(1) << 21;
  auto *data = static_cast<float *>(
      std::aligned_alloc(page, (count * sizeof(float) + page - 1) & -page));
  for (size_t i = 0; i < count; ++i)
    data[i] = float(i % 7) * 0.1F - 0.3F;
  return data;
}

/// C = the sum of `count` products A B of 64 x k and k x n matrices, the next
/// ones `strideA` and `strideB` floats further.
class Product {
public:
  Product(long n, long k, long ldc, bool transposed, long strideA, long strideB)
      : kernel(libxsmm_dispatch_brgemm(
            libxsmm_create_gemm_shape(
                Block, n, k, Block, Block, ldc, LIBXSMM_DATATYPE_F32,
                LIBXSMM_DATATYPE_F32, LIBXSMM_DATATYPE_F32,
                LIBXSMM_DATATYPE_F32),
            LIBXSMM_GEMM_FLAG_BETA_0 |
                (transposed ? LIBXSMM_GEMM_FLAG_TRANS_B : 0),
            LIBXSMM_GEMM_PREFETCH_NONE,
            libxsmm_create_gemm_batch_reduce_config(
                LIBXSMM_GEMM_BATCH_REDUCE_STRIDE, strideA * 4, strideB * 4,
                0))) {}
  void operator()(float *a, float *b, float *c, unsigned long long count) {
    libxsmm_gemm_param param{};
    param.op.tertiary = &count;
    param.a.primary = a;
    param.b.primary = b;
    param.c.primary = c;
    kernel(&param);
  }

private:
  libxsmm_gemmfunction kernel;
};

struct Layer {
  long in, out, size, stride; ///< channels, pixels of an edge of dy
};

double backwardFilter(const Layer &layer) {
  long pixels = layer.size * layer.size;
  long ins = layer.in / Block, outs = layer.out / Block;
  float *x = floats(Images * pixels * layer.in);
  float *dy = floats(Images * pixels * layer.out);
  float *dw = floats(layer.in * layer.out);
  double least = 1e9;
  for (long part = 7; part <= pixels; ++part) {
    if (pixels % part != 0)
      continue;
    Product product(Block, part, Block, true, ins * pixels * Block,
                    outs * pixels * Block);
    least =
        std::min(least, best([&] {
                   for (long p = 0; p < pixels; p += part)
                     for (long i = 0; i < ins; ++i)
                       for (long o = 0; o < outs; ++o)
                         product(x + (i * pixels + p) * Block,
                                 dy + (o * pixels + p) * Block,
                                 dw + (i * outs + o) * Block * Block, Images);
                 }));
  }
  for (float *data : {x, dy, dw})
    std::free(data);
  return least;
}

double backwardData(const Layer &layer) {
  long pixels = layer.size * layer.size;
  long ins = layer.in / Block, outs = layer.out / Block;
  long wide = layer.size * layer.stride;
  size_t map = size_t(Images) * wide * wide * layer.in;
  float *dx = floats(map);
  float *dy = floats(Images * pixels * layer.out);
  float *w = floats(layer.in * layer.out);
  double least = 1e9;
  for (long part = 7; part <= pixels; ++part) {
    bool rows = layer.stride > 1;
    if (pixels % part != 0 || (rows && part != layer.size))
      continue;
    Product product(part, Block, Block * layer.stride, false, Block * Block,
                    pixels * Block);
    least = std::min(
        least, best([&] {
          if (rows)
            std::memset(dx, 0, map * sizeof(float));
          for (long n = 0; n < Images; ++n)
            for (long p = 0; p < pixels; p += part)
              for (long i = 0; i < ins; ++i) {
                long to = rows ? p / layer.size * layer.stride * wide : p;
                product(w + i * outs * Block * Block,
                        dy + (n * outs * pixels + p) * Block,
                        dx + ((n * ins + i) * wide * wide + to) * Block, outs);
              }
        }));
  }
  for (float *data : {dx, dy, w})
    std::free(data);
  return least;
}
} // namespace

int main(int argc, char **argv) {
  double peak = argc > 1 ? std::atof(argv[1]) : 0;
  if (peak <= 0) {
    std::fprintf(stderr, "usage: libxsmm PEAK, of one core in GFLOP/s\n");
    return 1;
  }
  const Layer layers[] = {
      {64, 64, 56, 1},    {64, 256, 56, 1},   {256, 64, 56, 1},
      {256, 128, 56, 1},  {128, 512, 28, 1},  {512, 128, 28, 1},
      {512, 256, 28, 1},  {256, 1024, 14, 1}, {1024, 256, 14, 1},
      {1024, 512, 14, 1}, {512, 2048, 7, 1},  {2048, 512, 7, 1},
      {256, 512, 28, 2},  {512, 1024, 14, 2}, {1024, 2048, 7, 2}};
  std::printf("in -> out, edge of dy, stride: backward-filter, backward-data; "
              "%% of peak\n");
  for (const Layer &layer : layers) {
    double flops = 2e-9 * double(Images * layer.size * layer.size) *
                   double(layer.in * layer.out);
    std::printf("%ld -> %ld, %ld, %ld: %.0f, %.0f\n", layer.in, layer.out,
                layer.size, layer.stride,
                100 * flops / backwardFilter(layer) / peak,
                100 * flops / backwardData(layer) / peak);
    std::fflush(stdout);
  }
}
