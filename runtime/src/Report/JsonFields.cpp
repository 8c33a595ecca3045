//===- JsonFields.cpp - Reading files that others may have written --------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "JsonFields.h"

#include "../Support.h"

#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>

using namespace rootc;
using namespace rootc::report;
using Json = nlohmann::ordered_json;

std::string rootc::report::readText(const std::string &path, uintmax_t most) {
  std::error_code error;
  uintmax_t size = std::filesystem::file_size(path, error);
  if (!error && size > most)
    fail("{}: has {} bytes; more than {} are not read", path, size, most);
  std::vector<char> bytes = readFile(path);
  return {bytes.begin(), bytes.end()};
}

double rootc::report::numberOf(const Json &object, const char *key,
                               double least, double most,
                               const std::string &place) {
  auto found = object.find(key);
  if (found == object.end() || found->is_null())
    return NAN;
  if (!found->is_number())
    fail("{}: '{}' is not a number", place, key);
  double value = found->get<double>();
  if (value < least || value > most)
    fail("{}: '{}' is {}, not between {} and {}", place, key, value, least,
         most);
  return std::fabs(value) < 1e30 ? value : NAN;
}
