//===- JoinKernels.cpp - Compute a map within the kernel that reads it ----===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// In inference, a convolution's map that one pool, 1x1 convolution or layer
// norm reads is never whole: each task of the reader computes the rows that it
// needs, and reads them in cache. A root module, a grouped convolution and the
// 1x1 behind it, becomes one kernel so.
//
// It has a price. Windows of two tasks overlap, and what is under both is
// computed twice; a task has all out channels of its rows, so that maps of few
// rows have too few tasks for the threads, and a large filter passes by again
// for each.
//
//===----------------------------------------------------------------------===//

#include "codegen/Schedules/Families.h"
#include "dialect/Remarks.h"
#include "lib/Transforms/Passes.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/IRMapping.h"

using namespace mlir;
using namespace rootc;
using namespace rootc::root;

namespace rootc {
#define GEN_PASS_DEF_JOINKERNELS
#include "lib/Transforms/Passes.h.inc"
} // namespace rootc

/// Bytes of a map's row, and its rows.
static int64_t rowBytes(RankedTensorType map) {
  return 4 * map.getDimSize(2) * map.getDimSize(3);
}

/// The last op of a kernel that loops are built around.
static Operation *anchorOf(KernelOp kernel) {
  Operation *anchor = nullptr;
  for (Operation &op : kernel.getBody().front().without_terminator())
    if (!op.hasTrait<PrimElementwise>())
      anchor = &op;
  return anchor;
}

static int64_t outputs(ArrayRef<int64_t> kernel, RankedTensorType map) {
  return kernel[0] * kernel[1] * map.getDimSize(1) * map.getDimSize(2);
}

/// Why a pool that computes what it reads takes no less time than two kernels;
/// empty if it takes less.
static StringRef loss(PrimConv2dOp conv, PrimMaxPoolOp pool) {
  auto map = cast<RankedTensorType>(conv.getType());
  int64_t height = cast<RankedTensorType>(pool.getType()).getDimSize(1);
  int64_t kernel = pool.getKernel()[0], stride = pool.getStride()[0];
  using codegen::PoolSchedule;
  int64_t rows =
      std::min((PoolSchedule::mostRead / rowBytes(map) - kernel) / stride + 1,
               height / PoolSchedule::fewestTasks);
  if (rows < 1)
    return "the rows that a task reads do not stay in the cache";
  int64_t ins = cast<RankedTensorType>(conv.getX().getType()).getDimSize(3);
  double flops = 2.0 * double(outputs(conv.getKernel(), map)) *
                 double(map.getDimSize(3)) * double(ins) /
                 double(conv.getGroups()),
         twice = double(std::max<int64_t>(kernel - stride, 0)) /
                 double(rows * stride);
  // A map is fetched, written and read; a core does some eight floating-point
  // operations while memory moves a byte.
  const double balance = 3 * 8;
  if (flops * twice >=
      balance * double(rowBytes(map)) * double(map.getDimSize(1)))
    return "what two windows share is computed twice, which costs more than "
           "the trip through memory";
  return "";
}

/// The same of a 1x1 convolution.
static StringRef loss(PrimConv2dOp conv, PrimConv2dOp reader) {
  auto map = cast<RankedTensorType>(conv.getType());
  auto one = [](ArrayRef<int64_t> sizes) {
    return llvm::all_of(sizes, [](int64_t size) { return size == 1; });
  };
  if (!one(reader.getKernel()) || !one(reader.getStride()) ||
      llvm::any_of(reader.getPad(), [](int64_t pad) { return pad != 0; }) ||
      reader.getGroups() != 1 || reader.getWinograd() ||
      reader->hasAttr("pairs"))
    return "only a dense 1x1 convolution of stride 1 takes one before it";
  const int64_t nearBytes = 256 * 1024, fewPixels = 12 * 28;
  const int64_t farBytes = 512 * 1024;
  if (conv.getGroups() == 1)
    return "a dense convolution's filter would pass by for each few rows";
  if (map.getDimSize(1) * map.getDimSize(2) < fewPixels)
    return "a map of so few rows has too few tasks";
  if (4 * map.getDimSize(3) * reader.getFilters() > nearBytes)
    return "the 1x1 filter is too large to pass by again for each few rows";
  if (rowBytes(map) * map.getDimSize(1) < farBytes)
    return "the map stays in the cache without it";
  return "";
}

/// A depthwise convolution and the norm of its positions: nothing is computed
/// twice, and of a map of several rows there are tasks enough. Wide rows are
/// copied, a row at a time, which costs what a trip through memory saves:
/// ConvNeXt's joined take 1.05 at 56 and 28 pixels, 0.95 and 0.92 at 14 and 7.
static StringRef loss(PrimConv2dOp conv, PrimLayerNormOp norm) {
  auto map = cast<RankedTensorType>(norm.getType());
  const int64_t fewRows = 4, widest = 14;
  if (conv.getGroups() != map.getDimSize(3))
    return "only a depthwise convolution joins its layer norm";
  if (map.getDimSize(1) < fewRows)
    return "a map of so few rows has too few tasks";
  if (map.getDimSize(2) > widest)
    return "wide rows are copied, which takes what a trip through memory does";
  return "";
}

namespace {
struct JoinKernels : rootc::impl::JoinKernelsBase<JoinKernels> {
  void runOnOperation() override {
    for (auto program : getOperation().getBody().getOps<ProgramOp>())
      if (program.getKind() == ProgramKind::Infer)
        for (auto kernel : llvm::make_early_inc_range(
                 program.getBody().front().getOps<KernelOp>()))
          join(kernel);
  }

  static StringRef lossOf(KernelOp maker, PrimConv2dOp conv,
                          Operation *anchor) {
    if (conv->hasAttr("pairs"))
      return "products of matrices compute whole tiles";
    if (conv.getWinograd())
      return "Winograd's convolution computes whole tiles";
    if (llvm::any_of(maker.getBody().front(), [](Operation &op) {
          return isa<PrimChannelShuffleOp>(op);
        }))
      return "its channels are shuffled";
    if (auto pool = dyn_cast<PrimMaxPoolOp>(anchor))
      return loss(conv, pool);
    if (auto norm = dyn_cast<PrimLayerNormOp>(anchor))
      return loss(conv, norm);
    return loss(conv, cast<PrimConv2dOp>(anchor));
  }

  static std::string nameOf(Operation *op) {
    auto layer = op->getAttrOfType<StringAttr>("layer");
    return layer ? "'" + layer.str() + "'" : primName(op).str();
  }

  /// Joins `kernel` and the one that makes what its anchor reads.
  static void join(KernelOp kernel) {
    Operation *anchor = anchorOf(kernel);
    if (!anchor || anchor->getNumOperands() == 0)
      return;
    auto read = dyn_cast<BlockArgument>(anchor->getOperand(0));
    if (!read || !read.hasOneUse())
      return;
    Value map = kernel.getOperand(read.getArgNumber());
    auto maker = map.getDefiningOp<KernelOp>();
    if (!maker || maker->getNumResults() != 1 || !map.hasOneUse())
      return;
    auto conv = dyn_cast_or_null<PrimConv2dOp>(anchorOf(maker));
    if (!conv || !isa<PrimMaxPoolOp, PrimConv2dOp, PrimLayerNormOp>(anchor))
      return;
    if (StringRef why = lossOf(maker, conv, anchor); !why.empty()) {
      // Of dense convolutions none expects it.
      if (conv.getGroups() > 1 || isa<PrimMaxPoolOp>(anchor))
        addRemark(conv,
                  "not joined with " + nameOf(anchor) + " behind it: " + why);
      return;
    }
    SmallVector<Value> operands(maker.getOperands());
    for (Value operand : kernel.getOperands())
      if (operand != map)
        operands.push_back(operand);
    OpBuilder builder(kernel);
    auto joined =
        KernelOp::create(builder, kernel.getLoc(), kernel.getResultTypes(),
                         operands, DictionaryAttr(), ArrayAttr());
    Block &body = joined.getBody().emplaceBlock();
    for (Value operand : operands)
      body.addArgument(operand.getType(), operand.getLoc());
    builder.setInsertionPointToEnd(&body);
    IRMapping inside;
    unsigned next = 0;
    for (Value argument : maker.getBody().getArguments())
      inside.map(argument, body.getArgument(next++));
    for (Operation &op : maker.getBody().front().without_terminator())
      builder.clone(op, inside);
    Value made = inside.lookup(maker.getYield().getValues().front());
    for (auto [argument, operand] :
         llvm::zip(kernel.getBody().getArguments(), kernel.getOperands()))
      inside.map(argument,
                 operand == map ? made : Value(body.getArgument(next++)));
    for (Operation &op : kernel.getBody().front())
      builder.clone(op, inside);
    kernel.replaceAllUsesWith(joined);
    kernel.erase();
    maker.erase();
  }
};
} // namespace
