//===- ConvolutionCases.h - Kernels around one convolution ------*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Kernel descriptions as the passes make them, for the tests and benchmarks of
// the convolution kernels.
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_TEST_BENCH_CONVOLUTIONCASES_H
#define ROOTC_TEST_BENCH_CONVOLUTIONCASES_H

#include "codegen/Schedules/Backend.h"
#include "codegen/Schedules/RegisterTile.h"
#include "lib/Reference/Reference.h"

#include <algorithm>

namespace rootc::test {

enum class ConvKind {
  Forward,
  ForwardRelu,
  BackwardData,
  BackwardFilter,
  Pack,
  PackBackward
};

/// Forward takes x, packed, bias; ForwardRelu adds a residual and a ReLU.
/// `block` 0: the target's choice.
inline codegen::Kernel convKernel(ConvKind kind, const codegen::ConvShape &s,
                                  const codegen::TargetInfo &target,
                                  int64_t block = 0) {
  using namespace codegen;
  auto image = [](int64_t h, int64_t w, int64_t c) {
    return TensorType{ElementType::F32, {-1, h, w, c}};
  };
  TensorType x = image(s.inHeight, s.inWidth, s.inChannels);
  TensorType y = image(s.outHeight(), s.outWidth(), s.outChannels);
  TensorType filter{ElementType::F32,
                    {s.outChannels, s.kernel[0], s.kernel[1], s.inPerGroup()}};
  TensorType bias{ElementType::F32, {s.outChannels}};
  Op op;
  op.attributes["kernel"] = std::vector<int64_t>{s.kernel[0], s.kernel[1]};
  op.attributes["stride"] = std::vector<int64_t>{s.stride[0], s.stride[1]};
  op.attributes["pad"] =
      std::vector<int64_t>{s.pad[0], s.pad[1], s.pad[2], s.pad[3]};
  op.attributes["dilation"] =
      std::vector<int64_t>{s.dilation[0], s.dilation[1]};
  op.attributes["input"] = std::vector<int64_t>{s.inHeight, s.inWidth};
  op.attributes["groups"] = s.groups;
  op.attributes["filters"] = s.outChannels;
  if (s.inOrder != 1)
    op.attributes["in_order"] = s.inOrder;
  if (s.outOrder != 1)
    op.attributes["out_order"] = s.outOrder;
  bool backward =
      kind == ConvKind::BackwardData || kind == ConvKind::PackBackward;
  FilterLayout layout = block ? filterLayout(s, backward, block)
                              : filterLayout(s, backward, target);
  TensorType packed{ElementType::F32, layout.shape()};
  if (kind != ConvKind::BackwardFilter)
    op.attributes["block"] = layout.block;
  if (s.pairs)
    op.attributes["pairs"] = int64_t(1);
  if (int64_t chunks = backendOf(target).gradientChunks(s);
      chunks && kind == ConvKind::BackwardFilter)
    op.attributes["chunks"] = chunks;
  if (s.winograd && kind != ConvKind::BackwardFilter)
    op.attributes["winograd"] = s.winograd;

  Kernel kernel;
  kernel.name = "kernel";
  switch (kind) {
  case ConvKind::Forward:
  case ConvKind::ForwardRelu:
    op.name = "conv2d";
    kernel.inputs = {x, packed, bias};
    op.operands = {0, 1, 2};
    op.results = {y};
    break;
  case ConvKind::BackwardData:
    op.name = "conv2d_backward_data";
    kernel.inputs = {y, packed};
    op.operands = {0, 1};
    op.results = {x};
    break;
  case ConvKind::BackwardFilter:
    op.name = "conv2d_backward_filter";
    kernel.inputs = {x, y};
    op.operands = {0, 1};
    op.results = {filter};
    break;
  case ConvKind::Pack:
  case ConvKind::PackBackward:
    op.name = "pack_filter";
    op.attributes["direction"] =
        std::string(backward ? "backward_data" : "forward");
    kernel.inputs = {filter};
    op.operands = {0};
    op.results = {packed};
    break;
  }
  if (kind == ConvKind::ForwardRelu)
    kernel.inputs.push_back(y);
  int64_t value = static_cast<int64_t>(kernel.inputs.size());
  kernel.ops.push_back(op);
  if (kind == ConvKind::ForwardRelu) {
    kernel.ops.push_back({"add", {value, 3}, {}, {y}});
    kernel.ops.push_back({"relu", {value + 1}, {}, {y}});
    value += 2;
  }
  kernel.outputs = {value};
  kernel.schedule = chooseSchedule(kernel, target);
  return kernel;
}

/// Values of a filter that is transformed for Winograd's convolution, if the
/// op reads one: not any values are.
inline reference::Tensor transformedFilter(const codegen::Op &op,
                                           const reference::Tensor &any) {
  if (!op.attributes.count("winograd"))
    return any;
  bool backward = op.name == "conv2d_backward_data";
  auto kernel = std::get<std::vector<int64_t>>(op.attributes.at("kernel"));
  auto groups = std::get<int64_t>(op.attributes.at("groups")),
       filters = std::get<int64_t>(op.attributes.at("filters"));
  codegen::Op pack = op;
  pack.name = "pack_filter";
  pack.attributes["direction"] =
      std::string(backward ? "backward_data" : "forward");
  pack.results = {any.type};
  int64_t ins = backward ? op.results[0].shape[3] / groups : any.dim(3);
  reference::Tensor filter(
      {codegen::ElementType::F32, {filters, kernel[0], kernel[1], ins}});
  std::copy_n(any.reals.begin(), filter.size(), filter.reals.begin());
  return reference::evaluate(pack, {filter})[0];
}

} // namespace rootc::test

#endif // ROOTC_TEST_BENCH_CONVOLUTIONCASES_H
