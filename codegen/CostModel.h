//===- CostModel.h - How long a kernel should take --------------*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A kernel's time from its shapes, its schedule and a few numbers of a machine.
// It takes as long as its multiply-adds at peak, times what each of the
// schedule's choices loses, and the bytes that it moves at the bandwidth of
// where they last were; the two overlap, and tasks are shared out among
// threads. What each loses is told apart, so that a reader learns why. No
// Halide or MLIR here.
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_CODEGEN_COSTMODEL_H
#define ROOTC_CODEGEN_COSTMODEL_H

#include "codegen/Schedules/Families.h"

#include <array>

namespace rootc::codegen {

/// Of all threads together.
struct Machine {
  /// Bytes a second where the threads go through so many bytes again and again.
  struct Bandwidth {
    double bytes;
    double read, written;
  };

  std::string name;                 ///< where the numbers come from
  int64_t threads = 1;              ///< one a core
  double flops = 0;                 ///< of fp32 multiply-adds, a second
  std::vector<Bandwidth> bandwidth; ///< by bytes, which increase; never empty

  /// The bandwidth for data that was last touched so many bytes ago.
  Bandwidth at(double bytes) const;
  /// Bytes that stay in a core's own cache.
  double nearBytes() const;
};

/// Numbers of a server core of the target's vectors, so many times: what holds
/// until a machine has been measured.
Machine typicalMachine(const TargetInfo &target, int64_t threads);

enum class Bound {
  Arithmetic,
  Memory,
  Threads, ///< some of them wait for the others' last tasks
  Start,   ///< of a call and its tasks: it has next to nothing to do
};
const char *nameOf(Bound bound);

/// What a kernel's time goes into.
enum class Part {
  MultiplyAdds, ///< in full vectors, at the machine's peak
  Lanes,   ///< that compute padding, or of vectors narrower than the machine's
  Tiles,   ///< that lie over another, or beyond the map
  Loads,   ///< that a register tile does not save
  Other,   ///< copies, transforms, elementwise ops, loops
  Memory,  ///< as far as no arithmetic hides it
  Threads, ///< that wait for another's last task
  Start,   ///< of the call and its tasks
};
constexpr size_t partCount = 8;
const char *nameOf(Part part);

struct Prediction {
  Bound bound = Bound::Arithmetic;
  std::array<double, partCount> parts{}; ///< seconds; they add up to the time
  /// Seconds of each alone, as if the threads shared it evenly.
  double arithmetic = 0, memory = 0;
  int64_t tasks = 1; ///< of the kernel's main loop
  /// Bytes of a filter that tasks read again from beyond their cache.
  double again = 0;
  /// The anchor's result is stored before the ops behind it are computed.
  bool storedFirst = false;

  double seconds() const;
  double of(Part part) const { return parts[size_t(part)]; }
};

/// What a kernel, with `problem.kernel.schedule`, takes for so many images.
/// `distances` says of each input how many bytes have been touched since it
/// last was; empty: as many as the kernel touches itself. Throws as
/// defaultSchedule does.
Prediction predict(const Problem &problem, const Machine &machine,
                   int64_t batch, const std::vector<double> &distances = {});

} // namespace rootc::codegen

#endif // ROOTC_CODEGEN_COSTMODEL_H
