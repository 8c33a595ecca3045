//===- FilterPacking.cpp - Between plain and packed filters ---------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/Geometry/Winograd.h"
#include "lib/Reference/Convolution.h"

namespace rootc::reference {

using codegen::ElementType;
using codegen::FilterLayout;
using codegen::Op;
using codegen::Winograd;

namespace {

FilterLayout layoutOf(const Op &op, bool backward, int64_t inputs) {
  codegen::ConvShape shape =
      codegen::convShape(op.attributes, inputs * integer(op, "groups"));
  return codegen::filterLayout(shape, backward, integer(op, "block"));
}

/// An image of k x k values under `matrix`: matrix * image * its transpose.
std::vector<double> transformed(const Winograd::Matrix &matrix,
                                const std::vector<double> &image) {
  size_t rows = matrix.size(), size = matrix[0].size();
  std::vector<double> result(rows * rows, 0.0);
  for (size_t y = 0; y < rows; ++y)
    for (size_t x = 0; x < rows; ++x)
      for (size_t v = 0; v < size; ++v)
        for (size_t u = 0; u < size; ++u)
          result[y * rows + x] +=
              matrix[y][v] * matrix[x][u] * image[v * size + u];
  return result;
}

/// The left inverse (M^T M)^-1 M^T, by elimination.
Winograd::Matrix leftInverse(const Winograd::Matrix &matrix) {
  size_t rows = matrix.size(), size = matrix[0].size();
  Winograd::Matrix solve(size, std::vector<double>(size + rows, 0.0));
  for (size_t i = 0; i < size; ++i) {
    for (size_t j = 0; j < size; ++j)
      for (size_t k = 0; k < rows; ++k)
        solve[i][j] += matrix[k][i] * matrix[k][j];
    for (size_t k = 0; k < rows; ++k)
      solve[i][size + k] = matrix[k][i];
  }
  for (size_t pivot = 0; pivot < size; ++pivot)
    for (size_t i = 0; i < size; ++i) {
      // M^T M is positive definite: no pivot is zero.
      double factor = i == pivot ? 1 - 1 / solve[pivot][pivot]
                                 : solve[i][pivot] / solve[pivot][pivot];
      for (size_t j = 0; j < size + rows; ++j)
        solve[i][j] -= factor * solve[pivot][j];
    }
  Winograd::Matrix inverse;
  for (std::vector<double> &row : solve)
    inverse.emplace_back(row.begin() + size, row.end());
  return inverse;
}

/// Applies `matrix` to each kernel of [blocks, k, k, in channels, block].
Tensor transformKernels(const Winograd::Matrix &matrix, const Tensor &packed) {
  int64_t rows = matrix.size(), size = matrix[0].size();
  Tensor result({ElementType::F32,
                 {packed.dim(0), rows, rows, packed.dim(3), packed.dim(4)}});
  std::vector<double> image(size * size);
  int64_t inner = packed.dim(3) * packed.dim(4);
  for (int64_t block = 0; block < packed.dim(0); ++block)
    for (int64_t value = 0; value < inner; ++value) {
      for (int64_t tap = 0; tap < size * size; ++tap)
        image[tap] = packed.reals[(block * size * size + tap) * inner + value];
      std::vector<double> now = transformed(matrix, image);
      for (int64_t tap = 0; tap < rows * rows; ++tap)
        result.reals[(block * rows * rows + tap) * inner + value] =
            static_cast<float>(now[tap]);
    }
  return result;
}

Winograd winogradOf(const FilterLayout &layout) {
  return {layout.winograd, layout.kernel[0]};
}

/// The layout without the transformation.
FilterLayout direct(FilterLayout layout) {
  layout.winograd = 0;
  return layout;
}

/// Calls visit(index into the packed filter, o, ky, kx, i) for each value of
/// the plain filter [O, kh, kw, I/g].
template <typename Visit>
void forEachPacked(const FilterLayout &layout, bool backward, Visit visit) {
  int64_t ins = layout.pairs ? layout.pairedIns() : layout.inPerGroup, tap = 0;
  // Of groups that are merged, there are zeros between one's and another's.
  int64_t ownIns = layout.inPerGroup / layout.merged,
          ownOuts = layout.outPerGroup / layout.merged;
  for (int64_t index = 0; index < layout.blocks; ++index)
    for (int64_t ky = 0; ky < layout.kernel[0]; ++ky)
      for (int64_t kx = 0; kx < layout.kernel[1]; ++kx, ++tap)
        for (int64_t in = 0; in < layout.inPerGroup; ++in)
          for (int64_t lane = 0; lane < layout.block; ++lane) {
            int64_t out = layout.outChannel(index, lane);
            if (out < 0 || in / ownIns != out % layout.outPerGroup / ownOuts)
              continue;
            int64_t row = layout.rowTaps
                              ? (index * layout.kernel[0] + ky) * ins +
                                    kx * layout.inPerGroup + in
                              : tap * ins + in;
            int64_t packed = layout.pairs
                                 ? (row / 2 * layout.block + lane) * 2 + row % 2
                                 : row * layout.block + lane;
            if (!backward)
              visit(packed, out, ky, kx, layout.inChannel(in) % ownIns);
            else
              visit(packed,
                    out / layout.outPerGroup * layout.inPerGroup +
                        layout.inChannel(in),
                    layout.kernel[0] - 1 - ky, layout.kernel[1] - 1 - kx,
                    out % ownOuts);
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
  Tensor packed({ElementType::F32, direct(layout).shape()});
  forEachPacked(
      layout, backward,
      [&](int64_t index, int64_t o, int64_t ky, int64_t kx, int64_t i) {
        packed.reals[index] = filter.at(o, ky, kx, i);
      });
  return layout.winograd ? transformKernels(winogradOf(layout).filter(), packed)
                         : packed;
}

Tensor unpackFilter(const Op &op, const Tensor &given,
                    const std::string &direction, int64_t inputs) {
  bool backward = direction == "backward_data";
  FilterLayout layout = layoutOf(op, backward, inputs);
  expectShape(op, given, layout.shape());
  Tensor packed =
      layout.winograd
          ? transformKernels(leftInverse(winogradOf(layout).filter()), given)
          : given;
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
