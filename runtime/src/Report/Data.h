//===- Data.h - The report as JSON ------------------------------*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_RUNTIME_REPORT_DATA_H
#define ROOTC_RUNTIME_REPORT_DATA_H

#include "Comparison.h"

namespace rootc::report {

/// One JSON object with the numbers of the page's plots, bars and curves, for
/// scripts; its keys are in docs/commands.md. What is not known is null.
std::string makeJson(const Comparison &all);

} // namespace rootc::report

#endif // ROOTC_RUNTIME_REPORT_DATA_H
