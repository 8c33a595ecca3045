//===- Optimizer.h - What gradients do to weights ---------------*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The arithmetic is the model's own programs: here is which of them run, on
// what part of the arenas, with which numbers.
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_RUNTIME_OPTIMIZER_H
#define ROOTC_RUNTIME_OPTIMIZER_H

#include "Support.h"

namespace rootc {

/// The factor of the learning rate where a layer's name ("fc") or a tensor's
/// ("fc.bias") matches a pattern of the shell's kind.
struct RateFactor {
  std::string pattern;
  double factor = 1;
};

struct OptimizerOptions {
  std::string kind = "sgd"; ///< or "adamw"
  /// SGD: v = momentum v + (g + decay w), w = w - rate v, with `nesterov`
  /// w = w - rate (g + decay w + momentum v).
  double momentum = 0.9;
  bool nesterov = false;
  /// AdamW: w = w - rate decay w, then Adam's step with bias correction.
  double beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8;
  double decay = 5e-4;
  bool decayAll = false;
  double clipNorm = 0; ///< of all gradients together; 0: not clipped
  std::vector<RateFactor> factors; ///< the last that matches counts
};

/// "fc=10,layer4.*=0.1"; throws an Error.
std::vector<RateFactor> parseRateFactors(const std::string &text);

/// Beside the weights, all laid out as the parameters.
struct OptimizerState {
  FloatArray velocity; ///< AdamW: the mean of the gradients
  FloatArray second;   ///< AdamW: the mean of their squares; else empty
  int64_t updates = 0;
};

class Optimizer {
public:
  /// Throws if a pattern of `factors` matches no parameter of the model.
  Optimizer(const Model &model, OptimizerOptions options);

  OptimizerState makeState() const;

  /// One update with the learning rate `rate`; clips `gradients` in place.
  void update(Session &session, Weights &weights, OptimizerState &state,
              float *gradients, double rate) const;

private:
  struct Range {
    int64_t begin, end; ///< floats of the parameter arena
    double factor;
    bool decayed;
  };

  Model model;
  OptimizerOptions options;
  std::vector<Range> ranges; ///< all of the arena
};

} // namespace rootc

#endif // ROOTC_RUNTIME_OPTIMIZER_H
