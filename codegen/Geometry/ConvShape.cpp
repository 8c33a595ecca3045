//===- ConvShape.cpp - The sizes of a convolution -------------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/Geometry/ConvShape.h"

#include <algorithm>
#include <stdexcept>

namespace rootc::codegen {

static int64_t outSize(int64_t in, int64_t padding, int64_t kernel,
                       int64_t dilation, int64_t stride) {
  return (in + padding - ((kernel - 1) * dilation + 1)) / stride + 1;
}

int64_t ConvShape::outHeight() const {
  return outSize(inHeight, pad[0] + pad[2], kernel[0], dilation[0], stride[0]);
}

int64_t ConvShape::outWidth() const {
  return outSize(inWidth, pad[1] + pad[3], kernel[1], dilation[1], stride[1]);
}

template <typename T>
static const T &attribute(const AttributeMap &attributes, const char *key) {
  auto it = attributes.find(key);
  if (it == attributes.end() || !std::holds_alternative<T>(it->second))
    throw std::invalid_argument(
        std::string("convolution: attribute missing or of another type: ") +
        key);
  return std::get<T>(it->second);
}

template <size_t Count>
static std::array<int64_t, Count> arrayAttribute(const AttributeMap &attributes,
                                                 const char *key) {
  const auto &values = attribute<std::vector<int64_t>>(attributes, key);
  if (values.size() != Count)
    throw std::invalid_argument(
        std::string("convolution: attribute of another length: ") + key);
  std::array<int64_t, Count> result{};
  std::copy(values.begin(), values.end(), result.begin());
  return result;
}

ConvShape convShape(const AttributeMap &attributes, int64_t inChannels) {
  ConvShape shape;
  auto input = arrayAttribute<2>(attributes, "input");
  shape.inHeight = input[0];
  shape.inWidth = input[1];
  shape.inChannels = inChannels;
  shape.outChannels = attribute<int64_t>(attributes, "filters");
  shape.groups = attribute<int64_t>(attributes, "groups");
  shape.kernel = arrayAttribute<2>(attributes, "kernel");
  shape.stride = arrayAttribute<2>(attributes, "stride");
  shape.pad = arrayAttribute<4>(attributes, "pad");
  shape.dilation = arrayAttribute<2>(attributes, "dilation");
  auto order = [&](const char *key, int64_t channels) {
    int64_t order =
        attributes.count(key) ? attribute<int64_t>(attributes, key) : 1;
    if (order < 1 || channels % order != 0 ||
        (shape.groups > 1 && order != 1 && order != shape.groups))
      throw std::invalid_argument(
          "convolution: no order of its channels: " + std::string(key) + " = " +
          std::to_string(order));
    return order;
  };
  shape.inOrder = order("in_order", inChannels);
  shape.outOrder = order("out_order", shape.outChannels);
  if (shape.groups > 1 && shape.inOrder != shape.outOrder)
    throw std::invalid_argument("convolution: groups in two channel orders");
  if (attributes.count("winograd"))
    shape.winograd = attribute<int64_t>(attributes, "winograd");
  shape.pairs = attributes.count("pairs") != 0;
  if (attributes.count("chunks")) {
    shape.chunks = attribute<int64_t>(attributes, "chunks");
    if (shape.chunks < 1)
      throw std::invalid_argument("convolution: chunks below 1");
  }
  // Steps that are never made may be of any size.
  for (int d = 0; d < 2; ++d) {
    if (shape.kernel[d] < 1 || shape.stride[d] < 1 || shape.dilation[d] < 1)
      throw std::invalid_argument(
          "convolution: kernel, stride or dilation below 1");
    if (shape.kernel[d] == 1)
      shape.dilation[d] = 1;
    int64_t rest = input[d] + shape.pad[d] + shape.pad[d + 2] -
                   ((shape.kernel[d] - 1) * shape.dilation[d] + 1);
    shape.stride[d] = std::clamp<int64_t>(rest + 1, 1, shape.stride[d]);
  }
  return shape;
}

} // namespace rootc::codegen
