//===- Folding.cpp - Constants, their shapes and their pieces -------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lib/Onnx/Import/Importer.h"

#include <algorithm>
#include <cmath>

using namespace rootc;
using namespace rootc::importer;

//===----------------------------------------------------------------------===//
// Elements
//===----------------------------------------------------------------------===//

static bool checkRank(Operation &op, const std::vector<int64_t> &shape) {
  if (shape.size() > size_t(highestRank))
    op.fail("its result has {} dimensions, more than {}", shape.size(),
            highestRank);
  return true;
}

/// A constant of another shape whose element i is element from(i).
template <typename From>
static Constant gather(Operation &op, const Constant &source,
                       std::vector<int64_t> shape, From from) {
  checkRank(op, shape);
  std::optional<int64_t> count = elementCount(shape);
  if (!count)
    op.fail("its result {} is too large", toString(shape));
  op.claim(*count);
  auto pick = [&](const auto &values) {
    std::decay_t<decltype(values)> result(size_t(*count), values[0]);
    for (int64_t i = 0; i < *count; ++i)
      result[size_t(i)] = values[size_t(from(i))];
    return result;
  };
  if (*count == 0)
    return source.isReal()
               ? Constant::of(std::move(shape), std::vector<float>())
               : Constant::of(std::move(shape), std::vector<Size>(),
                              source.wholeType);
  if (source.isReal())
    return Constant::of(std::move(shape), pick(*source.reals));
  return Constant::of(std::move(shape), pick(*source.sizes), source.wholeType);
}

static const Constant &operand(Operation &op, int i = 0) {
  return op.constant(i, "its input");
}

static Constant withShape(Operation &op, const Constant &source,
                          std::vector<int64_t> shape) {
  checkRank(op, shape);
  if (elementCount(shape) != source.count())
    op.fail("it makes {} of {}", toString(shape), toString(source.shape));
  Constant result = source;
  result.shape = std::move(shape);
  return result;
}

/// The elements before, of, and behind dimension `axis`.
struct Extents {
  int64_t outer = 1, size = 1, inner = 1;
  Extents(const std::vector<int64_t> &shape, int64_t axis)
      : size(shape[size_t(axis)]) {
    for (int64_t i = 0; i < int64_t(shape.size()); ++i)
      if (i != axis)
        (i < axis ? outer : inner) *= shape[size_t(i)];
  }
};

//===----------------------------------------------------------------------===//
// New constants
//===----------------------------------------------------------------------===//

void importer::foldConstant(Operation &op) {
  if (op.has("value")) {
    const auto *value = op.attribute("value");
    if (!value->has_t())
      op.fail("the attribute 'value' holds no tensor");
    op.set(0, op.importer.file.decode(value->t()));
  } else if (op.has("value_int")) {
    op.set(0,
           Constant::of({}, std::vector<Size>{{op.integer("value_int", 0)}}));
  } else if (op.has("value_float")) {
    op.set(0, Constant::of(
                  {}, std::vector<float>{float(op.real("value_float", 0))}));
  } else if (op.has("value_ints")) {
    std::vector<Size> sizes;
    for (int64_t value : op.integers("value_ints"))
      sizes.push_back({value});
    int64_t count = int64_t(sizes.size());
    op.set(0, Constant::of({count}, std::move(sizes)));
  } else if (op.has("value_floats")) {
    const auto &values = op.attribute("value_floats")->floats();
    op.set(0, Constant::of({int64_t(values.size())},
                           std::vector<float>(values.begin(), values.end())));
  } else {
    op.fail("it holds no tensor of numbers");
  }
}

void importer::foldConstantOfShape(Operation &op) {
  std::vector<int64_t> shape = op.wholes(0, "the shape");
  Constant value = Constant::of({1}, std::vector<float>{0});
  if (const auto *attribute = op.attribute("value")) {
    if (!attribute->has_t())
      op.fail("the attribute 'value' holds no tensor");
    value = op.importer.file.decode(attribute->t());
  }
  if (value.count() != 1)
    op.fail("the attribute 'value' must be one number");
  if (value.isReal() && elementCount(shape) && checkRank(op, shape)) {
    Constant filled;
    filled.shape = std::move(shape);
    filled.fill = (*value.reals)[0];
    op.set(0, filled);
    return;
  }
  op.set(0, gather(op, value, shape, [](int64_t) { return 0; }));
}

void importer::foldRange(Operation &op) {
  const Constant &start = op.constant(0, "the start");
  const Constant &limit = op.constant(1, "the limit");
  if (!limit.isReal() && limit.count() == 1 &&
      (*limit.sizes)[0] == Size{1, true}) {
    if (op.scalar(0, "the start", 0) != 0 || op.scalar(2, "the step", 1) != 1)
      op.fail("up to the batch it must start at 0 and have the step 1");
    op.set(0,
           Constant::of({1}, std::vector<Size>{{0, true, 1}}, limit.wholeType));
    return;
  }
  double from = op.scalar(0, "the start", 0), to = op.scalar(1, "the limit", 0);
  double step = op.scalar(2, "the step", 1);
  if (step == 0 || !std::isfinite(from + to + step))
    op.fail("it counts from {} to {} by {}", from, to, step);
  double exact = std::max(0.0, std::ceil((to - from) / step));
  if (exact > double(root::maxElements))
    op.fail("it has {} elements", exact);
  auto count = int64_t(exact);
  op.claim(count);
  if (start.isReal()) {
    std::vector<float> values;
    for (int64_t i = 0; i < count; ++i)
      values.push_back(float(from + double(i) * step));
    op.set(0, Constant::of({count}, std::move(values)));
    return;
  }
  std::vector<Size> values;
  for (int64_t i = 0; i < count; ++i)
    values.push_back({int64_t(from) + i * int64_t(step)});
  op.set(0, Constant::of({count}, std::move(values), start.wholeType));
}

void importer::setShape(Operation &op, const std::vector<Size> &sizes) {
  int64_t rank = int64_t(sizes.size());
  // Out of range is clamped, as the standard has it.
  auto clamp = [&](int64_t index) {
    return std::clamp<int64_t>(index < -rank ? 0
                               : index < 0   ? index + rank
                                             : index,
                               0, rank);
  };
  int64_t start = clamp(op.integer("start", 0));
  int64_t end = std::max(clamp(op.integer("end", rank)), start);
  op.set(0,
         Constant::of({end - start}, std::vector<Size>(sizes.begin() + start,
                                                       sizes.begin() + end)));
}

void importer::foldShape(Operation &op) {
  std::vector<Size> sizes;
  for (int64_t size : operand(op).shape)
    sizes.push_back({size});
  setShape(op, sizes);
}

//===----------------------------------------------------------------------===//
// The same elements
//===----------------------------------------------------------------------===//

void importer::foldIdentity(Operation &op) {
  // Of Dropout.
  op.ignore({"seed", "ratio"});
  op.set(0, operand(op));
}

void importer::foldReshape(Operation &op) {
  const Constant &source = operand(op);
  bool keepZeros = op.integer("allowzero", 0) != 0;
  std::vector<int64_t> shape = op.wholes(1, "the new shape");
  int64_t known = 1, open = -1;
  for (size_t i = 0; i < shape.size(); ++i) {
    if (shape[i] == 0 && !keepZeros) {
      if (i >= source.shape.size())
        op.fail("it copies dimension {}, which {} does not have", i,
                toString(source.shape));
      shape[i] = source.shape[i];
    }
    if (shape[i] == -1 && open < 0) {
      open = int64_t(i);
      continue;
    }
    auto next = multiply(known, shape[i]);
    if (!next)
      op.fail("its new shape {} is negative or too large", toString(shape));
    known = *next;
  }
  if (open >= 0 && known > 0)
    shape[size_t(open)] = source.count() / known;
  op.set(0, withShape(op, source, std::move(shape)));
}

void importer::foldSqueeze(Operation &op) {
  const Constant &source = operand(op);
  auto axes = op.wholesOf("axes", 1, "the axes");
  int64_t rank = int64_t(source.shape.size());
  std::vector<bool> gone(source.shape.size());
  for (size_t i = 0; i < gone.size(); ++i)
    gone[i] = !axes && source.shape[i] == 1;
  for (int64_t axis : axes.value_or(std::vector<int64_t>()))
    gone[size_t(op.axis(axis, rank))] = true;
  std::vector<int64_t> shape;
  for (size_t i = 0; i < gone.size(); ++i)
    if (!gone[i])
      shape.push_back(source.shape[i]);
  op.set(0, withShape(op, source, std::move(shape)));
}

void importer::foldUnsqueeze(Operation &op) {
  const Constant &source = operand(op);
  auto axes = op.wholesOf("axes", 1, "the axes");
  if (!axes || axes->size() > size_t(highestRank))
    op.fail("its axes are missing, or too many");
  std::vector<int64_t> shape(source.shape.size() + axes->size());
  for (int64_t axis : *axes)
    shape[size_t(op.axis(axis, int64_t(shape.size())))] = 1;
  auto next = source.shape.begin();
  for (int64_t &size : shape) {
    if (size == 1)
      continue;
    if (next == source.shape.end())
      op.fail("its axes name a dimension twice");
    size = *next++;
  }
  if (next != source.shape.end())
    op.fail("its axes name a dimension twice");
  op.set(0, withShape(op, source, std::move(shape)));
}

//===----------------------------------------------------------------------===//
// Some elements, in another order
//===----------------------------------------------------------------------===//

void importer::foldTranspose(Operation &op) {
  const Constant &source = operand(op);
  size_t rank = source.shape.size();
  std::vector<int64_t> order = op.integers("perm");
  if (order.empty())
    for (size_t i = rank; i-- > 0;)
      order.push_back(int64_t(i));
  std::vector<int64_t> strides(rank), shape(rank), steps(rank);
  int64_t stride = 1;
  for (size_t i = rank; i-- > 0;) {
    strides[i] = stride;
    stride *= source.shape[i];
  }
  std::set<int64_t> seen(order.begin(), order.end());
  if (order.size() != rank || seen.size() != rank ||
      (rank && (*seen.begin() != 0 || *seen.rbegin() != int64_t(rank) - 1)))
    op.fail("its 'perm' must order the {} dimensions", rank);
  for (size_t i = 0; i < rank; ++i) {
    shape[i] = source.shape[size_t(order[i])];
    steps[i] = strides[size_t(order[i])];
  }
  op.set(0, gather(op, source, shape, [&](int64_t element) {
           int64_t from = 0;
           for (size_t i = rank; i-- > 0;) {
             from += element % shape[i] * steps[i];
             element /= shape[i];
           }
           return from;
         }));
}

void importer::foldConcat(Operation &op) {
  const Constant &first = operand(op);
  int64_t axis = op.axis(op.integer("axis", 1), int64_t(first.shape.size()));
  std::vector<int64_t> shape = first.shape;
  shape[size_t(axis)] = 0;
  for (int i = 0; i < op.inputs(); ++i) {
    const Constant &part = operand(op, i);
    std::vector<int64_t> others = part.shape;
    bool fits =
        others.size() == shape.size() && part.isReal() == first.isReal();
    if (fits) {
      others[size_t(axis)] = shape[size_t(axis)];
      fits = others == shape;
    }
    if (!fits || part.shape[size_t(axis)] > INT64_MAX - shape[size_t(axis)])
      op.fail("its inputs {} and {} do not fit together", toString(first.shape),
              toString(part.shape));
    shape[size_t(axis)] += part.shape[size_t(axis)];
  }
  std::optional<int64_t> count = elementCount(shape);
  if (!count)
    op.fail("its result {} is too large", toString(shape));
  op.claim(*count);
  auto join = [&](auto values, auto pointer) {
    values.reserve(size_t(*count));
    int64_t outer = Extents(shape, axis).outer;
    for (int64_t o = 0; *count && o < outer; ++o)
      for (int i = 0; i < op.inputs(); ++i) {
        const Constant &part = operand(op, i);
        const auto &from = *(part.*pointer);
        int64_t run = part.count() / outer;
        values.insert(values.end(), from.begin() + o * run,
                      from.begin() + (o + 1) * run);
      }
    return values;
  };
  if (first.isReal())
    op.set(0,
           Constant::of(shape, join(std::vector<float>(), &Constant::reals)));
  else
    op.set(0, Constant::of(shape, join(std::vector<Size>(), &Constant::sizes),
                           first.wholeType));
}

void importer::foldGather(Operation &op) {
  const Constant &source = operand(op);
  const Constant &indices = op.constant(1, "the indices");
  int64_t axis = op.axis(op.integer("axis", 0), int64_t(source.shape.size()));
  if (indices.isReal())
    op.fail("the indices are real numbers");
  Extents extents(source.shape, axis);
  std::vector<int64_t> picked;
  for (const Size &index : *indices.sizes) {
    if (index.batch || index.value < -extents.size ||
        index.value >= extents.size)
      op.fail("its index {} is not one of {}", index.value, extents.size);
    picked.push_back(index.value < 0 ? index.value + extents.size
                                     : index.value);
  }
  std::vector<int64_t> shape(source.shape.begin(), source.shape.begin() + axis);
  shape.insert(shape.end(), indices.shape.begin(), indices.shape.end());
  shape.insert(shape.end(), source.shape.begin() + axis + 1,
               source.shape.end());
  int64_t count = int64_t(picked.size());
  op.set(0, gather(op, source, shape, [&](int64_t i) {
           int64_t inner = i % extents.inner, rest = i / extents.inner;
           return (rest / count * extents.size + picked[size_t(rest % count)]) *
                      extents.inner +
                  inner;
         }));
}

/// Elements `from`, `from + step`, ... of dimension `axis`, `size` of them.
static Constant cut(Operation &op, const Constant &source, int64_t axis,
                    int64_t from, int64_t step, int64_t size) {
  Extents extents(source.shape, axis);
  std::vector<int64_t> shape = source.shape;
  shape[size_t(axis)] = size;
  return gather(op, source, shape, [&](int64_t element) {
    int64_t inner = element % extents.inner, rest = element / extents.inner;
    return (rest / size * extents.size + from + rest % size * step) *
               extents.inner +
           inner;
  });
}

void importer::foldSlice(Operation &op) {
  Constant source = operand(op);
  for (const Operation::Cut &one : op.cuts(int64_t(source.shape.size()))) {
    int64_t size = source.shape[size_t(one.axis)];
    Operation::Range range = op.range(one, size);
    if (range.step != 1 || range.count != size)
      source = cut(op, source, one.axis, range.from, range.step, range.count);
  }
  op.set(0, source);
}

void importer::foldSplit(Operation &op) {
  const Constant &source = operand(op);
  int64_t axis = op.axis(op.integer("axis", 0), int64_t(source.shape.size()));
  int64_t from = 0;
  int output = 0;
  for (int64_t size : op.parts(source.shape[size_t(axis)])) {
    op.set(output++, cut(op, source, axis, from, 1, size));
    from += size;
  }
}
