//===- Convolution.cpp - Grouped convolution, both ways ---------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lib/Reference/Convolution.h"
#include "codegen/Geometry/ConvShape.h"

namespace rootc::reference {

using codegen::ElementType;
using codegen::Op;

namespace {

/// The part of a filter, packed along O, that group `g` of `groups` uses.
Tensor sliceFilter(const Tensor &filter, int64_t g, int64_t groups) {
  auto shape = filter.shape();
  shape[0] /= groups;
  Tensor slice({ElementType::F32, shape});
  auto begin = filter.reals.begin() + g * slice.size();
  slice.reals.assign(begin, begin + slice.size());
  return slice;
}

Tensor group(const Tensor &tensor, int64_t g, int64_t groups) {
  int64_t width = tensor.shape().back() / groups;
  return sliceChannels(tensor, g * width, (g + 1) * width);
}

/// The map whose channel at position p is that of `x` at channelAt(p).
template <typename ChannelAt>
Tensor reorder(const Tensor &x, ChannelAt channelAt) {
  Tensor y(x.type);
  int64_t channels = x.shape().back();
  for (int64_t i = 0; i < x.size(); ++i)
    y.reals[i] =
        x.reals[i / channels * channels + channelAt(i % channels, channels)];
  return y;
}

Tensor toStandard(const Tensor &x, int64_t order) {
  return reorder(x, [&](int64_t channel, int64_t channels) {
    return codegen::standardChannel(channel, channels, channels / order);
  });
}

Tensor fromStandard(const Tensor &x, int64_t order) {
  return reorder(x, [&](int64_t position, int64_t channels) {
    return codegen::standardChannel(position, channels, order);
  });
}

/// Calls visit(n, oy, ox, ky, kx, iy, ix) wherever a tap meets the map.
template <typename Visit>
void forEachTap(const Geometry &geometry, int64_t batch, Visit visit) {
  for (int64_t n = 0; n < batch; ++n)
    for (int64_t oy = 0; oy < geometry.outputHeight; ++oy)
      for (int64_t ox = 0; ox < geometry.outputWidth; ++ox)
        for (int64_t ky = 0; ky < geometry.kernel[0]; ++ky) {
          int64_t iy = oy * geometry.stride[0] - geometry.pad[0] +
                       ky * geometry.dilation[0];
          if (iy < 0 || iy >= geometry.input[0])
            continue;
          for (int64_t kx = 0; kx < geometry.kernel[1]; ++kx) {
            int64_t ix = ox * geometry.stride[1] - geometry.pad[1] +
                         kx * geometry.dilation[1];
            if (ix >= 0 && ix < geometry.input[1])
              visit(n, oy, ox, ky, kx, iy, ix);
          }
        }
}

} // namespace

Geometry::Geometry(const Op &op)
    : kernel(integers(op, "kernel", 2)), stride(integers(op, "stride", 2)),
      pad(integers(op, "pad", 4)), dilation(integers(op, "dilation", 2)),
      input(integers(op, "input", 2)), groups(integer(op, "groups")),
      filters(integer(op, "filters")) {
  for (int i = 0; i < 2; ++i)
    if (kernel[i] < 1 || stride[i] < 1 || dilation[i] < 1 || input[i] < 1)
      fail(op, "kernel, stride, dilation and input must be positive");
  if (groups < 1 || filters < 1 || filters % groups)
    fail(op, "groups must divide filters");
  auto output = [&](int i) {
    int64_t room =
        input[i] + pad[i] + pad[i + 2] - dilation[i] * (kernel[i] - 1);
    if (room < 1)
      fail(op, "the kernel is larger than the padded map");
    return (room - 1) / stride[i] + 1;
  };
  outputHeight = output(0);
  outputWidth = output(1);
  auto order = [&](const char *key) {
    return op.attributes.count(key) ? integer(op, key) : 1;
  };
  inOrder = order("in_order");
  outOrder = order("out_order");
  if (inOrder < 1 || outOrder < 1 || filters % outOrder ||
      (groups > 1 &&
       (inOrder != outOrder || (inOrder != 1 && inOrder != groups))))
    fail(op, "channel orders do not fit");
}

Tensor convolve(const Tensor &x, const Tensor &filter,
                const Geometry &geometry) {
  if (geometry.groups > 1) {
    Geometry one = geometry.oneGroup();
    std::vector<Tensor> parts;
    for (int64_t g = 0; g < geometry.groups; ++g)
      parts.push_back(convolve(group(x, g, geometry.groups),
                               sliceFilter(filter, g, geometry.groups), one));
    return concatChannels(parts);
  }
  Tensor y({ElementType::F32,
            {x.dim(0), geometry.outputHeight, geometry.outputWidth,
             geometry.filters}});
  int64_t channels = x.dim(3);
  forEachTap(geometry, x.dim(0),
             [&](int64_t n, int64_t oy, int64_t ox, int64_t ky, int64_t kx,
                 int64_t iy, int64_t ix) {
               for (int64_t o = 0; o < geometry.filters; ++o) {
                 double sum = 0;
                 for (int64_t i = 0; i < channels; ++i)
                   sum += x.at(n, iy, ix, i) * filter.at(o, ky, kx, i);
                 y.at(n, oy, ox, o) += sum;
               }
             });
  return y;
}

Tensor convolveBackwardData(const Tensor &dy, const Tensor &filter,
                            const Geometry &geometry) {
  if (geometry.groups > 1) {
    Geometry one = geometry.oneGroup();
    std::vector<Tensor> parts;
    for (int64_t g = 0; g < geometry.groups; ++g)
      parts.push_back(
          convolveBackwardData(group(dy, g, geometry.groups),
                               sliceFilter(filter, g, geometry.groups), one));
    return concatChannels(parts);
  }
  int64_t channels = filter.dim(3);
  Tensor dx({ElementType::F32,
             {dy.dim(0), geometry.input[0], geometry.input[1], channels}});
  forEachTap(geometry, dy.dim(0),
             [&](int64_t n, int64_t oy, int64_t ox, int64_t ky, int64_t kx,
                 int64_t iy, int64_t ix) {
               for (int64_t o = 0; o < geometry.filters; ++o)
                 for (int64_t i = 0; i < channels; ++i)
                   dx.at(n, iy, ix, i) +=
                       dy.at(n, oy, ox, o) * filter.at(o, ky, kx, i);
             });
  return dx;
}

Tensor convolveBackwardFilter(const Tensor &x, const Tensor &dy,
                              const Geometry &geometry) {
  int64_t channels = x.dim(3) / geometry.groups;
  Tensor filter(
      {ElementType::F32,
       {geometry.filters, geometry.kernel[0], geometry.kernel[1], channels}});
  if (geometry.groups > 1) {
    Geometry one = geometry.oneGroup();
    auto end = filter.reals.begin();
    for (int64_t g = 0; g < geometry.groups; ++g) {
      Tensor part = convolveBackwardFilter(group(x, g, geometry.groups),
                                           group(dy, g, geometry.groups), one);
      end = std::copy(part.reals.begin(), part.reals.end(), end);
    }
    return filter;
  }
  forEachTap(geometry, x.dim(0),
             [&](int64_t n, int64_t oy, int64_t ox, int64_t ky, int64_t kx,
                 int64_t iy, int64_t ix) {
               for (int64_t o = 0; o < geometry.filters; ++o)
                 for (int64_t i = 0; i < channels; ++i)
                   filter.at(o, ky, kx, i) +=
                       dy.at(n, oy, ox, o) * x.at(n, iy, ix, i);
             });
  return filter;
}

namespace {

/// Checks an image operand against the convolution's geometry.
void expectImage(const Op &op, const Tensor &x, int64_t height, int64_t width,
                 int64_t groups, int64_t order) {
  expectRank(op, x, 4);
  expectShape(op, x, {x.dim(0), height, width, x.dim(3)});
  if (x.dim(3) % groups || x.dim(3) % order)
    fail(op, "groups and channel order must divide the channels");
}

Results packFilterOp(const Op &op, const Operands &operands) {
  expectCount(op, operands, 1, 1);
  Geometry geometry(op);
  expectRank(op, operands[0], 4);
  expectShape(op, operands[0],
              {geometry.filters, geometry.kernel[0], geometry.kernel[1],
               operands[0].dim(3)});
  return {packFilter(op, operands[0])};
}

Results conv2d(const Op &op, const Operands &operands) {
  expectCount(op, operands, 2, 3);
  Geometry geometry(op);
  const Tensor &x = operands[0];
  expectImage(op, x, geometry.input[0], geometry.input[1], geometry.groups,
              geometry.inOrder);
  Tensor y = fromStandard(convolve(toStandard(x, geometry.inOrder),
                                   unpackFilter(op, operands[1], "forward",
                                                x.dim(3) / geometry.groups),
                                   geometry),
                          geometry.outOrder);
  if (operands.size() == 3) {
    expectShape(op, operands[2], {geometry.filters});
    for (int64_t i = 0; i < y.size(); ++i)
      y.reals[i] += operands[2].reals[i % geometry.filters];
  }
  return {y};
}

Results conv2dBackwardData(const Op &op, const Operands &operands) {
  expectCount(op, operands, 2, 2);
  Geometry geometry(op);
  const Tensor &dy = operands[0];
  expectImage(op, dy, geometry.outputHeight, geometry.outputWidth,
              geometry.groups, geometry.outOrder);
  if (op.results.size() != 1 || op.results[0].shape.size() != 4)
    fail(op, "needs its result's type to know the input's channels");
  int64_t channels = op.results[0].shape[3];
  if (channels < 1 || channels % geometry.groups || channels % geometry.inOrder)
    fail(op, "groups and channel order must divide the channels");
  Tensor filter = unpackFilter(op, operands[1], "backward_data",
                               channels / geometry.groups);
  return {fromStandard(
      convolveBackwardData(toStandard(dy, geometry.outOrder), filter, geometry),
      geometry.inOrder)};
}

Results conv2dBackwardFilter(const Op &op, const Operands &operands) {
  expectCount(op, operands, 2, 2);
  Geometry geometry(op);
  expectImage(op, operands[0], geometry.input[0], geometry.input[1],
              geometry.groups, geometry.inOrder);
  expectRank(op, operands[1], 4);
  expectShape(op, operands[1],
              {operands[0].dim(0), geometry.outputHeight, geometry.outputWidth,
               geometry.filters});
  return {convolveBackwardFilter(toStandard(operands[0], geometry.inOrder),
                                 toStandard(operands[1], geometry.outOrder),
                                 geometry)};
}

} // namespace

void addConvolutions(FunctionTable &table) {
  table["pack_filter"] = packFilterOp;
  table["conv2d"] = conv2d;
  table["conv2d_backward_data"] = conv2dBackwardData;
  table["conv2d_backward_filter"] = conv2dBackwardFilter;
}

} // namespace rootc::reference
