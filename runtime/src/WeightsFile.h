//===- WeightsFile.h - Arenas to and from named tensors ---------*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_RUNTIME_WEIGHTSFILE_H
#define ROOTC_RUNTIME_WEIGHTSFILE_H

#include "Safetensors.h"

namespace rootc {

/// Checkpoints keep the velocity of "conv2a.filter" under
/// "velocity:conv2a.filter", and so on; no op's name has a colon.
inline constexpr const char *velocityPrefix = "velocity:";
inline constexpr const char *secondPrefix = "second:";
inline constexpr const char *averagePrefix = "average:";

std::vector<int64_t> shapeOf(const rootc_tensor &tensor);

/// What to do about a layer of which the file lacks a tensor, or has it in
/// another shape, and about a tensor that no layer of the network has.
enum class Mismatch {
  Refuse,
  OfferSkip, ///< refuse, and name --skip-mismatched
  Skip       ///< the layer keeps the values that it has; `message` is told
};

/// Weights::load on a file that is already read.
Weights
readWeights(const Model &model, const Safetensors &file, bool slice = false,
            const std::function<void(const std::string &)> &message = nullptr);

/// The same, into weights that have values already. With Mismatch::Skip at
/// least one layer has to fit.
void readWeightsInto(Weights &weights, const Model &model,
                     const Safetensors &file, bool slice, Mismatch mismatch,
                     const std::function<void(const std::string &)> &message);

/// "0.05", "inf"; "nan", whatever its sign.
std::string valueText(double value);

/// The first tensor of the arenas that are not null, in the network's order,
/// with a value that is not finite: "'conv1.filter' holds nan". Empty: none.
std::string firstNotFinite(const Model &model, const float *parameters,
                           const float *statistics);

/// Adds every tensor of the arenas that are not null.
void addTensors(SafetensorsWriter &writer, const Model &model,
                const float *parameters, const float *statistics,
                const std::string &prefix = "");
void addWeights(SafetensorsWriter &writer, const Model &model,
                const Weights &weights);
/// Reads what addTensors wrote into the arenas that are not null. Whether the
/// file has such tensors; throws if it lacks some.
bool readTensors(const Safetensors &file, const Model &model, float *parameters,
                 float *statistics, const std::string &prefix);

} // namespace rootc

#endif // ROOTC_RUNTIME_WEIGHTSFILE_H
