//===- Channels.cpp - Joining and cutting out channels --------------------===//
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
/// More are no channels picked, but a permutation.
constexpr size_t mostRuns = 64;
constexpr int64_t mostTaps = 15;
} // namespace

/// A map whose dimension `axis` is the channels, in their order.
static Map channelled(Operation &op, int input, int64_t axis,
                      bool withAffine = false) {
  Map map = withAffine ? op.unpadded(input) : op.plain(input);
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
  layer.begin = begin;
  return withChannels(map, op.emit(std::move(layer)), end - begin, axis);
}

/// Channels by their indices: runs that follow one another are cut out and
/// joined.
static Map pickChannels(Operation &op, const Map &map, int64_t axis,
                        const std::vector<int64_t> &indices) {
  std::vector<std::pair<int64_t, int64_t>> runs;
  for (int64_t index : indices) {
    if (!runs.empty() && runs.back().second == index)
      ++runs.back().second;
    else
      runs.push_back({index, index + 1});
  }
  if (runs.size() > mostRuns)
    op.fail("the channels it takes of {} are {} runs that follow one another; "
            "at most {} are supported",
            describe(map), runs.size(), mostRuns);
  Layer layer;
  layer.op = "concat";
  layer.shape = map.shape;
  layer.shape.channels = int64_t(indices.size());
  for (auto [begin, end] : runs)
    layer.inputs.push_back(sliceChannels(op, map, axis, begin, end).layer);
  int joined = runs.size() == 1 ? layer.inputs[0] : op.emit(std::move(layer));
  return withChannels(map, joined, int64_t(indices.size()), axis);
}

/// The map whose slices, one behind the other, are all that is joined; or none.
static std::optional<int> wholeOf(Network &network, const Layer &concat) {
  int64_t next = 0;
  std::optional<int> source;
  for (int input : concat.inputs) {
    if (input == Network::image || network[input].op != "slice_channels" ||
        network[input].begin != next ||
        (source && *source != network[input].inputs[0]))
      return std::nullopt;
    source = network[input].inputs[0];
    next += network[input].shape.channels;
  }
  return source;
}

/// The affine of channels behind those that `affine` is of.
static void append(Affine &affine, const Affine &more, int64_t channels) {
  for (size_t i = 0; i < size_t(channels); ++i) {
    affine.scale.push_back(more.scale[more.scale.size() == 1 ? 0 : i]);
    affine.shift.push_back(more.shift[more.shift.size() == 1 ? 0 : i]);
  }
}

//===----------------------------------------------------------------------===//
// Branches: channels that lie one after another, as a dimension
//===----------------------------------------------------------------------===//

std::optional<int64_t> importer::branchesOf(const Map &map,
                                            const Dimension &dimension) {
  if (dimension.size() != 1 || dimension[0].axis != Axis::Channels)
    return std::nullopt;
  int64_t count = dimension[0].size;
  bool outermost = dimension[0].stride * count == map.shape.channels;
  return outermost && dimension[0].stride > 1 ? std::optional(count)
                                              : std::nullopt;
}

Map importer::sumOfBranches(Operation &op, const Map &map, int64_t branches,
                            const View &view) {
  if (branches > int64_t(mostRuns))
    op.fail("it adds {} branches of channels; at most {} are supported",
            branches, mostRuns);
  int64_t channels = map.shape.channels / branches;
  std::vector<int> parts;
  // What was stacked before is taken apart again without a layer.
  if (map.layer != Network::image) {
    const Layer &layer = op.importer.network[map.layer];
    if (layer.op == "concat" && int64_t(layer.inputs.size()) == branches &&
        std::all_of(layer.inputs.begin(), layer.inputs.end(), [&](int input) {
          return (input == Network::image ? op.importer.image
                                          : op.importer.network[input].shape)
                     .channels == channels;
        }))
      parts = layer.inputs;
  }
  for (int64_t i = 0; int64_t(parts.size()) < branches; ++i) {
    Layer slice;
    slice.op = "slice_channels";
    slice.inputs = {map.layer};
    slice.shape = {map.shape.height, map.shape.width, channels};
    slice.clauses =
        fmt::format(" begin({}) end({})", i * channels, (i + 1) * channels);
    slice.begin = i * channels;
    parts.push_back(op.emit(std::move(slice)));
  }
  Map sum = map.withoutAffine();
  sum.shape.channels = channels;
  sum.view = view;
  sum.layer = parts[0];
  for (size_t i = 1; i < parts.size(); ++i) {
    Map part = sum;
    part.layer = parts[i];
    sum = combineMaps(op, "add", sum, part);
  }
  sum.sole = true;
  return sum;
}

void importer::importSoftmax(Operation &op) {
  constexpr int64_t most = 16;
  Map map = op.plain(0);
  bool flattens = op.opset() < 13;
  int64_t rank = int64_t(map.view.size()) + 1;
  int64_t axis =
      op.axisBehindBatch(op.integer("axis", flattens ? 1 : -1), rank);
  Dimension dimension = map.view[size_t(axis - 1)];
  for (int64_t i = axis; flattens && i < rank - 1; ++i)
    dimension.insert(dimension.end(), map.view[size_t(i)].begin(),
                     map.view[size_t(i)].end());
  std::optional<int64_t> branches = branchesOf(map, dimension);
  if (dimension == wholeAxis(Axis::Channels, map.shape.channels))
    branches = map.shape.channels;
  if (!branches || *branches > most)
    op.fail("of {} it is over dimension {}; it is not supported but at the end "
            "of the graph, and over up to {} branches of channels that lie one "
            "after another",
            describe(map), axis, most);
  op.set(0, op.elementwise(map, "branch_softmax",
                           fmt::format(" branches({})", *branches), true));
}

/// A new dimension of what is stacked: nothing if it is another one.
static std::optional<Map> stack(Operation &op, int64_t axis) {
  size_t place = size_t(axis - 1);
  std::vector<Map> maps;
  for (int i = 0; i < op.inputs(); ++i) {
    const Map &found = op.unpadded(i);
    if (found.shape.channels == 1 || found.view.size() <= place ||
        !found.view[place].empty())
      return std::nullopt;
    maps.push_back(op.plain(i));
    const Map &first = maps[0], &own = maps.back();
    if (own.view != first.view || own.shape != first.shape)
      return std::nullopt;
  }
  Map result = maps[0].withoutAffine();
  int64_t channels = result.shape.channels, count = op.inputs();
  if (channels > root::maxElements / count)
    op.fail("it has more than {} channels", root::maxElements);
  Layer layer;
  layer.op = "concat";
  for (const Map &map : maps) {
    layer.inputs.push_back(map.layer);
    result.nonNegative &= map.nonNegative;
  }
  result.shape.channels = channels * count;
  layer.shape = result.shape;
  result.layer = op.emit(std::move(layer));
  result.view[place] = {{Axis::Channels, count, channels}};
  return result;
}

void importer::importConcat(Operation &op) {
  int64_t rank = int64_t(op.map(0).view.size()) + 1;
  int64_t axis = op.axisBehindBatch(op.integer("axis", 1), rank);
  if (op.inputs() == 1) {
    op.set(0, op.map(0));
    return;
  }
  if (auto stacked = stack(op, axis)) {
    op.set(0, *stacked);
    return;
  }
  Layer layer;
  layer.op = "concat";
  Map first;
  bool nonNegative = true, scaledImage = false;
  // What waits at all of the inputs waits at the result.
  bool allAffine = true;
  for (int i = 0; i < op.inputs(); ++i)
    allAffine &= op.unpadded(i).affine.has_value();
  Affine affine{{}, {}, op.label()};
  for (int i = 0; i < op.inputs(); ++i) {
    if (int64_t(op.map(i).view.size()) + 1 != rank)
      op.fail("its inputs {} and {} differ in rank", describe(op.map(0)),
              describe(op.map(i)));
    Map map = channelled(op, i, axis, allAffine);
    if (i == 0) {
      first = map.withoutAffine();
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
    if (allAffine) {
      op.claim(2 * map.shape.channels);
      append(affine, map.affine.value_or(Affine{}), map.shape.channels);
    }
  }
  int64_t channels = layer.shape.channels;
  std::optional<int> source = wholeOf(op.importer.network, layer);
  bool isWhole =
      source && channels == (*source == Network::image
                                 ? op.importer.image
                                 : op.importer.network[*source].shape)
                                .channels;
  Map result = withChannels(
      first, isWhole ? *source : op.emit(std::move(layer)), channels, axis);
  result.nonNegative = nonNegative;
  result.scaledImage = scaledImage;
  if (allAffine)
    result.affine = std::move(affine);
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
  std::vector<int64_t> sizes = found.sizes();
  int64_t cut = 0;
  Operation::Range taken{};
  std::set<int64_t> seen;
  for (const Operation::Cut &one : op.cuts(int64_t(sizes.size()) + 1)) {
    int64_t axis = one.axis, step = one.step;
    if (!seen.insert(axis).second)
      op.fail("it cuts dimension {} twice", axis);
    bool endless = one.end >= INT32_MAX;
    if (one.start == 0 && endless && step == 1)
      continue;
    if (axis == 0)
      op.fail("it cuts the batch, whose images are apart in a network");
    int64_t size = sizes[size_t(axis - 1)];
    Operation::Range range = op.range(one, size);
    if (range.count == size && step == 1)
      continue;
    if (cut || range.count == 0)
      op.fail("of {} it takes {} elements from {} on, {} apart, in dimension "
              "{}; only some of the channels can be cut out",
              describe(found), range.count, range.from, step, axis);
    cut = axis;
    taken = range;
  }
  if (!cut) {
    op.set(0, found);
    return;
  }
  std::vector<int64_t> channels;
  op.claim(taken.count);
  for (int64_t i = 0; i < taken.count; ++i)
    channels.push_back(taken.from + i * taken.step);
  op.set(0, pickChannels(op, channelled(op, 0, cut), cut, channels));
}

void importer::importChannelConv(Operation &op) {
  Map map = op.plain(0);
  const Constant &filter = op.reals(1, "the filters");
  int64_t channels = map.shape.channels, taps = filter.count();
  View wanted = {{}, wholeAxis(Axis::Channels, channels)};
  bool along = map.view == wanted && filter.shape[0] == 1 &&
               filter.shape[1] == 1 && taps % 2 == 1 && taps <= mostTaps &&
               taps < channels && !op.present(2);
  std::vector<int64_t> one = {1}, half = {taps / 2, taps / 2};
  along &= op.integer("group", 1) == 1 && op.integers("strides", one) == one &&
           op.integers("dilations", one) == one &&
           op.integers("pads", {0, 0}) == half &&
           op.text("auto_pad", "NOTSET") == "NOTSET" &&
           op.integers("kernel_shape", {taps}) == std::vector<int64_t>{taps};
  if (!along)
    op.fail("its filters ({}), {}, are of one dimension, over {}; supported "
            "is one filter of odd size, at most {}, without a bias, over one "
            "value for each channel, [N,1,C], padded to keep C",
            quote(op.input(1)), toString(filter.shape), describe(map),
            mostTaps);
  // Each tap reads all channels, turned round; its factor is 0 where they come
  // from the other end.
  std::string name = op.layerName(1);
  std::optional<Map> sum;
  for (int64_t tap = 0; tap < taps; ++tap) {
    int64_t shift = tap - taps / 2;
    op.claim(2 * channels);
    std::vector<int64_t> sources;
    Affine affine{{}, {0}, name};
    for (int64_t c = 0; c < channels; ++c) {
      int64_t source = c + shift;
      bool inside = source >= 0 && source < channels;
      sources.push_back((source + channels) % channels);
      affine.scale.push_back(inside ? double((*filter.reals)[size_t(tap)]) : 0);
    }
    Map part = op.emitAffine(pickChannels(op, map, 2, sources), affine, {});
    sum = sum ? combineMaps(op, "add", *sum, part) : part;
  }
  op.set(0, *sum);
}

/// What has the batch in its one dimension gets it back, with others: PyTorch's
/// as_strided. The indices are of all images, or of each image alike.
static void gatherFlat(Operation &op, Map map) {
  op.axis(op.integer("axis", 0), /*rank=*/1);
  const Constant &indices = op.constant(1, "the indices");
  int64_t count = sizeOf(map.view[0]);
  bool inOrder = !indices.isReal() && !indices.shape.empty() &&
                 indices.shape.size() <= size_t(highestRank);
  int64_t images = inOrder ? indices.shape[0] : 0;
  bool ofEach =
      inOrder && indices.count() == count && (*indices.sizes)[0].batch;
  inOrder = inOrder && indices.count() == images * count &&
            (ofEach || images == op.importer.batch);
  for (int64_t i = 0; inOrder && i < indices.count(); ++i)
    inOrder = (*indices.sizes)[size_t(i)] ==
              (ofEach ? Size{i, true, count} : Size{i});
  if (!inOrder)
    op.fail("its input {} has the batch and all of the image in one dimension, "
            "and its indices ({}) are not all of them in their order",
            quote(op.input(0)), quote(op.input(1)));
  auto view =
      reshape(map.view, {indices.shape.begin() + 1, indices.shape.end()});
  if (!view)
    op.fail("its indices ({}) have shape {}, which is no regrouping of "
            "channels, height and width",
            quote(op.input(1)), toString(indices.shape));
  map.view = *view;
  map.flat = false;
  op.set(0, map);
}

void importer::importGather(Operation &op) {
  if (const Map *map = std::get_if<Map>(&op.value(0)); map && map->flat) {
    gatherFlat(op, *map);
    return;
  }
  const Map &found = op.unpadded(0);
  int64_t rank = int64_t(found.view.size()) + 1;
  int64_t axis = op.axisBehindBatch(op.integer("axis", 0), rank);
  size_t dimension = size_t(axis - 1);
  const Constant &indices = op.constant(1, "the indices");
  int64_t size = sizeOf(found.view[dimension]);
  if (indices.shape.size() > 1)
    op.fail("the indices ({}) have shape {}; they must be a list, or one",
            quote(op.input(1)), toString(indices.shape));
  if (indices.isReal() || indices.count() == 0)
    op.fail("the indices ({}) must be whole numbers", quote(op.input(1)));
  std::vector<int64_t> picked;
  for (const Size &index : *indices.sizes) {
    if (index.batch || index.value < -size || index.value >= size)
      op.fail("its index {} is not one of {}", index.value, size);
    picked.push_back(index.value < 0 ? index.value + size : index.value);
  }
  Map map = size == 1 && picked.size() == 1
                ? found
                : pickChannels(op, channelled(op, 0, axis), axis, picked);
  if (indices.shape.empty())
    map.view.erase(map.view.begin() + axis - 1);
  op.set(0, map);
}
