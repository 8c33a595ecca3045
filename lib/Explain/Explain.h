//===- Explain.h - Why kernels take as long as they do ----------*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_EXPLAIN_EXPLAIN_H
#define ROOTC_EXPLAIN_EXPLAIN_H

#include "codegen/CostModel.h"
#include "dialect/RootDialect.h"
#include "lib/Explain/Profile.h"
#include "mlir/IR/BuiltinOps.h"
#include "llvm/Support/raw_ostream.h"

#include <optional>

namespace rootc {

struct ExplainedOp {
  /// Before the anchor, as it is read; within the anchor's tasks; what the
  /// loops are built around; after it.
  enum Role { Prologue, Inner, Anchor, Epilogue };
  Role role = Epilogue;
  std::string layer; ///< empty: of no layer
  std::string what;  ///< "conv2d 3x3/2, 64 filters, 8 groups"
};

struct ExplainedKernel {
  std::string label; ///< as profiles have it
  std::string layer; ///< of its main op; of joined ones, "a + b"
  std::string kind;  ///< the schedule family and the direction
  std::vector<ExplainedOp> ops;
  int64_t order = 1;  ///< of its results' channels
  std::string filter; ///< layout of the packed filter; empty: none
  codegen::Schedule schedule;
  std::string scheduleFrom;           ///< "rule", or whose it is
  double multiplyAdds = 0, bytes = 0; ///< for the batch
  codegen::Prediction predicted;
  std::optional<double> measured; ///< seconds
  std::vector<std::string> remarks;
};

struct ExplainedProgram {
  std::string name; ///< "infer", "train": with the update behind it
  std::vector<ExplainedKernel> kernels; ///< in the order of their calls
  double predicted() const;
  std::optional<double> measured() const; ///< where every kernel is
};

struct Explanation {
  std::string network;
  int64_t batch = 1;
  codegen::Machine machine;
  std::vector<ExplainedProgram> programs;
};

struct ExplainOptions {
  /// "infer", "train", "grad", "prepare"; empty: infer and train, where there
  /// are both.
  std::string program;
  int64_t batch = 1;
  codegen::TargetInfo target;
  codegen::Machine machine;
  std::optional<Profile> profile; ///< of `program` and `batch`
};

/// Of a module with a planned `root.model` whose passes were asked for remarks.
/// Fails with an error where the model has no such program, or the profile is
/// not of this one.
llvm::Expected<Explanation> explain(mlir::ModuleOp module,
                                    const ExplainOptions &options);

/// What the prediction says is lost, the most first; nothing that is less than
/// a twentieth of the time.
std::vector<std::string> losses(const codegen::Problem &problem,
                                const codegen::Prediction &prediction,
                                const codegen::Machine &machine);

void printText(const Explanation &explanation, llvm::raw_ostream &out);
void printJson(const Explanation &explanation, llvm::raw_ostream &out);

} // namespace rootc

#endif // ROOTC_EXPLAIN_EXPLAIN_H
