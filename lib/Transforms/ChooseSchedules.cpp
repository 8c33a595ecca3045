//===- ChooseSchedules.cpp - Give each kernel a schedule ------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lib/Transforms/ChooseSchedules.h"
#include "codegen/Schedules/Families.h"
#include "codegen/Schedules/Point.h"
#include "dialect/ScheduleFrom.h"
#include "lib/Transforms/RelayFilter.h"
#include "lib/Translation/Translation.h"

#include "mlir/IR/Builders.h"

#include <stdexcept>

using namespace mlir;
using namespace rootc;
using namespace rootc::root;

namespace rootc {
#define GEN_PASS_DEF_CHOOSESCHEDULES
#include "lib/Transforms/Passes.h.inc"
} // namespace rootc

namespace {
struct ChooseSchedules : rootc::impl::ChooseSchedulesBase<ChooseSchedules> {
  ChooseSchedules(const ChooseSchedulesOptions &options = {},
                  codegen::ScheduleSource source = nullptr)
      : ChooseSchedulesBase(options), source(std::move(source)) {}

  void runOnOperation() override {
    WalkResult result = getOperation().walk([&](KernelOp kernel) {
      try {
        return choose(kernel);
      } catch (const std::invalid_argument &error) {
        kernel.emitOpError("cannot be scheduled: ") << error.what();
        return WalkResult::interrupt();
      }
    });
    if (result.wasInterrupted())
      signalPassFailure();
  }

private:
  WalkResult choose(KernelOp kernel) {
    codegen::Kernel description = translateKernel(kernel);
    std::optional<codegen::KnownSchedule> known;
    if (source && !kernel.getSchedule())
      known = take(kernel, description);
    codegen::TargetInfo info{target, vectorBits, registers, batch, threads};
    codegen::ReadSchedule read =
        codegen::readSchedule(codegen::Problem(description, info));
    if (!read.error.empty())
      return refuse(kernel, known, read.error);
    if (kernel.getSchedule())
      return WalkResult::advance();
    Builder builder(&getContext());
    NamedAttrList entries;
    for (auto &[key, value] : codegen::print(read.schedule))
      entries.append(key, builder.getI64IntegerAttr(value));
    kernel.setScheduleAttr(entries.getDictionary(&getContext()));
    if (known)
      kernel->setAttr(scheduleFromAttrName, builder.getStringAttr(known->from));
    return WalkResult::advance();
  }

  /// What the source knows of a kernel, which is then `description`. Nothing
  /// where the filter would have to lie as others do not read it.
  std::optional<codegen::KnownSchedule> take(KernelOp kernel,
                                             codegen::Kernel &description) {
    bool packsOnce =
        kernel->getParentOfType<ProgramOp>().getKind() == ProgramKind::Infer;
    auto known = source(description, packsOnce);
    if (!known)
      return std::nullopt;
    codegen::Kernel other;
    try {
      other = codegen::atPoint(description, known->point);
    } catch (const std::invalid_argument &error) {
      throw std::invalid_argument(known->from + ": " + error.what());
    }
    if (other.inputs != description.inputs && !relayFilter(kernel, other))
      return std::nullopt;
    description = std::move(other);
    return known;
  }

  static WalkResult refuse(KernelOp kernel,
                           const std::optional<codegen::KnownSchedule> &known,
                           const std::string &why) {
    auto error = kernel.emitOpError("cannot have its schedule");
    if (known)
      error << ", " << known->from;
    error << ": " << why;
    return WalkResult::interrupt();
  }

  codegen::ScheduleSource source;
};
} // namespace

std::unique_ptr<Pass>
rootc::createChooseSchedules(const ChooseSchedulesOptions &options,
                             codegen::ScheduleSource source) {
  return std::make_unique<ChooseSchedules>(options, std::move(source));
}
