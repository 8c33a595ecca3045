//===- Linker.h - Objects to one library or object ------------*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_CODEGEN_EMIT_LINKER_H
#define ROOTC_CODEGEN_EMIT_LINKER_H

#include "codegen/Emit/Target.h"
#include "llvm/Support/Error.h"

#include <string>
#include <vector>

namespace rootc::codegen {

/// Links object files into a shared library that exports `names` alone and
/// needs libc and libm. The linker is part of this program; what it complains
/// about is the error.
llvm::Error linkShared(Architecture architecture,
                       const std::vector<std::string> &objects,
                       const std::vector<std::string> &names,
                       const std::string &output,
                       const std::string &scratchFolder);

/// Links object files into one in which `names` are the only global symbols
/// defined.
llvm::Error linkRelocatable(const std::vector<std::string> &objects,
                            const std::vector<std::string> &names,
                            const std::string &output,
                            const std::string &scratchFolder);

/// Makes a static library of one object.
llvm::Error archiveObject(const std::string &object, const std::string &member,
                          const std::string &output);

} // namespace rootc::codegen

#endif // ROOTC_CODEGEN_EMIT_LINKER_H
