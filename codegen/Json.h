//===- Json.h - Shared pieces of the JSON forms -----------------*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Internal to Kernel.cpp and Program.cpp, so that the public headers stay free
// of the JSON library.
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_CODEGEN_JSON_H
#define ROOTC_CODEGEN_JSON_H

#include "codegen/Kernel.h"

#include <nlohmann/json.hpp>

namespace rootc::codegen {

nlohmann::json typeToJson(const TensorType &type);
nlohmann::json typesToJson(const std::vector<TensorType> &types);

/// Without white space, keys sorted; bytes that are not UTF-8 are replaced.
std::string dump(const nlohmann::json &value);

} // namespace rootc::codegen

#endif // ROOTC_CODEGEN_JSON_H
