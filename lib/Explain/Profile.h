//===- Profile.h - What rootrun measured ------------------------*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_EXPLAIN_PROFILE_H
#define ROOTC_EXPLAIN_PROFILE_H

#include "codegen/CostModel.h"
#include "llvm/Support/Error.h"

namespace rootc {

/// What `rootrun profile --json` prints.
struct Profile {
  std::string program; ///< "infer", or "train" with the update behind it
  int64_t batch = 1;
  codegen::Machine machine;
  struct Call {
    std::string label;
    double ms;
  };
  std::vector<Call> calls;
};

/// Fails with an error that names the file and the key.
llvm::Expected<Profile> readProfile(const std::string &path);

} // namespace rootc

#endif // ROOTC_EXPLAIN_PROFILE_H
