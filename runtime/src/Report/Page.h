//===- Page.h - The report as HTML ------------------------------*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// One file that needs no other: style, plots and pictures are inside, and
// without its few lines of script (sorting, printing) all of it is there. It is
// well-formed XML after its doctype.
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_RUNTIME_REPORT_PAGE_H
#define ROOTC_RUNTIME_REPORT_PAGE_H

#include "Comparison.h"

namespace rootc::report {

/// `made` is the time to print, as `timestamp` gives it.
std::string makePage(const Comparison &all, const std::string &made);

} // namespace rootc::report

#endif // ROOTC_RUNTIME_REPORT_PAGE_H
