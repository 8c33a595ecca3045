//===- Resize.cpp - Maps in another size, transposed convolutions ---------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lib/Onnx/Import/Importer.h"

#include <algorithm>
#include <cmath>
#include <fmt/ranges.h>

using namespace rootc;
using namespace rootc::importer;

//===----------------------------------------------------------------------===//
// Resize
//===----------------------------------------------------------------------===//

namespace {
/// What a Resize says of its dimensions.
struct Sizes {
  std::vector<int64_t> axes;
  std::vector<double> factors; ///< one of the two is empty
  std::vector<Size> sizes;
};
} // namespace

static Sizes readSizes(Operation &op, int64_t rank) {
  Sizes result;
  result.axes = op.integers("axes");
  if (result.axes.empty())
    for (int64_t i = 0; i < rank; ++i)
      result.axes.push_back(i);
  // Opset 10, and Upsample, have no region of interest.
  int factors = op.opset() < 11 || op.op() == "Upsample" ? 1 : 2;
  if (op.present(3) && factors == 2) {
    const Constant &sizes = op.constant(3, "the sizes");
    if (sizes.isReal())
      op.fail("the sizes ({}) must be whole numbers", quote(op.input(3)));
    result.sizes = *sizes.sizes;
  } else if (op.present(factors)) {
    const Constant &given = op.reals(factors, "the factors");
    result.factors = {given.reals->begin(), given.reals->end()};
  }
  size_t count = std::max(result.sizes.size(), result.factors.size());
  if (count != result.axes.size())
    op.fail("it has {} sizes or factors for {} dimensions", count,
            result.axes.size());
  return result;
}

void importer::importResize(Operation &op) {
  Map map = op.standard(0);
  int64_t rank = 4;
  Sizes sizes = readSizes(op, rank);
  std::string mode = op.text("mode", "nearest");
  bool first = op.opset() < 11 || op.op() == "Upsample";
  std::string coordinates = op.text("coordinate_transformation_mode",
                                    first ? "asymmetric" : "half_pixel");
  std::string round =
      op.text("nearest_mode", first ? "floor" : "round_prefer_floor");
  op.ignore({"cubic_coeff_a", "extrapolation_value"});
  if (mode != "nearest" && mode != "linear")
    op.fail("its mode is {}; supported are nearest and linear", quote(mode));
  if (coordinates != "half_pixel" && coordinates != "pytorch_half_pixel" &&
      coordinates != "align_corners" && coordinates != "asymmetric")
    op.fail("its coordinates are {}; supported are half_pixel, "
            "pytorch_half_pixel, align_corners and asymmetric",
            quote(coordinates));
  if (round != "floor" && round != "ceil" && round != "round_prefer_floor" &&
      round != "round_prefer_ceil")
    op.fail("its 'nearest_mode' is {}, which is none", quote(round));
  if (op.integer("exclude_outside", 0) || op.integer("antialias", 0))
    op.fail("'exclude_outside' and 'antialias' are not supported");
  if (op.text("keep_aspect_ratio_policy", "stretch") != "stretch")
    op.fail("'keep_aspect_ratio_policy' must be stretch");
  int64_t from[] = {map.shape.height, map.shape.width};
  int64_t to[] = {from[0], from[1]};
  for (size_t i = 0; i < sizes.axes.size(); ++i) {
    int64_t axis = op.axis(sizes.axes[i], rank);
    if (axis < 2) {
      int64_t channels = map.shape.channels;
      bool same = sizes.sizes.empty()
                      ? sizes.factors[i] == 1
                      : axis == 0 || sizes.sizes[i] == Size{channels};
      if (!same)
        op.fail("it resizes dimension {}; only height and width can be resized",
                axis);
      continue;
    }
    int64_t &size = to[axis - 2];
    if (!sizes.sizes.empty()) {
      if (sizes.sizes[i].batch)
        op.fail("its sizes depend on the batch");
      size = sizes.sizes[i].value;
    } else {
      double factor = sizes.factors[i], exact = double(size) * factor;
      if (!(factor > 0) || !(exact < double(root::maxElements)))
        op.fail("its factor {} is not positive, or too large", factor);
      size = int64_t(std::floor(exact));
      // Places are the ratio of the sizes apart.
      bool whole = std::abs(exact - double(size)) <= 1e-5 * exact;
      if (!whole)
        op.fail(
            "its factor {} makes {} rows or columns of {}, which is another "
            "ratio; export the model with sizes, or with "
            "recompute_scale_factor=True",
            factor, size, from[axis - 2]);
    }
    if (size < 1 || !root::elementCount({2, from[axis - 2], size}))
      op.fail("it makes {} rows or columns of {}; twice the product must be "
              "from 2 to {}",
              size, from[axis - 2], root::maxElements);
  }
  if (to[0] == from[0] && to[1] == from[1]) {
    op.set(0, map);
    return;
  }
  Layer layer;
  layer.op = "resize";
  layer.inputs = {map.layer};
  layer.shape = {to[0], to[1], map.shape.channels};
  layer.clauses = fmt::format(" size({})", pairText(to[0], to[1]));
  if (mode == "linear")
    layer.clauses += " mode(bilinear)";
  if (coordinates != "half_pixel")
    layer.clauses += fmt::format(" coordinates({})", coordinates);
  if (mode == "nearest" && round != "round_prefer_floor")
    layer.clauses += fmt::format(" round({})", round);
  Map result = op.result(op.emit(std::move(layer)));
  result.nonNegative = map.nonNegative;
  result.scaledImage = map.scaledImage;
  op.set(0, result);
}

//===----------------------------------------------------------------------===//
// Transposed convolution
//===----------------------------------------------------------------------===//

static std::vector<int64_t> sizesFrom(Operation &op, const std::string &name,
                                      size_t count, int64_t least,
                                      int64_t fallback) {
  std::vector<int64_t> sizes =
      op.integers(name, std::vector<int64_t>(count, fallback));
  if (sizes.size() != count)
    op.fail("{} has {} values; it must have {}", quote(name), sizes.size(),
            count);
  for (int64_t size : sizes)
    if (size < least || size > root::maxElements)
      op.fail("{} holds {}; it must be from {} to {}", quote(name), size, least,
              root::maxElements);
  return sizes;
}

void importer::importConvTranspose(Operation &op) {
  Map input = op.standard(0);
  const Constant &filters = op.reals(1, "the filters");
  const std::vector<int64_t> &shape = filters.shape;
  if (shape.size() != 4 || filters.count() == 0)
    op.fail("the filters ({}) have shape {}; they must have four dimensions, "
            "channels x filters / groups x height x width, none of them 0",
            quote(op.input(1)), toString(shape));
  int64_t groups = op.integer("group", 1), channels = input.shape.channels;
  std::optional<int64_t> outputs = multiply(shape[1], groups);
  if (groups < 1 || shape[0] != channels || channels % groups || !outputs)
    op.fail("its filters {} in {} groups do not fit its input {}",
            toString(shape), groups, describe(input));
  if (!root::elementCount({shape[0], shape[1], shape[2], shape[3]}))
    op.fail("the filters have more than {} elements", root::maxElements);
  if (op.integers("kernel_shape", {shape[2], shape[3]}) !=
      std::vector<int64_t>{shape[2], shape[3]})
    op.fail("'kernel_shape' is not that of the filters, {}", toString(shape));
  std::vector<int64_t> strides = sizesFrom(op, "strides", 2, 1, 1),
                       dilations = sizesFrom(op, "dilations", 2, 1, 1),
                       pads = sizesFrom(op, "pads", 4, 0, 0),
                       more = sizesFrom(op, "output_padding", 2, 0, 0);
  std::string automatic = op.text("auto_pad", "NOTSET");
  bool same = automatic == "SAME_UPPER" || automatic == "SAME_LOWER";
  if (!same && automatic != "NOTSET" && automatic != "VALID")
    op.fail("'auto_pad' is {}; supported are NOTSET, VALID, SAME_UPPER and "
            "SAME_LOWER",
            quote(automatic));
  std::vector<int64_t> wanted;
  if (op.has("output_shape"))
    wanted = sizesFrom(op, "output_shape", 2, 1, 1);
  int64_t sizes[] = {input.shape.height, input.shape.width};
  for (size_t d = 0; d < 2; ++d) {
    root::Window window = {shape[2 + d], strides[d], dilations[d]};
    std::optional<int64_t> extent = root::windowExtent(window);
    std::optional<int64_t> steps = multiply(sizes[d] - 1, strides[d]);
    if (!extent || !steps || *extent > root::maxSide ||
        *steps > root::maxSide - *extent)
      op.fail("its result has a side longer than {}", root::maxSide);
    int64_t all = *steps + *extent + more[d];
    if (same || !wanted.empty()) {
      int64_t cut = all - (wanted.empty() ? sizes[d] * strides[d] : wanted[d]);
      // Rows beyond the kernel's reach are output padding.
      if (cut < 0) {
        more[d] -= cut;
        all -= cut;
        cut = 0;
      }
      pads[d] = automatic == "SAME_UPPER" ? cut / 2 : cut - cut / 2;
      pads[d + 2] = cut - pads[d];
    }
    if (more[d] >= strides[d])
      op.fail("its output padding {} is not smaller than the stride {}",
              more[d], strides[d]);
    sizes[d] = all - pads[d] - pads[d + 2];
    if (sizes[d] < 1)
      op.fail("its pads cut off all of its {} rows or columns", all);
  }

  Layer layer;
  layer.op = "conv2d_transpose";
  layer.name = op.layerName(1);
  layer.inputs = {input.layer};
  layer.shape = {sizes[0], sizes[1], *outputs};
  layer.clauses = fmt::format(" filters({}) kernel({})", *outputs,
                              pairText(shape[2], shape[3]));
  auto add = [&](const char *name, const std::vector<int64_t> &values,
                 int64_t usual) {
    if (values != std::vector<int64_t>(2, usual))
      layer.clauses +=
          fmt::format(" {}({})", name, pairText(values[0], values[1]));
  };
  add("stride", strides, 1);
  if (pads != std::vector<int64_t>(4, 0))
    layer.clauses += fmt::format(" pad({})", fmt::join(pads, ","));
  add("output_pad", more, 0);
  add("dilation", dilations, 1);
  if (groups != 1)
    layer.clauses += fmt::format(" groups({})", groups);
  op.importer.noteWeights(op, 1, layer.name);
  op.claim(filters.count());
  layer.weights.push_back({"filter",
                           {shape[0], shape[2], shape[3], shape[1]},
                           std::make_shared<const std::vector<float>>(
                               channelsLast(*filters.reals, shape))});
  if (op.present(2)) {
    const Constant &bias = op.reals(2, "the biases");
    if (bias.shape != std::vector<int64_t>{*outputs})
      op.fail("the biases ({}) have shape {}; they must have {}",
              quote(op.input(2)), toString(bias.shape), toString({*outputs}));
    op.claim(*outputs);
    layer.weights.push_back({"bias", {*outputs}, bias.reals});
  }
  op.set(0, op.result(op.emit(std::move(layer))));
}
