//===- JsonFields.h - Reading files that others may have written *- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_RUNTIME_REPORT_JSONFIELDS_H
#define ROOTC_RUNTIME_REPORT_JSONFIELDS_H

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>

namespace rootc::report {

/// The most bytes that are read of a text file.
inline constexpr uintmax_t largestText = uintmax_t(64) << 20;

/// A file of at most so many bytes; throws an Error that names it.
std::string readText(const std::string &path, uintmax_t most);

/// A number of an object, NaN if it is absent or null. Values without bounds,
/// losses of a run that diverged, count as NaN from 1e30 on. Throws an Error
/// that begins with `place` if it is no number or out of bounds.
double numberOf(const nlohmann::ordered_json &object, const char *key,
                double least, double most, const std::string &place);

} // namespace rootc::report

#endif // ROOTC_RUNTIME_REPORT_JSONFIELDS_H
