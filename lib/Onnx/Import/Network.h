//===- Network.h - The network that is being written ------------*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_ONNX_IMPORT_NETWORK_H
#define ROOTC_ONNX_IMPORT_NETWORK_H

#include "dialect/Shapes.h"

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace rootc::importer {

/// A parameter or a running statistic of a layer.
struct Weight {
  std::string role; ///< "filter", "bias", "scale", ...
  std::vector<int64_t> shape;
  std::shared_ptr<const std::vector<float>> values;
};

struct Layer {
  static constexpr int image = -1; ///< in the place of a layer's number
  std::string op;                  ///< "conv2d"
  std::string name;                ///< empty where the op has none
  std::vector<int> inputs;         ///< layers, or Network::image
  root::MapShape shape;            ///< of the result
  std::string clauses;             ///< " filters(64) kernel(3x3)", no `no_bias`
  std::vector<Weight> weights;
  double slope = 0, offset = 0; ///< of a hard_sigmoid, or an erf's argument
  /// Of a sigmoid(2 f y): the layer y and f, as 2 sigmoid - 1 is tanh(f y).
  int tanhOf = image;
  double tanhFactor = 0;
  double cubic = 0;     ///< of a sum x + k x^3, x its first input: k
  int64_t begin = 0;    ///< of slice_channels
  bool expands = false; ///< one value to all places of a map
  /// Of a step on the way to a layer, which no network has: the error if it is
  /// needed. Else empty.
  std::string unfinished;

  bool hasBias() const;
  bool takesBias() const { return op == "conv2d" || op == "linear"; }
  /// Has a scale and an offset for each channel.
  bool isNorm() const {
    return op == "batch_norm" || op == "layer_norm" || op == "group_norm";
  }
};

class Network {
public:
  static constexpr int image = Layer::image;

  int add(Layer layer) {
    layers.push_back(std::move(layer));
    return int(layers.size()) - 1;
  }
  Layer &operator[](int index) { return layers[size_t(index)]; }

  /// A name of the dialect's rule, (C1), that no other layer has, as near to
  /// `wanted` as can be.
  std::string uniqueName(const std::string &wanted);

  /// Drops the layers that `output` does not need. Invalidates indices.
  void keepOnly(int &output);

  /// The network in the surface syntax.
  std::string print(const std::string &name, const std::string &comment,
                    const root::MapShape &image, int output) const;

  const std::vector<Layer> &all() const { return layers; }

private:
  std::vector<Layer> layers;
  std::set<std::string> names;
  std::map<std::string, int> suffixes;
};

} // namespace rootc::importer

#endif // ROOTC_ONNX_IMPORT_NETWORK_H
