//===- Cost.h - Parameters and multiply-adds of a network -------*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Counts as the Deep Roots paper does: parameters are the weights and biases of
// convolutions and linear layers; multiply-adds are weights x output positions,
// plus one per bias (not per position). Nothing else counts, and layers that no
// output depends on are not there.
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_ANALYSIS_COST_H
#define ROOTC_ANALYSIS_COST_H

#include "dialect/RootDialect.h"

#include "llvm/ADT/DenseMap.h"

#include <optional>
#include <string>
#include <vector>

namespace rootc {

using MapShapes = llvm::DenseMap<mlir::Value, root::MapShape>;

struct LayerCost {
  std::string name;
  std::string op; ///< "conv2d", "conv2d_transpose" or "linear"
  int64_t groups = 1;
  int64_t params = 0;
  int64_t macs = 0; ///< for one image
};

struct NetworkCost {
  std::string network;
  int64_t params = 0;
  int64_t macs = 0;
  /// Of normalisations and learnt factors, not in `params`.
  int64_t uncountedParams = 0;
  std::vector<LayerCost> layers; ///< in the network's order
};

/// Counts one layer, which is verified, as are those before it, and whose
/// shapes are known; nothing if it is none that counts.
std::optional<LayerCost> countLayer(mlir::Operation *op,
                                    const MapShapes &shapes);
/// What it adds to `uncountedParams`.
int64_t countUncounted(mlir::Operation *op, const MapShapes &shapes);

/// Counts a verified network at its declared image size, whether or not its
/// shapes are inferred. Fails, after an error at the op, if a sum overflows.
llvm::FailureOr<NetworkCost> computeCost(root::NetworkOp network);

enum class CostFormat { Text, Json, Csv };

/// Writes `computeCost`: a table to read, which tells of batch norm, a JSON
/// object {"network", "params", "macs", "layers": [{"name", "op", "groups",
/// "params", "macs"}]}, or CSV with a header and a last row named "total".
llvm::LogicalResult emitCost(root::NetworkOp network, CostFormat format,
                             llvm::raw_ostream &out);

} // namespace rootc

#endif // ROOTC_ANALYSIS_COST_H
