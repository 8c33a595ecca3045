//===- CudaExpressions.h - Halide's expressions as CUDA C++ -----*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_CODEGEN_CUDAEXPRESSIONS_H
#define ROOTC_CODEGEN_CUDAEXPRESSIONS_H

#include "Halide.h"

#include <map>
#include <set>
#include <string>
#include <vector>

namespace rootc::codegen {

/// C++'s name of a type of one lane. Throws std::invalid_argument for others.
std::string cudaType(const Halide::Type &type);

/// Prints expressions of one function, whose declared names it keeps.
class CudaExpressions {
public:
  /// A fresh identifier for a name of Halide's, by which it is known until
  /// forget(). `bounds`: what is known of an integer.
  std::string declare(const std::string &name,
                      const Halide::Internal::ConstantInterval &bounds =
                          Halide::Internal::ConstantInterval::everything());
  /// The same with a chosen identifier.
  void declareAs(const std::string &name, const std::string &identifier,
                 const Halide::Internal::ConstantInterval &bounds =
                     Halide::Internal::ConstantInterval::everything());
  void forget(const std::string &name);
  std::string identifier(const std::string &name) const;

  /// Text that binds as tightly as a name. Declarations that must stand before
  /// the statement are left in `before`.
  std::string operand(const Halide::Expr &expr);
  std::string text(const Halide::Expr &expr);
  Halide::Internal::ConstantInterval bounds(const Halide::Expr &expr) const;

  /// Lines such as "const int t3 = ...;".
  std::vector<std::string> before;

private:
  struct Printed {
    std::string text;
    int binding; ///< how tightly its outermost operator binds
  };
  Printed print(const Halide::Expr &expr);
  Printed printCall(const Halide::Internal::Call *call);
  Printed printIntrinsic(const Halide::Internal::Call *call);
  Printed printLet(const Halide::Internal::Let *let);
  Printed binary(const Halide::Expr &a, const char *op, const Halide::Expr &b,
                 int binding);
  Printed division(const Halide::Expr &whole, const Halide::Expr &a,
                   const Halide::Expr &b, bool remainder);
  std::string binding(const Halide::Expr &expr, int least);
  std::string call(const std::string &function,
                   const std::vector<Halide::Expr> &arguments);

  std::map<std::string, std::vector<std::string>> identifiers;
  std::set<std::string> used;
  Halide::Internal::Scope<Halide::Internal::ConstantInterval> intervals;
};

} // namespace rootc::codegen

#endif // ROOTC_CODEGEN_CUDAEXPRESSIONS_H
