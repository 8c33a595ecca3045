//===- LayerTable.h - What layers cost --------------------------*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_RUNTIME_REPORT_LAYERTABLE_H
#define ROOTC_RUNTIME_REPORT_LAYERTABLE_H

#include "Comparison.h"

namespace rootc::report {

/// Costs of a layer; NaN: unknown. Times are milliseconds of an image.
struct LayerCosts {
  int64_t groups = 0; ///< 0: the network has no such layer
  double params = NAN, macs = NAN, infer = NAN, train = NAN;

  /// What is unknown on one side counts as nothing.
  void add(const LayerCosts &other);
};

struct LayerRow {
  std::string name, op;
  std::vector<LayerCosts> costs; ///< of each of the table's configurations
};

/// The layers of a network, or of a baseline and a variant of it side by side.
struct LayerTable {
  std::vector<size_t> configurations;
  std::vector<LayerRow> rows; ///< in the network's order, every layer
  LayerRow rest;              ///< times of kernels that belong to no layer
  /// What `rest` is made of, for each configuration: the kernels' labels, in
  /// inference and in training, and ms of an image, the longest first.
  struct RestCall {
    std::string label;
    double ms;
    bool training;
  };
  std::vector<std::vector<RestCall>> restCalls;
  LayerRow total;

  LayerTable(const Comparison &all, std::vector<size_t> configurations);
  /// Whether this cost is known of one of the configurations.
  bool has(double LayerCosts::*value) const;
};

/// A table for each variant, the one that saves most first; networks without
/// variants have tables of their own. Networks of unknown costs have none.
std::vector<LayerTable> layerTables(const Comparison &all);

} // namespace rootc::report

#endif // ROOTC_RUNTIME_REPORT_LAYERTABLE_H
