//===- LayerExporter.h - One network's layers as ONNX nodes -----*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Of ExportLayers.cpp and the files beside it, by kinds of layers: what they
// share is what each layer's value is called.
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_ONNX_LAYEREXPORTER_H
#define ROOTC_ONNX_LAYEREXPORTER_H

#include "lib/Onnx/GraphBuilder.h"
#include "lib/Onnx/NetworkWeights.h"
#include "lib/Transforms/ForwardBuilder.h"

namespace rootc {

inline root::MapShape shapeOf(mlir::Value value) {
  auto type = mlir::cast<root::ImageType>(value.getType());
  return {type.getHeight(), type.getWidth(), type.getChannels()};
}

/// A network's value has the name of a map [N,C,H,W], of a vector [N,C H W], or
/// both: linear layers make and want vectors.
struct Names {
  std::string map, vector;
  bool madeVector = false; ///< was a vector first
};

inline Names asMap(std::string name) { return {std::move(name), "", false}; }
inline Names asVector(std::string name) { return {"", std::move(name), true}; }

class LayerExporter {
public:
  LayerExporter(root::NetworkOp network, const NetworkWeights &weights,
                onnx::GraphProto &graph)
      : network(network), layers(network), weights(weights),
        graph(graph, reservedNames(weights)) {}

  llvm::LogicalResult run(bool pixels);

private:
  static std::vector<std::string> reservedNames(const NetworkWeights &weights);

  static OnnxShape mapShape(mlir::Value value);
  static OnnxShape vectorShape(mlir::Value value);

  /// (pixel - mean) / scale.
  std::string normalise();

  //===--------------------------------------------------------------------===//
  // Values
  //===--------------------------------------------------------------------===//

  std::string mapOf(mlir::Value value);

  std::string vectorOf(mlir::Value value);

  /// A node that takes maps and makes one.
  NodeAttributes mapNode(llvm::StringRef type, mlir::Value result,
                         llvm::ArrayRef<std::string> inputs);

  /// A node that does the same to maps and vectors: vectors if all are.
  Names sameRank(llvm::StringRef type, mlir::Value result,
                 mlir::ValueRange operands,
                 llvm::ArrayRef<std::string> others = {},
                 llvm::function_ref<void(NodeAttributes)> set = nullptr);

  /// One that needs no more than its operands.
  Names plain(llvm::StringRef type, mlir::Operation *op);

  /// Nodes that compute point by point, in steps; the last is the layer's.
  class Steps {
  public:
    Steps(LayerExporter &exporter, mlir::Operation *op)
        : x(), exporter(exporter),
          vectors(exporter.values[op->getOperand(0)].madeVector),
          shape(vectors ? vectorShape(op->getResult(0))
                        : mapShape(op->getResult(0))) {
      mlir::Value input = op->getOperand(0);
      x = vectors ? exporter.vectorOf(input) : exporter.mapOf(input);
    }
    NodeAttributes node(llvm::StringRef type,
                        llvm::ArrayRef<std::string> inputs,
                        llvm::StringRef suffix = "") {
      return exporter.graph.node(type, exporter.label + suffix.str(), inputs,
                                 shape);
    }
    std::string operator()(llvm::StringRef type, llvm::StringRef suffix,
                           llvm::ArrayRef<std::string> inputs) {
      return node(type, inputs, suffix).output();
    }
    /// One number, called as the layer and `suffix`.
    std::string number(llvm::StringRef suffix, double value) {
      return exporter.graph.constant(exporter.label + suffix.str(),
                                     /*shape=*/{}, static_cast<float>(value));
    }
    Names result(std::string name) {
      return vectors ? asVector(std::move(name)) : asMap(std::move(name));
    }
    /// A parameter of one value a channel, or of one value.
    std::string parameter(llvm::StringRef role, int64_t size) {
      llvm::SmallVector<int64_t> sizes = {size};
      if (!vectors)
        sizes.append({1, 1});
      return exporter.tensor(
          role, sizes,
          [](llvm::ArrayRef<float> from, float *to) { llvm::copy(from, to); });
    }

    std::string x; ///< the layer's input

  private:
    LayerExporter &exporter;
    bool vectors;
    OnnxShape shape;
  };

  //===--------------------------------------------------------------------===//
  // Parameters
  //===--------------------------------------------------------------------===//

  std::string
  tensor(llvm::StringRef role, llvm::ArrayRef<int64_t> shape,
         llvm::function_ref<void(llvm::ArrayRef<float>, float *)> fill);

  std::string vector(llvm::StringRef role, int64_t size);

  /// `shape` [O,H,W,I] of the weights, to [O,I,H,W]; `declared` is how the file
  /// has it.
  std::string filter(llvm::StringRef role, std::array<int64_t, 4> shape,
                     llvm::ArrayRef<int64_t> declared,
                     std::optional<llvm::APFloat> standardize = std::nullopt);

  //===--------------------------------------------------------------------===//
  // Layers
  //===--------------------------------------------------------------------===//

  /// The weights as the convolution has them, standardised.
  std::vector<float> standardised(double epsilon, llvm::ArrayRef<float> weights,
                                  llvm::ArrayRef<float> gains);

  Names emit(root::Conv2dOp op);
  Names emit(root::Conv2dTransposeOp op);
  Names emit(root::ResizeOp op);

  /// The float that makes `to` of `from`: their ratio, a step larger where its
  /// rounding would make one less.
  static float factorOf(int64_t from, int64_t to);

  mlir::FailureOr<Names> emit(root::AdaptiveAveragePoolOp op);

  Names emit(root::ChannelMeanOp op);
  Names emit(root::ChannelMaxOp op);
  Names overChannels(llvm::StringRef type, mlir::Operation *op);

  Names emit(root::BranchSoftmaxOp op);
  Names emit(root::LinearOp op);
  Names emit(root::BatchNormOp op);
  Names emit(root::LayerNormOp op);
  Names emit(root::GroupNormOp op);
  Names emit(root::ReluOp op);
  Names emit(root::SigmoidOp op);
  Names emit(root::HardSwishOp op);
  Names emit(root::SoftplusOp op);
  Names emit(root::AddOp op);
  Names emit(root::MultiplyOp op);
  Names emit(root::ClipOp op);
  Names emit(root::HardSigmoidOp op);
  Names emit(root::LeakyReluOp op);
  Names emit(root::PReluOp op);
  Names emit(root::LayerScaleOp op);
  Names emit(root::EluOp op);
  Names emit(root::GeluOp op);
  Names emit(root::SiluOp op);
  Names emit(root::MishOp op);

  /// What the last windows reach beyond the input, at least the declared pad.
  /// With these pads the floor of the size formula gives `result`. `ceil_mode`
  /// would do the same, but what it does with windows that start beyond the
  /// map, and with the divisor of averages, varies among versions of ONNX.
  template <typename PoolOp> std::array<int64_t, 4> reach(PoolOp op) {
    root::MapShape in = shapeOf(op.getInput()), out = shapeOf(op.getResult());
    llvm::ArrayRef<int64_t> kernel = op.getKernel(), stride = op.getStride(),
                            pad = op.getPad();
    return {pad[0], pad[1],
            std::max(pad[2], (out.height - 1) * stride[0] + kernel[0] -
                                 in.height - pad[0]),
            std::max(pad[3], (out.width - 1) * stride[1] + kernel[1] -
                                 in.width - pad[1])};
  }

  Names emit(root::MaxPoolOp op);
  Names emit(root::AveragePoolOp op);
  Names emit(root::GlobalAveragePoolOp op);
  Names emit(root::ConcatOp op);
  Names emit(root::SliceChannelsOp op);
  Names emit(root::ChannelShuffleOp op);
  Names emit(root::DropoutOp op);
  Names emit(root::DropPathOp op);

  std::string padNode(llvm::StringRef name, const std::string &input,
                      llvm::ArrayRef<int64_t> pad, const OnnxShape &shape,
                      bool reflect);

  Names emit(root::PadOp op);
  Names emit(root::SpaceToDepthOp op);
  Names emit(root::DepthToSpaceOp op);
  Names emit(root::LocalResponseNormOp op);

  root::NetworkOp network;
  NetworkLayers layers;
  const NetworkWeights &weights;
  GraphBuilder graph;
  llvm::DenseMap<mlir::Value, Names> values;
  std::string label; ///< of the layer at hand
  std::string unitAxes;
};

} // namespace rootc

#endif // ROOTC_ONNX_LAYEREXPORTER_H
