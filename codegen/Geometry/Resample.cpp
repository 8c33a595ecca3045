//===- Resample.cpp - Rows and columns of a map in another size -----------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/Geometry/Resample.h"

#include <algorithm>
#include <stdexcept>

namespace rootc::codegen {

int64_t ResampleAxis::taps() const {
  switch (mode) {
  case Mode::Nearest:
    return 1;
  case Mode::Bilinear:
    return 2;
  case Mode::Average:
    break;
  }
  return input / output + (input % output ? 2 : 0);
}

// A place that is less than a row before row i belongs to it too, of
// `Bilinear`.
int64_t ResampleAxis::slope() const {
  return mode == Mode::Average ? output : divisor;
}
int64_t ResampleAxis::shift() const {
  return mode == Mode::Average    ? 0
         : mode == Mode::Bilinear ? -divisor - term
                                  : -term;
}
int64_t ResampleAxis::per() const {
  return mode == Mode::Average ? input : std::max<int64_t>(factor, 1);
}

int64_t ResampleAxis::firstOutput(int64_t i) const {
  if (i == 0 || (mode != Mode::Average && factor == 0))
    return 0;
  return std::min(std::max<int64_t>(i * slope() + shift(), 0) / per(),
                  output - 1);
}

int64_t ResampleAxis::outputs() const {
  if (mode != Mode::Average && factor == 0)
    return output;
  if (mode == Mode::Average)
    return std::min(output, output / input + 2);
  // Places of two rows' length; before the first row's, behind the last one's.
  int64_t inside = 2 * divisor / factor + 2;
  int64_t first = (divisor - term) / factor + 2;
  int64_t last = output - firstOutput(input - 1);
  return std::min(output, std::max({inside, first, last}));
}

std::array<ResampleAxis, 2> resampleAxes(const Op &op) {
  auto find = [&](const char *name) -> const Attribute & {
    auto it = op.attributes.find(name);
    if (it == op.attributes.end())
      throw std::invalid_argument("op '" + op.name + "', attribute '" + name +
                                  "': missing");
    return it->second;
  };
  auto sizes = [&](const char *name) {
    auto *values = std::get_if<std::vector<int64_t>>(&find(name));
    if (!values || values->size() != 2 || (*values)[0] < 1 || (*values)[1] < 1)
      throw std::invalid_argument("op '" + op.name + "', attribute '" + name +
                                  "': expected 2 positive values");
    return *values;
  };
  auto text = [&](const char *name) {
    auto *value = std::get_if<std::string>(&find(name));
    return value ? *value : std::string();
  };
  auto refuse = [&](const char *name) {
    throw std::invalid_argument("op '" + op.name + "', attribute '" + name +
                                "': no such word");
  };
  std::vector<int64_t> input = sizes("input"), output = sizes("output");
  std::string mode = text("mode"), coordinates = text("coordinates"),
              round = text("round");
  std::array<ResampleAxis, 2> axes;
  for (size_t d = 0; d < 2; ++d) {
    ResampleAxis &axis = axes[d];
    axis.input = input[d];
    axis.output = output[d];
    if (mode == "average") {
      axis.mode = ResampleAxis::Mode::Average;
      continue;
    }
    bool one = axis.output == 1;
    // Divisors are even, for halves of rows.
    axis.factor = 2 * axis.input;
    axis.divisor = 2 * axis.output;
    if (coordinates == "half_pixel" || coordinates == "pytorch_half_pixel")
      axis.term = axis.input - axis.output;
    else if (coordinates == "align_corners")
      axis.factor = 2 * (axis.input - 1), axis.divisor = 2 * (axis.output - 1);
    else if (coordinates != "asymmetric")
      refuse("coordinates");
    if (one &&
        (coordinates == "align_corners" || coordinates == "pytorch_half_pixel"))
      axis.factor = axis.term = 0, axis.divisor = 2;
    if (mode == "bilinear") {
      axis.mode = ResampleAxis::Mode::Bilinear;
      continue;
    }
    if (mode != "nearest")
      refuse("mode");
    // Such that the floor rounds.
    if (round == "ceil")
      axis.term += axis.divisor - 1;
    else if (round == "round_prefer_floor")
      axis.term += axis.divisor / 2 - 1;
    else if (round == "round_prefer_ceil")
      axis.term += axis.divisor / 2;
    else if (round != "floor")
      refuse("round");
  }
  return axes;
}

} // namespace rootc::codegen
