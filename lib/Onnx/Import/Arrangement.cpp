//===- Arrangement.cpp - Reshapes, transposes, padding --------------------===//
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

void importer::importCastLike(Operation &op) {
  const Constant *like = std::get_if<Constant>(&op.value(1));
  if (!op.isMap(0)) {
    foldCastLike(op);
    return;
  }
  op.ignore({"saturate", "round_mode"});
  if (like && !like->isReal())
    op.fail("it makes whole numbers of a map; only a cast to real numbers is "
            "supported");
  op.set(0, op.map(0));
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

void importer::importExpand(Operation &op) {
  Map map = op.plain(0);
  const Constant &shape = op.constant(1, "the shape");
  if (shape.isReal() || shape.shape.size() != 1)
    op.fail("the shape ({}) must be a list of whole numbers",
            quote(op.input(1)));
  std::vector<Size> target = *shape.sizes;
  std::vector<int64_t> sizes = map.sizes();
  auto refuse = [&] {
    std::vector<std::string> texts;
    for (const Size &size : *shape.sizes)
      texts.push_back(
          size.batch && size.value == 1 ? "N" : fmt::to_string(size.value));
    op.fail("it makes [{}] of {}; only a height and width of 1 can be expanded",
            fmt::join(texts, ","), describe(map));
  };
  if (target.size() > sizes.size() + 1)
    refuse();
  target.insert(target.begin(), sizes.size() + 1 - target.size(), Size{1});
  if (target[0] != Size{1, true} && target[0] != Size{1} &&
      target[0] != Size{op.importer.batch})
    refuse();
  bool expands = false;
  for (size_t i = 0; i < sizes.size(); ++i) {
    if (target[i + 1].batch)
      refuse();
    int64_t size = target[i + 1].value;
    if (size == 1 || size == sizes[i])
      continue;
    if (sizes[i] != 1 || i == 0 || sizes.size() != 3 || size < 1 ||
        size > root::maxElements)
      refuse();
    sizes[i] = size;
    expands = true;
  }
  if (!expands) {
    op.set(0, map);
    return;
  }
  map = op.standard(0);
  if (map.shape.height != 1 || map.shape.width != 1)
    refuse();
  op.set(0, expandMap(op, map, sizes[1], sizes[2]));
}

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
  auto isLast = [&](size_t i) {
    for (++i; i < axes.size(); ++i)
      if ((*pads)[i] || (*pads)[i + axes.size()])
        return false;
    return true;
  };
  for (size_t i = 0; i < axes.size(); ++i) {
    int64_t axis = op.axis(axes[i], rank);
    int64_t before = (*pads)[i], behind = (*pads)[i + axes.size()];
    if (before == 0 && behind == 0)
      continue;
    if (axis > 0 && !any && value == 0 && isLast(i))
      if (auto padded =
              padChannels(op, map, size_t(axis - 1), before, behind)) {
        op.set(0, *padded);
        return;
      }
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
  map.padding.name = op.label();
  op.set(0, map);
}
