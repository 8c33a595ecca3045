//===- ChooseSchedules.cpp - Give each kernel a schedule ------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lib/Transforms/ChooseSchedules.h"
#include "codegen/Schedules/Families.h"
#include "dialect/ScheduleFrom.h"
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
    codegen::TargetInfo info{target, vectorBits, registers};
    Builder builder(&getContext());
    WalkResult result = getOperation().walk([&](KernelOp kernel) {
      codegen::Kernel description = translateKernel(kernel);
      std::optional<codegen::KnownSchedule> known;
      if (source && !kernel.getSchedule())
        known = source(description);
      if (known)
        description.schedule = known->schedule;
      try {
        codegen::ReadSchedule read =
            codegen::readSchedule(codegen::Problem(description, info));
        if (!read.error.empty()) {
          auto error = kernel.emitOpError("cannot have its schedule");
          if (known)
            error << ", " << known->from;
          error << ": " << read.error;
          return WalkResult::interrupt();
        }
        if (kernel.getSchedule())
          return WalkResult::advance();
        NamedAttrList entries;
        for (auto &[key, value] : codegen::print(read.schedule))
          entries.append(key, builder.getI64IntegerAttr(value));
        kernel.setScheduleAttr(entries.getDictionary(&getContext()));
        if (known)
          kernel->setAttr(scheduleFromAttrName,
                          builder.getStringAttr(known->from));
      } catch (const std::invalid_argument &error) {
        kernel.emitOpError("cannot be scheduled: ") << error.what();
        return WalkResult::interrupt();
      }
      return WalkResult::advance();
    });
    if (result.wasInterrupted())
      signalPassFailure();
  }

private:
  codegen::ScheduleSource source;
};
} // namespace

std::unique_ptr<Pass>
rootc::createChooseSchedules(const ChooseSchedulesOptions &options,
                             codegen::ScheduleSource source) {
  return std::make_unique<ChooseSchedules>(options, std::move(source));
}
