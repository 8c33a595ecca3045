//===- Support.h - Shared by the reference's ops ----------------*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_LIB_REFERENCE_SUPPORT_H
#define ROOTC_LIB_REFERENCE_SUPPORT_H

#include "lib/Reference/Reference.h"

#include <array>
#include <functional>
#include <string>

namespace rootc::reference {

using Operands = std::vector<Tensor>;
using Results = std::vector<Tensor>;
using Function = Results (*)(const codegen::Op &, const Operands &);

struct Entry {
  Entry(Function function = nullptr, bool elementwise = false)
      : function(function), elementwise(elementwise) {}

  Function function;
  /// Whether each element of the result comes from the same element of the
  /// operands, so that the result may replace an operand.
  bool elementwise;
};
using FunctionTable = std::map<std::string, Entry>;

/// Each family of ops adds its own.
void addActivations(FunctionTable &table);
void addArrangements(FunctionTable &table);
void addConvolutions(FunctionTable &table);
void addElementwise(FunctionTable &table);
void addUpdates(FunctionTable &table);
void addLayerNorms(FunctionTable &table);
void addMaps(FunctionTable &table);
void addNormalizations(FunctionTable &table);
void addPools(FunctionTable &table);
void addLosses(FunctionTable &table);

bool isElementwise(const codegen::Op &op);

[[noreturn]] void fail(const codegen::Op &op, const std::string &what);
std::string toString(const std::vector<int64_t> &shape);

int64_t integer(const codegen::Op &op, const std::string &key);
double real(const codegen::Op &op, const std::string &key);
std::string text(const codegen::Op &op, const std::string &key);
std::vector<int64_t> integers(const codegen::Op &op, const std::string &key,
                              size_t count);

void expectCount(const codegen::Op &op, const Operands &operands, size_t least,
                 size_t most);
void expectRank(const codegen::Op &op, const Tensor &tensor, size_t rank);
void expectShape(const codegen::Op &op, const Tensor &tensor,
                 const std::vector<int64_t> &shape);

/// The values of `tensor` without those of other channels (the last axis).
Tensor sliceChannels(const Tensor &tensor, int64_t begin, int64_t end);
Tensor concatChannels(const std::vector<Tensor> &parts);

} // namespace rootc::reference

#endif // ROOTC_LIB_REFERENCE_SUPPORT_H
