//===- Arrangement.cpp - Borders of maps, and blocks of pixels ------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// Each result is read at one point, but for the gradient of a reflection: what
// lies near an edge is seen there, and mirrored beyond it.
//
//===----------------------------------------------------------------------===//

#include "codegen/Algorithms/Pointwise.h"

#include <stdexcept>

using namespace Halide;

namespace rootc::codegen {

namespace {
using Operands = std::vector<Value>;

/// One dimension of a map with a border.
struct Axis {
  int before, after, size; ///< size: of the map without the border

  Expr inside(const Expr &place) const {
    return place >= before && place < before + size;
  }
  /// Where the place lies in the map, or next to it.
  Expr clamped(const Expr &place) const {
    return clamp(place - before, 0, size - 1);
  }
  Expr reflected(const Expr &place) const {
    Expr distance = cast<int>(abs(place - before));
    return clamp(select(distance < size, distance, 2 * (size - 1) - distance),
                 0, size - 1);
  }
  /// Where in the border, and in its middle, an element of the map is seen,
  /// and whether it is.
  std::vector<std::pair<Expr, Expr>> images(const Expr &element) const {
    std::vector<std::pair<Expr, Expr>> all = {
        {element + before, Internal::const_true()}};
    if (before > 0)
      all.emplace_back(max(before - element, 0),
                       element >= 1 && element <= before);
    if (after > 0)
      all.emplace_back(
          min(before + 2 * (size - 1) - element, before + size - 1 + after),
          element <= size - 2 && element >= size - 1 - after);
    return all;
  }
};

/// Columns, rows.
std::pair<Axis, Axis> border(const Op &op, int64_t width, int64_t height) {
  std::vector<int64_t> pad = integersAttribute(op, "pad", 4);
  std::vector<int> p(pad.begin(), pad.end());
  return {{p[1], p[3], static_cast<int>(width)},
          {p[0], p[2], static_cast<int>(height)}};
}

void checkReflection(const Op &op, const Axis &axis) {
  if (std::min(axis.before, axis.after) < 0 ||
      std::max(axis.before, axis.after) >= axis.size)
    throw std::invalid_argument("op '" + op.name +
                                "': it cannot reflect so much");
}

Lowered pad(const Op &op, const Operands &in) {
  const Value &x = in.at(0);
  auto [columns, rows] = border(op, x.width(), x.height());
  std::vector<Var> v = imageVars(4);
  return pointwise(
      op, x,
      select(columns.inside(v[1]) && rows.inside(v[2]),
             x.func(v[0], columns.clamped(v[1]), rows.clamped(v[2]), v[3]),
             0.0f));
}

Lowered reflectPad(const Op &op, const Operands &in) {
  const Value &x = in.at(0);
  auto [columns, rows] = border(op, x.width(), x.height());
  checkReflection(op, columns);
  checkReflection(op, rows);
  std::vector<Var> v = imageVars(4);
  return pointwise(
      op, x, x.func(v[0], columns.reflected(v[1]), rows.reflected(v[2]), v[3]));
}

Lowered reflectPadBackward(const Op &op, const Operands &in) {
  const Value &dy = in.at(0);
  auto [columns, rows] = border(op, dy.width(), dy.height());
  columns.size -= columns.before + columns.after;
  rows.size -= rows.before + rows.after;
  checkReflection(op, columns);
  checkReflection(op, rows);
  std::vector<Var> v = imageVars(4);
  Expr sum = 0.0f;
  for (auto &[y, rowSeen] : rows.images(v[2]))
    for (auto &[x, columnSeen] : columns.images(v[1]))
      sum += select(rowSeen && columnSeen, dy.func(v[0], x, y, v[3]), 0.0f);
  return pointwise(op, dy, sum);
}

/// A map of `channels`, whose blocks another one has as its channels.
struct Blocks {
  int block, channels;
  bool channelsFirst; ///< in the other one

  Blocks(const Op &op, const Value &x, bool deep) {
    int64_t edge = integerAttribute(op, "block");
    std::string mode = textAttribute(op, "mode");
    if (edge < 1 || edge > (1 << 15) || (mode != "dcr" && mode != "crd") ||
        (deep ? x.channels() % (edge * edge) != 0
              : x.width() % edge != 0 || x.height() % edge != 0))
      throw std::invalid_argument("op '" + op.name +
                                  "': the block does not fit the map");
    block = static_cast<int>(edge);
    channels = static_cast<int>(x.channels() / (deep ? edge * edge : 1));
    channelsFirst = mode == "crd";
  }
};

Lowered spaceToDepth(const Op &op, const Operands &in) {
  const Value &x = in.at(0);
  Blocks blocks(op, x, /*deep=*/false);
  int block = blocks.block, places = block * block;
  std::vector<Var> v = imageVars(4);
  Expr place = blocks.channelsFirst ? v[0] % places : v[0] / blocks.channels;
  Expr c = blocks.channelsFirst ? v[0] / places : v[0] % blocks.channels;
  return pointwise(op, x,
                   x.func(c, v[1] * block + place % block,
                          v[2] * block + place / block, v[3]));
}

Lowered depthToSpace(const Op &op, const Operands &in) {
  const Value &x = in.at(0);
  Blocks blocks(op, x, /*deep=*/true);
  int block = blocks.block;
  std::vector<Var> v = imageVars(4);
  Expr place = v[2] % block * block + v[1] % block;
  Expr c = blocks.channelsFirst ? v[0] * (block * block) + place
                                : place * blocks.channels + v[0];
  return pointwise(op, x, x.func(c, v[1] / block, v[2] / block, v[3]));
}
} // namespace

void addArrangements(OpRegistry &registry) {
  registry["depth_to_space"] = {depthToSpace, true};
  registry["pad"] = {pad, true};
  registry["reflect_pad"] = {reflectPad, true};
  registry["reflect_pad_backward"] = {reflectPadBackward, true};
  registry["space_to_depth"] = {spaceToDepth, true};
}

} // namespace rootc::codegen
