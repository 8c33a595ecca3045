//===- HoistPrepare.cpp - What needs no image moves to `prepare` ----------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// An op of @infer whose operands all come from parameters and statistics is
// cloned into @prepare. Values that cross from there to the rest of @infer are
// stored in the prepared arena, which is all that the entry `infer` is given
// beside the image; a bare parameter among them is copied.
//
//===----------------------------------------------------------------------===//

#include "lib/Transforms/Passes.h"
#include "lib/Transforms/PrimBuilder.h"
#include "mlir/IR/IRMapping.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/ADT/StringSwitch.h"

using namespace mlir;
using namespace rootc;
using namespace rootc::root;

namespace rootc {
#define GEN_PASS_DEF_HOISTPREPARE
#include "lib/Transforms/Passes.h.inc"
} // namespace rootc

namespace {
class Hoister {
public:
  Hoister(ProgramOp infer, ProgramOp prepare)
      : infer(infer),
        builder(OpBuilder::atBlockEnd(&prepare.getBody().front())) {}
  void run();

private:
  bool isHoistable(Operation &op) const {
    if (isa<ParameterOp, StatisticOp>(op))
      return true;
    return op.getNumOperands() > 0 &&
           llvm::all_of(op.getOperands(), [&](Value operand) {
             return hoisted.contains(operand.getDefiningOp());
           });
  }
  std::string nameOf(Value value);
  void hand(Value value);

  ProgramOp infer;
  OpBuilder builder;
  llvm::SetVector<Operation *> hoisted;
  IRMapping mapping;
  llvm::StringSet<> names;
};
} // namespace

/// The tensor that a parameter or statistic op reads.
static StringRef tensorName(Operation *op) {
  if (auto parameter = dyn_cast<ParameterOp>(op))
    return parameter.getName();
  return cast<StatisticOp>(op).getName();
}

/// "conv1.bias.copy" of a parameter or statistic; else the layer, and what was
/// made of it: "conv1.filter.packed". Never the name of a parameter.
std::string Hoister::nameOf(Value value) {
  Operation *op = value.getDefiningOp();
  std::string name;
  if (isa<ParameterOp, StatisticOp>(op)) {
    name = (tensorName(op) + ".copy").str();
  } else {
    StringRef kind = llvm::StringSwitch<StringRef>(primName(op))
                         .Case("pack_filter", "filter.packed")
                         .Case("fold_bias", "bias.folded")
                         .Default(primName(op));
    auto layer = op->getAttrOfType<StringAttr>("layer");
    name = ((layer ? layer.getValue() : StringRef("value")) + "." + kind).str();
  }
  std::string unique = name;
  for (int64_t i = 2; !names.insert(unique).second; ++i)
    unique = name + "." + std::to_string(i);
  return unique;
}

/// Hands `value` from prepare to infer.
void Hoister::hand(Value value) {
  Operation *op = value.getDefiningOp();
  std::string name = nameOf(value);
  Value made = mapping.lookup(value);
  if (isa<ParameterOp, StatisticOp>(op))
    made = PrimBuilder(builder, op->getLoc(),
                       builder.getStringAttr(tensorName(op).rsplit('.').first))
               .make<PrimCopyOp>(made.getType(), made);
  StoreOp::create(builder, op->getLoc(), StoreKind::Prepared, name, made);

  OpBuilder reader(op);
  auto prepared =
      PreparedOp::create(reader, op->getLoc(), value.getType(), name);
  value.replaceUsesWithIf(prepared.getResult(), [&](OpOperand &use) {
    return !hoisted.contains(use.getOwner());
  });
}

void Hoister::run() {
  for (Operation &op : infer.getBody().front())
    if (isHoistable(op) && !isa<StoreOp>(op))
      hoisted.insert(&op);
  for (Operation *op : hoisted) {
    builder.clone(*op, mapping);
    for (Value result : op->getResults())
      if (llvm::any_of(result.getUsers(), [&](Operation *user) {
            return !hoisted.contains(user);
          }))
        hand(result);
  }
  for (Operation *op : llvm::reverse(hoisted))
    op->erase();
}

namespace {
struct HoistPrepare : rootc::impl::HoistPrepareBase<HoistPrepare> {
  void runOnOperation() override {
    ModelOp model = getOperation();
    ProgramOp infer = findProgram(model, ProgramKind::Infer);
    if (!infer)
      return;
    if (ProgramOp prepare = findProgram(model, ProgramKind::Prepare)) {
      prepare.emitOpError("exists already: root-hoist-prepare makes it");
      return signalPassFailure();
    }
    OpBuilder builder(infer);
    auto prepare = ProgramOp::create(builder, infer.getLoc(), "prepare",
                                     ProgramKind::Prepare);
    Hoister(infer, prepare).run();
  }
};
} // namespace
