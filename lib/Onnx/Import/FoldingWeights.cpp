//===- FoldingWeights.cpp - What is computed of weights -------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Filters that are standardised, normalised, quantised or padded before the
// convolution reads them.
//
//===----------------------------------------------------------------------===//

#include "lib/Onnx/Import/Broadcast.h"

#include <algorithm>
#include <cmath>
#include <limits>

using namespace rootc;
using namespace rootc::importer;

static const Constant &realOperand(Operation &op, int i) {
  return op.reals(i, "its input");
}

void importer::foldClip(Operation &op) {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  double low = op.scalar(1, "the lower bound", op.real("min", -infinity));
  double high = op.scalar(2, "the upper bound", op.real("max", infinity));
  const Constant &source = op.constant(0, "its input");
  op.claim(source.count());
  if (!source.isReal()) {
    std::vector<Size> sizes = *source.sizes;
    for (Size &size : sizes) {
      if (size.batch)
        op.fail("its input depends on the batch");
      // Bounds of 64 bits that a double rounds are no bounds of sizes.
      if (double(size.value) < low)
        size.value = int64_t(low);
      if (double(size.value) > high)
        size.value = int64_t(high);
    }
    op.set(0, Constant::of(source.shape, std::move(sizes), source.wholeType));
    return;
  }
  std::vector<float> values = *source.reals;
  for (float &value : values) { // not a number stays
    if (value < low)
      value = float(low);
    if (value > high)
      value = float(high);
  }
  op.set(0, Constant::of(source.shape, std::move(values)));
}

void importer::foldFlatten(Operation &op) {
  const Constant &source = op.constant(0, "its input");
  int64_t rank = int64_t(source.shape.size());
  int64_t axis = op.integer("axis", 1);
  if (axis != rank)
    axis = op.axis(axis, rank);
  int64_t sizes[] = {1, 1};
  for (int64_t i = 0; i < rank; ++i)
    sizes[i >= axis] *= source.shape[size_t(i)];
  Constant result = source;
  result.shape = {sizes[0], sizes[1]};
  op.set(0, result);
}

//===----------------------------------------------------------------------===//
// Quantised weights
//===----------------------------------------------------------------------===//

void importer::foldDequantizeLinear(Operation &op) {
  const Constant &source = op.constant(0, "its input");
  const Constant &scale = op.reals(1, "the scale");
  const Constant *zero =
      op.present(2) ? &op.constant(2, "the zero point") : nullptr;
  int64_t rank = int64_t(source.shape.size());
  int64_t block = op.integer("block_size", 0);
  op.ignore({"output_dtype"}); // all real numbers are float
  if (source.isReal() || (zero && zero->isReal()))
    op.fail("its input and zero point must be of whole numbers");
  if (zero && zero->count() != scale.count())
    op.fail("the zero point has shape {}, and the scale {}",
            toString(zero->shape), toString(scale.shape));

  // Of all elements, of each index of one dimension, or of each block of it.
  bool one = scale.count() == 1 && block == 0;
  int64_t axis = one ? 0 : op.axis(op.integer("axis", 1), rank);
  op.ignore({"axis"});
  std::vector<int64_t> expected = source.shape;
  if (block > 0)
    expected[size_t(axis)] = (expected[size_t(axis)] - 1) / block + 1;
  else if (!one)
    expected = {expected[size_t(axis)]};
  if (block < 0 || (!one && scale.shape != expected))
    op.fail("the scale ({}) has shape {}, and with axis {} and block_size {} "
            "it must have {}",
            quote(op.input(1)), toString(scale.shape), axis, block,
            toString(expected));
  int64_t inner = 1, size = one ? 1 : source.shape[size_t(axis)];
  for (int64_t i = axis + 1; i < rank; ++i)
    inner *= source.shape[size_t(i)];
  op.claim(source.count());
  std::vector<float> values(size_t(source.count()));
  for (int64_t i = 0; i < source.count(); ++i) {
    int64_t index = i / inner % size, place = 0;
    if (block > 0)
      place = (i / inner / size * ((size - 1) / block + 1) + index / block) *
                  inner +
              i % inner;
    else if (!one)
      place = index;
    Size whole = (*source.sizes)[size_t(i)];
    Size offset = zero ? (*zero->sizes)[size_t(place)] : Size{};
    if (whole.batch || offset.batch)
      op.fail("its input depends on the batch");
    values[size_t(i)] = float((double(whole.value) - double(offset.value)) *
                              (*scale.reals)[size_t(place)]);
  }
  op.set(0, Constant::of(source.shape, std::move(values)));
}

//===----------------------------------------------------------------------===//
// Products of matrices
//===----------------------------------------------------------------------===//

/// Work counts too, not elements alone: a file of megabytes could ask for days.
static void claimProduct(Operation &op, const std::vector<int64_t> &shape,
                         int64_t inner) {
  constexpr int64_t workOfElement = 1024;
  int64_t count = claimElements(op, shape);
  auto work = multiply(count, inner);
  if (!work)
    op.fail("its result {} takes too long to compute", toString(shape));
  op.claim(*work / workOfElement);
}

void importer::foldMatMul(Operation &op) {
  const Constant &left = realOperand(op, 0), &right = realOperand(op, 1);
  std::vector<int64_t> a = left.shape, b = right.shape;
  bool row = a.size() == 1, column = b.size() == 1;
  if (row)
    a.insert(a.begin(), 1);
  if (column)
    b.push_back(1);
  if (a.size() < 2 || b.size() < 2 || a.back() != b[b.size() - 2])
    op.fail("it multiplies {} and {}", toString(left.shape),
            toString(right.shape));
  int64_t rows = a[a.size() - 2], inner = a.back(), columns = b.back();
  a.resize(a.size() - 2);
  b.resize(b.size() - 2);
  std::vector<int64_t> outer = broadcast(op, a, b), shape = outer;
  BroadcastIndex fromA(a, outer), fromB(b, outer);
  if (!row)
    shape.push_back(rows);
  if (!column)
    shape.push_back(columns);
  claimProduct(op, shape, inner);
  std::vector<float> values;
  int64_t matrices = elementCount(outer).value_or(0);
  for (int64_t m = 0; m < matrices; ++m)
    for (int64_t i = 0; i < rows; ++i)
      for (int64_t j = 0; j < columns; ++j) {
        double sum = 0;
        int64_t atA = (int64_t(fromA(m)) * rows + i) * inner;
        int64_t atB = int64_t(fromB(m)) * inner * columns + j;
        for (int64_t k = 0; k < inner; ++k)
          sum += double((*left.reals)[size_t(atA + k)]) *
                 (*right.reals)[size_t(atB + k * columns)];
        values.push_back(float(sum));
      }
  op.set(0, Constant::of(std::move(shape), std::move(values)));
}

void importer::foldGemm(Operation &op) {
  const Constant &left = realOperand(op, 0), &right = realOperand(op, 1);
  bool transA = op.integer("transA", 0) != 0;
  bool transB = op.integer("transB", 0) != 0;
  double alpha = op.real("alpha", 1), beta = op.real("beta", 1);
  const std::vector<int64_t> &a = left.shape, &b = right.shape;
  if (a.size() != 2 || b.size() != 2 || a[transA ? 0 : 1] != b[transB ? 1 : 0])
    op.fail("it multiplies {} and {}", toString(a), toString(b));
  int64_t rows = a[transA ? 1 : 0], inner = a[transA ? 0 : 1];
  int64_t columns = b[transB ? 0 : 1];
  std::vector<int64_t> shape = {rows, columns};
  claimProduct(op, shape, inner);
  const Constant *bias = op.present(2) ? &realOperand(op, 2) : nullptr;
  if (bias && broadcast(op, bias->shape, shape) != shape)
    op.fail("it adds {} to {}", toString(bias->shape), toString(shape));
  BroadcastIndex fromBias(bias ? bias->shape : std::vector<int64_t>(), shape);
  std::vector<float> values;
  for (int64_t i = 0; i < rows; ++i)
    for (int64_t j = 0; j < columns; ++j) {
      double sum = 0;
      for (int64_t k = 0; k < inner; ++k)
        sum +=
            double(
                (*left.reals)[size_t(transA ? k * rows + i : i * inner + k)]) *
            (*right.reals)[size_t(transB ? j * inner + k : k * columns + j)];
      sum *= alpha;
      if (bias)
        sum += beta * (*bias->reals)[fromBias(i * columns + j)];
      values.push_back(float(sum));
    }
  op.set(0, Constant::of(std::move(shape), std::move(values)));
}

//===----------------------------------------------------------------------===//
// Weight standardisation as a batch norm of the weights
//===----------------------------------------------------------------------===//

void importer::foldBatchNormalization(Operation &op) {
  const Constant &source = realOperand(op, 0);
  double epsilon = op.real("epsilon", 1e-5f);
  op.ignore({"momentum"}); // of the other outputs
  bool training = op.integer("training_mode", 0) != 0;
  if (source.shape.size() < 2)
    op.fail("its input has shape {}, without channels", toString(source.shape));
  size_t channels = size_t(source.shape[1]);
  const Constant *vectors[4]; // scale, offset, mean, variance
  for (int i = 0; i < 4; ++i) {
    vectors[i] = &op.reals(i + 1, "its parameters");
    if (vectors[i]->shape != std::vector<int64_t>{source.shape[1]})
      op.fail("its parameters ({}) have shape {}; they must have one value for "
              "each of the {} channels",
              quote(op.input(i + 1)), toString(vectors[i]->shape), channels);
  }
  op.claim(source.count() + 2 * source.shape[1]);
  std::vector<double> mean(vectors[2]->reals->begin(),
                           vectors[2]->reals->end());
  std::vector<double> variance(vectors[3]->reals->begin(),
                               vectors[3]->reals->end());
  size_t inner = 1;
  for (size_t i = 2; i < source.shape.size(); ++i)
    inner *= size_t(source.shape[i]);
  const std::vector<float> &values = *source.reals;
  auto channel = [&](size_t i) { return i / inner % channels; };
  if (training && !values.empty()) {
    double count = double(values.size() / channels);
    mean.assign(channels, 0);
    variance.assign(channels, 0);
    for (size_t i = 0; i < values.size(); ++i)
      mean[channel(i)] += values[i] / count;
    for (size_t i = 0; i < values.size(); ++i) {
      double difference = values[i] - mean[channel(i)];
      variance[channel(i)] += difference * difference / count;
    }
  }
  std::vector<float> result(values.size());
  for (size_t i = 0; i < values.size(); ++i) {
    size_t c = channel(i);
    result[i] = float((values[i] - mean[c]) / std::sqrt(variance[c] + epsilon) *
                          (*vectors[0]->reals)[c] +
                      (*vectors[1]->reals)[c]);
  }
  op.set(0, Constant::of(source.shape, std::move(result)));
}

//===----------------------------------------------------------------------===//
// More elements
//===----------------------------------------------------------------------===//

/// A constant of `shape` whose element at `index` is `source`'s at
/// place(dimension, index) in each dimension, or `value` where one is negative.
template <typename Values, typename Place>
static Values spread(const Values &source, const std::vector<int64_t> &from,
                     const std::vector<int64_t> &shape, int64_t count,
                     typename Values::value_type value, Place place) {
  Values result(static_cast<size_t>(count), value);
  for (int64_t i = 0; i < count; ++i) {
    int64_t element = 0, stride = 1, rest = i;
    for (size_t d = shape.size(); d-- > 0 && element >= 0;) {
      int64_t index = place(d, rest % shape[d]);
      element = index < 0 ? -1 : element + index * stride;
      rest /= shape[d];
      stride *= from[d];
    }
    if (element >= 0)
      result[size_t(i)] = source[size_t(element)];
  }
  return result;
}

void importer::foldPad(Operation &op) {
  const Constant &source = op.constant(0, "its input");
  std::string mode = op.text("mode", "constant");
  if (mode != "constant")
    op.fail("its mode is {}; only constant is supported", quote(mode));
  auto pads = op.wholesOf("pads", 1, "the pads");
  double value = op.scalar(2, "the value", op.real("value", 0));
  int64_t rank = int64_t(source.shape.size());
  std::vector<int64_t> axes;
  if (op.present(3))
    axes = op.wholes(3, "the axes");
  else
    for (int64_t i = 0; i < rank; ++i)
      axes.push_back(i);
  if (!pads || pads->size() != 2 * axes.size())
    op.fail("its pads must be two for each dimension");
  std::vector<int64_t> before(source.shape.size()), shape = source.shape;
  for (size_t i = 0; i < axes.size(); ++i) {
    size_t d = size_t(op.axis(axes[i], rank));
    int64_t front = (*pads)[i], back = (*pads)[i + axes.size()];
    if (std::abs(double(front)) > double(root::maxElements) ||
        std::abs(double(back)) > double(root::maxElements) ||
        shape[d] > INT64_MAX / 4 || shape[d] + front + back < 0)
      op.fail("it pads dimension {} of {} by {} and {}", d,
              toString(source.shape), front, back);
    before[d] = front;
    shape[d] += front + back;
  }
  int64_t count = claimElements(op, shape);
  auto place = [&](size_t d, int64_t index) {
    int64_t at = index - before[d];
    return at < source.shape[d] ? at : -1;
  };
  if (source.isReal())
    op.set(0, Constant::of(shape, spread(*source.reals, source.shape, shape,
                                         count, float(value), place)));
  else
    op.set(0, Constant::of(shape,
                           spread(*source.sizes, source.shape, shape, count,
                                  Size{int64_t(value)}, place),
                           source.wholeType));
}

void importer::foldTile(Operation &op) {
  const Constant &source = op.constant(0, "its input");
  std::vector<int64_t> repeats = op.wholes(1, "the repeats");
  if (repeats.size() != source.shape.size())
    op.fail("its repeats must be one for each of the {} dimensions",
            source.shape.size());
  std::vector<int64_t> shape;
  for (size_t d = 0; d < repeats.size(); ++d) {
    auto size = multiply(source.shape[d], repeats[d]);
    if (!size)
      op.fail("it repeats {} {} times", toString(source.shape), repeats[d]);
    shape.push_back(*size);
  }
  int64_t count = claimElements(op, shape);
  auto place = [&](size_t d, int64_t index) { return index % source.shape[d]; };
  if (source.isReal())
    op.set(0, Constant::of(shape, spread(*source.reals, source.shape, shape,
                                         count, 0.f, place)));
  else
    op.set(0, Constant::of(
                  shape,
                  spread(*source.sizes, source.shape, shape, count, {}, place),
                  source.wholeType));
}
