//===- PackFilters.cpp - Filters in the layout that kernels read ----------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The layout itself is codegen's: codegen/Geometry/FilterLayout.h, and so is
// its choice: codegen/Schedules/RegisterTile.h.
//
//===----------------------------------------------------------------------===//

#include "codegen/Geometry/Winograd.h"
#include "codegen/Schedules/Backend.h"
#include "codegen/Schedules/RegisterTile.h"
#include "dialect/Remarks.h"
#include "lib/Transforms/Passes.h"
#include "lib/Transforms/PrimBuilder.h"
#include "lib/Transforms/PrimConvShape.h"

using namespace mlir;
using namespace rootc;
using namespace rootc::root;

namespace rootc {
#define GEN_PASS_DEF_PACKFILTERS
#include "lib/Transforms/Passes.h.inc"
} // namespace rootc

namespace {
struct PackFilters : rootc::impl::PackFiltersBase<PackFilters> {
  using PackFiltersBase::PackFiltersBase;

  void runOnOperation() override {
    if (vectorBits < 128 || vectorBits % 32 != 0 || registers < 8) {
      getOperation().emitOpError("cannot be packed for vector-bits ")
          << vectorBits.getValue() << " and registers " << registers.getValue()
          << "; give a multiple of 32 of at least 128, and at least 8";
      return signalPassFailure();
    }
    for (auto program : getOperation().getBody().getOps<ProgramOp>()) {
      packed.clear();
      for (Operation &op : program.getBody().front()) {
        if (auto conv = dyn_cast<PrimConv2dOp>(op))
          pack(conv, conv.getX(), /*backwardData=*/false);
        else if (auto conv = dyn_cast<PrimConv2dBackwardDataOp>(op))
          pack(conv, conv.getDx(), /*backwardData=*/true);
        else if (auto conv = dyn_cast<PrimConv2dBackwardFilterOp>(op))
          cut(conv);
      }
    }
  }

private:
  void cut(PrimConv2dBackwardFilterOp conv) {
    codegen::ConvShape shape = convShapeOf(
        conv, cast<RankedTensorType>(conv.getX().getType()).getShape()[3]);
    if (pairs && codegen::fitsPairsGradient(shape))
      conv->setAttr("pairs", OpBuilder(conv).getI64IntegerAttr(1));
    codegen::TargetInfo machine{target, vectorBits, registers};
    if (int64_t chunks = codegen::backendOf(machine).gradientChunks(shape))
      conv.setChunks(chunks);
  }

  /// Gives `conv` a packed filter; one whose block is set has it already.
  template <typename ConvOp>
  void pack(ConvOp conv, Value input, bool backwardData) {
    if (conv.getBlock() != 0)
      return;
    codegen::TargetInfo machine{target, vectorBits, registers, batch, threads};
    codegen::ConvShape shape = convShapeOf(
        conv, cast<RankedTensorType>(input.getType()).getShape()[3]);
    codegen::FilterLayout layout;
    // In training a filter would be transformed anew for each step.
    bool once = conv->template getParentOfType<ProgramOp>().getKind() ==
                ProgramKind::Infer;
    // Few channels are an image's, which is read as it is given.
    const int64_t few = 16;
    bool isImage =
        conv->getOperand(0).template getDefiningOp<ArgumentOp>() != nullptr;
    shape.pairs = pairs && codegen::fitsPairs(shape, backwardData) &&
                  (isImage || shape.inPerGroup() >= few);
    if (winograd && once) {
      layout = codegen::winogradLayout(shape, backwardData, machine);
      bool expected = (shape.kernel[0] == 3 || shape.kernel[0] == 5) &&
                      shape.stride[0] * shape.stride[1] == 1;
      if (!layout.winograd && expected)
        addRemark(conv,
                  Twine("no Winograd: ") +
                      codegen::againstWinograd(shape, backwardData, machine));
    }
    if (layout.winograd)
      conv.setWinograd(layout.winograd);
    else
      layout = codegen::filterLayout(shape, backwardData, machine);
    if (layout.pairs)
      conv->setAttr("pairs", OpBuilder(conv).getI64IntegerAttr(1));

    OpBuilder builder(conv);
    PrimBuilder b(builder, conv);
    // Convolutions that share a filter may differ in stride or pad, which the
    // layout does not depend on.
    Value &value =
        packed[{conv.getFilter(), backwardData, layout.block, layout.inOrder,
                layout.outOrder, layout.winograd, layout.pairs}];
    if (!value)
      value = b.make<PrimPackFilterOp>(
          RankedTensorType::get(layout.shape(), builder.getF32Type()),
          conv.getFilter(),
          b.attributes()
              .copy(conv, convAttributeNames)
              .copy(conv, {"winograd", "pairs"})
              .text("direction", backwardData ? "backward_data" : "forward")
              .integer("block", layout.block));
    conv.getFilterMutable().assign(value);
    conv.setBlock(layout.block);
    // A dense convolution computes the same in any order of a packed filter.
    if (conv.getGroups() == 1) {
      conv.removeInOrderAttr();
      conv.removeOutOrderAttr();
    }
  }

  /// By filter, direction, block, channel orders, Winograd's tile and pairs.
  llvm::DenseMap<
      std::tuple<Value, int64_t, int64_t, int64_t, int64_t, int64_t, int64_t>,
      Value>
      packed;
};
} // namespace
