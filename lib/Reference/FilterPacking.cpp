//===- FilterPacking.cpp - Between plain and packed filters ---------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/Geometry/FilterLayout.h"
#include "lib/Reference/Convolution.h"

namespace rootc::reference {

using codegen::ElementType;
using codegen::FilterLayout;
using codegen::Op;

namespace {

FilterLayout layoutOf(const Op &op, bool backward, int64_t inputs) {
  codegen::ConvShape shape =
      codegen::convShape(op.attributes, inputs * integer(op, "groups"));
  return codegen::filterLayout(shape, backward, integer(op, "block"));
}

/// Calls visit(index into the packed filter, o, ky, kx, i) for each value of
/// the plain filter [O, kh, kw, I/g].
template <typename Visit>
void forEachPacked(const FilterLayout &layout, bool backward, Visit visit) {
  int64_t packed = 0;
  for (int64_t index = 0; index < layout.blocks; ++index)
    for (int64_t ky = 0; ky < layout.kernel[0]; ++ky)
      for (int64_t kx = 0; kx < layout.kernel[1]; ++kx)
        for (int64_t in = 0; in < layout.inPerGroup; ++in)
          for (int64_t lane = 0; lane < layout.block; ++lane, ++packed) {
            int64_t out = layout.outChannel(index, lane);
            if (out < 0)
              continue;
            if (!backward)
              visit(packed, out, ky, kx, layout.inChannel(in));
            else
              visit(packed,
                    out / layout.outPerGroup * layout.inPerGroup +
                        layout.inChannel(in),
                    layout.kernel[0] - 1 - ky, layout.kernel[1] - 1 - kx,
                    out % layout.outPerGroup);
          }
}

} // namespace

Tensor packFilter(const Op &op, const Tensor &filter) {
  auto it = op.attributes.find("direction");
  auto *direction = it == op.attributes.end()
                        ? nullptr
                        : std::get_if<std::string>(&it->second);
  if (!direction || (*direction != "forward" && *direction != "backward_data"))
    fail(op, "attribute 'direction' is not \"forward\" or \"backward_data\"");
  bool backward = *direction == "backward_data";
  FilterLayout layout = layoutOf(op, backward, filter.dim(3));
  Tensor packed({ElementType::F32, layout.shape()});
  forEachPacked(
      layout, backward,
      [&](int64_t index, int64_t o, int64_t ky, int64_t kx, int64_t i) {
        packed.reals[index] = filter.at(o, ky, kx, i);
      });
  return packed;
}

Tensor unpackFilter(const Op &op, const Tensor &packed,
                    const std::string &direction, int64_t inputs) {
  bool backward = direction == "backward_data";
  FilterLayout layout = layoutOf(op, backward, inputs);
  expectShape(op, packed, layout.shape());
  auto kernel = integers(op, "kernel", 2);
  Tensor filter({ElementType::F32,
                 {integer(op, "filters"), kernel[0], kernel[1], inputs}});
  forEachPacked(
      layout, backward,
      [&](int64_t index, int64_t o, int64_t ky, int64_t kx, int64_t i) {
        filter.at(o, ky, kx, i) = packed.reals[index];
      });
  return filter;
}

} // namespace rootc::reference
