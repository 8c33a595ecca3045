//===- Analysis.h - What the compiler says of a text ------------*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_LANGUAGESERVER_ANALYSIS_H
#define ROOTC_LANGUAGESERVER_ANALYSIS_H

#include "lib/Analysis/Cost.h"
#include "lib/Pipelines/Pipelines.h"

#include "mlir/IR/Diagnostics.h"

#include <map>

namespace rootc {

/// As MLIR counts: from 1, columns in bytes.
struct Place {
  unsigned line = 1, column = 1;
  auto operator<=>(const Place &) const = default;
};

struct Problem {
  Place place;
  mlir::DiagnosticSeverity severity;
  std::string message;
  std::vector<Problem> notes;
};

struct LayerFacts {
  std::vector<root::MapShape> inputs;
  /// Of root.output and root.auxiliary: none.
  std::optional<root::MapShape> result;
  std::optional<LayerCost> cost;
  int64_t uncountedParams = 0; ///< as of NetworkCost
};

struct Analysis {
  std::vector<Problem> problems;
  /// By the place of the op's name. Behind the first layer that is wrong there
  /// are none.
  std::map<Place, LayerFacts> layers;
  std::map<Place, NetworkCost> networks; ///< those that are right
};

/// Reads `text` as rootc does, with its parser, verifier and first passes.
/// Groups and image size of `options` are applied as rootc's flags do. Takes
/// any text, but deep stacks: MLIR's parser recurses.
Analysis analyse(llvm::StringRef text, const PipelineOptions &options);

} // namespace rootc

#endif // ROOTC_LANGUAGESERVER_ANALYSIS_H
