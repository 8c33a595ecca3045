//===- FoldingArithmetic.cpp - Arithmetic on constants --------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lib/Onnx/Import/Broadcast.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>

using namespace rootc;
using namespace rootc::importer;
using Proto = ::onnx::TensorProto;

//===----------------------------------------------------------------------===//
// One element
//===----------------------------------------------------------------------===//

static float compute(Operation &op, float a, float b) {
  const std::string &name = op.op();
  if (name == "Add" || name == "Sum")
    return a + b;
  if (name == "Sub")
    return a - b;
  if (name == "Mul")
    return a * b;
  if (name == "Div")
    return a / b;
  if (name == "Pow")
    return std::pow(a, b);
  if (name == "Mod") {
    if (!op.integer("fmod", 0))
      op.fail("of real numbers 'fmod' must be 1");
    return std::fmod(a, b);
  }
  if (std::isnan(a) || std::isnan(b))
    return a + b;
  return name == "Min" ? std::min(a, b) : std::max(a, b);
}

Size importer::wrapped(Size size, int32_t type) {
  if (size.batch)
    return size;
  switch (type) {
  case Proto::BOOL:
    return {size.value != 0};
  case Proto::INT8:
    return {int8_t(size.value)};
  case Proto::INT16:
    return {int16_t(size.value)};
  case Proto::INT32:
    return {int32_t(size.value)};
  case Proto::UINT8:
    return {uint8_t(size.value)};
  case Proto::UINT16:
    return {uint16_t(size.value)};
  case Proto::UINT32:
    return {uint32_t(size.value)};
  default:
    return size;
  }
}

/// Of what each image has another of.
static Size computeOfImages(Operation &op, Size a, Size b) {
  const std::string &name = op.op();
  bool known = (a.image || !a.batch) && (b.image || !b.batch);
  Size result{0, true};
  bool overflow = false;
  if (known && (name == "Add" || name == "Sum")) {
    overflow = __builtin_add_overflow(a.value, b.value, &result.value) ||
               __builtin_add_overflow(a.image, b.image, &result.image);
  } else if (known && name == "Mul" && !(a.image && b.image)) {
    const Size &factor = a.image ? b : a, &size = a.image ? a : b;
    overflow =
        __builtin_mul_overflow(size.value, factor.value, &result.value) ||
        __builtin_mul_overflow(size.image, factor.value, &result.image);
  } else {
    op.fail("its result depends on the batch in a way that is not supported");
  }
  if (overflow)
    op.fail("its result does not fit into 64 bits");
  result.batch = result.image != 0;
  return result;
}

/// Sizes may be multiples of the batch as long as the result is one.
static Size compute(Operation &op, Size a, Size b) {
  if (a.image || b.image)
    return computeOfImages(op, a, b);
  const std::string &name = op.op();
  Size result{0, a.batch || b.batch};
  bool overflow = false;
  // 0 of a batch is 0.
  bool alike = a.batch == b.batch || a.value == 0 || b.value == 0;
  bool possible = true;
  if (name == "Add" || name == "Sum" || name == "ReduceSum") {
    overflow = __builtin_add_overflow(a.value, b.value, &result.value);
    possible = alike;
  } else if (name == "Sub") {
    overflow = __builtin_sub_overflow(a.value, b.value, &result.value);
    possible = alike;
  } else if (name == "Mul" || name == "ReduceProd") {
    overflow = __builtin_mul_overflow(a.value, b.value, &result.value);
    possible = !(a.batch && b.batch);
  } else if (name == "Div") {
    if (b.value == 0 || (a.value == INT64_MIN && b.value == -1))
      op.fail("it divides {} by {}", a.value, b.value);
    result = {a.value / b.value, a.batch && !b.batch};
    possible = a.batch ? a.value % b.value == 0 : !b.batch;
  } else if (name == "Mod") {
    if (b.value == 0 || b.value == -1)
      op.fail("it divides {} by {}", a.value, b.value);
    // The divisor's sign, unless 'fmod' asks for C's.
    int64_t rest = a.value % b.value;
    bool other = rest && (rest < 0) != (b.value < 0) && !op.integer("fmod", 0);
    result = {other ? rest + b.value : rest};
    possible = !b.batch && (!a.batch || rest == 0);
  } else if (name == "Pow") {
    result.value = 1;
    possible = !a.batch && !b.batch && b.value >= 0 && b.value < 64;
    for (int64_t i = 0; possible && i < b.value; ++i)
      overflow |= __builtin_mul_overflow(result.value, a.value, &result.value);
  } else {
    bool smaller = name == "Min" || name == "ReduceMin";
    result.value =
        smaller ? std::min(a.value, b.value) : std::max(a.value, b.value);
    possible = a.batch == b.batch;
  }
  if (!possible)
    op.fail("its result depends on the batch in a way that is not supported");
  if (overflow)
    op.fail("its result does not fit into 64 bits");
  return result;
}

//===----------------------------------------------------------------------===//
// Whole tensors
//===----------------------------------------------------------------------===//

std::vector<int64_t> importer::broadcast(Operation &op,
                                         const std::vector<int64_t> &a,
                                         const std::vector<int64_t> &b) {
  std::vector<int64_t> shape(std::max(a.size(), b.size()));
  for (size_t i = 0; i < shape.size(); ++i) {
    int64_t x = i < a.size() ? a[a.size() - 1 - i] : 1;
    int64_t y = i < b.size() ? b[b.size() - 1 - i] : 1;
    if (x != y && x != 1 && y != 1)
      op.fail("its inputs {} and {} do not fit together", toString(a),
              toString(b));
    shape[shape.size() - 1 - i] = x == 1 ? y : x;
  }
  return shape;
}

BroadcastIndex::BroadcastIndex(const std::vector<int64_t> &from,
                               const std::vector<int64_t> &to)
    : sizes(to), steps(to.size()) {
  int64_t stride = 1;
  for (size_t i = 0; i < from.size(); ++i) {
    int64_t size = from[from.size() - 1 - i];
    steps[to.size() - 1 - i] = size == 1 ? 0 : stride;
    stride *= size;
  }
}

size_t BroadcastIndex::operator()(int64_t element) const {
  int64_t from = 0;
  for (size_t i = sizes.size(); i-- > 0; element /= sizes[i])
    from += element % sizes[i] * steps[i];
  return size_t(from);
}

int64_t importer::claimElements(Operation &op,
                                const std::vector<int64_t> &shape) {
  std::optional<int64_t> count = elementCount(shape);
  if (!count)
    op.fail("its result {} is too large", toString(shape));
  op.claim(*count);
  return *count;
}

/// Whole numbers as real ones.
static Constant asReals(Operation &op, const Constant &source) {
  if (source.isReal())
    return source;
  op.claim(source.count());
  std::vector<float> values;
  for (const Size &size : *source.sizes) {
    if (size.batch)
      op.fail("its input depends on the batch");
    values.push_back(float(size.value));
  }
  return Constant::of(source.shape, std::move(values));
}

void importer::foldArithmetic(Operation &op) {
  Constant result = op.constant(0, "its input");
  for (int i = 1; i < op.inputs(); ++i) {
    Constant next = op.constant(i, "its input");
    if (op.op() == "Pow" && next.isReal() != result.isReal()) {
      next = asReals(op, next);
      result = asReals(op, result);
    }
    if (next.isReal() != result.isReal() ||
        (!next.isReal() && next.wholeType != result.wholeType))
      op.fail("its inputs have two types");
    std::vector<int64_t> shape = broadcast(op, result.shape, next.shape);
    auto function = [&](auto a, auto b) { return compute(op, a, b); };
    if (result.isReal())
      result = Constant::of(
          shape, combineElements(op, *result.reals, result.shape, *next.reals,
                                 next.shape, shape, function));
    else
      result = Constant::of(shape,
                            combineElements(op, *result.sizes, result.shape,
                                            *next.sizes, next.shape, shape,
                                            function),
                            result.wholeType);
  }
  if (!result.isReal() && result.wholeType != Proto::INT64) {
    std::vector<Size> sizes = *result.sizes;
    for (Size &size : sizes)
      size = wrapped(size, result.wholeType);
    result = Constant::of(result.shape, std::move(sizes), result.wholeType);
  }
  op.set(0, result);
}

/// A function of one real number; empty if the operator is none.
static std::function<double(double)> unaryFunction(Operation &op) {
  static const std::map<std::string, double (*)(double)> functions = {
      {"Abs", [](double x) { return std::abs(x); }},
      {"Ceil", [](double x) { return std::ceil(x); }},
      {"Erf", [](double x) { return std::erf(x); }},
      {"Exp", [](double x) { return std::exp(x); }},
      {"Floor", [](double x) { return std::floor(x); }},
      {"HardSwish",
       [](double x) { return x * std::clamp(x / 6 + .5, 0., 1.); }},
      {"Log", [](double x) { return std::log(x); }},
      {"Neg", [](double x) { return -x; }},
      {"Reciprocal", [](double x) { return 1 / x; }},
      {"Relu", [](double x) { return x < 0 ? 0 : x; }},
      {"Round", [](double x) { return std::nearbyint(x); }}, // to even
      {"Sigmoid", [](double x) { return 1 / (1 + std::exp(-x)); }},
      {"Sign", [](double x) { return x > 0   ? 1
                                     : x < 0 ? -1
                                             : x; }},
      {"Sqrt", [](double x) { return std::sqrt(x); }},
      {"Tanh", [](double x) { return std::tanh(x); }},
  };
  if (op.op() == "HardSigmoid") {
    double alpha = op.real("alpha", 0.2f), beta = op.real("beta", 0.5f);
    return [=](double x) { return std::clamp(alpha * x + beta, 0., 1.); };
  }
  if (op.op() == "Swish") {
    double alpha = op.real("alpha", 1);
    return [=](double x) { return x / (1 + std::exp(-alpha * x)); };
  }
  return functions.at(op.op());
}

/// A function of one whole number, or of a multiple of the batch.
static Size unaryOfWhole(Operation &op, Size size) {
  const std::string &name = op.op();
  if (size.image)
    op.fail("its input depends on the batch");
  bool negative = size.value < 0;
  if (name == "Ceil" || name == "Floor" || name == "Round")
    return size;
  if (name == "Relu")
    return negative ? Size{0} : size;
  if (name == "Sign")
    return {negative ? -1 : size.value > 0};
  if (name != "Neg" && name != "Abs")
    op.fail("its input is of whole numbers; it must be real");
  if ((name == "Neg" || negative) &&
      __builtin_sub_overflow(0, size.value, &size.value))
    op.fail("its result does not fit into 64 bits");
  return size;
}

void importer::foldUnary(Operation &op) {
  const Constant &source = op.constant(0, "its input");
  op.claim(source.count());
  if (!source.isReal()) {
    std::vector<Size> sizes = *source.sizes;
    for (Size &size : sizes)
      size = wrapped(unaryOfWhole(op, size), source.wholeType);
    op.set(0, Constant::of(source.shape, std::move(sizes), source.wholeType));
    return;
  }
  std::function<double(double)> function = unaryFunction(op);
  std::vector<float> values = *source.reals;
  for (float &value : values)
    value = float(function(value));
  op.set(0, Constant::of(source.shape, std::move(values)));
}

static void castConstant(Operation &op, int64_t type) {
  op.ignore({"saturate", "round_mode"});
  const Constant &source = op.constant(0, "its input");
  bool toReal = false;
  switch (type) {
  case Proto::FLOAT:
  case Proto::DOUBLE:
  case Proto::FLOAT16:
  case Proto::BFLOAT16:
    toReal = true;
    break;
  case Proto::BOOL:
  case Proto::INT8:
  case Proto::INT16:
  case Proto::INT32:
  case Proto::INT64:
  case Proto::UINT8:
  case Proto::UINT16:
  case Proto::UINT32:
  case Proto::UINT64:
    break;
  default:
    op.fail("it casts a constant to type {}; supported are float, double, "
            "float16, bfloat16, whole numbers and bool",
            Proto::DataType_IsValid(int(type))
                ? Proto::DataType_Name(Proto::DataType(type))
                : fmt::to_string(type));
  }
  bool batch = !source.isReal() &&
               std::any_of(source.sizes->begin(), source.sizes->end(),
                           [](const Size &size) { return size.batch; });
  // Real numbers keep float's precision, and a size that depends on the batch
  // stays as it is.
  if ((toReal && source.isReal()) || batch) {
    Constant same = source;
    if (!toReal)
      same.wholeType = int32_t(type);
    op.set(0, same);
    return;
  }
  op.claim(source.count());
  if (toReal) {
    std::vector<float> values;
    for (const Size &size : *source.sizes)
      values.push_back(float(size.value));
    op.set(0, Constant::of(source.shape, std::move(values)));
    return;
  }
  std::vector<Size> sizes;
  if (source.isReal()) {
    for (float value : *source.reals) {
      if (type == Proto::BOOL) {
        sizes.push_back({value != 0});
        continue;
      }
      if (!(std::abs(value) < 0x1p62f))
        op.fail("it makes a whole number of {}", value);
      sizes.push_back({int64_t(value)});
    }
  } else {
    sizes = *source.sizes;
  }
  for (Size &size : sizes)
    size = wrapped(size, int32_t(type));
  op.set(0, Constant::of(source.shape, std::move(sizes), int32_t(type)));
}

void importer::foldCast(Operation &op) {
  castConstant(op, op.integer("to", 0));
}

void importer::foldCastLike(Operation &op) {
  // Maps are real.
  const Constant *like = std::get_if<Constant>(&op.value(1));
  castConstant(op, like && !like->isReal() ? like->wholeType : Proto::FLOAT);
}

namespace {
/// What a reduction of real numbers begins with, what a value adds to it, and
/// what is made of it and of how many values there were.
struct RealReduction {
  double neutral;
  double (*step)(double, double);
  double (*finish)(double, double) = [](double sum, double) { return sum; };
};
} // namespace

static RealReduction realReduction(const std::string &name) {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  auto sum = [](double a, double b) { return a + b; };
  auto squares = [](double a, double b) { return a + b * b; };
  if (name == "ReduceL1")
    return {0, [](double a, double b) { return a + std::abs(b); }};
  if (name == "ReduceL2")
    return {0, squares, [](double a, double) { return std::sqrt(a); }};
  if (name == "ReduceMax")
    return {-infinity,
            [](double a, double b) { return a < b || std::isnan(b) ? b : a; }};
  if (name == "ReduceMean")
    return {0, sum, [](double a, double count) { return a / count; }};
  if (name == "ReduceMin")
    return {infinity,
            [](double a, double b) { return a > b || std::isnan(b) ? b : a; }};
  if (name == "ReduceProd")
    return {1, [](double a, double b) { return a * b; }};
  if (name == "ReduceSumSquare")
    return {0, squares};
  return {0, sum};
}

/// Combines the values along the reduced dimensions.
template <typename Result, typename Element, typename Function>
static std::vector<Result>
reduce(Operation &op, const std::vector<Element> &values,
       const std::vector<int64_t> &shape, const std::vector<int64_t> &kept,
       Result neutral, Function function) {
  op.claim(int64_t(values.size()));
  std::vector<Result> result(size_t(claimElements(op, kept)), neutral);
  BroadcastIndex to(kept, shape);
  for (size_t i = 0; i < values.size(); ++i) {
    Result &total = result[to(int64_t(i))];
    total = function(total, values[i]);
  }
  return result;
}

static std::vector<Size> reduceWholes(Operation &op, const Constant &source,
                                      const std::vector<int64_t> &kept) {
  const std::string &name = op.op();
  int64_t neutral = 0;
  if (name == "ReduceProd")
    neutral = 1;
  else if (source.count() && name == "ReduceMax")
    neutral = INT64_MIN;
  else if (source.count() && name == "ReduceMin")
    neutral = INT64_MAX;
  else if (name != "ReduceSum")
    op.fail("its input is of whole numbers; it must be real{}",
            source.count() ? "" : ", or hold some");
  auto sizes = reduce(op, *source.sizes, source.shape, kept, Size{neutral},
                      [&](Size a, Size b) { return compute(op, a, b); });
  for (Size &size : sizes)
    size = wrapped(size, source.wholeType);
  return sizes;
}

void importer::foldReduction(Operation &op) {
  const Constant &source = op.constant(0, "its input");
  bool keep = op.integer("keepdims", 1) != 0;
  bool none = op.integer("noop_with_empty_axes", 0) != 0;
  auto axes = op.wholesOf("axes", 1, "the axes");
  bool all = (!axes || axes->empty()) && !none;
  std::vector<bool> reduced(source.shape.size(), all);
  for (int64_t axis : axes.value_or(std::vector<int64_t>()))
    reduced[size_t(op.axis(axis, int64_t(reduced.size())))] = true;
  std::vector<int64_t> shape, kept;
  for (size_t i = 0; i < reduced.size(); ++i) {
    kept.push_back(reduced[i] ? 1 : source.shape[i]);
    if (keep || !reduced[i])
      shape.push_back(kept.back());
  }
  if (!source.isReal()) {
    op.set(0, Constant::of(shape, reduceWholes(op, source, kept),
                           source.wholeType));
    return;
  }
  RealReduction reduction = realReduction(op.op());
  std::vector<double> totals = reduce(op, *source.reals, source.shape, kept,
                                      reduction.neutral, reduction.step);
  double each =
      totals.empty() ? 0 : double(source.count()) / double(totals.size());
  std::vector<float> values;
  for (double total : totals)
    values.push_back(float(reduction.finish(total, each)));
  op.set(0, Constant::of(shape, std::move(values)));
}
