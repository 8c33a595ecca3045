//===- Backend.h - What differs between kinds of machine --------*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A target string says which backend compiles for it. Kernels, their ops and
// their algorithms know of none: a backend has their schedule families and
// chooses how filters are packed.
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_CODEGEN_SCHEDULES_BACKEND_H
#define ROOTC_CODEGEN_SCHEDULES_BACKEND_H

#include "codegen/Geometry/ConvShape.h"
#include "codegen/Schedules/Families.h"

namespace rootc::codegen {

struct Backend {
  /// Whether kernels run on a device, all of their loops and between them; the
  /// host only starts them.
  bool device;
  /// What its families have: maps whose groups are innermost where the network
  /// need not (ChooseChannelOrders), Winograd's convolution, kernels of several
  /// anchors.
  bool orders, winograd, joins;
  /// The default of a problem's family; throws std::invalid_argument for a
  /// kernel that makes no sense.
  TypedSchedule (*schedule)(const Problem &problem);
  /// Out channels of a block of the packed filter (FilterLayout).
  int64_t (*filterBlock)(const ConvShape &shape, bool backwardData,
                         const TargetInfo &target);
  /// ConvShape::chunks of a backward-filter.
  int64_t (*gradientChunks)(const ConvShape &shape);
};

const Backend &backendOf(const TargetInfo &target);

// The CPU's are where its families are, the device's in DeviceFamilies.cpp.
TypedSchedule cpuSchedule(const Problem &problem);
int64_t cpuFilterBlock(const ConvShape &shape, bool backwardData,
                       const TargetInfo &target);
TypedSchedule deviceSchedule(const Problem &problem);
int64_t deviceFilterBlock(const ConvShape &shape, bool backwardData,
                          const TargetInfo &target);
int64_t deviceGradientChunks(const ConvShape &shape);

} // namespace rootc::codegen

#endif // ROOTC_CODEGEN_SCHEDULES_BACKEND_H
