//===- RunRecord.h - What a training run is ---------------------*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// RUN/run.json: the model, the data, the options and the machine of a run, so
// that it can be compared with others without its library.
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_RUNTIME_RUNRECORD_H
#define ROOTC_RUNTIME_RUNRECORD_H

#include "Machine.h"
#include "Support.h"

#include <map>
#include <nlohmann/json_fwd.hpp>

namespace rootc {

struct RunRecord {
  std::string modelName, modelPath, modelHash, target;
  int64_t modelBytes = 0;  ///< of the library's file; 0: unknown
  std::string description; ///< the model's JSON object; "": it has none
  std::string dataPath, dataHash;
  int64_t trainingImages = 0, testImages = 0;
  std::map<std::string, std::string> options; ///< flag -> value
  Machine machine;
  int64_t threads = 0;
  std::string started; ///< "2026-01-31T12:00:00Z"

  std::string toJson() const;
  /// Throws an Error that names the file and says what is wrong with it.
  static RunRecord parse(std::string_view text, const std::string &path);
};

/// The hash of a file's bytes, 16 hexadecimal digits.
std::string hashOfFile(const std::string &path);

/// The time now, in UTC: "2026-01-31T12:00:00Z".
std::string timestamp();

/// Machines as JSON: {"cpu", "cores"}.
void to_json(nlohmann::ordered_json &json, const Machine &machine);
void from_json(const nlohmann::ordered_json &json, Machine &machine);

} // namespace rootc

#endif // ROOTC_RUNTIME_RUNRECORD_H
