//===- BuildPrograms.cpp - Programs of primitive ops from a network -------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/MixedLabel.h"
#include "lib/Analysis/LayerGraph.h"
#include "lib/Transforms/ForwardBuilder.h"
#include "lib/Transforms/Passes.h"

using namespace mlir;
using namespace rootc;
using namespace rootc::root;

namespace rootc {
#define GEN_PASS_DEF_BUILDPROGRAMS
#include "lib/Transforms/Passes.h.inc"
} // namespace rootc

/// SGD on the flat arenas.
static void buildUpdate(ProgramOp program) {
  OpBuilder builder = OpBuilder::atBlockEnd(&program.getBody().front());
  Location loc = program.getLoc();
  auto flat = RankedTensorType::get(ShapedType::kDynamic, builder.getF32Type());
  auto argument = [&](ArgumentKind kind, Type type) -> Value {
    return ArgumentOp::create(builder, loc, type, kind);
  };
  Value parameters = argument(ArgumentKind::Parameters, flat);
  Value gradients = argument(ArgumentKind::Gradients, flat);
  Value velocity = argument(ArgumentKind::Velocity, flat);
  Value scalars = argument(ArgumentKind::Scalars,
                           RankedTensorType::get(3, builder.getF32Type()));
  PrimBuilder b(builder, loc, builder.getStringAttr("sgd"));
  auto sgd = b.make<PrimSgdOp>({flat, flat},
                               {parameters, gradients, velocity, scalars});
  StoreOp::create(builder, loc, StoreKind::Parameters, "",
                  sgd.getNewParameters());
  StoreOp::create(builder, loc, StoreKind::Velocity, "", sgd.getNewVelocity());
}

namespace {
struct BuildPrograms : rootc::impl::BuildProgramsBase<BuildPrograms> {
  using BuildProgramsBase::BuildProgramsBase;

  void runOnOperation() override {
    for (auto network :
         llvm::make_early_inc_range(getOperation().getOps<NetworkOp>())) {
      if (!network.getShaped()) {
        network.emitOpError("has no shapes; run root-infer-shapes first");
        return signalPassFailure();
      }
      if (!inferOnly && network.getClasses() > codegen::maxLabels) {
        network.emitOpError("has ")
            << network.getClasses() << " classes, and at most "
            << codegen::maxLabels
            << " can be trained; drop some, or compile it with --mode=infer";
        return signalPassFailure();
      }
      build(network);
      network.erase();
    }
  }

private:
  void build(NetworkOp network) {
    MapShape image = network.getImageShape();
    OpBuilder builder(network);
    auto model = ModelOp::create(
        builder, network.getLoc(), network.getSymName(),
        {image.height, image.width, image.channels}, network.getClasses());
    builder.setInsertionPointToEnd(&model.getBody().front());
    auto makeProgram = [&](StringRef name, ProgramKind kind) {
      return ProgramOp::create(builder, network.getLoc(), name, kind);
    };

    NetworkLayers layers(network);
    warnUnused(network);
    auto infer = makeProgram("infer", ProgramKind::Infer);
    OpBuilder arena(infer);
    if (inferOnly) {
      ForwardBuilder(layers, infer, /*training=*/false, &arena).build();
      return;
    }
    auto train = makeProgram("train", ProgramKind::Train);
    ForwardBuilder(layers, infer, /*training=*/false, nullptr).build();
    ForwardBuilder(layers, train, /*training=*/true, &arena).build();
    buildUpdate(makeProgram("update", ProgramKind::Update));
  }
};
} // namespace
