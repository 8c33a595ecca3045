//===- Families.h - How a kernel may be scheduled ---------------*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A kernel's anchor op selects its schedule family; a family is a struct of
// numbers. Each says what it is by default, which values a kernel cannot have
// and why, and which key of the printed schedule each number is. A schedule
// that is legal compiles, and computes the same numbers, to the bit where the
// README of this folder does not say otherwise; how fast is a tuner's matter.
//
// Machines have families of their own (Backend.h). No Halide or MLIR here:
// passes print and check, codegen/Schedules/Cpu and Cuda turn a struct into
// Halide directives.
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_CODEGEN_SCHEDULES_FAMILIES_H
#define ROOTC_CODEGEN_SCHEDULES_FAMILIES_H

#include "codegen/Kernel.h"

#include <string>
#include <variant>
#include <vector>

namespace rootc::codegen {

/// What a schedule is chosen for and judged by; `kernel.schedule` is no part.
struct Problem {
  const Kernel &kernel;
  TargetInfo target;
  const Op *anchor; ///< the op the loops are built around; null: elementwise
  /// Of several anchors, of which each reads what the one before it makes: the
  /// one before `anchor`. It is computed within the tasks of `anchor`.
  const Op *inner;
  bool nested = false; ///< `anchor` itself is another one's `inner`

  Problem(const Kernel &kernel, TargetInfo target);
  /// The same kernel's, `inner` its anchor.
  Problem ofInner() const;
  /// Floats in a vector of the target.
  int64_t lanes() const { return target.vectorBits / 32; }
  /// Whether a call gives each thread as many tasks, where `images` have
  /// `tasks` together; not if the target leaves its images or threads open.
  bool sharesEvenly(int64_t tasks, int64_t images = 1) const;
  /// Of the kernel's outputs, all alike; outermost first.
  const std::vector<int64_t> &shape() const;

private:
  void findAnchors(const Op *end);
};

/// A number of a schedule by the name it is printed under.
template <typename Family> struct Key {
  const char *name;
  int64_t Family::*value;
};

// Every family has
//   static const char *name(), the family's;
//   static std::vector<Key<F>> keys(), in the order of the alphabet;
//   static F choose(const Problem &), the default, always legal;
//   std::string illegal(const Problem &), why the kernel cannot have it, or "".

/// Forward and backward-data convolutions.
struct ConvolutionSchedule {
  int64_t blocks = 1; ///< blocks of out channels in a task
  int64_t copy = 0;   ///< 1: what a task reads is copied, zeros around it
  int64_t inside = 0; ///< 1: all blocks of a tile before the next tile
  int64_t lanes = 1;  ///< of a vector; they divide the block
  int64_t rows = 1;   ///< of a task
  int64_t tileN = 1, tileX = 1, tileY = 1; ///< of a register tile
  int64_t unroll = 1; ///< in channels in one turn of the innermost loop

  static const char *name() { return "convolution"; }
  static std::vector<Key<ConvolutionSchedule>> keys();
  static ConvolutionSchedule choose(const Problem &problem);
  std::string illegal(const Problem &problem) const;
};

/// Forward and backward-data by Winograd's convolution (Geometry/Winograd.h).
struct WinogradSchedule {
  int64_t blocks = 1;           ///< blocks of out channels in a task
  int64_t images = 1;           ///< in a task
  int64_t lanes = 1;            ///< of a vector; they divide the block
  int64_t rows = 1;             ///< of tiles in a task
  int64_t tileX = 1, tileY = 1; ///< tiles of a register tile
  int64_t unroll = 1; ///< in channels in one turn of the innermost loop

  static const char *name() { return "Winograd"; }
  static std::vector<Key<WinogradSchedule>> keys();
  static WinogradSchedule choose(const Problem &problem);
  std::string illegal(const Problem &problem) const;
};

/// Forward and backward-data by products of bf16 matrices.
struct PairsSchedule {
  int64_t blocks = 1; ///< blocks of out channels in a task
  int64_t images = 1; ///< in a task
  int64_t rows = 1;   ///< in a task
  /// Rows, and images, whose sums lie in cache at a time.
  int64_t tileN = 1, tileY = 1;

  static const char *name() { return "pairs"; }
  static std::vector<Key<PairsSchedule>> keys();
  static PairsSchedule choose(const Problem &problem);
  std::string illegal(const Problem &problem) const;
};

/// Backward-filter convolutions with vectors across out channels.
struct FilterGradientSchedule {
  int64_t copy = 0, copyDy = 0; ///< 1: the strip of x, of dy, is copied
  int64_t lanes = 1;            ///< of a vector of out channels
  int64_t rows = 1;             ///< of dy that stay in cache for all tiles
  int64_t splitOut = 0;         ///< 1: blocks of out channels are tasks too
  int64_t tileI = 1;            ///< in channels of a register tile
  int64_t tileKx = 1;           ///< columns of the filter in a register tile
  int64_t vectors = 1;          ///< of out channels in a register tile

  static const char *name() { return "filter gradient"; }
  static std::vector<Key<FilterGradientSchedule>> keys();
  static FilterGradientSchedule choose(const Problem &problem);
  std::string illegal(const Problem &problem) const;
};

/// Backward-filter convolutions with vectors across in channels.
struct AcrossInsGradientSchedule {
  int64_t ahead = 0;              ///< 1: the next strip is prefetched
  int64_t blockI = 1, blockO = 1; ///< in and out channels of a task
  int64_t copy = 1;               ///< 0: x is read in place
  int64_t copyDy = 1;             ///< 0: dy is read in place
  int64_t lanes = 1;              ///< of a vector of in channels
  int64_t tileO = 1;              ///< out channels of a register tile
  int64_t vectors = 1;            ///< of in channels in a register tile

  static const char *name() { return "filter gradient across in channels"; }
  static std::vector<Key<AcrossInsGradientSchedule>> keys();
  static AcrossInsGradientSchedule choose(const Problem &problem);
  std::string illegal(const Problem &problem) const;
};

/// Backward-filter by products of bf16 matrices.
struct PairsGradientSchedule {
  int64_t blockI = 1, blockO = 1; ///< in and out channels of a task

  static const char *name() { return "filter gradient in pairs"; }
  static std::vector<Key<PairsGradientSchedule>> keys();
  static PairsGradientSchedule choose(const Problem &problem);
  std::string illegal(const Problem &problem) const;
};

/// Forward and backward-data where groups are innermost.
struct GroupLanesSchedule {
  int64_t across = 1;      ///< out channels beside each other in a vector
  int64_t ahead = 0;       ///< 1: what is read next is prefetched
  int64_t copy = 0;        ///< 1: what is read is copied, zeros around it
  int64_t pixelsFirst = 0; ///< 1: a tile's out channels pass over a row
  int64_t rows = 1;        ///< of a task
  int64_t step = 1;        ///< rows that are copied, then computed, at a time
  int64_t tileO = 1, tileX = 1, tileY = 1; ///< of a register tile
  int64_t unrollKx = 0;                    ///< 1: taps of a row share loads

  static const char *name() { return "group lanes"; }
  static std::vector<Key<GroupLanesSchedule>> keys();
  static GroupLanesSchedule choose(const Problem &problem);
  std::string illegal(const Problem &problem) const;
};

/// Backward-filter where groups are innermost.
struct GroupLanesGradientSchedule {
  int64_t across = 1;           ///< out channels beside each other in a vector
  int64_t blocks = 1;           ///< of groups: of a task
  int64_t copy = 0, copyDy = 0; ///< 1: the strip of x, of dy, is copied
  int64_t rows = 1; ///< of dy that stay in cache for all tiles: whole strips
  int64_t tileI = 1, tileO = 1;   ///< in and out channels of a register tile
  int64_t tileKx = 1, tileKy = 1; ///< taps of a register tile
  int64_t unrollX = 1;            ///< pixels beside each other, which share x

  static const char *name() { return "filter gradient in group lanes"; }
  static std::vector<Key<GroupLanesGradientSchedule>> keys();
  static GroupLanesGradientSchedule choose(const Problem &problem);
  std::string illegal(const Problem &problem) const;
};

/// Backward-filter of linear layers.
struct LinearGradientSchedule {
  int64_t blockI = 1, blockO = 1; ///< in and out channels of a task
  int64_t lanes = 1;              ///< of a vector of in channels
  int64_t tileO = 1;              ///< out channels of a register tile
  int64_t vectors = 1;            ///< of in channels in a register tile

  static const char *name() { return "linear gradient"; }
  static std::vector<Key<LinearGradientSchedule>> keys();
  static LinearGradientSchedule choose(const Problem &problem);
  std::string illegal(const Problem &problem) const;
};

/// Pools, and maps in another size.
struct PoolSchedule {
  /// Of a pool that computes what it reads: the most bytes of that which a task
  /// has, to stay in the L2 cache, and the fewest tasks of an image, but for
  /// batches that threads share evenly.
  static constexpr int64_t mostRead = 896 * 1024, fewestTasks = 4;

  int64_t rows = 1;    ///< of an image in a task
  int64_t unroll = 0;  ///< 1: the window is unrolled
  int64_t vectors = 1; ///< of channels in registers

  static const char *name() { return "pool"; }
  static std::vector<Key<PoolSchedule>> keys();
  static PoolSchedule choose(const Problem &problem);
  std::string illegal(const Problem &problem) const;
};

/// Reductions over the positions of the batch, by chunks of rows.
struct ReductionSchedule {
  int64_t vectors = 1; ///< of channels in registers

  static const char *name() { return "reduction"; }
  static std::vector<Key<ReductionSchedule>> keys();
  static ReductionSchedule choose(const Problem &problem);
  std::string illegal(const Problem &problem) const;
};

/// What families that walk over whole images have in common.
template <typename Family> struct ImageSchedule {
  int64_t rows = 1; ///< of an image in a task

  static std::vector<Key<Family>> keys() { return {{"rows", &Family::rows}}; }
  static Family choose(const Problem &problem);
  std::string illegal(const Problem &problem) const;
};
/// Elementwise ops on images.
struct PointwiseSchedule : ImageSchedule<PointwiseSchedule> {
  static const char *name() { return "pointwise"; }
};
/// A channel shuffle alone, as a matrix that is transposed.
struct ShuffleSchedule : ImageSchedule<ShuffleSchedule> {
  static const char *name() { return "shuffle"; }
};
/// One position after another, each with what is summed over its channels:
/// layer norm, gradients of maxima.
struct PositionSchedule : ImageSchedule<PositionSchedule> {
  static const char *name() { return "position"; }
};
/// Local response norm.
struct NeighbourSchedule : ImageSchedule<NeighbourSchedule> {
  static const char *name() { return "local response norm"; }
};
/// Concatenations and channels among zeros.
struct ConcatSchedule : ImageSchedule<ConcatSchedule> {
  static const char *name() { return "concat"; }
};

/// Nothing to choose.
template <typename Family> struct FixedSchedule {
  static std::vector<Key<Family>> keys() { return {}; }
  static Family choose(const Problem &) { return {}; }
  std::string illegal(const Problem &) const { return ""; }
};
/// Elementwise ops on vectors, filters, and maps walked as rows of W * C.
struct FlatSchedule : FixedSchedule<FlatSchedule> {
  static const char *name() { return "flat"; }
};
/// Statistics of a batch from those of its images.
struct CombineSchedule : FixedSchedule<CombineSchedule> {
  static const char *name() { return "combine"; }
};
/// Sums over each image's map, and all of it.
struct GlobalPoolSchedule : FixedSchedule<GlobalPoolSchedule> {
  static const char *name() { return "global pool"; }
};
/// Sums over each position's channels.
struct PositionSumSchedule : FixedSchedule<PositionSumSchedule> {
  static const char *name() { return "position sum"; }
};
struct LossSchedule : FixedSchedule<LossSchedule> {
  static const char *name() { return "loss"; }
};
/// Updates of whole arenas.
struct UpdateSchedule : FixedSchedule<UpdateSchedule> {
  static const char *name() { return "update"; }
};
struct PackSchedule : FixedSchedule<PackSchedule> {
  static const char *name() { return "pack"; }
};
/// Standardised filters and their gradients.
struct StandardizeSchedule : FixedSchedule<StandardizeSchedule> {
  static const char *name() { return "standardize"; }
};
/// By one of Halide's own autoschedulers, of any kernel and only if asked for:
/// what the other families are compared with.
struct AutoscheduledSchedule {
  int64_t autoscheduler = 0; ///< 1: Mullapudi et al. 2016, 2: Adams et al. 2019
  int64_t batch = 16;        ///< images it is to expect
  int64_t threads = 1;       ///< it is to schedule for

  static const char *name() { return "autoscheduled"; }
  static std::vector<Key<AutoscheduledSchedule>> keys();
  std::string illegal(const Problem &problem) const;
};

// On a device, threads of a block are the factors of its `threads` keys.

/// Forward and backward-data, groups innermost or not.
struct DeviceConvolutionSchedule {
  int64_t stage = 0; ///< 1: what a block reads is in shared memory
  /// Across blocks of the filter or groups, images, columns, rows.
  int64_t threadsC = 1, threadsN = 1, threadsX = 1, threadsY = 1;
  /// Images and columns of a thread's register tile, which has the channels of
  /// a block of the filter; where groups are innermost, one channel.
  int64_t tileN = 1, tileX = 1;

  static const char *name() { return "device convolution"; }
  static std::vector<Key<DeviceConvolutionSchedule>> keys();
  static DeviceConvolutionSchedule choose(const Problem &problem);
  std::string illegal(const Problem &problem) const;
};

/// Backward-filter.
struct DeviceGradientSchedule {
  int64_t threadsI = 1, threadsO = 1; ///< across in and out channels
  int64_t tileI = 1, tileO = 1;       ///< of a thread's register tile

  static const char *name() { return "device filter gradient"; }
  static std::vector<Key<DeviceGradientSchedule>> keys();
  static DeviceGradientSchedule choose(const Problem &problem);
  std::string illegal(const Problem &problem) const;
};

/// Convolutions of any direction as products of matrices by tensor cores, only
/// if asked for: of kernels that fitTensorCores().
struct TensorCoreSchedule {
  int64_t operandBits = 19; ///< 19: TF32; 16: bf16
  /// Backward-filter: the most chunks of the batch's pixels summed apart.
  int64_t split = 1;
  /// A block's tile: rows (pixels; backward-filter: out channels), columns (out
  /// channels; in channels), and terms of the sums in shared memory at a time.
  int64_t tileK = 16, tileM = 16, tileN = 8;
  int64_t warpsM = 1, warpsN = 1; ///< that share the tile

  /// Of a block: what its tiles take, and what there is.
  int64_t sharedBytes() const;
  static constexpr int64_t mostShared = 48 * 1024;

  static const char *name() { return "tensor cores"; }
  static std::vector<Key<TensorCoreSchedule>> keys();
  static TensorCoreSchedule choose(const Problem &problem);
  std::string illegal(const Problem &problem) const;
};
/// Whether a kernel asks for one.
bool isForTensorCores(const Kernel &kernel);
/// Whether a kernel may have such a schedule, on a GPU of NVIDIA's.
bool fitsTensorCores(const Problem &problem);
/// Its groups: of few channels up to four are one, with zeros where one's in
/// channels meet another's out channels.
struct TensorCoreGroups {
  int64_t merged = 1;                  ///< of the convolution's groups in one
  int64_t groups = 1;                  ///< of these
  int64_t ins = 1, outs = 1, taps = 1; ///< of one
};
TensorCoreGroups tensorCoreGroups(const Problem &problem);
/// How such a kernel is launched, of any batch: as rootc_products in
/// runtime/support/Device.h.
struct TensorCoreLaunch {
  bool gradient = false;
  int64_t pixels = 1;     ///< of an image: written, or read of dy
  int64_t tile = 1;       ///< of them in a block's tile, or in a stage
  int64_t blocks[3] = {}; ///< x: of a gradient alone; z: of one chunk
  int64_t threads = 1;    ///< of a block
  /// Of a gradient: the most chunks, the fewest stages of one, and how many
  /// weights are summed over the chunks, by blocks of so many threads.
  int64_t split = 1, stages = 4, weights = 0, sumThreads = 256;
};
TensorCoreLaunch launchOf(const TensorCoreSchedule &schedule,
                          const Problem &problem);

/// All else: a thread has one value of each stage that is kept.
struct DeviceMapSchedule {
  int64_t threads = 1; ///< of a block

  static const char *name() { return "device map"; }
  static std::vector<Key<DeviceMapSchedule>> keys();
  static DeviceMapSchedule choose(const Problem &problem);
  std::string illegal(const Problem &problem) const;
};

using TypedSchedule = std::variant<
    ConvolutionSchedule, WinogradSchedule, PairsSchedule,
    FilterGradientSchedule, AcrossInsGradientSchedule, PairsGradientSchedule,
    GroupLanesSchedule, GroupLanesGradientSchedule, LinearGradientSchedule,
    PoolSchedule, ReductionSchedule, PointwiseSchedule, ShuffleSchedule,
    PositionSchedule, NeighbourSchedule, ConcatSchedule, FlatSchedule,
    CombineSchedule, GlobalPoolSchedule, PositionSumSchedule, LossSchedule,
    UpdateSchedule, PackSchedule, StandardizeSchedule,
    DeviceConvolutionSchedule, DeviceGradientSchedule, TensorCoreSchedule,
    DeviceMapSchedule, AutoscheduledSchedule>;

/// The default of the problem's family. Throws std::invalid_argument for a
/// kernel that makes no sense: a missing attribute, an unpacked filter.
TypedSchedule defaultSchedule(const Problem &problem);

/// Why the kernel cannot have the schedule, with the key at fault; empty if it
/// can. The schedule must be of the problem's family.
std::string illegal(const TypedSchedule &schedule, const Problem &problem);

/// Every key with its value.
Schedule print(const TypedSchedule &schedule);

struct ReadSchedule {
  TypedSchedule schedule;
  std::string error; ///< an unknown key, or why it is illegal; else empty
};
/// `problem.kernel.schedule`; keys that it leaves out take their default.
/// Throws as defaultSchedule does.
ReadSchedule readSchedule(const Problem &problem);

/// print(defaultSchedule(...)).
Schedule chooseSchedule(const Kernel &kernel, const TargetInfo &target);

/// Bytes that a kernel with a schedule holds beside its results while it runs,
/// whatever the batch: the sums of a backward-filter. Not counted are copies
/// of strips and the like, less than a megabyte a thread.
int64_t scratchBytes(const Kernel &kernel);

/// Whether an operand of the anchor comes from ops before it, which would be
/// computed again wherever it is read.
bool isComputed(const Kernel &kernel, const Op &anchor, size_t operand);

/// How a dimension of channels is covered by vectors.
struct ChannelSplit {
  int vector; ///< lanes of one vector
  int block;  ///< channels of a block: at most `most` vectors
  bool exact; ///< blocks divide the channels; else a block is one vector
  int vectors() const { return block / vector; }
};
ChannelSplit splitChannels(int64_t lanes, int64_t channels, int64_t most);

} // namespace rootc::codegen

#endif // ROOTC_CODEGEN_SCHEDULES_FAMILIES_H
