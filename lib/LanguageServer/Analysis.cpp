//===- Analysis.cpp - What the compiler says of a text --------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lib/LanguageServer/Analysis.h"
#include "dialect/SourceText.h"
#include "lib/Analysis/LayerGraph.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "llvm/Support/SourceMgr.h"

using namespace llvm;
using namespace rootc;
using root::MapShape;

static Place placeOf(mlir::Location location) {
  auto place = location->findInstanceOf<mlir::FileLineColLoc>();
  return place ? Place{place.getLine(), place.getColumn()} : Place{};
}

static Problem problemOf(mlir::Diagnostic &diagnostic) {
  Problem problem = {placeOf(diagnostic.getLocation()),
                     diagnostic.getSeverity(),
                     diagnostic.str(),
                     {}};
  for (mlir::Diagnostic &note : diagnostic.getNotes())
    problem.notes.push_back(problemOf(note));
  return problem;
}

/// Puts what layers are into `layers`, up to the first one that breaks a rule.
static void gatherLayers(root::NetworkOp network,
                         std::map<Place, LayerFacts> &layers) {
  mlir::ScopedDiagnosticHandler quiet(
      network.getContext(), [](mlir::Diagnostic &) { return success(); });
  if (failed(network.verifyInvariants()))
    return;
  MapShapes shapes;
  shapes[network.getImageArgument()] = network.getImageShape();
  for (mlir::Operation &op : network.getBody().front()) {
    LayerFacts facts;
    for (mlir::Value operand : op.getOperands()) {
      auto shape = shapes.find(operand);
      if (shape == shapes.end())
        return;
      facts.inputs.push_back(shape->second);
    }
    if (failed(op.getName().verifyInvariants(&op)))
      return;
    if (auto layer = dyn_cast<root::LayerOpInterface>(op)) {
      FailureOr<MapShape> shape = layer.inferShape(facts.inputs);
      if (failed(shape))
        return;
      shapes[op.getResult(0)] = *shape;
      facts.result = *shape;
      facts.cost = countLayer(&op, shapes);
      facts.uncountedParams = countUncounted(&op, shapes);
    }
    layers[placeOf(op.getLoc())] = std::move(facts);
  }
}

static void gatherNetworks(mlir::ModuleOp module, Analysis &analysis) {
  for (auto network : module.getOps<root::NetworkOp>()) {
    warnUnused(network);
    FailureOr<NetworkCost> cost = computeCost(network);
    if (succeeded(cost))
      analysis.networks[placeOf(network.getLoc())] = std::move(*cost);
  }
}

Analysis rootc::analyse(StringRef text, const PipelineOptions &options) {
  Analysis analysis;
  if (auto problem = root::findSourceProblem(text)) {
    StringRef before = text.take_front(problem->offset);
    analysis.problems.push_back(
        {{static_cast<unsigned>(before.count('\n') + 1),
          static_cast<unsigned>(problem->offset - before.rfind('\n'))},
         mlir::DiagnosticSeverity::Error,
         problem->message,
         {}});
    return analysis;
  }
  mlir::MLIRContext context(mlir::MLIRContext::Threading::DISABLED);
  context.loadDialect<root::RootDialect>();
  context.printOpOnDiagnostic(false);
  mlir::ScopedDiagnosticHandler handler(
      &context, [&](mlir::Diagnostic &diagnostic) {
        analysis.problems.push_back(problemOf(diagnostic));
        return success();
      });
  SourceMgr sources;
  sources.AddNewSourceBuffer(MemoryBuffer::getMemBufferCopy(text), SMLoc());
  // Verified later, so that what is right of a wrong network is known, too.
  mlir::ParserConfig config(&context, /*verifyAfterParse=*/false);
  auto module = mlir::parseSourceFile<mlir::ModuleOp>(sources, config);
  if (!module)
    return analysis;
  for (auto network : module->getOps<root::NetworkOp>())
    gatherLayers(network, analysis.layers);
  if (failed(mlir::verify(*module)))
    return analysis;
  mlir::PassManager passes(&context);
  buildNetworkPipeline(passes, options);
  if (failed(passes.run(*module)))
    return analysis;
  // Their groups and shapes may be others now.
  for (auto network : module->getOps<root::NetworkOp>())
    gatherLayers(network, analysis.layers);
  gatherNetworks(*module, analysis);
  return analysis;
}
