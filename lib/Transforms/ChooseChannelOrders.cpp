//===- ChooseChannelOrders.cpp - Channels in the order of groups ----------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Which orders there are is lib/Analysis/ChannelOrder.h's, which are best
// OrderProblem.h's matter. Here programs are rewritten: convolutions are told
// the orders of their maps, and where a value is read in another order than it
// is made in, a channel shuffle turns it.
//
//===----------------------------------------------------------------------===//

#include "dialect/Remarks.h"
#include "lib/Analysis/ChannelOrder.h"
#include "lib/Transforms/OrderProblem.h"
#include "lib/Transforms/Passes.h"
#include "lib/Transforms/PrimBuilder.h"

using namespace mlir;
using namespace rootc;
using namespace rootc::root;

namespace rootc {
#define GEN_PASS_DEF_CHOOSECHANNELORDERS
#include "lib/Transforms/Passes.h.inc"
} // namespace rootc

namespace {
/// Rewrites one program.
class Orderer {
public:
  Orderer(ProgramOp program, const codegen::TargetInfo &target, bool pairs)
      : program(program), problem(program, target, pairs) {}
  void run();

private:
  void rewrite(Operation *op);
  void rewriteAlong(Operation *op);
  void rewriteShuffle(PrimChannelShuffleOp op);
  template <typename ConvOp>
  void rewriteConvolution(ConvOp op, Value input, Value output);

  int64_t madeIn(Value value) const {
    auto found = made.find(value);
    return found == made.end() ? 1 : found->second;
  }
  void make(Value value, int64_t order);
  void read(OpOperand &operand, int64_t order);
  Value shuffle(PrimBuilder &b, Value value, ArrayRef<int64_t> groups);

  ProgramOp program;
  OrderProblem problem;
  llvm::DenseMap<Value, int64_t> made; ///< the orders that values are in
  llvm::DenseMap<std::pair<Value, int64_t>, Value> shuffled; ///< in that order
  /// Shuffles that change nothing but the order, with what they are.
  SmallVector<PrimChannelShuffleOp> renamings;
};
} // namespace

static int64_t channelsOf(Value value) {
  return cast<RankedTensorType>(value.getType()).getShape().back();
}

/// `value` is in that order; its op says so.
void Orderer::make(Value value, int64_t order) {
  if (order == 1)
    return;
  made[value] = order;
  Operation *op = value.getDefiningOp();
  op->setAttr(channelOrderAttrName, Builder(op).getI64IntegerAttr(order));
}

Value Orderer::shuffle(PrimBuilder &b, Value value, ArrayRef<int64_t> groups) {
  for (int64_t count : groups)
    value = b.make<PrimChannelShuffleOp>(
        value.getType(), value, b.attributes().integer("groups", count));
  return value;
}

/// Turns what `operand` reads into `order`, just before its reader.
void Orderer::read(OpOperand &operand, int64_t order) {
  Value value = operand.get();
  int64_t from = madeIn(value);
  if (from == order)
    return;
  Value &turned = shuffled[{value, order}];
  if (!turned) {
    Operation *reader = operand.getOwner();
    OpBuilder builder(reader);
    PrimBuilder b(builder, isPrim(reader) ? reader : value.getDefiningOp());
    ChannelOrders orders(channelsOf(value));
    turned = shuffle(b, value, orders.shuffles(orders.factor(from, order)));
    make(turned, order);
    if (cast<RankedTensorType>(value.getType()).getRank() == 4)
      addRemark(turned.getDefiningOp(),
                "channels made in order " + Twine(from) +
                    " are read in order " + Twine(order));
  }
  operand.set(turned);
}

/// The op's own order is that of its class.
void Orderer::rewriteAlong(Operation *op) {
  SmallVector<Value> along = valuesAlong(op);
  int64_t order = 1;
  for (Value value : along)
    order = std::max(order, problem.order(value));
  for (OpOperand &operand : op->getOpOperands())
    if (llvm::is_contained(along, operand.get()))
      read(operand, order);
  for (Value result : op->getResults())
    if (llvm::is_contained(along, result))
      make(result, order);
}

void Orderer::rewriteShuffle(PrimChannelShuffleOp op) {
  int64_t to = problem.order(op.getY());
  ChannelOrders orders(channelsOf(op.getX()));
  int64_t factor =
      orders.times(orders.factor(madeIn(op.getX()), to), op.getGroups());
  std::vector<int64_t> groups = orders.shuffles(factor);
  if (groups.empty()) {
    renamings.push_back(op);
    made[op.getY()] = to;
    return;
  }
  OpBuilder builder(op);
  PrimBuilder b(builder, op);
  op.setGroups(groups.back());
  op.getXMutable().assign(shuffle(b, op.getX(), ArrayRef(groups).drop_back()));
  make(op.getY(), to);
}

template <typename ConvOp>
void Orderer::rewriteConvolution(ConvOp op, Value input, Value output) {
  int64_t groups = op.getGroups();
  int64_t in = 1, out = 1;
  if (groups == 1) { // takes and makes any order
    auto orderOf = [&](Value value) {
      return value.getDefiningOp() == op.getOperation() ? problem.order(value)
                                                        : madeIn(value);
    };
    in = orderOf(input);
    out = orderOf(output);
  } else if (problem.isGroupInnermost(op)) {
    in = out = groups;
  }
  if (in != 1)
    op.setInOrder(in);
  if (out != 1)
    op.setOutOrder(out);
  in = ChannelOrders(channelsOf(input)).ofGroups(in);
  out = ChannelOrders(channelsOf(output)).ofGroups(out);
  for (OpOperand &operand : op->getOpOperands()) {
    bool isBias = operand.getOperandNumber() == 2;
    if (operand.get() == input)
      read(operand, in);
    else if (operand.get() == output || isBias)
      read(operand, out);
  }
  for (Value result : op->getResults())
    if (result == input || result == output)
      make(result, result == input ? in : out);
}

void Orderer::rewrite(Operation *op) {
  if (goesAlong(op))
    rewriteAlong(op);
  else if (auto shuffle = dyn_cast<PrimChannelShuffleOp>(op))
    rewriteShuffle(shuffle);
  else if (auto conv = dyn_cast<PrimConv2dOp>(op))
    rewriteConvolution(conv, conv.getX(), conv.getY());
  else if (auto conv = dyn_cast<PrimConv2dBackwardDataOp>(op))
    rewriteConvolution(conv, conv.getDx(), conv.getDy());
  else if (auto conv = dyn_cast<PrimConv2dBackwardFilterOp>(op))
    rewriteConvolution(conv, conv.getX(), conv.getDy());
  else
    for (OpOperand &operand : op->getOpOperands())
      read(operand, 1);
}

void Orderer::run() {
  problem.solve();
  if (wantsRemarks(program))
    for (Operation &op : program.getBody().front())
      if (std::string why = problem.whyStandard(&op); !why.empty())
        addRemark(&op, "channels in the standard order: " + why);
  for (Operation &op : llvm::make_early_inc_range(program.getBody().front()))
    rewrite(&op);
  for (PrimChannelShuffleOp op : renamings) {
    op.replaceAllUsesWith(op.getX());
    op.erase();
  }
}

namespace {
struct ChooseChannelOrders
    : rootc::impl::ChooseChannelOrdersBase<ChooseChannelOrders> {
  using ChooseChannelOrdersBase::ChooseChannelOrdersBase;

  void runOnOperation() override {
    codegen::TargetInfo target;
    target.vectorBits = vectorBits;
    target.registers = registers;
    for (auto program : getOperation().getBody().getOps<ProgramOp>())
      // Filters' gradients have no such products of groups.
      Orderer(program, target, pairs && program.getKind() == ProgramKind::Infer)
          .run();
  }
};
} // namespace
