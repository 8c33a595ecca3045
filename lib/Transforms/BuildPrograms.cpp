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

namespace {
/// Programs on the flat arenas, each a single op.
class UpdateBuilder {
public:
  UpdateBuilder(ProgramOp program, StringRef op)
      : builder(OpBuilder::atBlockEnd(&program.getBody().front())),
        loc(program.getLoc()), prim(builder, loc, builder.getStringAttr(op)),
        flat(RankedTensorType::get(ShapedType::kDynamic,
                                   builder.getF32Type())) {}

  Value argument(ArgumentKind kind) {
    return ArgumentOp::create(builder, loc, flat, kind);
  }
  Value scalars(int64_t count) {
    return ArgumentOp::create(
        builder, loc, RankedTensorType::get(count, builder.getF32Type()),
        ArgumentKind::Scalars);
  }
  void store(StoreKind kind, Value value) {
    StoreOp::create(builder, loc, kind, "", value);
  }

  OpBuilder builder;
  Location loc;
  PrimBuilder prim;
  Type flat;
};
} // namespace

static void buildSgd(ProgramOp program) {
  UpdateBuilder b(program, "sgd");
  Value parameters = b.argument(ArgumentKind::Parameters);
  Value gradients = b.argument(ArgumentKind::Gradients);
  Value velocity = b.argument(ArgumentKind::Velocity);
  auto sgd = b.prim.make<PrimSgdOp>(
      {b.flat, b.flat}, {parameters, gradients, velocity, b.scalars(4)});
  b.store(StoreKind::Parameters, sgd.getNewParameters());
  b.store(StoreKind::Velocity, sgd.getNewVelocity());
}

static void buildAdamw(ProgramOp program) {
  UpdateBuilder b(program, "adamw");
  Value parameters = b.argument(ArgumentKind::Parameters);
  Value gradients = b.argument(ArgumentKind::Gradients);
  Value mean = b.argument(ArgumentKind::Velocity);
  Value square = b.argument(ArgumentKind::Square);
  auto adamw = b.prim.make<PrimAdamwOp>(
      {b.flat, b.flat, b.flat},
      {parameters, gradients, mean, square, b.scalars(6)});
  b.store(StoreKind::Parameters, adamw.getNewParameters());
  b.store(StoreKind::Velocity, adamw.getNewMean());
  b.store(StoreKind::Square, adamw.getNewSquare());
}

static void buildClip(ProgramOp program) {
  UpdateBuilder b(program, "clip_norm");
  Value gradients = b.argument(ArgumentKind::Gradients);
  auto clip = b.prim.make<PrimClipNormOp>({b.flat}, {gradients, b.scalars(1)});
  b.store(StoreKind::Gradients, clip.getClipped());
}

static void buildAverage(ProgramOp program) {
  UpdateBuilder b(program, "moving_average");
  Value average = b.argument(ArgumentKind::Average);
  Value values = b.argument(ArgumentKind::Parameters);
  auto updated = b.prim.make<PrimMovingAverageOp>(
      {b.flat}, {average, values, b.scalars(1)});
  b.store(StoreKind::Average, updated.getUpdated());
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
    buildSgd(makeProgram("update", ProgramKind::Update));
    buildAdamw(makeProgram("adamw", ProgramKind::Adamw));
    buildClip(makeProgram("clip", ProgramKind::Clip));
    buildAverage(makeProgram("average", ProgramKind::Average));
  }
};
} // namespace
