//===- PrintCost.cpp - Prints what networks cost --------------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lib/Analysis/Cost.h"
#include "lib/Analysis/LayerGraph.h"
#include "lib/Transforms/Passes.h"

#include "llvm/ADT/StringSwitch.h"

namespace rootc {
#define GEN_PASS_DEF_PRINTCOST
#include "lib/Transforms/Passes.h.inc"
} // namespace rootc

using namespace mlir;

namespace {

struct PrintCost : rootc::impl::PrintCostBase<PrintCost> {
  using PrintCostBase::PrintCostBase;

  void runOnOperation() override {
    auto chosen = llvm::StringSwitch<std::optional<rootc::CostFormat>>(format)
                      .Case("text", rootc::CostFormat::Text)
                      .Case("json", rootc::CostFormat::Json)
                      .Case("csv", rootc::CostFormat::Csv)
                      .Default(std::nullopt);
    if (!chosen) {
      getOperation().emitError()
          << "cost format '" << format << "' is not text, json or csv";
      return signalPassFailure();
    }
    for (auto network : getOperation().getOps<rootc::root::NetworkOp>()) {
      rootc::warnUnused(network);
      if (failed(rootc::emitCost(network, *chosen, llvm::outs())))
        return signalPassFailure();
    }
    markAllAnalysesPreserved();
  }
};

} // namespace
