//===- Slicing.cpp - What a Slice takes -----------------------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lib/Onnx/Import/Importer.h"

#include <algorithm>

using namespace rootc;
using namespace rootc::importer;

std::vector<Operation::Cut> Operation::cuts(int64_t rank) {
  auto starts = wholesOf("starts", 1, "the starts");
  auto ends = wholesOf("ends", 2, "the ends");
  auto axes = wholesOf("axes", 3, "the axes");
  auto steps = wholesOf("steps", 4, "the steps");
  if (!starts || !ends || starts->size() != ends->size() ||
      (axes && axes->size() != starts->size()) ||
      (steps && steps->size() != starts->size()))
    fail("its starts, ends, axes and steps must be as many as each other");
  std::vector<Cut> cuts;
  for (size_t i = 0; i < starts->size(); ++i)
    cuts.push_back({axis(axes ? (*axes)[i] : int64_t(i), rank), (*starts)[i],
                    (*ends)[i], steps ? (*steps)[i] : 1});
  return cuts;
}

Operation::Range Operation::range(const Cut &cut, int64_t size) const {
  int64_t step = cut.step;
  if (step == 0 || step == INT64_MIN)
    fail("it cuts in steps of {}", step);
  // Forwards from 0 to `size`, backwards from `size` - 1 to -1.
  int64_t lowest = step > 0 ? 0 : -1, highest = step > 0 ? size : size - 1;
  auto clamp = [&](int64_t index, int64_t low) {
    return std::clamp(index < -size ? low
                      : index < 0   ? index + size
                                    : index,
                      low, std::max(highest, low));
  };
  int64_t from = clamp(cut.start, size && step < 0 ? 0 : lowest);
  int64_t to = clamp(cut.end, lowest);
  int64_t span = step > 0 ? to - from : from - to;
  return {from, step, span > 0 ? (span - 1) / std::abs(step) + 1 : 0};
}
