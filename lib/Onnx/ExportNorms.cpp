//===- ExportNorms.cpp - Normalisations as ONNX nodes
//----------------------===//
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

/// Not folded, so that what reads the file can train it on.
Names LayerExporter::emit(BatchNormOp op) {
  int64_t channels = shapeOf(op.getInput()).channels;
  std::vector<std::string> parameters;
  for (StringRef role : {"scale", "offset", "mean", "variance"})
    parameters.push_back(vector(role, channels));
  return sameRank("BatchNormalization", op.getResult(), op.getInput(),
                  parameters, [&](NodeAttributes node) {
                    // ONNX's is the share of the old value.
                    node.real("epsilon", op.getEpsilon().convertToDouble())
                        .real("momentum",
                              1 - op.getMomentum().convertToDouble());
                  });
}

/// A node that sees the channels as the last dimension.
Names LayerExporter::emit(LayerNormOp op) {
  Value input = op.getInput(), result = op.getResult();
  int64_t channels = shapeOf(input).channels;
  std::vector<std::string> operands = {"", vector("scale", channels),
                                       vector("offset", channels)};
  auto normalise = [&](StringRef name, const OnnxShape &shape) {
    return graph.node("LayerNormalization", name, operands, shape)
        .integer("axis", -1)
        .real("epsilon", op.getEpsilon().convertToDouble())
        .output();
  };
  if (values[input].madeVector) {
    operands[0] = vectorOf(input);
    return asVector(normalise(label, vectorShape(result)));
  }
  MapShape map = shapeOf(input);
  OnnxShape last = {map.height, map.width, map.channels};
  operands[0] =
      graph.node("Transpose", label + ".channels_last", {mapOf(input)}, last)
          .integers("perm", {0, 2, 3, 1})
          .output();
  std::string normal = normalise(label + ".normalised", last);
  return asMap(mapNode("Transpose", result, normal)
                   .integers("perm", {0, 3, 1, 2})
                   .output());
}

/// As PyTorch writes it, since opset 17 has no other form: an instance norm
/// of the groups, then scale and offset.
Names LayerExporter::emit(GroupNormOp op) {
  Value input = op.getInput(), result = op.getResult();
  MapShape shape = shapeOf(input);
  int64_t groups = op.getGroups(), channels = shape.channels;
  double epsilon = op.getEpsilon().convertToDouble();
  if (groups == channels)
    return asMap(mapNode("InstanceNormalization", result,
                         {mapOf(input), vector("scale", channels),
                          vector("offset", channels)})
                     .real("epsilon", epsilon)
                     .output());
  int64_t rest = channels / groups * shape.height * shape.width;
  // A size of 0 is the input's: the batch.
  std::string apart =
      graph.constant(label + ".groups.shape", {0, groups, rest});
  std::string together = graph.constant(
      label + ".shape", {0, channels, shape.height, shape.width});
  std::string parts = graph
                          .node("Reshape", label + ".groups",
                                {mapOf(input), apart}, {groups, rest})
                          .output();
  std::vector<float> ones(size_t(groups), 1), zeros(size_t(groups), 0);
  std::string normal =
      graph
          .node("InstanceNormalization", label + ".normalised",
                {parts, graph.constant(label + ".ones", groups, ones),
                 graph.constant(label + ".zeros", groups, zeros)},
                {groups, rest})
          .real("epsilon", epsilon)
          .output();
  std::string joined = graph
                           .node("Reshape", label + ".joined",
                                 {normal, together}, mapShape(result))
                           .output();
  auto perChannel = [&](StringRef role) {
    return tensor(role, {channels, 1, 1}, [](ArrayRef<float> from, float *to) {
      llvm::copy(from, to);
    });
  };
  std::string scaled =
      graph
          .node("Mul", label + ".scaled", {joined, perChannel("scale")},
                mapShape(result))
          .output();
  return asMap(mapNode("Add", result, {scaled, perChannel("offset")}).output());
}

/// Windows wider than all channels, which an engine might make room for, are
/// cut to those that matter.
Names LayerExporter::emit(LocalResponseNormOp op) {
  int64_t size =
      std::min<int64_t>(op.getSize(), 2 * shapeOf(op.getInput()).channels - 1);
  double share = static_cast<double>(size) / op.getSize();
  return asMap(mapNode("LRN", op.getResult(), mapOf(op.getInput()))
                   .integer("size", size)
                   .real("alpha", op.getAlpha().convertToDouble() * share)
                   .real("beta", op.getBeta().convertToDouble())
                   .real("bias", op.getK().convertToDouble())
                   .output());
}
