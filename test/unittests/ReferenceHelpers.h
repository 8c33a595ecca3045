//===- ReferenceHelpers.h - Ops and operands for tests ----------*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_TEST_UNITTESTS_REFERENCEHELPERS_H
#define ROOTC_TEST_UNITTESTS_REFERENCEHELPERS_H

#include "lib/Reference/Reference.h"

#include <random>
#include <string>

namespace rootc::reference {

using Shape = std::vector<int64_t>;

inline codegen::Op makeOp(std::string name, codegen::AttributeMap attributes) {
  codegen::Op op;
  op.name = std::move(name);
  op.attributes = std::move(attributes);
  return op;
}

/// One op on values, single result.
inline Tensor apply(const std::string &name,
                    const codegen::AttributeMap &attributes,
                    const std::vector<Tensor> &operands) {
  return evaluate(makeOp(name, attributes), operands).at(0);
}

inline Tensor randomTensor(Shape shape, uint32_t seed) {
  Tensor tensor({codegen::ElementType::F32, std::move(shape)});
  std::mt19937 generator(seed);
  std::normal_distribution<double> normal;
  for (double &value : tensor.reals)
    value = normal(generator);
  return tensor;
}

/// A convolution's geometry, and its ops on plain filters.
struct ConvCase {
  int64_t batch, height, width, channels, filters;
  Shape kernel{3, 3}, stride{1, 1}, pad{0, 0, 0, 0}, dilation{1, 1};
  int64_t groups = 1, block = 4, inOrder = 1, outOrder = 1;

  codegen::AttributeMap attributes() const {
    return {{"kernel", kernel},    {"stride", stride},
            {"pad", pad},          {"dilation", dilation},
            {"groups", groups},    {"filters", filters},
            {"block", block},      {"input", Shape{height, width}},
            {"in_order", inOrder}, {"out_order", outOrder}};
  }
  Shape inputShape() const { return {batch, height, width, channels}; }
  Shape filterShape() const {
    return {filters, kernel[0], kernel[1], channels / groups};
  }
  Tensor pack(const Tensor &filter, const std::string &direction) const {
    auto with = attributes();
    with["direction"] = direction;
    return apply("pack_filter", with, {filter});
  }
  Tensor forward(const Tensor &x, const Tensor &filter) const {
    return apply("conv2d", attributes(), {x, pack(filter, "forward")});
  }
  Tensor backwardData(const Tensor &dy, const Tensor &filter) const {
    codegen::Op op = makeOp("conv2d_backward_data", attributes());
    op.results = {{codegen::ElementType::F32, {-1, height, width, channels}}};
    return evaluate(op, {dy, pack(filter, "backward_data")}).at(0);
  }
  Tensor backwardFilter(const Tensor &x, const Tensor &dy) const {
    return apply("conv2d_backward_filter", attributes(), {x, dy});
  }
};

} // namespace rootc::reference

#endif // ROOTC_TEST_UNITTESTS_REFERENCEHELPERS_H
