//===- View.cpp - How ONNX sees a map -------------------------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lib/Onnx/Import/View.h"

using namespace rootc::importer;

Dimension rootc::importer::wholeAxis(Axis axis, int64_t size) {
  if (size == 1)
    return {};
  return {{axis, size, 1}};
}

View rootc::importer::mapView(const root::MapShape &shape) {
  return {wholeAxis(Axis::Channels, shape.channels),
          wholeAxis(Axis::Height, shape.height),
          wholeAxis(Axis::Width, shape.width)};
}

int64_t rootc::importer::sizeOf(const Dimension &dimension) {
  int64_t size = 1;
  for (const Atom &atom : dimension)
    size *= atom.size;
  return size;
}

std::vector<int64_t> rootc::importer::sizesOf(const View &view) {
  std::vector<int64_t> sizes;
  for (const Dimension &dimension : view)
    sizes.push_back(sizeOf(dimension));
  return sizes;
}

/// Appends an atom, merged with the last one where the two are one run.
static void append(Dimension &dimension, const Atom &atom) {
  if (atom.size == 1)
    return;
  if (!dimension.empty()) {
    Atom &last = dimension.back();
    if (last.axis == atom.axis && last.stride == atom.size * atom.stride) {
      last.size *= atom.size;
      last.stride = atom.stride;
      return;
    }
  }
  dimension.push_back(atom);
}

std::optional<View>
rootc::importer::reshape(const View &view, const std::vector<int64_t> &sizes) {
  std::vector<Atom> atoms; // a stack, outermost on top
  for (auto dimension = view.rbegin(); dimension != view.rend(); ++dimension)
    atoms.insert(atoms.end(), dimension->rbegin(), dimension->rend());
  View result;
  for (int64_t size : sizes) {
    Dimension dimension;
    for (int64_t left = size; left > 1;) {
      if (atoms.empty())
        return std::nullopt;
      Atom atom = atoms.back();
      atoms.pop_back();
      if (left % atom.size == 0) {
        left /= atom.size;
        append(dimension, atom);
      } else if (atom.size % left == 0) {
        int64_t inner = atom.size / left;
        append(dimension, {atom.axis, left, atom.stride * inner});
        atoms.push_back({atom.axis, inner, atom.stride});
        left = 1;
      } else {
        return std::nullopt;
      }
    }
    result.push_back(dimension);
  }
  if (!atoms.empty())
    return std::nullopt;
  return result;
}

std::optional<int64_t>
rootc::importer::shuffleGroups(const Dimension &dimension, int64_t channels) {
  if (dimension.size() != 2)
    return std::nullopt;
  const Atom &outer = dimension[0], &inner = dimension[1];
  bool shuffled = outer.axis == Axis::Channels && inner.axis == outer.axis &&
                  outer.size * inner.size == channels && outer.stride == 1 &&
                  inner.stride == outer.size;
  return shuffled ? std::optional(inner.size) : std::nullopt;
}

std::vector<int64_t> rootc::importer::places(const Dimension &dimension,
                                             const root::MapShape &shape) {
  std::vector<int64_t> result = {0};
  for (const Atom &atom : dimension) {
    int64_t step = atom.stride;
    if (atom.axis != Axis::Channels)
      step *= shape.channels;
    if (atom.axis == Axis::Height)
      step *= shape.width;
    std::vector<int64_t> outer;
    outer.swap(result);
    result.reserve(outer.size() * size_t(atom.size));
    for (int64_t base : outer)
      for (int64_t i = 0; i < atom.size; ++i)
        result.push_back(base + i * step);
  }
  return result;
}
