//===- HostCode.h - A model's table as code ---------------------*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_CODEGEN_EMIT_HOSTCODE_H
#define ROOTC_CODEGEN_EMIT_HOSTCODE_H

#include "codegen/Emit/HostPlan.h"
#include "llvm/IR/Module.h"

#include <memory>

namespace rootc::codegen {

/// The model's table (HostTable.h), the exported functions and the ELF note, as
/// LLVM IR for the target's architecture. It refers to the kernels by name and
/// to the support code (runtime/support).
std::unique_ptr<llvm::Module> buildHostModule(const Model &model,
                                              const HostPlan &plan,
                                              const TargetInfo &target,
                                              llvm::LLVMContext &context);

/// The exported functions and the ELF note of a model of which a library holds
/// `count` variants ("_0", "_1", ...): the first that the CPU can run is the
/// model; if it can run none, the last one, which says what the CPU lacks.
std::unique_ptr<llvm::Module> buildDispatch(const Model &model, int64_t count,
                                            const TargetInfo &target,
                                            llvm::LLVMContext &context);

/// Makes an empty module one for the target's host.
void setHostTriple(llvm::Module &module, const TargetInfo &target);

/// Machine code of the module: an ELF object, or assembly text.
llvm::Expected<std::string> compileHostModule(llvm::Module &module,
                                              bool assembly);

/// The same as buildHostModule, as C++ to follow the support code's text and
/// the kernels in one source file.
std::string printHostCpp(const Model &model, const HostPlan &plan,
                         const TargetInfo &target);

/// NAME_model.
std::string entryName(const Model &model);
/// NAME_classify, which models with weights have.
std::string classifyName(const Model &model);
/// What a library of the model exports.
std::vector<std::string> exportedNames(const Model &model);

} // namespace rootc::codegen

#endif // ROOTC_CODEGEN_EMIT_HOSTCODE_H
