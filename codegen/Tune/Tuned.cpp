//===- Tuned.cpp - Schedules that a database has --------------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/Tune/Tuned.h"

#include <algorithm>
#include <cstdio>
#include <exception>

namespace rootc::codegen {

std::optional<KnownSchedule> TunedSchedules::find(const Kernel &kernel) {
  try {
    return look(kernel);
  } catch (const std::exception &error) {
    reason = error.what();
    return std::nullopt;
  }
}

std::optional<KnownSchedule> TunedSchedules::look(const Kernel &kernel) {
  if (auto record = database.record(kernel, machine, batch)) {
    char text[80];
    std::snprintf(text, sizeof text,
                  "record %lld, %.3f of the rule's time at batch %lld",
                  static_cast<long long>(record->trial), record->relative,
                  static_cast<long long>(record->batch));
    return KnownSchedule{record->schedule, text};
  }
  // Of several reasons the one that stands against most.
  auto isOf = [&](auto member) {
    return [this, member](const TuneMachine &other) {
      return other.*member == machine.*member;
    };
  };
  std::vector<TuneMachine> others = database.others(kernel, machine);
  if (batch && database.record(kernel, machine, 0))
    ++otherBatch;
  else if (others.empty())
    return std::nullopt;
  else if (std::none_of(others.begin(), others.end(),
                        isOf(&TuneMachine::target)))
    ++otherTarget;
  else if (std::none_of(others.begin(), others.end(), isOf(&TuneMachine::cpu)))
    ++otherCpu;
  else if (std::none_of(others.begin(), others.end(),
                        isOf(&TuneMachine::generator)))
    ++otherGenerator;
  else
    ++otherThreads;
  return std::nullopt;
}

std::string TunedSchedules::remark() const {
  std::string text;
  auto add = [&](int64_t count, const char *why) {
    if (count)
      text += (text.empty() ? "" : "; ") + std::to_string(count) +
              (count == 1 ? " kernel has a record" : " kernels have records") +
              " of " + why;
  };
  add(otherGenerator, "another version of the kernel generator");
  add(otherTarget, "another --target");
  add(otherCpu, "another CPU or device");
  add(otherThreads, "another number of threads");
  add(otherBatch, "another size of batch");
  return text.empty() ? ""
                      : path + ": " + text +
                            ", which were not used; rootc-tune makes new ones";
}

} // namespace rootc::codegen
