//===- CudaExpressions.cpp - Halide's expressions as CUDA C++ -------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/CudaExpressions.h"

#include <cmath>
#include <cstdio>
#include <stdexcept>

using namespace Halide;
using namespace Halide::Internal;

namespace rootc::codegen {

namespace {
/// How tightly C++'s operators bind, from the loosest.
enum Binding {
  Conditional = 1,
  LogicalOr,
  LogicalAnd,
  Bits, // always in parentheses: nobody knows their order by heart
  Equality,
  Relation,
  Shift,
  Sum,
  Product,
  Unary,
  Primary
};

[[noreturn]] void refuse(const std::string &what) {
  throw std::invalid_argument("CUDA C++ has no form for " + what);
}

std::string floatText(double value, const Type &type) {
  bool narrow = type.bits() == 32;
  if (!std::isfinite(value)) {
    return std::isnan(value) ? (narrow ? "nanf(\"\")" : "nan(\"\")")
                             : std::string(value < 0 ? "-" : "") +
                                   (narrow ? "HUGE_VALF" : "HUGE_VAL");
  }
  char text[64];
  for (int digits = 6; digits <= 17; ++digits) {
    std::snprintf(text, sizeof text, "%.*g", digits, value);
    double back =
        narrow ? std::strtof(text, nullptr) : std::strtod(text, nullptr);
    if (back == value)
      break;
  }
  std::string number = text;
  if (number.find_first_of(".e") == std::string::npos)
    number += ".0";
  return number + (narrow ? "f" : "");
}

/// Halide's names of functions: sqrt_f32 is sqrtf.
std::string functionName(const std::string &name) {
  if (name.starts_with("is_"))
    return name == "is_nan_f32" || name == "is_nan_f64"         ? "isnan"
           : name == "is_inf_f32" || name == "is_inf_f64"       ? "isinf"
           : name == "is_finite_f32" || name == "is_finite_f64" ? "isfinite"
                                                                : "";
  if (name == "fast_inverse_f32")
    return "1.0f / ";
  if (name == "fast_inverse_sqrt_f32")
    return "rsqrtf";
  std::string base = name.substr(0, name.size() < 4 ? 0 : name.size() - 4);
  if (name.ends_with("_f32"))
    return base + "f";
  if (name.ends_with("_f64"))
    return base;
  return "";
}
} // namespace

std::string cudaType(const Type &type) {
  if (!type.is_scalar())
    refuse("vectors");
  if (type.is_bool())
    return "bool";
  if (type == Float(32))
    return "float";
  if (type == Float(64))
    return "double";
  if (type == Int(32))
    return "int";
  if (type.is_int())
    return "int" + std::to_string(type.bits()) + "_t";
  if (type.is_uint())
    return "uint" + std::to_string(type.bits()) + "_t";
  refuse("such a type");
}

std::string CudaExpressions::declare(const std::string &name,
                                     const ConstantInterval &bounds) {
  std::string base;
  for (char c : name)
    if (std::isalnum(static_cast<unsigned char>(c)))
      base += c;
    else if (!base.empty() && base.back() != '_')
      base += '_';
  std::string fresh = base;
  for (int i = 2; used.count(fresh); ++i)
    fresh = base + "_" + std::to_string(i);
  declareAs(name, fresh, bounds);
  return fresh;
}

void CudaExpressions::declareAs(const std::string &name,
                                const std::string &identifier,
                                const ConstantInterval &bounds) {
  used.insert(identifier);
  identifiers[name].push_back(identifier);
  intervals.push(name, bounds);
}

void CudaExpressions::forget(const std::string &name) {
  identifiers.at(name).pop_back();
  intervals.pop(name);
}

std::string CudaExpressions::identifier(const std::string &name) const {
  auto found = identifiers.find(name);
  if (found == identifiers.end() || found->second.empty())
    refuse("the value '" + name + "', which is declared nowhere");
  return found->second.back();
}

ConstantInterval CudaExpressions::bounds(const Expr &expr) const {
  return constant_integer_bounds(expr, intervals);
}

std::string CudaExpressions::text(const Expr &expr) { return print(expr).text; }

std::string CudaExpressions::operand(const Expr &expr) {
  return binding(expr, Primary);
}

std::string CudaExpressions::binding(const Expr &expr, int least) {
  Printed printed = print(expr);
  return printed.binding >= least ? printed.text : "(" + printed.text + ")";
}

CudaExpressions::Printed CudaExpressions::binary(const Expr &a, const char *op,
                                                 const Expr &b, int level) {
  // Operators of one level go from the left; a - (b + c) keeps its parentheses.
  std::string left = binding(a, level == Bits ? Unary : level);
  std::string right = binding(b, level == Bits ? Unary : level + 1);
  return {left + " " + op + " " + right, level};
}

std::string CudaExpressions::call(const std::string &function,
                                  const std::vector<Expr> &arguments) {
  std::string list;
  for (const Expr &argument : arguments)
    list += (list.empty() ? "" : ", ") + text(argument);
  return function + "(" + list + ")";
}

/// Halide's division rounds to below.
CudaExpressions::Printed CudaExpressions::division(const Expr &whole,
                                                   const Expr &a, const Expr &b,
                                                   bool remainder) {
  auto isNatural = [&](const Expr &e) {
    ConstantInterval of = bounds(e);
    return e.type().is_uint() || (of.min_defined && of.min >= 0);
  };
  if (whole.type().is_float() || (isNatural(a) && isNatural(b)))
    return binary(a, remainder ? "%" : "/", b, Product);
  return {call(remainder ? "floor_mod" : "floor_div", {a, b}), Primary};
}

CudaExpressions::Printed CudaExpressions::printLet(const Let *let) {
  std::string value = text(let->value);
  ConstantInterval of = let->value.type().is_int()
                            ? bounds(let->value)
                            : ConstantInterval::everything();
  std::string name = declare(let->name, of);
  before.push_back("const " + cudaType(let->value.type()) + " " + name + " = " +
                   value + ";");
  Printed body = print(let->body);
  forget(let->name);
  return body;
}

CudaExpressions::Printed CudaExpressions::print(const Expr &expr) {
  if (!expr.type().is_scalar())
    refuse("vectors");
  if (const auto *e = expr.as<IntImm>()) {
    std::string number = std::to_string(e->value);
    if (expr.type() != Int(32))
      return {"(" + cudaType(expr.type()) + ")" + number, Unary};
    if (e->value == INT32_MIN)
      return {"(-2147483647 - 1)", Primary};
    return {number, e->value < 0 ? Unary : Primary};
  }
  if (const auto *e = expr.as<UIntImm>()) {
    if (expr.type().is_bool())
      return {e->value ? "true" : "false", Primary};
    return {"(" + cudaType(expr.type()) + ")" + std::to_string(e->value) +
                (expr.type().bits() == 64 ? "ull" : "u"),
            Unary};
  }
  if (const auto *e = expr.as<FloatImm>())
    return {floatText(e->value, expr.type()),
            e->value < 0 || std::signbit(e->value) ? Unary : Primary};
  if (const auto *e = expr.as<Cast>()) {
    if (expr.type().is_bool())
      return {binding(e->value, Equality + 1) + " != 0", Equality};
    return {"(" + cudaType(expr.type()) + ")" + binding(e->value, Unary),
            Unary};
  }
  if (const auto *e = expr.as<Reinterpret>())
    return {call("bits_as<" + cudaType(expr.type()) + ">", {e->value}),
            Primary};
  if (const auto *e = expr.as<Variable>())
    return {identifier(e->name), Primary};
  // Narrow integers are ints to C++, and would not wrap.
  bool narrow = !expr.type().is_float() && !expr.type().is_bool() &&
                expr.type().bits() < 32;
  auto wrapped = [&](Printed printed) -> Printed {
    if (!narrow)
      return printed;
    return {"(" + cudaType(expr.type()) + ")(" + printed.text + ")", Unary};
  };
  if (const auto *e = expr.as<Add>()) {
    // x + -3 is x - 3.
    if (const auto *c = e->b.as<IntImm>();
        c && c->value < 0 && c->value > INT32_MIN && expr.type() == Int(32))
      return binary(e->a, "-", IntImm::make(Int(32), -c->value), Sum);
    return wrapped(binary(e->a, "+", e->b, Sum));
  }
  if (const auto *e = expr.as<Sub>())
    return wrapped(binary(e->a, "-", e->b, Sum));
  if (const auto *e = expr.as<Mul>())
    return wrapped(binary(e->a, "*", e->b, Product));
  if (const auto *e = expr.as<Div>())
    return division(expr, e->a, e->b, false);
  if (const auto *e = expr.as<Mod>()) {
    if (expr.type().is_float())
      return {call(expr.type().bits() == 32 ? "fmodf" : "fmod", {e->a, e->b}),
              Primary};
    return division(expr, e->a, e->b, true);
  }
  if (const auto *e = expr.as<Min>())
    return {call("smaller<" + cudaType(expr.type()) + ">", {e->a, e->b}),
            Primary};
  if (const auto *e = expr.as<Max>())
    return {call("larger<" + cudaType(expr.type()) + ">", {e->a, e->b}),
            Primary};
  if (const auto *e = expr.as<EQ>())
    return binary(e->a, "==", e->b, Equality);
  if (const auto *e = expr.as<NE>())
    return binary(e->a, "!=", e->b, Equality);
  if (const auto *e = expr.as<LT>())
    return binary(e->a, "<", e->b, Relation);
  if (const auto *e = expr.as<LE>())
    return binary(e->a, "<=", e->b, Relation);
  if (const auto *e = expr.as<GT>())
    return binary(e->a, ">", e->b, Relation);
  if (const auto *e = expr.as<GE>())
    return binary(e->a, ">=", e->b, Relation);
  if (const auto *e = expr.as<And>())
    return binary(e->a, "&&", e->b, LogicalAnd);
  if (const auto *e = expr.as<Or>())
    // Compilers warn of && in || without parentheses.
    return {binding(e->a, e->a.as<Or>() ? LogicalOr : Bits) + " || " +
                binding(e->b, Bits),
            LogicalOr};
  if (const auto *e = expr.as<Not>())
    return {"!" + binding(e->a, Unary), Unary};
  if (const auto *e = expr.as<Select>())
    return {binding(e->condition, LogicalOr) + " ? " +
                binding(e->true_value, LogicalOr) + " : " +
                binding(e->false_value, Conditional),
            Conditional};
  if (const auto *e = expr.as<Load>()) {
    if (!is_const_one(e->predicate))
      refuse("masked loads");
    return {identifier(e->name) + "[" + text(e->index) + "]", Primary};
  }
  if (const auto *e = expr.as<Let>())
    return printLet(e);
  if (const auto *e = expr.as<Internal::Call>())
    return printCall(e);
  refuse("an expression of another kind");
}

CudaExpressions::Printed
CudaExpressions::printCall(const Internal::Call *call) {
  using C = Internal::Call;
  if (call->is_intrinsic())
    return printIntrinsic(call);
  if (call->call_type != C::PureExtern && call->call_type != C::Extern)
    refuse("the call of '" + call->name + "'");
  if (call->name == "float_from_bits")
    return {this->call("bits_as<float>", call->args), Primary};
  if (call->name == "nan_f32")
    return {"nanf(\"\")", Primary};
  if (call->name == "inf_f32")
    return {"HUGE_VALF", Primary};
  if (call->name == "neg_inf_f32")
    return {"-HUGE_VALF", Unary};
  std::string function = functionName(call->name);
  if (function.empty())
    refuse("the call of '" + call->name + "'");
  if (function.ends_with(" / "))
    return {function + binding(call->args[0], Unary), Product};
  return {this->call(function, call->args), Primary};
}

CudaExpressions::Printed
CudaExpressions::printIntrinsic(const Internal::Call *call) {
  using C = Internal::Call;
  const std::vector<Expr> &args = call->args;
  static const struct {
    C::IntrinsicOp op;
    const char *text;
    int level;
  } binaries[] = {
      {C::bitwise_and, "&", Bits},
      {C::bitwise_or, "|", Bits},
      {C::bitwise_xor, "^", Bits},
      {C::strict_add, "+", Sum},
      {C::strict_sub, "-", Sum},
      {C::strict_mul, "*", Product},
      {C::strict_div, "/", Product},
      {C::strict_eq, "==", Equality},
      {C::strict_lt, "<", Relation},
      {C::strict_le, "<=", Relation},
      {C::div_round_to_zero, "/", Product},
      {C::mod_round_to_zero, "%", Product},
  };
  for (const auto &known : binaries)
    if (call->is_intrinsic(known.op))
      return binary(args[0], known.text, args[1], known.level);
  std::string type = cudaType(call->type);
  if (call->is_intrinsic(C::strict_min))
    return {this->call("smaller<" + type + ">", args), Primary};
  if (call->is_intrinsic(C::strict_max))
    return {this->call("larger<" + type + ">", args), Primary};
  if (call->is_intrinsic(C::bitwise_not))
    return {"~" + binding(args[0], Unary), Unary};
  if (call->is_intrinsic({C::shift_left, C::shift_right})) {
    if (!is_const(args[1]))
      refuse("shifts by what is not constant");
    return {"(" + type + ")(" + binding(args[0], Shift) +
                (call->is_intrinsic(C::shift_left) ? " << " : " >> ") +
                binding(args[1], Sum) + ")",
            Unary};
  }
  if (call->is_intrinsic({C::likely, C::likely_if_innermost, C::promise_clamped,
                          C::unsafe_promise_clamped}))
    return print(args[0]);
  if (call->is_intrinsic(C::return_second))
    return print(args[1]);
  if (call->is_intrinsic(C::if_then_else) && args.size() == 3)
    return print(Select::make(args[0], args[1], args[2]));
  if (call->is_intrinsic(C::abs)) {
    if (call->type.is_float())
      return {this->call(call->type.bits() == 32 ? "fabsf" : "fabs", args),
              Primary};
    return {"(" + type + ")" + this->call("abs", args), Unary};
  }
  if (call->is_intrinsic(C::round))
    return {this->call(call->type.bits() == 32 ? "rintf" : "rint", args),
            Primary};
  if (call->is_intrinsic(C::mux))
    return print(lower_mux(call));
  Expr lowered = lower_intrinsic(call);
  if (!lowered.defined())
    refuse("the call of '" + call->name + "'");
  return print(lowered);
}

} // namespace rootc::codegen
