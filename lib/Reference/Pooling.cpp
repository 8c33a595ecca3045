//===- Pooling.cpp - Pools, both ways ---------------------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lib/Reference/Support.h"

#include <algorithm>
#include <cmath>

namespace rootc::reference {

using codegen::ElementType;
using codegen::Op;

namespace {

/// Where the windows of a pool lie on a map.
struct Windows {
  std::vector<int64_t> kernel, stride, pad, output;
  int64_t height, width;

  Windows(const Op &op, int64_t height, int64_t width)
      : kernel(integers(op, "kernel", 2)), stride(integers(op, "stride", 2)),
        pad(integers(op, "pad", 4)), output(integers(op, "output", 2)),
        height(height), width(width) {}
  /// The map's row of tap ky of output row oy; perhaps outside the map.
  int64_t row(int64_t oy, int64_t ky) const {
    return oy * stride[0] - pad[0] + ky;
  }
  int64_t column(int64_t ox, int64_t kx) const {
    return ox * stride[1] - pad[1] + kx;
  }
  bool inside(int64_t iy, int64_t ix) const {
    return iy >= 0 && iy < height && ix >= 0 && ix < width;
  }
  /// What an average divides by: the window clipped to the padded map, or to
  /// the map itself.
  double divisor(int64_t oy, int64_t ox, bool excludePad) const {
    int64_t border = excludePad ? 0 : 1;
    auto extent = [&](int64_t start, int64_t size, int64_t taps, int64_t before,
                      int64_t behind) {
      return std::min(start + taps, size + border * behind) -
             std::max(start, -border * before);
    };
    return double(extent(row(oy, 0), height, kernel[0], pad[0], pad[2])) *
           extent(column(ox, 0), width, kernel[1], pad[1], pad[3]);
  }
};

/// Calls visit(n, oy, ox, c) for each element of an image's shape.
template <typename Visit> void forEach(const Tensor &image, Visit visit) {
  for (int64_t n = 0; n < image.dim(0); ++n)
    for (int64_t y = 0; y < image.dim(1); ++y)
      for (int64_t x = 0; x < image.dim(2); ++x)
        for (int64_t c = 0; c < image.dim(3); ++c)
          visit(n, y, x, c);
}

Results maxPoolWithIndex(const Op &op, const Operands &operands) {
  expectCount(op, operands, 1, 1);
  const Tensor &x = operands[0];
  expectRank(op, x, 4);
  Windows windows(op, x.dim(1), x.dim(2));
  std::vector<int64_t> shape{x.dim(0), windows.output[0], windows.output[1],
                             x.dim(3)};
  bool wide = windows.kernel[0] > 256 / windows.kernel[1];
  Tensor y({ElementType::F32, shape});
  Tensor index({wide ? ElementType::I32 : ElementType::U8, shape});
  int64_t element = 0;
  forEach(y, [&](int64_t n, int64_t oy, int64_t ox, int64_t c) {
    int64_t best = -1;
    for (int64_t ky = 0; ky < windows.kernel[0]; ++ky)
      for (int64_t kx = 0; kx < windows.kernel[1]; ++kx) {
        int64_t iy = windows.row(oy, ky), ix = windows.column(ox, kx);
        if (!windows.inside(iy, ix))
          continue;
        // NaN is the largest of all, and the first of them stays.
        if (best < 0 || !(std::isnan(y.reals[element]) ||
                          x.at(n, iy, ix, c) <= y.reals[element])) {
          best = ky * windows.kernel[1] + kx;
          y.reals[element] = x.at(n, iy, ix, c);
        }
      }
    if (best < 0)
      fail(op, "a window lies outside the map");
    index.integers[element++] = best;
  });
  return {y, index};
}

Results maxPool(const Op &op, const Operands &operands) {
  return {maxPoolWithIndex(op, operands)[0]};
}

Results maxPoolBackward(const Op &op, const Operands &operands) {
  expectCount(op, operands, 2, 2);
  const Tensor &dy = operands[0], &index = operands[1];
  expectRank(op, dy, 4);
  expectShape(op, index, dy.shape());
  auto input = integers(op, "input", 2);
  Windows windows(op, input[0], input[1]);
  Tensor dx({ElementType::F32, {dy.dim(0), input[0], input[1], dy.dim(3)}});
  int64_t element = 0;
  forEach(dy, [&](int64_t n, int64_t oy, int64_t ox, int64_t c) {
    int64_t tap = index.integers.at(element++);
    int64_t iy = windows.row(oy, tap / windows.kernel[1]);
    int64_t ix = windows.column(ox, tap % windows.kernel[1]);
    if (!windows.inside(iy, ix))
      fail(op, "an index points outside the map");
    dx.at(n, iy, ix, c) += dy.at(n, oy, ox, c);
  });
  return {dx};
}

/// Calls visit(n, oy, ox, c, iy, ix, weight) for each input of each average.
template <typename Visit>
void forEachAverage(const Op &op, const Tensor &y, const Windows &windows,
                    Visit visit) {
  bool excludePad = integer(op, "exclude_pad") != 0;
  forEach(y, [&](int64_t n, int64_t oy, int64_t ox, int64_t c) {
    double divisor = windows.divisor(oy, ox, excludePad);
    if (divisor <= 0)
      fail(op, "a window lies outside the map");
    for (int64_t ky = 0; ky < windows.kernel[0]; ++ky)
      for (int64_t kx = 0; kx < windows.kernel[1]; ++kx) {
        int64_t iy = windows.row(oy, ky), ix = windows.column(ox, kx);
        if (windows.inside(iy, ix))
          visit(n, oy, ox, c, iy, ix, 1 / divisor);
      }
  });
}

Results averagePool(const Op &op, const Operands &operands) {
  expectCount(op, operands, 1, 1);
  const Tensor &x = operands[0];
  expectRank(op, x, 4);
  Windows windows(op, x.dim(1), x.dim(2));
  Tensor y({ElementType::F32,
            {x.dim(0), windows.output[0], windows.output[1], x.dim(3)}});
  forEachAverage(op, y, windows,
                 [&](int64_t n, int64_t oy, int64_t ox, int64_t c, int64_t iy,
                     int64_t ix, double weight) {
                   y.at(n, oy, ox, c) += weight * x.at(n, iy, ix, c);
                 });
  return {y};
}

Results averagePoolBackward(const Op &op, const Operands &operands) {
  expectCount(op, operands, 1, 1);
  const Tensor &dy = operands[0];
  expectRank(op, dy, 4);
  auto input = integers(op, "input", 2);
  Windows windows(op, input[0], input[1]);
  expectShape(op, dy,
              {dy.dim(0), windows.output[0], windows.output[1], dy.dim(3)});
  Tensor dx({ElementType::F32, {dy.dim(0), input[0], input[1], dy.dim(3)}});
  forEachAverage(op, dy, windows,
                 [&](int64_t n, int64_t oy, int64_t ox, int64_t c, int64_t iy,
                     int64_t ix, double weight) {
                   dx.at(n, iy, ix, c) += weight * dy.at(n, oy, ox, c);
                 });
  return {dx};
}

Results globalAveragePool(const Op &op, const Operands &operands) {
  expectCount(op, operands, 1, 1);
  const Tensor &x = operands[0];
  expectRank(op, x, 4);
  Tensor y({ElementType::F32, {x.dim(0), 1, 1, x.dim(3)}});
  forEach(x, [&](int64_t n, int64_t iy, int64_t ix, int64_t c) {
    y.at(n, 0, 0, c) += x.at(n, iy, ix, c) / (x.dim(1) * x.dim(2));
  });
  return {y};
}

Results globalAveragePoolBackward(const Op &op, const Operands &operands) {
  expectCount(op, operands, 1, 1);
  const Tensor &dy = operands[0];
  expectRank(op, dy, 4);
  expectShape(op, dy, {dy.dim(0), 1, 1, dy.dim(3)});
  auto input = integers(op, "input", 2);
  Tensor dx({ElementType::F32, {dy.dim(0), input[0], input[1], dy.dim(3)}});
  forEach(dx, [&](int64_t n, int64_t iy, int64_t ix, int64_t c) {
    dx.at(n, iy, ix, c) = dy.at(n, 0, 0, c) / (input[0] * input[1]);
  });
  return {dx};
}

} // namespace

void addPools(FunctionTable &table) {
  table["max_pool"] = maxPool;
  table["max_pool_with_index"] = maxPoolWithIndex;
  table["max_pool_backward"] = maxPoolBackward;
  table["average_pool"] = averagePool;
  table["average_pool_backward"] = averagePoolBackward;
  table["global_average_pool"] = globalAveragePool;
  table["global_average_pool_backward"] = globalAveragePoolBackward;
}

} // namespace rootc::reference
