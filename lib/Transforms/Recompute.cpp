//===- Recompute.cpp - Compute again rather than keep ---------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A training step needs most memory when the loss is known: whatever the
// forward half leaves for the backward half is live then. Convolutions are
// dear, but everything between them (normalise, ReLU, add, pools, concat) costs
// one trip through memory, so the results of such kernels are dropped after
// their last forward reader, and the kernel runs once more before the first
// backward reader. The clone is the same kernel on the same bits, so its
// result is too.
//
// What is dropped is decided on a model of the program's memory: a kernel at a
// time in program order, if less is live at the loss and the peak does not
// rise, and in the end only where the peak would rise without it. A clone may
// read what another clone computes, which then runs earlier; no kernel has two.
//
//===----------------------------------------------------------------------===//

#include "lib/Transforms/Passes.h"
#include "lib/Transforms/WorkspaceBuffers.h"

#include "mlir/IR/IRMapping.h"

using namespace mlir;
using namespace rootc;
using namespace rootc::root;

namespace rootc {
#define GEN_PASS_DEF_RECOMPUTE
#include "lib/Transforms/Passes.h.inc"
} // namespace rootc

namespace {
/// The bytes, per image, that a program holds when `dropped` kernels run twice.
struct Usage {
  int64_t peak = 0;   ///< at any kernel
  int64_t atLoss = 0; ///< live from before the loss's kernel to after it
};

class Recomputer {
public:
  /// `loss`: the kernel that computes the stored loss.
  Recomputer(ProgramOp program, KernelOp loss);

  LogicalResult readBuffers();
  /// Decides which kernels run twice.
  void choose();
  /// Clones them; returns how many there are.
  int64_t rewrite();
  /// Takes the clones out again.
  void restore();

private:
  struct Buffer {
    int64_t bytes = 0;
    int64_t producer = 0;
    SmallVector<int64_t> readers; // in program order
  };

  bool isCandidate(int64_t kernel) const;
  Usage usage();
  void placeClones();

  ProgramOp program;
  SmallVector<KernelOp> kernels; // in program order
  llvm::DenseMap<Operation *, int64_t> indices;
  int64_t boundary; // the loss's kernel: later ones are the backward half
  std::vector<Buffer> buffers;
  std::vector<SmallVector<int64_t>> outputs; // buffers of each kernel
  std::vector<bool> dropped;
  std::vector<int64_t> place; // the kernel that a dropped one's clone precedes
  SmallVector<std::pair<KernelOp, Operation *>> clones; // kernel, its clone
};
} // namespace

Recomputer::Recomputer(ProgramOp program, KernelOp loss) : program(program) {
  for (auto kernel : program.getBody().getOps<KernelOp>()) {
    indices[kernel] = kernels.size();
    kernels.push_back(kernel);
  }
  boundary = indices.lookup(loss);
  dropped.assign(kernels.size(), false);
  place.assign(kernels.size(), 0);
  outputs.resize(kernels.size());
}

LogicalResult Recomputer::readBuffers() {
  FailureOr<WorkspaceBuffers> batched =
      workspaceBuffers(program, /*batched=*/true);
  if (failed(batched))
    return failure();
  for (auto [value, live] : llvm::zip(batched->values, batched->live)) {
    Buffer &buffer = buffers.emplace_back();
    buffer.bytes = live.bytes;
    buffer.producer = live.first;
    for (Operation *user : value.getUsers())
      buffer.readers.push_back(indices.lookup(user));
    llvm::sort(buffer.readers);
    outputs[live.first].push_back(buffers.size() - 1);
  }
  return success();
}

/// A forward kernel that is cheap and leaves something for the backward half.
bool Recomputer::isCandidate(int64_t kernel) const {
  KernelOp op = kernels[kernel];
  // Results that are stored, or do not grow with the batch, have no buffer.
  if (kernel >= boundary || outputs[kernel].size() != op->getNumResults())
    return false;
  if (llvm::any_of(op.getBody().front(),
                   [](Operation &inner) { return isa<PrimConv2dOp>(inner); }))
    return false;
  // Running statistics are overwritten.
  if (llvm::any_of(op.getInputs(), [](Value input) {
        return input.getDefiningOp<StatisticOp>() != nullptr;
      }))
    return false;
  return llvm::any_of(outputs[kernel], [&](int64_t index) {
    const Buffer &buffer = buffers[index];
    return !buffer.readers.empty() && buffer.readers.back() > boundary;
  });
}

/// Each clone runs just before the first that needs it: a backward kernel, or
/// the clone of a later forward kernel.
void Recomputer::placeClones() {
  for (int64_t kernel = boundary - 1; kernel >= 0; --kernel) {
    if (!dropped[kernel])
      continue;
    place[kernel] = kernels.size();
    for (int64_t index : outputs[kernel])
      for (int64_t reader : buffers[index].readers)
        if (reader > boundary || dropped[reader])
          place[kernel] = std::min(place[kernel],
                                   reader > boundary ? reader : place[reader]);
  }
}

/// Kernel k runs at time 2 k + 1, the clones before it at time 2 k.
Usage Recomputer::usage() {
  placeClones();
  std::vector<int64_t> changes(2 * kernels.size() + 2, 0);
  Usage result;
  auto live = [&](int64_t first, int64_t last, int64_t bytes) {
    changes[first] += bytes;
    changes[last + 1] -= bytes;
    if (first <= 2 * boundary && last > 2 * boundary + 1)
      result.atLoss += bytes;
  };
  for (const Buffer &buffer : buffers) {
    bool twice = dropped[buffer.producer];
    int64_t first = 2 * buffer.producer + 1, last = first;
    int64_t again = twice ? 2 * place[buffer.producer] : first;
    int64_t lastAgain = again;
    for (int64_t reader : buffer.readers) {
      int64_t &end = reader > boundary ? lastAgain : last;
      end = std::max(end, 2 * reader + 1);
      if (dropped[reader])
        lastAgain = std::max(lastAgain, 2 * place[reader]);
    }
    if (twice) {
      live(first, last, buffer.bytes);
      live(again, lastAgain, buffer.bytes);
    } else {
      live(first, std::max(last, lastAgain), buffer.bytes);
    }
  }
  int64_t bytes = 0;
  for (int64_t change : changes)
    result.peak = std::max(result.peak, bytes += change);
  return result;
}

void Recomputer::choose() {
  Usage least = usage();
  SmallVector<int64_t> chosen;
  for (int64_t kernel = 0; kernel < boundary; ++kernel) {
    if (!isCandidate(kernel))
      continue;
    dropped[kernel] = true;
    Usage now = usage();
    if (now.peak > least.peak || now.atLoss >= least.atLoss) {
      dropped[kernel] = false;
      continue;
    }
    least = now;
    chosen.push_back(kernel);
  }
  for (int64_t kernel : chosen) {
    dropped[kernel] = false;
    if (usage().peak > least.peak)
      dropped[kernel] = true;
  }
  placeClones();
}

int64_t Recomputer::rewrite() {
  IRMapping again;
  for (int64_t kernel = 0; kernel < boundary; ++kernel) {
    if (!dropped[kernel])
      continue;
    KernelOp original = kernels[kernel];
    OpBuilder builder(kernels[place[kernel]]);
    Operation *clone = builder.clone(*original, again);
    clones.push_back({original, clone});
    for (auto [old, result] :
         llvm::zip(original->getResults(), clone->getResults()))
      old.replaceUsesWithIf(result, [&](OpOperand &use) {
        auto reader = indices.find(use.getOwner());
        return reader != indices.end() && reader->second > boundary;
      });
  }
  return clones.size();
}

void Recomputer::restore() {
  for (auto [original, clone] : llvm::reverse(clones)) {
    clone->replaceAllUsesWith(original);
    clone->erase();
  }
  clones.clear();
}

/// The bytes, per image, of the workspace that root-plan-memory will give the
/// program: more than what is live at once where gaps remain.
static FailureOr<int64_t> plannedBytes(ProgramOp program) {
  FailureOr<WorkspaceBuffers> buffers =
      workspaceBuffers(program, /*batched=*/true);
  if (failed(buffers))
    return failure();
  return assignOffsets(buffers->live, slotAlignment);
}

namespace {
struct Recompute : rootc::impl::RecomputeBase<Recompute> {
  using RecomputeBase::RecomputeBase;

  void runOnOperation() override {
    for (auto program : getOperation().getBody().getOps<ProgramOp>()) {
      if (llvm::any_of(
              program.getBody().getOps<KernelOp>(),
              [](KernelOp kernel) { return bool(kernel.getSlots()); })) {
        program.emitOpError("has a memory plan already; root-recompute comes "
                            "before root-plan-memory");
        return signalPassFailure();
      }
      for (auto store : program.getBody().getOps<StoreOp>()) {
        auto loss = store.getValue().getDefiningOp<KernelOp>();
        if (store.getKind() != StoreKind::Loss || !loss)
          continue;
        if (failed(save(program, loss)))
          return signalPassFailure();
        break;
      }
    }
  }

  LogicalResult save(ProgramOp program, KernelOp loss) {
    Recomputer recomputer(program, loss);
    FailureOr<int64_t> before = plannedBytes(program);
    if (failed(before) || failed(recomputer.readBuffers()))
      return failure();
    recomputer.choose();
    int64_t count = recomputer.rewrite();
    if (*plannedBytes(program) < *before)
      recomputed += count;
    else
      recomputer.restore();
    return success();
  }
};
} // namespace
