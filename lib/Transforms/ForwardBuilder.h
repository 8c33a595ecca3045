//===- ForwardBuilder.h - Layers to primitive ops ---------------*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_TRANSFORMS_FORWARDBUILDER_H
#define ROOTC_TRANSFORMS_FORWARDBUILDER_H

#include "lib/Transforms/PrimBuilder.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/DenseSet.h"

namespace rootc {

inline root::ImageType imageOf(mlir::Value value) {
  return mlir::cast<root::ImageType>(value.getType());
}

/// The tensor type of a network's value: the batch in front.
mlir::RankedTensorType tensorOf(mlir::Value value);

/// "conv1.filter"
inline std::string tensorName(llvm::StringRef layer, llvm::StringRef role) {
  return (layer + "." + role).str();
}

/// What all programs of a network have in common.
class NetworkLayers {
public:
  /// `network` must be shaped.
  explicit NetworkLayers(root::NetworkOp network);

  /// Whether the output depends on `op`, or in training an auxiliary
  /// classifier does.
  bool isUsed(mlir::Operation *op, bool training) const {
    return (training ? usedInTraining : usedInInference).contains(op);
  }
  /// See labelLayers.
  mlir::StringAttr label(mlir::Operation *op) const {
    return labels.lookup(op);
  }
  /// Which dropout or drop path of the network this is, from 0.
  int64_t ordinal(mlir::Operation *op) const { return ordinals.lookup(op); }

  root::NetworkOp network;

private:
  llvm::DenseSet<mlir::Operation *> usedInTraining, usedInInference;
  llvm::DenseMap<mlir::Operation *, mlir::StringAttr> labels;
  llvm::DenseMap<mlir::Operation *, int64_t> ordinals;
};

/// Fills a program with a network's forward ops, in the form for inference or
/// the one for training.
class ForwardBuilder {
public:
  /// Each parameter and statistic is declared at `arena`, if given.
  ForwardBuilder(const NetworkLayers &layers, root::ProgramOp program,
                 bool training, mlir::OpBuilder *arena);
  void build();

private:
  mlir::Value emit(root::Conv2dOp op);
  mlir::Value emit(root::LinearOp op);
  mlir::Value emit(root::BatchNormOp op);
  mlir::Value emit(root::LayerNormOp op);
  mlir::Value emit(root::GroupNormOp op);
  mlir::Value emit(root::Conv2dTransposeOp op);
  mlir::Value emit(root::ResizeOp op);
  mlir::Value emit(root::AdaptiveAveragePoolOp op);
  mlir::Value emit(root::ChannelMeanOp op);
  mlir::Value emit(root::ChannelMaxOp op);
  mlir::Value emit(root::BranchSoftmaxOp op);
  mlir::Value emit(root::ReluOp op);
  mlir::Value emit(root::ClipOp op);
  mlir::Value emit(root::SigmoidOp op);
  mlir::Value emit(root::HardSigmoidOp op);
  mlir::Value emit(root::HardSwishOp op);
  mlir::Value emit(root::LeakyReluOp op);
  mlir::Value emit(root::PReluOp op);
  mlir::Value emit(root::EluOp op);
  mlir::Value emit(root::GeluOp op);
  mlir::Value emit(root::SiluOp op);
  mlir::Value emit(root::SoftplusOp op);
  mlir::Value emit(root::MishOp op);
  mlir::Value emit(root::LayerScaleOp op);
  mlir::Value emit(root::DropPathOp op);
  mlir::Value emit(root::PadOp op);
  mlir::Value emit(root::SpaceToDepthOp op);
  mlir::Value emit(root::DepthToSpaceOp op);
  mlir::Value emit(root::MaxPoolOp op);
  mlir::Value emit(root::AveragePoolOp op);
  mlir::Value emit(root::GlobalAveragePoolOp op);
  mlir::Value emit(root::AddOp op);
  mlir::Value emit(root::MultiplyOp op);
  mlir::Value emit(root::ConcatOp op);
  mlir::Value emit(root::SliceChannelsOp op);
  mlir::Value emit(root::ChannelShuffleOp op);
  mlir::Value emit(root::DropoutOp op);
  mlir::Value emit(root::LocalResponseNormOp op);
  void emitLosses();
  /// Makes the arguments of what is random.
  void readRandom();

  /// The primitive value of a network's value.
  mlir::Value at(mlir::Value image) const { return values.lookup(image); }
  PrimBuilder prims(mlir::Operation *op) {
    return PrimBuilder(builder, op->getLoc(), layers.label(op));
  }
  mlir::Value argument(root::ArgumentKind kind, llvm::ArrayRef<int64_t> shape,
                       mlir::Type element);
  /// Reads, and declares, a tensor named after the layer and the role: of a
  /// frozen layer a statistic, which nothing updates. `shape` is the program's
  /// view, `declared` the user's.
  mlir::Value parameter(mlir::Operation *op, llvm::StringRef layer,
                        llvm::StringRef role, llvm::ArrayRef<int64_t> shape,
                        int64_t fanIn, llvm::ArrayRef<int64_t> declared);
  mlir::Value vector(mlir::Operation *op, llvm::StringRef layer,
                     llvm::StringRef role, int64_t channels);
  mlir::Value statistic(mlir::Operation *op, llvm::StringRef layer,
                        llvm::StringRef role, int64_t channels);
  void declare(mlir::Operation *op, root::TensorKind kind, llvm::StringRef name,
               llvm::StringRef role, llvm::ArrayRef<int64_t> shape,
               int64_t fanIn);

  const NetworkLayers &layers;
  bool training;
  mlir::OpBuilder *arena;
  mlir::OpBuilder builder;
  llvm::DenseMap<mlir::Value, mlir::Value> values;
  mlir::Value random, samples;
};

} // namespace rootc

#endif // ROOTC_TRANSFORMS_FORWARDBUILDER_H
