//===- FuseKernels.cpp - Group primitive ops into kernels -----------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Each kernel is a tree: a root op whose results leave the kernel, and ops
// below it that nothing outside needs. A value with one reader may join the
// reader:
//
//   elementwise below elementwise         a chain, computed in one go
//   elementwise above a convolution, ...  its epilogue
//   a cheap op below a reduction, ...     computed as it is read
//
// So may a value with several readers that all belong to the last of them, as x
// in x sigmoid(x). What is broadcast joins nobody: it would be computed again
// at each place.
//
// Some ops are so cheap (a batch norm's normalisation, ReLU, their backward
// ops) that they join each of several readers, if all can take it and no more
// is read and written so: what they compute is neither written nor kept for
// the backward half. A convolution computes them as it copies what it reads
// into cache. They do not join their readers where they can be another kernel's
// epilogue, nor in inference, which shows each layer's response.
//
// A tree that has grown to `maxOps` ops ends: its readers find it in memory.
// One trip through memory in so many ops costs little, and Halide takes
// minutes for a chain of hundreds.
//
// Being trees with results at the root only, kernels never reduce what they
// also output, which Halide cannot express, and placing a kernel at its root
// keeps every operand before it.
//
//===----------------------------------------------------------------------===//

#include "lib/Transforms/Passes.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/IRMapping.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;
using namespace rootc;
using namespace rootc::root;

namespace rootc {
#define GEN_PASS_DEF_FUSEKERNELS
#include "lib/Transforms/Passes.h.inc"
} // namespace rootc

static bool isElementwise(Operation *op) {
  return op->hasTrait<PrimElementwise>();
}

/// Whether `reader` is elementwise and reads `op` point by point.
static bool readsAlike(Operation *reader, Operation *op) {
  return isElementwise(reader) &&
         reader->getResult(0).getType() == op->getResult(0).getType();
}

/// Whether `operand` is as large as what `op` makes of it: no vector, and
/// nothing broadcast.
static bool isMap(Value operand, Operation *op) {
  auto type = cast<RankedTensorType>(operand.getType()),
       own = cast<RankedTensorType>(op->getResult(0).getType());
  return type.getRank() == 4 &&
         llvm::all_of(llvm::zip_equal(type.getShape(), own.getShape()),
                      [](auto sizes) {
                        return std::get<0>(sizes) >= std::get<1>(sizes);
                      });
}

namespace {
/// Who may join whom, of a program's ops as they stand.
class Grouping {
public:
  explicit Grouping(ProgramOp program)
      : inference(program.getKind() == ProgramKind::Infer) {
    for (auto store : program.getBody().getOps<StoreOp>())
      if (store.getKind() == StoreKind::Loss)
        loss = store.getValue().getDefiningOp();
    for (Operation &op : program.getBody().front())
      if (isElementwise(&op) || op.hasTrait<PrimCheap>())
        known[&op] = measure(&op);
  }

  Operation *onlyReader(Operation *op) const;
  bool startsEpilogue(Operation *op) const;
  bool isInlined(Operation *op) const;

private:
  static constexpr int64_t maxOps = 32;

  /// What is known of an elementwise op.
  struct Known {
    /// The most ops that would be computed in one go with it: itself, and what
    /// is below it.
    int64_t size = 0;
    /// The maps in memory that it is computed from.
    llvm::SmallSetVector<Value, 4> maps;
    bool cheap = false; ///< with all that is computed for it alone
    bool joinsEachReader = false;
  };

  Known measure(Operation *op) const;
  bool gainsInEachReader(Operation *op, const Known &known) const;
  bool isFull(Operation *op) const {
    auto entry = known.find(op);
    return entry != known.end() && entry->second.size >= maxOps;
  }
  Operation *commonReader(Operation *op) const;

  /// Whether `op` is computed before the loss and read after it.
  bool isKept(Operation *op) const {
    return loss && op->isBeforeInBlock(loss) &&
           llvm::any_of(op->getUsers(), [&](Operation *user) {
             return loss->isBeforeInBlock(user);
           });
  }

  bool inference;
  Operation *loss = nullptr;
  llvm::DenseMap<Operation *, Known> known;
};
} // namespace

Grouping::Known Grouping::measure(Operation *op) const {
  Known result;
  // Random numbers take some hundred instructions: 16 dropouts in a kernel took
  // Halide ten seconds, 4 take one.
  result.size = isa<PrimDropoutOp>(op) ? maxOps / 4 : 1;
  result.cheap = op->hasTrait<PrimCheap>();
  for (Value operand : op->getOperands()) {
    Operation *producer = operand.getDefiningOp();
    auto entry = known.find(producer);
    if (startsEpilogue(producer))
      result.cheap = false;
    if (entry == known.end() || !isInlined(producer)) {
      if (isMap(operand, op))
        result.maps.insert(operand);
      continue;
    }
    result.size += entry->second.size;
    result.cheap &= entry->second.cheap;
    result.maps.insert_range(entry->second.maps);
  }
  result.joinsEachReader =
      result.cheap && result.size < maxOps && gainsInEachReader(op, result);
  return result;
}

/// Whether all readers of `op` can compute it for themselves, and fewer maps
/// are read and written so; one more may be, where a map need not be kept for
/// the backward half.
bool Grouping::gainsInEachReader(Operation *op, const Known &known) const {
  if (inference || op->use_empty())
    return false;
  int64_t apart = known.maps.size() + 1, joined = 0;
  llvm::SmallSetVector<Operation *, 4> readers(op->user_begin(),
                                               op->user_end());
  for (Operation *reader : readers) {
    if (!readsAlike(reader, op) && !reader->hasTrait<PrimTakesPrologue>())
      return false;
    ++apart;
    for (Value map : known.maps)
      joined += !llvm::is_contained(reader->getOperands(), map);
  }
  return joined < apart + (isKept(op) ? 2 : 0);
}

/// The elementwise op whose kernel all readers of `op` would belong to, itself
/// the last of them; null if there is none.
Operation *Grouping::commonReader(Operation *op) const {
  if (isFull(op))
    return nullptr;
  Operation *last = nullptr;
  for (Operation *user : op->getUsers()) {
    if (!readsAlike(user, op))
      return nullptr;
    if (!last || last->isBeforeInBlock(user))
      last = user;
  }
  for (Operation *at : op->getUsers())
    for (; at != last; at = *at->user_begin())
      if (!at->hasOneUse() || isFull(at) || !readsAlike(*at->user_begin(), at))
        return nullptr;
  return last;
}

/// The same, if `op` may join it: with several readers, only what is computed
/// from operands in memory, for it is computed once for each of them.
Operation *Grouping::onlyReader(Operation *op) const {
  if (!op->hasOneUse() && isElementwise(op))
    for (Value operand : op->getOperands()) {
      Operation *producer = operand.getDefiningOp();
      if (producer && isElementwise(producer) && commonReader(producer))
        return nullptr;
    }
  return commonReader(op);
}

/// Whether `op` is the anchor of an epilogue that its reader could join.
bool Grouping::startsEpilogue(Operation *op) const {
  return op && op->hasTrait<PrimTakesEpilogue>() && onlyReader(op);
}

/// Whether every reader of the elementwise `op` computes it for itself.
bool Grouping::isInlined(Operation *op) const {
  auto entry = known.find(op);
  return entry != known.end() && !isFull(op) &&
         (entry->second.joinsEachReader ||
          (isElementwise(op) && onlyReader(op)));
}

namespace {
/// The ops of one kernel.
struct Tree {
  Tree(const Grouping &grouping, Operation *root)
      : root(root), grouping(grouping) {
    if (isElementwise(root))
      findAnchor(root);
    else
      anchor = root;
    collect(root);
  }

  Operation *root;
  Operation *anchor = nullptr;
  /// Operands before users, in the order that the root's operands dictate:
  /// equal kernels list their ops alike wherever these stand in the program.
  llvm::SetVector<Operation *> ops;
  llvm::SetVector<Value> inputs;

private:
  const Grouping &grouping;

  /// Of the anchors that the tree could be an epilogue of, the latest: the
  /// others' results are then live for the shortest time.
  void findAnchor(Operation *op) {
    for (Value operand : op->getOperands()) {
      Operation *producer = operand.getDefiningOp();
      if (grouping.startsEpilogue(producer)) {
        if (!anchor || anchor->isBeforeInBlock(producer))
          anchor = producer;
      } else if (grouping.isInlined(producer)) {
        findAnchor(producer);
      }
    }
  }

  void collect(Operation *op) {
    for (Value operand : op->getOperands()) {
      Operation *producer = operand.getDefiningOp();
      bool joins = producer && op != anchor
                       ? producer == anchor || grouping.isInlined(producer)
                       : grouping.isInlined(producer) &&
                             op->hasTrait<PrimTakesPrologue>();
      if (joins && !ops.contains(producer))
        collect(producer);
      else if (!joins)
        inputs.insert(operand);
    }
    ops.insert(op);
  }
};

struct FuseKernels : rootc::impl::FuseKernelsBase<FuseKernels> {
  using FuseKernelsBase::FuseKernelsBase;

  void runOnOperation() override {
    for (auto program : getOperation().getBody().getOps<ProgramOp>()) {
      copySharedStores(program);
      fuse(program);
    }
  }

  /// Each store gets a value of its own that a kernel computes, so that the
  /// kernel can write it where it belongs.
  void copySharedStores(ProgramOp program) {
    llvm::DenseSet<Value> stored;
    for (auto store : program.getBody().getOps<StoreOp>()) {
      Operation *producer = store.getValue().getDefiningOp();
      if ((isPrim(producer) || isa<KernelOp>(producer)) &&
          stored.insert(store.getValue()).second)
        continue;
      OpBuilder builder(store);
      store.getValueMutable().assign(PrimCopyOp::create(
          builder, store.getLoc(), store.getValue().getType(), store.getValue(),
          /*layer=*/StringAttr()));
    }
  }

  void fuse(ProgramOp program) {
    // Decide on the ops as they stand, then rewrite: a kernel's results hide
    // who reads what.
    Grouping grouping(program);
    SmallVector<Tree> trees;
    for (Operation &op : program.getBody().front())
      if (isPrim(&op) && !grouping.isInlined(&op) &&
          !joinsReader(grouping, &op))
        trees.emplace_back(grouping, &op);
    IRMapping results; // of the roots, to those of the kernels
    for (Tree &tree : trees)
      emit(tree, results);
    for (Operation &op :
         llvm::make_early_inc_range(llvm::reverse(program.getBody().front())))
      if (isPrim(&op))
        op.erase();
  }

  /// Whether `op` is the anchor of its reader's kernel.
  bool joinsReader(const Grouping &grouping, Operation *op) {
    if (!grouping.startsEpilogue(op))
      return false;
    Operation *reader = grouping.onlyReader(op);
    while (Operation *next = grouping.onlyReader(reader))
      reader = next;
    return Tree(grouping, reader).anchor == op;
  }

  void emit(Tree &tree, IRMapping &results) {
    OpBuilder builder(tree.root);
    SmallVector<Value> operands;
    for (Value input : tree.inputs)
      operands.push_back(results.lookupOrDefault(input));
    auto kernel = KernelOp::create(
        builder, (tree.anchor ? tree.anchor : tree.root)->getLoc(),
        tree.root->getResultTypes(), operands, DictionaryAttr(), ArrayAttr());
    Block &body = kernel.getBody().emplaceBlock();
    IRMapping inside;
    for (Value input : tree.inputs)
      inside.map(input, body.addArgument(input.getType(), input.getLoc()));
    builder.setInsertionPointToEnd(&body);
    for (Operation *op : tree.ops)
      builder.clone(*op, inside);
    SmallVector<Value> yielded;
    for (Value value : tree.root->getResults())
      yielded.push_back(inside.lookup(value));
    YieldOp::create(builder, tree.root->getLoc(), yielded);
    results.map(tree.root->getResults(), kernel.getResults());
    for (auto [old, result] :
         llvm::zip(tree.root->getResults(), kernel.getResults()))
      old.replaceUsesWithIf(
          result, [](OpOperand &use) { return !isPrim(use.getOwner()); });
  }
};
} // namespace
