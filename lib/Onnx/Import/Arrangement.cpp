//===- Arrangement.cpp - Reshapes, transposes, slices, padding ------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lib/Onnx/Import/Importer.h"

#include <algorithm>

using namespace rootc;
using namespace rootc::importer;

namespace {
int64_t product(const std::vector<int64_t> &sizes) {
  int64_t result = 1;
  for (int64_t size : sizes)
    result *= size;
  return result;
}
} // namespace

//===----------------------------------------------------------------------===//
// Nothing changes
//===----------------------------------------------------------------------===//

void importer::importIdentity(Operation &op) { op.set(0, op.map(0)); }

void importer::importCast(Operation &op) {
  op.ignore({"saturate", "round_mode"});
  switch (op.integer("to", 0)) {
  case ::onnx::TensorProto::FLOAT:
  case ::onnx::TensorProto::DOUBLE:
  case ::onnx::TensorProto::FLOAT16:
  case ::onnx::TensorProto::BFLOAT16:
    op.set(0, op.map(0));
    return;
  default:
    op.fail("it makes whole numbers of a map; only a cast to real numbers is "
            "supported");
  }
}

void importer::importShape(Operation &op) {
  const Map &map = op.map(0);
  std::vector<Size> sizes = {{1, true}};
  for (int64_t size : map.sizes())
    sizes.push_back({size});
  setShape(op, sizes);
}

//===----------------------------------------------------------------------===//
// Other dimensions of the same elements
//===----------------------------------------------------------------------===//

static void setView(Operation &op, const std::vector<int64_t> &sizes) {
  Map map = op.unpadded(0);
  auto view = sizes.size() > size_t(highestRank) ? std::nullopt
                                                 : reshape(map.view, sizes);
  if (!view)
    op.fail("it makes [N,{}] of {}, which is no regrouping of channels, height "
            "and width",
            fmt::join(sizes, ","), describe(map));
  map.view = *view;
  op.set(0, map);
}

void importer::importReshape(Operation &op) {
  const Map &map = op.unpadded(0);
  bool keepZeros = op.integer("allowzero", 0) != 0;
  const Constant &shape = op.constant(1, "the new shape");
  if (shape.isReal() || shape.shape.size() != 1 || shape.count() == 0 ||
      shape.count() > highestRank)
    op.fail("the new shape ({}) must be a list of 1 to {} whole numbers",
            quote(op.input(1)), highestRank);
  std::vector<Size> target = *shape.sizes;
  std::vector<int64_t> before = map.sizes();
  for (size_t i = 0; i < target.size(); ++i) {
    if (target[i] != Size{0} || keepZeros)
      continue;
    if (i > before.size())
      op.fail("it copies dimension {}, which {} does not have", i,
              describe(map));
    target[i] = i == 0 ? Size{1, true} : Size{before[i - 1]};
  }
  // The sizes behind the batch; one may be -1.
  int64_t all = product(before), known = 1, open = -1;
  std::vector<int64_t> sizes;
  for (size_t i = 1; i < target.size(); ++i) {
    if (target[i].batch)
      op.fail("the batch becomes its dimension {}; it must stay the first one",
              i);
    sizes.push_back(target[i].value);
    if (target[i].value == -1 && open < 0) {
      open = int64_t(i) - 1;
      continue;
    }
    std::optional<int64_t> next = target[i].value < 1
                                      ? std::nullopt
                                      : rootc::multiply(known, target[i].value);
    if (!next)
      op.fail("its new shape holds {}", target[i].value);
    known = *next;
  }
  const Size &first = target[0];
  bool batch = first.batch
                   ? first.value == 1
                   : first.value == 1 || first.value == op.importer.batch ||
                         (first.value == -1 && open < 0);
  if (open >= 0 && all % known == 0) {
    sizes[size_t(open)] = all / known;
    known = all;
  }
  if (!batch || known != all)
    op.fail("it makes other images of a batch of {}: its first dimension must "
            "stay the batch, and the others hold {} elements",
            describe(map), all);
  setView(op, sizes);
}

void importer::importFlatten(Operation &op) {
  std::vector<int64_t> sizes = op.unpadded(0).sizes();
  int64_t rank = int64_t(sizes.size()) + 1;
  int64_t axis = op.integer("axis", 1);
  if (axis != rank)
    axis = op.axis(axis, rank);
  int64_t outer = 1;
  for (int64_t i = 1; i < axis; ++i)
    outer *= sizes[size_t(i - 1)];
  if (axis == 0 || outer != 1)
    op.fail("its axis {} puts several values of {} beside the batch; it must "
            "be 1",
            axis, describe(op.map(0)));
  setView(op, {product(sizes)});
}

void importer::importSqueeze(Operation &op) {
  std::vector<int64_t> before = op.unpadded(0).sizes();
  int64_t rank = int64_t(before.size()) + 1;
  auto axes = op.wholesOf("axes", 1, "the axes");
  std::vector<bool> gone(before.size());
  for (int64_t axis : axes.value_or(std::vector<int64_t>())) {
    size_t i = size_t(op.axisBehindBatch(axis, rank) - 1);
    if (before[i] != 1)
      op.fail("it removes dimension {} of {}, whose size is not 1", i + 1,
              describe(op.map(0)));
    gone[i] = true;
  }
  std::vector<int64_t> sizes;
  for (size_t i = 0; i < before.size(); ++i)
    if (axes ? !gone[i] : before[i] != 1)
      sizes.push_back(before[i]);
  setView(op, sizes);
}

void importer::importUnsqueeze(Operation &op) {
  std::vector<int64_t> before = op.unpadded(0).sizes();
  auto axes = op.wholesOf("axes", 1, "the axes");
  if (!axes || axes->size() > size_t(highestRank))
    op.fail("its axes are missing, or too many");
  int64_t rank = int64_t(before.size() + axes->size()) + 1;
  std::vector<bool> added(size_t(rank), false);
  for (int64_t axis : *axes) {
    size_t i = size_t(op.axisBehindBatch(axis, rank));
    if (added[i])
      op.fail("its axes name dimension {} twice", i);
    added[i] = true;
  }
  std::vector<int64_t> sizes;
  auto next = before.begin();
  for (size_t i = 1; i < added.size(); ++i)
    sizes.push_back(added[i] ? 1 : *next++);
  setView(op, sizes);
}

void importer::importTranspose(Operation &op) {
  Map map = op.unpadded(0);
  int64_t rank = int64_t(map.view.size()) + 1;
  std::vector<int64_t> order = op.integers("perm");
  if (order.empty())
    for (int64_t i = rank; i-- > 0;)
      order.push_back(i);
  std::vector<int64_t> sorted = order;
  std::sort(sorted.begin(), sorted.end());
  bool permutes = int64_t(order.size()) == rank;
  for (int64_t i = 0; permutes && i < rank; ++i)
    permutes = sorted[size_t(i)] == i;
  if (!permutes || order[0] != 0)
    op.fail("its 'perm' [{}] must order the {} dimensions of {}, the batch "
            "first",
            fmt::join(order, ","), rank, describe(map));
  View view;
  for (size_t i = 1; i < order.size(); ++i)
    view.push_back(map.view[size_t(order[i] - 1)]);
  map.view = view;
  op.set(0, map);
}

//===----------------------------------------------------------------------===//
// Channels
//===----------------------------------------------------------------------===//

/// A map whose dimension `axis` is the channels, in their order.
static Map channelled(Operation &op, int input, int64_t axis) {
  Map map = op.plain(input);
  const Dimension &dimension = map.view[size_t(axis - 1)];
  if (shuffleGroups(dimension, map.shape.channels))
    map = op.standard(input);
  if (map.view[size_t(axis - 1)] !=
      wholeAxis(Axis::Channels, map.shape.channels))
    op.fail("of {} its axis {} is not the channels; only those can be cut and "
            "joined",
            describe(map), axis);
  return map;
}

static Map withChannels(const Map &map, int layer, int64_t channels,
                        int64_t axis) {
  Map result = map;
  result.layer = layer;
  result.shape.channels = channels;
  result.view[size_t(axis - 1)] = wholeAxis(Axis::Channels, channels);
  return result;
}

static Map sliceChannels(Operation &op, const Map &map, int64_t axis,
                         int64_t begin, int64_t end) {
  if (begin == 0 && end == map.shape.channels)
    return map;
  Layer layer;
  layer.op = "slice_channels";
  layer.inputs = {map.layer};
  layer.shape = {map.shape.height, map.shape.width, end - begin};
  layer.clauses = fmt::format(" begin({}) end({})", begin, end);
  return withChannels(map, op.emit(std::move(layer)), end - begin, axis);
}

void importer::importConcat(Operation &op) {
  int64_t rank = int64_t(op.map(0).view.size()) + 1;
  int64_t axis = op.axisBehindBatch(op.integer("axis", 1), rank);
  Layer layer;
  layer.op = "concat";
  Map first;
  bool nonNegative = true, scaledImage = false;
  for (int i = 0; i < op.inputs(); ++i) {
    if (int64_t(op.map(i).view.size()) + 1 != rank)
      op.fail("its inputs {} and {} differ in rank", describe(op.map(0)),
              describe(op.map(i)));
    Map map = channelled(op, i, axis);
    if (i == 0) {
      first = map;
      layer.shape = map.shape;
    } else {
      Map alike = withChannels(map, map.layer, first.shape.channels, axis);
      if (alike.shape != first.shape || alike.view != first.view)
        op.fail("its inputs {} and {} differ in more than channels",
                describe(first), describe(map));
      layer.shape.channels += map.shape.channels;
      if (layer.shape.channels > root::maxElements)
        op.fail("it has more than {} channels", root::maxElements);
    }
    layer.inputs.push_back(map.layer);
    nonNegative &= map.nonNegative;
    scaledImage |= map.scaledImage;
  }
  if (layer.inputs.size() == 1) {
    op.set(0, first);
    return;
  }
  int64_t channels = layer.shape.channels;
  Map result = withChannels(first, op.emit(std::move(layer)), channels, axis);
  result.nonNegative = nonNegative;
  result.scaledImage = scaledImage;
  op.set(0, result);
}

void importer::importSplit(Operation &op) {
  int64_t rank = int64_t(op.unpadded(0).view.size()) + 1;
  int64_t axis = op.axisBehindBatch(op.integer("axis", 0), rank);
  Map map = channelled(op, 0, axis);
  int64_t begin = 0;
  int output = 0;
  for (int64_t size : op.parts(map.shape.channels)) {
    if (op.importer.graph.uses(op.output(output))) {
      if (size == 0)
        op.fail("its part {} has no channels", output);
      op.set(output, sliceChannels(op, map, axis, begin, begin + size));
    }
    begin += size;
    ++output;
  }
}

void importer::importSlice(Operation &op) {
  const Map &found = op.unpadded(0);
  auto starts = op.wholesOf("starts", 1, "the starts");
  auto ends = op.wholesOf("ends", 2, "the ends");
  auto axes = op.wholesOf("axes", 3, "the axes");
  auto steps = op.wholesOf("steps", 4, "the steps");
  if (!starts || !ends || starts->size() != ends->size() ||
      (axes && axes->size() != starts->size()) ||
      (steps && steps->size() != starts->size()))
    op.fail("its starts, ends, axes and steps must be as many as each other");
  std::vector<int64_t> sizes = found.sizes();
  int64_t rank = int64_t(sizes.size()) + 1;
  int64_t cut = 0, begin = 0, end = 0;
  std::set<int64_t> seen;
  for (size_t i = 0; i < starts->size(); ++i) {
    int64_t axis = op.axis(axes ? (*axes)[i] : int64_t(i), rank);
    if (!seen.insert(axis).second)
      op.fail("it cuts dimension {} twice", axis);
    int64_t step = steps ? (*steps)[i] : 1;
    bool endless = (*ends)[i] >= INT32_MAX;
    if ((*starts)[i] == 0 && endless && step == 1)
      continue;
    if (axis == 0)
      op.fail("it cuts the batch, whose images are apart in a network");
    int64_t size = sizes[size_t(axis - 1)];
    auto clamp = [&](int64_t index) {
      return std::clamp<int64_t>(index < -size ? 0
                                 : index < 0   ? index + size
                                               : index,
                                 0, size);
    };
    int64_t from = clamp((*starts)[i]), to = clamp((*ends)[i]);
    if (from == 0 && to == size && step == 1)
      continue;
    if (step != 1 || cut || from >= to)
      op.fail("of {} it cuts {} to {} in steps of {} from dimension {}; only "
              "channels that follow one another can be cut out",
              describe(found), from, to, step, axis);
    cut = axis;
    begin = from;
    end = to;
  }
  op.set(0, cut ? sliceChannels(op, channelled(op, 0, cut), cut, begin, end)
                : found);
}

//===----------------------------------------------------------------------===//
// Padding
//===----------------------------------------------------------------------===//

void importer::importPad(Operation &op) {
  Map map = op.plain(0);
  std::string mode = op.text("mode", "constant");
  if (mode != "constant")
    op.fail("its mode is {}; only constant is supported", quote(mode));
  auto pads = op.wholesOf("pads", 1, "the pads");
  double value = op.scalar(2, "the value", op.real("value", 0));
  int64_t rank = int64_t(map.view.size()) + 1;
  std::vector<int64_t> axes;
  if (op.present(3))
    axes = op.wholes(3, "the axes");
  else
    for (int64_t i = 0; i < rank; ++i)
      axes.push_back(i);
  if (!pads || pads->size() != 2 * axes.size())
    op.fail("its pads must be two for each dimension");
  bool any = false;
  for (size_t i = 0; i < axes.size(); ++i) {
    int64_t axis = op.axis(axes[i], rank);
    int64_t before = (*pads)[i], behind = (*pads)[i + axes.size()];
    if (before == 0 && behind == 0)
      continue;
    any = true;
    if (rank != 4 || axis < 2 || before < 0 || behind < 0 ||
        before > root::maxElements || behind > root::maxElements)
      op.fail("it pads dimension {} of {} by {} and {}; only height and width "
              "can be padded, and not cut",
              axis, describe(map), before, behind);
    (axis == 2 ? map.padding.top : map.padding.left) = before;
    (axis == 2 ? map.padding.bottom : map.padding.right) = behind;
  }
  if (!any) {
    op.set(0, map);
    return;
  }
  Padding padding = map.padding;
  map = op.standard(0);
  map.padding = padding;
  map.padding.value = value;
  map.padding.name = op.name().empty() ? op.output(0) : op.name();
  op.set(0, map);
}
