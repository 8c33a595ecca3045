//===- KernelWork.cpp - What a kernel has to do ---------------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/KernelWork.h"
#include "codegen/Geometry/Gather.h"

namespace rootc::codegen {

int64_t bytesOf(ElementType element) {
  switch (element) {
  case ElementType::F32:
  case ElementType::I32:
    return 4;
  case ElementType::I64:
    return 8;
  case ElementType::BF16:
    return 2;
  case ElementType::U8:
    return 1;
  }
  return 0;
}

namespace {

bool isConvolution(const Op &op) {
  return op.name == "conv2d" || op.name == "conv2d_backward_data" ||
         op.name == "conv2d_backward_filter";
}

LinearBytes bytesOf(const TensorType &type) {
  int64_t bytes = bytesOf(type.element);
  bool perImage = false;
  for (int64_t size : type.shape)
    if (size == -1)
      perImage = true;
    else
      bytes *= size;
  return perImage ? LinearBytes{0, bytes} : LinearBytes{bytes, 0};
}

/// Rows or columns of its input that a convolution meets.
int64_t extentRead(const ConvShape &shape, int dimension) {
  int64_t in = dimension == 0 ? shape.inHeight : shape.inWidth;
  int64_t out = dimension == 0 ? shape.outHeight() : shape.outWidth();
  return std::min(
      in, out * std::min(shape.kernel[dimension], shape.stride[dimension]));
}

void add(LinearBytes &sum, LinearBytes bytes) {
  sum.fixed += bytes.fixed;
  sum.perImage += bytes.perImage;
}

} // namespace

LinearBytes readOf(const Kernel &kernel, size_t input) {
  LinearBytes all = bytesOf(kernel.inputs[input]), most;
  for (const Op &op : kernel.ops)
    for (size_t i = 0; i < op.operands.size(); ++i) {
      if (op.operands[i] != int64_t(input))
        continue;
      bool isMap =
          i == 0 && isConvolution(op) && op.name != "conv2d_backward_data";
      if (!isMap)
        return all;
      ConvShape shape = convShapeOf(kernel, op);
      int64_t pixels = shape.inHeight * shape.inWidth;
      int64_t read = extentRead(shape, 0) * extentRead(shape, 1);
      most.fixed = std::max(most.fixed, all.fixed / pixels * read);
      most.perImage = std::max(most.perImage, all.perImage / pixels * read);
    }
  return most;
}

KernelWork workOf(const Kernel &kernel) {
  KernelWork work;
  for (const Op &op : kernel.ops)
    if (isConvolution(op)) {
      ConvShape shape = convShapeOf(kernel, op);
      work.multiplyAdds += shape.outChannels * shape.kernel[0] *
                           shape.kernel[1] * shape.inPerGroup() *
                           shape.outHeight() * shape.outWidth();
    }
  for (size_t i = 0; i < kernel.inputs.size(); ++i)
    add(work.read, readOf(kernel, i));
  for (int64_t output : kernel.outputs)
    add(work.written, bytesOf(kernel.type(output)));
  return work;
}

} // namespace rootc::codegen
