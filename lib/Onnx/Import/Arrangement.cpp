//===- Arrangement.cpp - Reshapes, transposes, padding --------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lib/Onnx/Import/Importer.h"

#include <algorithm>
#include <cstdlib>

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
      texts.push_back(size == Size{1, true} ? "N" : fmt::to_string(size.value));
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

/// `flat`: the batch is part of the one dimension.
static void setView(Operation &op, const std::vector<int64_t> &sizes,
                    bool flat = false) {
  Map map = op.unpadded(0);
  auto view = sizes.size() > size_t(highestRank) ? std::nullopt
                                                 : reshape(map.view, sizes);
  if (!view)
    op.fail("it makes [N,{}] of {}, which is no regrouping of channels, height "
            "and width",
            fmt::join(sizes, ","), describe(map));
  map.view = *view;
  map.flat = flat;
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
  int64_t batch = op.importer.batch;
  if (target.size() == 1 && all > 1 &&
      (target[0] == Size{-1} || target[0] == Size{all, true} ||
       (batch > 0 && target[0] == Size{batch * all}))) {
    setView(op, {all}, /*flat=*/true);
    return;
  }
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
  bool keeps = first.batch ? first == Size{1, true}
                           : first.value == 1 || first.value == batch ||
                                 (first.value == -1 && open < 0);
  if (open >= 0 && all % known == 0) {
    sizes[size_t(open)] = all / known;
    known = all;
  }
  if (!keeps || known != all)
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
  if (mode != "constant" && mode != "reflect")
    op.fail("its mode is {}; only constant and reflect are supported",
            quote(mode));
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
  bool any = false, reflect = mode == "reflect";
  std::array<int64_t, 4> border = {}; // top, left, bottom, right
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
    if (axis > 0 && !any && !reflect && value == 0 && isLast(i))
      if (auto padded =
              padChannels(op, map, size_t(axis - 1), before, behind)) {
        op.set(0, *padded);
        return;
      }
    any = true;
    if (rank != 4 || axis < 2 || std::abs(before) > root::maxElements ||
        std::abs(behind) > root::maxElements)
      op.fail("it pads dimension {} of {} by {} and {}; only height and width "
              "can be padded",
              axis, describe(map), before, behind);
    int64_t size = map.sizes()[size_t(axis - 1)];
    if (size + std::min<int64_t>(before, 0) + std::min<int64_t>(behind, 0) < 1)
      op.fail("it cuts {} and {} from dimension {} of {}, and nothing is left",
              -before, -behind, axis, describe(map));
    if (reflect &&
        (std::min(before, behind) < 0 || std::max(before, behind) >= size))
      op.fail("it reflects {} and {} of dimension {} of {}; from 0 to one less "
              "than that dimension can be",
              before, behind, axis, describe(map));
    border[size_t(axis - 2)] = before;
    border[size_t(axis)] = behind;
  }
  if (!any) {
    op.set(0, map);
    return;
  }
  map = op.standard(0);
  std::array<int64_t, 4> cut;
  for (size_t i = 0; i < 4; ++i)
    cut[i] = reflect ? border[i] : std::min<int64_t>(border[i], 0);
  if (cut != std::array<int64_t, 4>())
    map = op.emitPad(std::move(map), cut, reflect);
  if (reflect || cut == border) {
    op.set(0, map);
    return;
  }
  map.padding.top = std::max<int64_t>(border[0], 0);
  map.padding.left = std::max<int64_t>(border[1], 0);
  map.padding.bottom = std::max<int64_t>(border[2], 0);
  map.padding.right = std::max<int64_t>(border[3], 0);
  map.padding.value = value;
  map.padding.name = op.label();
  op.set(0, map);
}

//===----------------------------------------------------------------------===//
// Blocks of pixels
//===----------------------------------------------------------------------===//

static int64_t blockOf(Operation &op) {
  int64_t block = op.integer("blocksize", 0);
  if (block < 1 || block > 1 << 15)
    op.fail("its 'blocksize' is {}; it must be from 1 to {}", block, 1 << 15);
  return block;
}

/// Whether channels are outside of the places in a block.
static bool isCrd(Operation &op) {
  std::string mode = op.text("mode", "DCR");
  if (mode != "DCR" && mode != "CRD")
    op.fail("its mode is {}; it must be DCR or CRD", quote(mode));
  return mode == "CRD";
}

void importer::importSpaceToDepth(Operation &op) {
  Map map = op.standard(0);
  int64_t block = blockOf(op);
  if (map.shape.height % block || map.shape.width % block)
    op.fail("its blocks of {} do not divide {}", block, describe(map));
  op.set(0, emitBlocks(op, map, block, /*deepens=*/true, isCrd(op)));
}

void importer::importDepthToSpace(Operation &op) {
  Map map = op.standard(0);
  int64_t block = blockOf(op);
  if (map.shape.channels % (block * block))
    op.fail("its blocks of {}x{} do not divide the channels of {}", block,
            block, describe(map));
  op.set(0, emitBlocks(op, map, block, /*deepens=*/false, isCrd(op)));
}

Map importer::emitBlocks(Operation &op, const Map &map, int64_t block,
                         bool deepens, bool crd) {
  int64_t places = block * block;
  Layer layer;
  layer.op = deepens ? "space_to_depth" : "depth_to_space";
  layer.inputs = {map.layer};
  const root::MapShape &in = map.shape;
  layer.shape = deepens ? root::MapShape{in.height / block, in.width / block,
                                         in.channels * places}
                        : root::MapShape{in.height * block, in.width * block,
                                         in.channels / places};
  layer.clauses = fmt::format(" block({}){}", block, crd ? " crd" : "");
  Map result = op.result(op.emit(std::move(layer)));
  result.nonNegative = map.nonNegative;
  return result;
}

/// [N,C,H,W] of blocks as channels, or of channels as blocks, as views.
static std::optional<View> blockView(const root::MapShape &in, int64_t block,
                                     bool deepens, bool crd) {
  int64_t c = in.channels, h = in.height, w = in.width;
  std::vector<int64_t> apart, order, together;
  if (deepens) {
    h /= block;
    w /= block;
    apart = {c, h, block, w, block};
    order = crd ? std::vector<int64_t>{0, 2, 4, 1, 3}
                : std::vector<int64_t>{2, 4, 0, 1, 3};
    together = {c * block * block, h, w};
  } else {
    c /= block * block;
    apart = crd ? std::vector<int64_t>{c, block, block, h, w}
                : std::vector<int64_t>{block, block, c, h, w};
    order = crd ? std::vector<int64_t>{0, 3, 1, 4, 2}
                : std::vector<int64_t>{2, 3, 0, 4, 1};
    together = {c, h * block, w * block};
  }
  std::optional<View> split = reshape(mapView(in), apart);
  if (!split)
    return std::nullopt;
  View moved;
  for (int64_t i : order)
    moved.push_back((*split)[size_t(i)]);
  return reshape(moved, together);
}

std::optional<Map> importer::blocksOfView(Operation &op, const Map &map) {
  const root::MapShape &in = map.shape;
  if (map.view.size() != 3)
    return std::nullopt;
  int64_t height = sizeOf(map.view[1]);
  bool deepens = height < in.height;
  int64_t block = deepens ? in.height / height : height / in.height;
  if (block < 2 || block > 1 << 15 ||
      (deepens ? in.height % block || in.width % block
               : in.channels % (block * block)))
    return std::nullopt;
  for (bool crd : {false, true})
    if (blockView(in, block, deepens, crd) == map.view)
      return emitBlocks(op, map, block, deepens, crd);
  return std::nullopt;
}
