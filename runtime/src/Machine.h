//===- Machine.h - Where something ran or was measured ----------*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_RUNTIME_MACHINE_H
#define ROOTC_RUNTIME_MACHINE_H

#include <cstdint>
#include <string>

namespace rootc {

struct Machine {
  std::string cpu; ///< as the processor names itself, "unknown" if it does not
  int64_t cores = 0; ///< that the process may use

  static Machine current();
  bool operator==(const Machine &) const = default;
};

} // namespace rootc

#endif // ROOTC_RUNTIME_MACHINE_H
