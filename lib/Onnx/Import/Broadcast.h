//===- Broadcast.h - Constants that broadcast to one shape ------*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Private to this folder.
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_ONNX_IMPORT_BROADCAST_H
#define ROOTC_ONNX_IMPORT_BROADCAST_H

#include "lib/Onnx/Import/Importer.h"

namespace rootc::importer {

/// The shape two shapes broadcast to; throws if there is none.
std::vector<int64_t> broadcast(Operation &op, const std::vector<int64_t> &a,
                               const std::vector<int64_t> &b);

/// For each element of `to`, the element of a constant of shape `from`, which
/// broadcasts to it.
class BroadcastIndex {
public:
  BroadcastIndex(const std::vector<int64_t> &from,
                 const std::vector<int64_t> &to);
  size_t operator()(int64_t element) const;

private:
  std::vector<int64_t> sizes, steps;
};

/// The number of elements, whose memory is claimed; throws if there are too
/// many.
int64_t claimElements(Operation &op, const std::vector<int64_t> &shape);

/// function(a, b) of each element of `shape`.
template <typename Element, typename Function>
auto combineElements(Operation &op, const std::vector<Element> &a,
                     const std::vector<int64_t> &shapeA,
                     const std::vector<Element> &b,
                     const std::vector<int64_t> &shapeB,
                     const std::vector<int64_t> &shape, Function function) {
  int64_t count = claimElements(op, shape);
  BroadcastIndex fromA(shapeA, shape), fromB(shapeB, shape);
  std::vector<decltype(function(a[0], b[0]))> result;
  result.reserve(size_t(count));
  for (int64_t i = 0; i < count; ++i)
    result.push_back(function(a[fromA(i)], b[fromB(i)]));
  return result;
}

} // namespace rootc::importer

#endif // ROOTC_ONNX_IMPORT_BROADCAST_H
