//===- EventFile.h - Scalars for TensorBoard --------------------*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// TensorFlow's event files: records of a length, its checksum, a protocol
// buffer and its checksum. Of the buffers' many fields a run needs five.
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_RUNTIME_EVENTFILE_H
#define ROOTC_RUNTIME_EVENTFILE_H

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace rootc {

/// The values of an epoch.
struct ScalarEvent {
  double time = 0; ///< seconds since 1970
  int64_t step = 0;
  std::vector<std::pair<std::string, double>> values; ///< tag and value
};

/// The bytes of an event file.
std::string eventFile(const std::vector<ScalarEvent> &events);

} // namespace rootc

#endif // ROOTC_RUNTIME_EVENTFILE_H
