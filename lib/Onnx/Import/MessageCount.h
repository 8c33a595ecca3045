//===- MessageCount.h - How many messages an ONNX file holds ----*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_ONNX_IMPORT_MESSAGECOUNT_H
#define ROOTC_ONNX_IMPORT_MESSAGECOUNT_H

#include <cstdint>
#include <optional>
#include <string_view>

namespace rootc::importer {

/// Decoded, an empty node of two bytes takes a hundred times as much.
inline constexpr int64_t maximumMessages = 1 << 18;

/// The number of messages and strings in an encoded ModelProto, found without
/// decoding it; more than `maximumMessages` if there are more, or if something
/// that no network needs may hold more. Nothing if it is not one, or is nested
/// deeper than models are.
std::optional<int64_t> countMessages(std::string_view bytes);

} // namespace rootc::importer

#endif // ROOTC_ONNX_IMPORT_MESSAGECOUNT_H
