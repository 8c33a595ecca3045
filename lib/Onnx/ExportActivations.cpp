//===- ExportActivations.cpp - Activations as ONNX nodes
//-------------------===//
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

/// The branches as a dimension.
Names LayerExporter::emit(BranchSoftmaxOp op) {
  MapShape shape = shapeOf(op.getInput());
  int64_t branches = op.getBranches();
  int64_t rest = shape.channels / branches * shape.height * shape.width;
  // A size of 0 is the input's: the batch.
  std::string apart =
      graph.constant(label + ".branches.shape", {0, branches, rest});
  std::string together = graph.constant(
      label + ".shape", {0, shape.channels, shape.height, shape.width});
  std::string parts = graph
                          .node("Reshape", label + ".branches",
                                {mapOf(op.getInput()), apart}, {branches, rest})
                          .output();
  std::string weights =
      graph.node("Softmax", label + ".weights", {parts}, {branches, rest})
          .integer("axis", 1)
          .output();
  return asMap(
      mapNode("Reshape", op.getResult(), {weights, together}).output());
}

Names LayerExporter::emit(ReluOp op) { return plain("Relu", op); }

Names LayerExporter::emit(SigmoidOp op) { return plain("Sigmoid", op); }

Names LayerExporter::emit(HardSwishOp op) { return plain("HardSwish", op); }

Names LayerExporter::emit(SoftplusOp op) { return plain("Softplus", op); }

/// A bound is a tensor, and a bound that is not there has no name.
Names LayerExporter::emit(ClipOp op) {
  if (!op.getMin() && !op.getMax())
    return values[op.getInput()];
  auto bound = [&](StringRef role, std::optional<APFloat> value) {
    if (!value)
      return std::string();
    return graph.constant(label + "." + role.str(), /*shape=*/{},
                          static_cast<float>(value->convertToDouble()));
  };
  SmallVector<std::string> bounds = {bound("min", op.getMin())};
  if (op.getMax())
    bounds.push_back(bound("max", op.getMax()));
  return sameRank("Clip", op.getResult(), op.getInput(), bounds);
}

Names LayerExporter::emit(HardSigmoidOp op) {
  return sameRank("HardSigmoid", op.getResult(), op.getInput(), {},
                  [&](NodeAttributes node) {
                    node.real("alpha", op.getAlpha().convertToDouble())
                        .real("beta", op.getBeta().convertToDouble());
                  });
}

Names LayerExporter::emit(LeakyReluOp op) {
  return sameRank("LeakyRelu", op.getResult(), op.getInput(), {},
                  [&](NodeAttributes node) {
                    node.real("alpha", op.getAlpha().convertToDouble());
                  });
}

Names LayerExporter::emit(PReluOp op) {
  Steps steps(*this, op);
  int64_t slopes = op.getShared() ? 1 : shapeOf(op.getInput()).channels;
  return steps.result(
      steps("PRelu", "", {steps.x, steps.parameter("slope", slopes)}));
}

Names LayerExporter::emit(LayerScaleOp op) {
  Steps steps(*this, op);
  int64_t channels = shapeOf(op.getInput()).channels;
  return steps.result(
      steps("Mul", "", {steps.x, steps.parameter("scale", channels)}));
}

/// In general scale / s elu(s x), of an alpha s times ours.
Names LayerExporter::emit(EluOp op) {
  Steps steps(*this, op);
  double alpha = op.getAlpha().convertToDouble(),
         scale = op.getScale().convertToDouble(),
         inputScale = op.getInputScale().convertToDouble();
  if (inputScale == 1 && scale == 1)
    return steps.result(
        steps.node("Elu", {steps.x}).real("alpha", alpha).output());
  if (inputScale == 1)
    return steps.result(steps.node("Selu", {steps.x})
                            .real("alpha", alpha)
                            .real("gamma", scale)
                            .output());
  std::string inner =
      steps("Mul", ".inner", {steps.x, steps.number(".s", inputScale)});
  std::string unit = steps.node("Elu", {inner}, ".elu")
                         .real("alpha", alpha * inputScale)
                         .output();
  return steps.result(
      steps("Mul", "", {unit, steps.number(".outer", scale / inputScale)}));
}

/// As PyTorch's exporters write it: the operator is of opset 20.
Names LayerExporter::emit(GeluOp op) {
  Steps steps(*this, op);
  std::string x = steps.x, inner;
  if (op.getTanh()) {
    std::string square = steps("Mul", ".square", {x, x});
    std::string cube = steps("Mul", ".cube", {square, x});
    std::string term =
        steps("Mul", ".term", {cube, steps.number(".cubic", 0.044715)});
    std::string sum = steps("Add", ".sum", {x, term});
    inner = steps("Tanh", ".tanh",
                  {steps("Mul", ".inner",
                         {sum, steps.number(".beta", std::sqrt(2 / M_PI))})});
  } else {
    inner = steps(
        "Erf", ".erf",
        {steps("Div", ".inner", {x, steps.number(".root", std::sqrt(2))})});
  }
  std::string share = steps("Add", ".share", {inner, steps.number(".one", 1)});
  std::string twice = steps("Mul", ".twice", {x, share});
  return steps.result(steps("Mul", "", {twice, steps.number(".half", 0.5)}));
}

Names LayerExporter::emit(SiluOp op) {
  Steps steps(*this, op);
  std::string gate = steps("Sigmoid", ".sigmoid", {steps.x});
  return steps.result(steps("Mul", "", {steps.x, gate}));
}

/// The operator is of opset 18.
Names LayerExporter::emit(MishOp op) {
  Steps steps(*this, op);
  std::string gate =
      steps("Tanh", ".tanh", {steps("Softplus", ".softplus", {steps.x})});
  return steps.result(steps("Mul", "", {steps.x, gate}));
}
