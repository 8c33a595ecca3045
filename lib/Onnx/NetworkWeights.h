//===- NetworkWeights.h - Weights of a network without a library *- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_ONNX_NETWORKWEIGHTS_H
#define ROOTC_ONNX_NETWORKWEIGHTS_H

#include "dialect/RootDialect.h"
#include "mlir/IR/BuiltinOps.h"
#include "rootc/runtime.h"
#include "llvm/ADT/StringMap.h"

#include <optional>

namespace rootc {

/// The tensors that a network's inference reads, and values for them: what a
/// library of the network would say of itself, so that the runtime's own code
/// initialises and reads them.
class NetworkWeights {
public:
  /// Collects the tensors of a shaped network; fails after a diagnostic.
  /// `description` is the cost of the layers in JSON.
  static llvm::FailureOr<NetworkWeights> collect(root::NetworkOp network,
                                                 std::string description);

  /// Of all tensors together.
  int64_t bytes() const;
  std::vector<std::string> names() const;

  /// As `rootrun init --seed`. Throws as the runtime does; so does `load`.
  void initialise(uint64_t seed);
  /// As `rootrun run --weights`; `message` is told of what is not used.
  void load(const std::string &path, bool slice,
            const std::function<void(const std::string &)> &message);

  /// The values of "conv2a.filter"; call `initialise` or `load` before.
  llvm::ArrayRef<float> operator[](llvm::StringRef name) const;
  llvm::ArrayRef<float> inputMean() const { return weights->inputMean; }
  llvm::ArrayRef<float> inputScale() const { return weights->inputScale; }

private:
  NetworkWeights() = default;
  /// Valid while this object stays where it is.
  rootc_model table();
  void append(root::ArenaTensorOp tensor);

  struct Tensor {
    std::string name, role;
    rootc_tensor entry;
    int64_t count;
  };
  std::string name, description;
  root::MapShape image;
  int64_t classes = 0, parameterCount = 0, statisticCount = 0;
  std::vector<Tensor> tensors;
  std::vector<rootc_tensor> entries;
  llvm::StringMap<size_t> indices;
  std::optional<Weights> weights;
};

} // namespace rootc

#endif // ROOTC_ONNX_NETWORKWEIGHTS_H
