//===- LayerGraph.h - The layers of a network -------------------*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_ANALYSIS_LAYERGRAPH_H
#define ROOTC_ANALYSIS_LAYERGRAPH_H

#include "dialect/RootDialect.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/DenseSet.h"
#include "llvm/Support/JSON.h"

namespace rootc {

/// The ops on which the output depends, or in training an auxiliary classifier.
llvm::DenseSet<mlir::Operation *> usedLayers(root::NetworkOp network,
                                             bool training);

/// Warns of each layer that not even training uses: it is in no program, in no
/// count of costs and in no file of weights.
void warnUnused(root::NetworkOp network);

/// A name for each op of a network, all different: its own, "relu_2" for the
/// second ReLU without one, "loss" for the output.
llvm::DenseMap<mlir::Operation *, mlir::StringAttr>
labelLayers(root::NetworkOp network);

/// The layers in the network's order, each {"name", "op", "groups", "shape",
/// "inputs"}: shape is the map's, [height, width, channels]; inputs are names
/// of layers, the image is left out, and so are layers that nothing uses.
/// Models carry it, so that programs know which layer reads which.
llvm::json::Array layerGraph(root::NetworkOp network);

} // namespace rootc

#endif // ROOTC_ANALYSIS_LAYERGRAPH_H
