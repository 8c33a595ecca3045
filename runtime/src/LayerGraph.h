//===- LayerGraph.h - Which layer reads which -------------------*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_RUNTIME_LAYERGRAPH_H
#define ROOTC_RUNTIME_LAYERGRAPH_H

#include "Support.h"

#include <map>

namespace rootc {

/// The layers of a network, from its model's description.
class LayerGraph {
public:
  struct Layer {
    std::string name;
    std::string op; ///< "conv2d"
    int64_t groups = 1;
    std::vector<std::string> inputs; ///< layers; the image is left out
  };
  /// Throws if the description holds no graph.
  explicit LayerGraph(const Model &model);

  /// Null if the network has no such layer.
  const Layer *find(const std::string &name) const;

  /// How one layer reads another.
  struct Path {
    bool found = false;
    /// Channel i read is channel i of the other: no concat, shuffle or slice
    /// between.
    bool keepsChannels = true;
  };
  /// Whether `reader` reads `source` with no convolution or linear layer
  /// between the two.
  Path path(const std::string &source, const std::string &reader) const;
  /// The convolutions and linear layers that `reader` reads in that way, and
  /// not through `until`, which is one of the sources if it is met.
  std::vector<std::string> sources(const std::string &reader,
                                   const std::string &until = "") const;
  /// The layers that read `name` directly.
  std::vector<std::string> readers(const std::string &name) const;

private:
  Path walk(const Layer &layer, const std::string &source,
            std::map<std::string, Path> &known) const;

  std::vector<Layer> layers; ///< in the network's order
  std::map<std::string, size_t> indices;
};

} // namespace rootc

#endif // ROOTC_RUNTIME_LAYERGRAPH_H
