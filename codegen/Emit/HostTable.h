//===- HostTable.h - A model as constant data -------------------*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// rootc_model (rootc/model.h), rootc_host_table (runtime/support/Support.h) and
// the arrays that both point to, told to a printer field by field: as LLVM IR
// and as C++ they are the same.
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_CODEGEN_EMIT_HOSTTABLE_H
#define ROOTC_CODEGEN_EMIT_HOSTTABLE_H

#include "codegen/Emit/HostPlan.h"

namespace rootc::codegen {

/// Is told the tables in order: those that another refers to come first.
class TablePrinter {
public:
  virtual ~TablePrinter() = default;

  /// An array of `type`, whose elements follow. Never empty.
  virtual void beginArray(llvm::StringRef type, llvm::StringRef name) = 0;
  /// A whole array of bytes, at a multiple of 64.
  virtual void bytes(llvm::StringRef name, llvm::StringRef data) = 0;
  /// One `type`, which follows. `shared`: the support code refers to it.
  virtual void beginValue(llvm::StringRef type, llvm::StringRef name,
                          bool shared) = 0;
  virtual void end() = 0;

  /// A struct, or an array in one: its members follow.
  virtual void open() = 0;
  virtual void close() = 0;
  virtual void integer(int64_t value, size_t bytes) = 0;
  virtual void real(float value) = 0;
  virtual void text(llvm::StringRef text) = 0;
  /// Of a table or a function; "": null.
  virtual void address(llvm::StringRef name) = 0;
};

/// The name of the rootc_model among the tables.
extern const char modelTableName[];

/// The symbol of a kernel that takes an array of arguments: a rootc_kernel.
std::string kernelEntry(const Kernel &kernel);

void printHostTable(TablePrinter &printer, const Model &model,
                    const HostPlan &plan, const TargetInfo &target);

} // namespace rootc::codegen

#endif // ROOTC_CODEGEN_EMIT_HOSTTABLE_H
