//===- Pools.cpp - Sliding windows and means ------------------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lib/Onnx/Import/Importer.h"

#include <algorithm>
#include <cmath>

using namespace rootc;
using namespace rootc::importer;

//===----------------------------------------------------------------------===//
// Windows
//===----------------------------------------------------------------------===//

namespace {
std::vector<int64_t> twoSizes(Operation &op, const std::string &name,
                              int64_t fallback) {
  std::vector<int64_t> sizes = op.integers(name, {fallback, fallback});
  if (sizes.size() != 2)
    op.fail("{} has {} values; only two, height and width, are supported",
            quote(name), sizes.size());
  for (int64_t size : sizes)
    if (size < 1 || size > root::maxElements)
      op.fail("{} holds {}; it must be from 1 to {}", quote(name), size,
              root::maxElements);
  return sizes;
}

/// auto_pad SAME: as many windows as strides in the map, the odd pad behind
/// (UPPER) or in front (LOWER).
void padAlike(int64_t size, root::Window &window, bool lower) {
  int64_t count = (size - 1) / window.stride + 1;
  int64_t pads =
      std::max<int64_t>((count - 1) * window.stride +
                            root::windowExtent(window).value_or(1) - size,
                        0);
  (lower ? window.padBefore : window.padAfter) = pads - pads / 2;
  (lower ? window.padAfter : window.padBefore) = pads / 2;
}
} // namespace

void importer::checkPadded(Operation &op, const Map &input,
                           const Windows &windows) {
  int64_t height = input.shape.height + windows.vertical.padBefore +
                   windows.vertical.padAfter;
  int64_t width = input.shape.width + windows.horizontal.padBefore +
                  windows.horizontal.padAfter;
  if (!root::elementCount({height, width, input.shape.channels}))
    op.fail("its padded input, {}x{}x{}, has more than {} elements an image",
            height, width, input.shape.channels, root::maxElements);
  if (std::max(height, width) > root::maxSide)
    op.fail("its padded input, {}x{}, has a side longer than {}", height, width,
            root::maxSide);
}

std::string Windows::clauses() const {
  std::string text =
      fmt::format(" kernel({})", pairText(vertical.kernel, horizontal.kernel));
  if (vertical.stride != 1 || horizontal.stride != 1)
    text += fmt::format(" stride({})",
                        pairText(vertical.stride, horizontal.stride));
  if (vertical.padBefore == vertical.padAfter &&
      horizontal.padBefore == horizontal.padAfter) {
    if (vertical.padBefore || horizontal.padBefore)
      text += fmt::format(" pad({})",
                          pairText(vertical.padBefore, horizontal.padBefore));
  } else {
    text += fmt::format(" pad({},{},{},{})", vertical.padBefore,
                        horizontal.padBefore, vertical.padAfter,
                        horizontal.padAfter);
  }
  if (vertical.dilation != 1 || horizontal.dilation != 1)
    text += fmt::format(" dilation({})",
                        pairText(vertical.dilation, horizontal.dilation));
  return text;
}

Windows importer::readWindows(Operation &op, const Map &input,
                              int64_t kernelHeight, int64_t kernelWidth) {
  std::vector<int64_t> strides = twoSizes(op, "strides", 1);
  std::vector<int64_t> dilations = twoSizes(op, "dilations", 1);
  Windows windows;
  windows.vertical = {kernelHeight, strides[0], dilations[0], 0, 0};
  windows.horizontal = {kernelWidth, strides[1], dilations[1], 0, 0};
  std::string automatic = op.text("auto_pad", "NOTSET");
  std::vector<int64_t> pads = op.integers("pads", {0, 0, 0, 0});
  if (automatic == "SAME_UPPER" || automatic == "SAME_LOWER") {
    if (!root::windowExtent(windows.vertical) ||
        !root::windowExtent(windows.horizontal))
      op.fail("its kernel with its dilations is too large");
    std::vector<int64_t> sizes = input.sizes();
    padAlike(sizes[1], windows.vertical, automatic == "SAME_LOWER");
    padAlike(sizes[2], windows.horizontal, automatic == "SAME_LOWER");
  } else if (automatic == "NOTSET") {
    if (pads.size() != 4)
      op.fail("'pads' has {} values; it must have four", pads.size());
    for (int64_t pad : pads)
      if (pad < 0 || pad > root::maxElements)
        op.fail("'pads' holds {}; it must be from 0 to {}", pad,
                root::maxElements);
    windows.vertical.padBefore = pads[0];
    windows.horizontal.padBefore = pads[1];
    windows.vertical.padAfter = pads[2];
    windows.horizontal.padAfter = pads[3];
  } else if (automatic != "VALID") {
    op.fail("'auto_pad' is {}; supported are NOTSET, VALID, SAME_UPPER and "
            "SAME_LOWER",
            quote(automatic));
  }
  windows.vertical.padBefore += input.padding.top;
  windows.vertical.padAfter += input.padding.bottom;
  windows.horizontal.padBefore += input.padding.left;
  windows.horizontal.padAfter += input.padding.right;
  return windows;
}

//===----------------------------------------------------------------------===//
// Pools
//===----------------------------------------------------------------------===//

namespace {
bool isPadSmall(const Windows &windows) {
  for (const root::Window *window : {&windows.vertical, &windows.horizontal})
    if (window->padBefore >= window->kernel ||
        window->padAfter >= window->kernel)
      return false;
  return true;
}

Map emitPool(Operation &op, const std::string &name, const Map &input,
             const Windows &windows, bool ceil, const std::string &clauses) {
  auto height = root::outputSize(input.shape.height, windows.vertical, ceil);
  auto width = root::outputSize(input.shape.width, windows.horizontal, ceil);
  if (!height || !width || *height < 1 || *width < 1)
    op.fail("its kernel is larger than its padded input, {}", describe(input));
  if (!isPadSmall(windows))
    op.fail("its padding{} is not smaller than its kernel, so that a window "
            "would lie outside of its input",
            input.padding.any() ? ", with that of the Pad before it," : "");
  if (name == "max_pool" &&
      !root::elementCount({windows.vertical.kernel, windows.horizontal.kernel}))
    op.fail("its kernel is {}x{}; a max_pool has at most {} elements",
            windows.vertical.kernel, windows.horizontal.kernel,
            root::maxElements);
  checkPadded(op, input, windows);
  Layer layer;
  layer.op = name;
  layer.inputs = {input.layer};
  layer.shape = {*height, *width, input.shape.channels};
  layer.clauses = windows.clauses() + (ceil ? " rounding(ceil)" : "") + clauses;
  Map result = op.result(op.emit(std::move(layer)));
  result.nonNegative = input.nonNegative;
  result.scaledImage = input.scaledImage;
  return result;
}

/// Kernel, strides and pads of a pool; dilated ones are refused.
Windows readPool(Operation &op, const Map &input) {
  if (!op.has("kernel_shape"))
    op.fail("it has no 'kernel_shape'");
  std::vector<int64_t> kernel = twoSizes(op, "kernel_shape", 1);
  Windows windows = readWindows(op, input, kernel[0], kernel[1]);
  if (windows.vertical.dilation != 1 || windows.horizontal.dilation != 1)
    op.fail("a pool with dilations is not supported");
  return windows;
}
} // namespace

void importer::importMaxPool(Operation &op) {
  Map input = op.standard(0, /*withPadding=*/true);
  Windows windows = readPool(op, input);
  // A max_pool leaves the padding out. That is the same for a padding of minus
  // infinity, and for zeros if nothing is smaller.
  bool lowest = input.padding.value <= std::numeric_limits<float>::lowest();
  bool zeros = input.padding.value == 0 && input.nonNegative;
  if (input.padding.any() && !lowest && !(zeros && isPadSmall(windows))) {
    input = op.standard(0);
    windows = readPool(op, input);
  }
  bool ceil = op.integer("ceil_mode", 0) != 0;
  // The order of the second output, which is not supported.
  op.ignore({"storage_order"});
  op.set(0, emitPool(op, "max_pool", input, windows, ceil, ""));
}

void importer::importAveragePool(Operation &op) {
  if (poolChannels(op))
    return;
  Map input = op.standard(0, /*withPadding=*/true);
  Windows own = readPool(op, input);
  bool counted = op.integer("count_include_pad", 0) != 0;
  bool ceil = op.integer("ceil_mode", 0) != 0;
  if (input.padding.any()) {
    // What a Pad adds counts; padding of the pool's own would not.
    bool ownPads = own.vertical.padBefore != input.padding.top ||
                   own.vertical.padAfter != input.padding.bottom ||
                   own.horizontal.padBefore != input.padding.left ||
                   own.horizontal.padAfter != input.padding.right;
    if (input.padding.value != 0 || (ownPads && !counted) || !isPadSmall(own)) {
      input = op.standard(0);
      own = readPool(op, input);
    } else {
      counted = true;
    }
  }
  bool padded = own.vertical.padBefore || own.vertical.padAfter ||
                own.horizontal.padBefore || own.horizontal.padAfter;
  op.set(0, emitPool(op, "average_pool", input, own, ceil,
                     padded && !counted ? " exclude_pad" : ""));
}

static Map emitGlobalAveragePool(Operation &op, const Map &input) {
  Layer layer;
  layer.op = "global_average_pool";
  layer.inputs = {input.layer};
  layer.shape = {1, 1, input.shape.channels};
  Map result = op.result(op.emit(std::move(layer)));
  result.nonNegative = input.nonNegative;
  result.scaledImage = input.scaledImage;
  return result;
}

/// A pool whose one window spans the whole height, width or both.
static Map emitWholePool(Operation &op, const std::string &name,
                         const Map &input, bool height, bool width) {
  Windows windows;
  windows.vertical.kernel = height ? input.shape.height : 1;
  windows.horizontal.kernel = width ? input.shape.width : 1;
  return emitPool(op, name, input, windows, false, "");
}

Map importer::expandMap(Operation &op, const Map &map, int64_t height,
                        int64_t width) {
  if (height == 1 && width == 1)
    return map;
  // Each window holds the one value, and padding that does not count.
  Windows windows;
  windows.vertical = {height, 1, 1, height - 1, height - 1};
  windows.horizontal = {width, 1, 1, width - 1, width - 1};
  Map result =
      emitPool(op, "average_pool", map, windows, false, " exclude_pad");
  op.importer.network[result.layer].expands = true;
  return result;
}

void importer::importGlobalAveragePool(Operation &op) {
  op.set(0, emitGlobalAveragePool(op, op.standard(0)));
}

void importer::importGlobalMaxPool(Operation &op) {
  op.set(0, emitWholePool(op, "max_pool", op.standard(0), true, true));
}

//===----------------------------------------------------------------------===//
// Reductions over height and width
//===----------------------------------------------------------------------===//

namespace {
enum class Reduction { Max, Mean, Sum, Norm };
} // namespace

/// sqrt(elements * mean) of a mean of squares, by the layer that has powers:
/// mean / (mean^2 / elements^2)^(1/4). What is added is so small that it only
/// keeps a mean of 0 from being divided by itself, forward and backward.
static Map rootOfMean(Operation &op, const Map &mean, int64_t elements) {
  return op.elementwise(mean, "local_response_norm",
                        fmt::format(" size(1) alpha({}) beta(0.25) k(1e-30)",
                                    numberText(std::pow(double(elements), -2))),
                        /*nonNegative=*/true);
}

/// The reduced dimensions must be the whole of height, of width or of both; the
/// others stay.
static void importReduction(Operation &op, Reduction kind) {
  Map input = op.plain(0);
  bool keep = op.integer("keepdims", 1) != 0;
  bool none = op.integer("noop_with_empty_axes", 0) != 0;
  auto axes = op.wholesOf("axes", 1, "the axes");
  int64_t rank = int64_t(input.view.size()) + 1;
  if (!axes || axes->empty()) {
    if (!none)
      op.fail("without axes it reduces over the channels and the batch too; "
              "only height and width are supported");
    op.set(0, input);
    return;
  }
  std::vector<bool> reduced(input.view.size());
  for (int64_t axis : *axes)
    reduced[size_t(op.axisBehindBatch(axis, rank) - 1)] = true;
  Dimension gone;
  View kept;
  for (size_t i = 0; i < input.view.size(); ++i) {
    if (!reduced[i]) {
      kept.push_back(input.view[i]);
      continue;
    }
    gone.insert(gone.end(), input.view[i].begin(), input.view[i].end());
    if (keep)
      kept.push_back({});
  }
  const root::MapShape &shape = input.shape;
  if (kind == Reduction::Norm) {
    bool all = int64_t(sizeOf(gone)) == shape.height * shape.width &&
               std::none_of(gone.begin(), gone.end(), [](const Atom &atom) {
                 return atom.axis == Axis::Channels;
               });
    if (!all)
      op.fail("of {} it must reduce height and width, and nothing else",
              describe(input));
    Map mean =
        emitGlobalAveragePool(op, combineMaps(op, "multiply", input, input));
    mean = rootOfMean(op, mean, shape.height * shape.width);
    mean.view = kept;
    op.set(0, mean);
    return;
  }
  if (shape.channels > 1 && gone == wholeAxis(Axis::Channels, shape.channels)) {
    Layer layer;
    layer.op = kind == Reduction::Max ? "channel_max" : "channel_mean";
    layer.inputs = {input.layer};
    layer.shape = {shape.height, shape.width, 1};
    Map result = op.result(op.emit(std::move(layer)));
    result.view = kept;
    result.nonNegative = input.nonNegative;
    if (kind == Reduction::Sum)
      result.affine = Affine{{double(shape.channels)}, {0}, op.label()};
    op.set(0, result);
    return;
  }
  auto branches = branchesOf(input, gone);
  if (branches && kind != Reduction::Max) {
    Map result = sumOfBranches(op, input, *branches, kept);
    if (kind == Reduction::Mean)
      result.affine = Affine{{1 / double(*branches)}, {0}, op.label()};
    op.set(0, result);
    return;
  }
  int64_t elements = 1, rows = 1, columns = 1;
  for (const Atom &atom : gone) {
    elements *= atom.size;
    rows *= atom.axis == Axis::Height ? atom.size : 1;
    columns *= atom.axis == Axis::Width ? atom.size : 1;
  }
  bool height = rows == shape.height, width = columns == shape.width;
  if (elements != rows * columns || (rows > 1 && !height) ||
      (columns > 1 && !width))
    op.fail("of {} it must reduce height, width or both, or the channels, "
            "or branches of these, and nothing else",
            describe(input));
  Map result = kind == Reduction::Max
                   ? emitWholePool(op, "max_pool", input, height, width)
               : height && width
                   ? emitGlobalAveragePool(op, input)
                   : emitWholePool(op, "average_pool", input, height, width);
  result.view = kept;
  if (kind == Reduction::Sum)
    result.affine = Affine{{double(elements)}, {0}, op.label()};
  op.set(0, result);
}

void importer::importReduceMean(Operation &op) {
  importReduction(op, Reduction::Mean);
}

void importer::importReduceMax(Operation &op) {
  importReduction(op, Reduction::Max);
}

void importer::importReduceL2(Operation &op) {
  importReduction(op, Reduction::Norm);
}

void importer::importReduceSum(Operation &op) {
  importReduction(op, Reduction::Sum);
}
