//===- View.h - How ONNX sees a map -----------------------------*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// ONNX reshapes and transposes where a network has maps of height x width x
// channels. A view says of each ONNX dimension behind the batch which parts of
// the map's axes it runs through, outermost first: [[C],[H],[W]] is the usual
// map, [[C,H,W]] a flattened one. Reshape and Transpose then only change the
// view, and a layer looks whether it can take what it gets.
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_ONNX_IMPORT_VIEW_H
#define ROOTC_ONNX_IMPORT_VIEW_H

#include "dialect/Shapes.h"

#include <optional>
#include <vector>

namespace rootc::importer {

enum class Axis { Height, Width, Channels };

/// `size` positions along an axis, `stride` apart.
struct Atom {
  Axis axis;
  int64_t size, stride;
  bool operator==(const Atom &) const = default;
};

/// Atoms of one dimension, outermost first; none of size 1, neighbours merged.
using Dimension = std::vector<Atom>;
using View = std::vector<Dimension>;

/// The whole of an axis; empty if its size is 1.
Dimension wholeAxis(Axis axis, int64_t size);

/// [[C],[H],[W]]
View mapView(const root::MapShape &shape);

int64_t sizeOf(const Dimension &dimension);
std::vector<int64_t> sizesOf(const View &view);

/// The view with other dimensions, in the same order of elements. Nothing if
/// the sizes cut an axis where it cannot be cut.
std::optional<View> reshape(const View &view,
                            const std::vector<int64_t> &sizes);

/// If the dimension is the channels in the order of a channel shuffle, its
/// groups.
std::optional<int64_t> shuffleGroups(const Dimension &dimension,
                                     int64_t channels);

/// For each element of the dimension its place in the flattened (h, w, c) map.
std::vector<int64_t> places(const Dimension &dimension,
                            const root::MapShape &shape);

} // namespace rootc::importer

#endif // ROOTC_ONNX_IMPORT_VIEW_H
