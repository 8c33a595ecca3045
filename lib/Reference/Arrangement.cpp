//===- Arrangement.cpp - Borders of maps, and blocks of pixels ------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lib/Reference/Support.h"

namespace rootc::reference {

using codegen::ElementType;
using codegen::Op;

namespace {

/// The map with `pad` = top, left, bottom, right around it, or less.
std::vector<int64_t> paddedShape(const Op &op, const Tensor &x,
                                 const std::vector<int64_t> &pad) {
  expectRank(op, x, 4);
  std::vector<int64_t> shape = {x.dim(0), x.dim(1) + pad[0] + pad[2],
                                x.dim(2) + pad[1] + pad[3], x.dim(3)};
  if (shape[1] < 1 || shape[2] < 1)
    fail(op, "nothing is left of " + toString(x.shape()));
  return shape;
}

/// Calls visit(i, n, y, x, c) of each element.
template <typename Visit> void forEach(const Tensor &map, Visit visit) {
  int64_t i = 0;
  for (int64_t n = 0; n < map.dim(0); ++n)
    for (int64_t y = 0; y < map.dim(1); ++y)
      for (int64_t x = 0; x < map.dim(2); ++x)
        for (int64_t c = 0; c < map.dim(3); ++c)
          visit(i++, n, y, x, c);
}

int64_t indexOf(const Tensor &map, int64_t n, int64_t y, int64_t x, int64_t c) {
  return ((n * map.dim(1) + y) * map.dim(2) + x) * map.dim(3) + c;
}

Results pad(const Op &op, const Operands &operands) {
  expectCount(op, operands, 1, 1);
  const Tensor &x = operands[0];
  auto border = integers(op, "pad", 4);
  Tensor result({ElementType::F32, paddedShape(op, x, border)});
  forEach(result,
          [&](int64_t i, int64_t n, int64_t row, int64_t column, int64_t c) {
            row -= border[0];
            column -= border[1];
            if (row >= 0 && row < x.dim(1) && column >= 0 && column < x.dim(2))
              result.reals[i] = x.reals[indexOf(x, n, row, column, c)];
          });
  return {result};
}

/// Where what lies at `place` of the padded map comes from.
int64_t reflected(int64_t place, int64_t before, int64_t size) {
  place = std::abs(place - before);
  return place < size ? place : 2 * (size - 1) - place;
}

/// Calls visit(i, j): element i of the padded map is element j of `x`.
template <typename Visit>
void forEachReflected(const Op &op, const Tensor &x, const Tensor &padded,
                      Visit visit) {
  auto border = integers(op, "pad", 4);
  for (int side = 0; side < 4; ++side)
    if (border[side] < 0 || border[side] >= x.dim(1 + side % 2))
      fail(op, "cannot reflect so much");
  forEach(padded,
          [&](int64_t i, int64_t n, int64_t row, int64_t column, int64_t c) {
            visit(i, indexOf(x, n, reflected(row, border[0], x.dim(1)),
                             reflected(column, border[1], x.dim(2)), c));
          });
}

Results reflectPad(const Op &op, const Operands &operands) {
  expectCount(op, operands, 1, 1);
  const Tensor &x = operands[0];
  Tensor y({ElementType::F32, paddedShape(op, x, integers(op, "pad", 4))});
  forEachReflected(op, x, y,
                   [&](int64_t i, int64_t j) { y.reals[i] = x.reals[j]; });
  return {y};
}

Results reflectPadBackward(const Op &op, const Operands &operands) {
  expectCount(op, operands, 1, 1);
  const Tensor &dy = operands[0];
  auto border = integers(op, "pad", 4);
  for (int64_t &size : border)
    size = -size;
  Tensor dx({ElementType::F32, paddedShape(op, dy, border)});
  forEachReflected(op, dx, dy,
                   [&](int64_t i, int64_t j) { dx.reals[j] += dy.reals[i]; });
  return {dx};
}

/// Calls visit(flat, deep): the same element of a map, and of the map whose
/// channels are its blocks.
template <typename Visit>
void forEachOfBlocks(const Op &op, const Tensor &flat, const Tensor &deep,
                     int64_t block, Visit visit) {
  std::string mode = text(op, "mode");
  if (mode != "dcr" && mode != "crd")
    fail(op, "no mode '" + mode + "'");
  forEach(flat, [&](int64_t i, int64_t n, int64_t y, int64_t x, int64_t c) {
    int64_t place = y % block * block + x % block;
    int64_t channel =
        mode == "dcr" ? place * flat.dim(3) + c : c * block * block + place;
    visit(i, indexOf(deep, n, y / block, x / block, channel));
  });
}

int64_t blockOf(const Op &op, const Tensor &x) {
  expectRank(op, x, 4);
  int64_t block = integer(op, "block");
  if (block < 1)
    fail(op, "no block of " + std::to_string(block));
  return block;
}

Results spaceToDepth(const Op &op, const Operands &operands) {
  expectCount(op, operands, 1, 1);
  const Tensor &x = operands[0];
  int64_t block = blockOf(op, x);
  if (x.dim(1) % block || x.dim(2) % block)
    fail(op, "the block does not divide the map");
  Tensor y({ElementType::F32,
            {x.dim(0), x.dim(1) / block, x.dim(2) / block,
             x.dim(3) * block * block}});
  forEachOfBlocks(op, x, y, block,
                  [&](int64_t i, int64_t j) { y.reals[j] = x.reals[i]; });
  return {y};
}

Results depthToSpace(const Op &op, const Operands &operands) {
  expectCount(op, operands, 1, 1);
  const Tensor &x = operands[0];
  int64_t block = blockOf(op, x);
  if (x.dim(3) % (block * block))
    fail(op, "the block does not divide the channels");
  Tensor y({ElementType::F32,
            {x.dim(0), x.dim(1) * block, x.dim(2) * block,
             x.dim(3) / (block * block)}});
  forEachOfBlocks(op, y, x, block,
                  [&](int64_t i, int64_t j) { y.reals[i] = x.reals[j]; });
  return {y};
}

} // namespace

void addArrangements(FunctionTable &table) {
  table["pad"] = pad;
  table["reflect_pad"] = reflectPad;
  table["reflect_pad_backward"] = reflectPadBackward;
  table["space_to_depth"] = spaceToDepth;
  table["depth_to_space"] = depthToSpace;
}

} // namespace rootc::reference
