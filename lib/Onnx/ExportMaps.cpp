//===- ExportMaps.cpp - Pools and other sizes of maps as ONNX nodes
//--------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lib/Onnx/LayerExporter.h"

#include <cmath>

using namespace mlir;
using namespace rootc;
using namespace rootc::root;

Names LayerExporter::emit(ResizeOp op) {
  MapShape shape = shapeOf(op.getInput());
  // The batch is a factor of one, so sizes cannot be given: they are factors.
  std::vector<float> factors = {1, 1};
  const int64_t from[] = {shape.height, shape.width};
  for (int d : {0, 1})
    factors.push_back(factorOf(from[d], op.getSize()[d]));
  std::string scales = graph.constant(label + ".factors", 4, factors);
  NodeAttributes node =
      mapNode("Resize", op.getResult(), {mapOf(op.getInput()), "", scales});
  node.text("mode", op.getMode() == "nearest" ? "nearest" : "linear")
      .text("coordinate_transformation_mode", op.getCoordinates());
  if (op.getMode() == "nearest")
    node.text("nearest_mode", op.getRound());
  return asMap(node.output());
}

FailureOr<Names> LayerExporter::emit(AdaptiveAveragePoolOp op) {
  MapShape shape = shapeOf(op.getInput());
  ArrayRef<int64_t> size = op.getSize();
  if (shape.height % size[0] != 0 || shape.width % size[1] != 0)
    return op.emitError("has no form in an ONNX file where its size does not "
                        "divide the map, ")
           << shape.height << "x" << shape.width
           << "; choose a divisor, or another --image";
  const int64_t window[] = {shape.height / size[0], shape.width / size[1]};
  return asMap(mapNode("AveragePool", op.getResult(), mapOf(op.getInput()))
                   .integers("kernel_shape", window)
                   .integers("strides", window)
                   .output());
}

Names LayerExporter::emit(ChannelMeanOp op) {
  return overChannels("ReduceMean", op);
}

Names LayerExporter::emit(ChannelMaxOp op) {
  return overChannels("ReduceMax", op);
}

Names LayerExporter::overChannels(StringRef type, Operation *op) {
  return asMap(mapNode(type, op->getResult(0), mapOf(op->getOperand(0)))
                   .integers("axes", {1})
                   .integer("keepdims", 1)
                   .output());
}

Names LayerExporter::emit(MaxPoolOp op) {
  return asMap(mapNode("MaxPool", op.getResult(), mapOf(op.getInput()))
                   .integers("kernel_shape", op.getKernel())
                   .integers("strides", op.getStride())
                   .integers("pads", reach(op))
                   .output());
}

/// Padding that counts but is not in the pads is added by a node of its own;
/// what the pool pads then never counts.
Names LayerExporter::emit(AveragePoolOp op) {
  ArrayRef<int64_t> pad = op.getPad();
  std::array<int64_t, 4> pads = reach(op);
  std::string input = mapOf(op.getInput());
  bool counts = !op.getExcludePad() &&
                llvm::any_of(pad, [](int64_t size) { return size > 0; });
  if (counts && ArrayRef<int64_t>(pads) != pad) {
    std::string amounts = graph.constant(
        label + ".pads", {0, 0, pad[0], pad[1], 0, 0, pad[2], pad[3]});
    OnnxShape shape = mapShape(op.getInput());
    shape[1] += pad[0] + pad[2];
    shape[2] += pad[1] + pad[3];
    input = graph.node("Pad", label + ".pad", {input, amounts}, shape).output();
    pads = {0, 0, pads[2] - pad[2], pads[3] - pad[3]};
    counts = false;
  }
  return asMap(mapNode("AveragePool", op.getResult(), input)
                   .integers("kernel_shape", op.getKernel())
                   .integers("strides", op.getStride())
                   .integers("pads", pads)
                   .integer("count_include_pad", counts)
                   .output());
}

Names LayerExporter::emit(GlobalAveragePoolOp op) {
  return asMap(
      mapNode("GlobalAveragePool", op.getResult(), mapOf(op.getInput()))
          .output());
}

std::string LayerExporter::padNode(StringRef name, const std::string &input,
                                   ArrayRef<int64_t> pad,
                                   const OnnxShape &shape, bool reflect) {
  std::string amounts = graph.constant(
      name.str() + ".pads", {0, 0, pad[0], pad[1], 0, 0, pad[2], pad[3]});
  return graph.node("Pad", name, {input, amounts}, shape)
      .text("mode", reflect ? "reflect" : "constant")
      .output();
}

/// A crop is a negative pad; a reflection comes behind it.
Names LayerExporter::emit(PadOp op) {
  std::string x = mapOf(op.getInput());
  OnnxShape shape = mapShape(op.getResult());
  SmallVector<int64_t> pad(op.getPad());
  if (!op.getReflect()) {
    for (auto [size, crop] : llvm::zip_equal(pad, op.getCrop()))
      size -= crop;
    return asMap(padNode(label, x, pad, shape, /*reflect=*/false));
  }
  if (llvm::any_of(op.getCrop(), [](int64_t size) { return size > 0; })) {
    SmallVector<int64_t> crop;
    for (int64_t size : op.getCrop())
      crop.push_back(-size);
    OnnxShape cropped = {shape[0], shape[1] - pad[0] - pad[2],
                         shape[2] - pad[1] - pad[3]};
    x = padNode(label + ".crop", x, crop, cropped, /*reflect=*/false);
  }
  return asMap(padNode(label, x, pad, shape, /*reflect=*/true));
}

/// The operator has but one order of channels.
Names LayerExporter::emit(SpaceToDepthOp op) {
  std::string x = mapOf(op.getInput());
  int64_t block = op.getBlock();
  if (!op.getCrd())
    return asMap(mapNode("SpaceToDepth", op.getResult(), x)
                     .integer("blocksize", block)
                     .output());
  MapShape in = shapeOf(op.getInput()), out = shapeOf(op.getResult());
  // A size of 0 is the input's: the batch.
  std::string apart =
      graph.constant(label + ".blocks.shape",
                     {0, in.channels, out.height, block, out.width, block});
  std::string together = graph.constant(
      label + ".shape", {0, out.channels, out.height, out.width});
  std::string blocks =
      graph
          .node("Reshape", label + ".blocks", {x, apart},
                {in.channels, out.height, block, out.width, block})
          .output();
  std::string transposed =
      graph
          .node("Transpose", label + ".transposed", {blocks},
                {in.channels, block, block, out.height, out.width})
          .integers("perm", {0, 1, 3, 5, 2, 4})
          .output();
  return asMap(
      mapNode("Reshape", op.getResult(), {transposed, together}).output());
}

Names LayerExporter::emit(DepthToSpaceOp op) {
  return asMap(mapNode("DepthToSpace", op.getResult(), mapOf(op.getInput()))
                   .integer("blocksize", op.getBlock())
                   .text("mode", op.getCrd() ? "CRD" : "DCR")
                   .output());
}
