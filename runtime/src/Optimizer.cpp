//===- Optimizer.cpp - What gradients do to weights -----------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Optimizer.h"
#include "WeightsFile.h"

#include <algorithm>
#include <cmath>
#include <fnmatch.h>

using namespace rootc;

std::vector<RateFactor> rootc::parseRateFactors(const std::string &text) {
  std::vector<RateFactor> factors;
  for (size_t begin = 0; begin < text.size();) {
    size_t end = std::min(text.find(',', begin), text.size());
    std::string item = text.substr(begin, end - begin);
    begin = end + 1;
    size_t equals = item.rfind('=');
    std::string number =
        equals == std::string::npos ? "" : item.substr(equals + 1);
    char *rest = number.data();
    double factor = std::strtod(number.c_str(), &rest);
    if (equals == 0 || number.empty() || *rest || !(factor >= 0) ||
        !std::isfinite(factor))
      fail("--lr-factors: '{}' is not PATTERN=FACTOR, as in fc=10 or "
           "'layer4.*=0.1'",
           item);
    factors.push_back({item.substr(0, equals), factor});
  }
  return factors;
}

Optimizer::Optimizer(const Model &model, OptimizerOptions given)
    : model(model), options(std::move(given)) {
  std::vector<const rootc_tensor *> tensors;
  for (int64_t i = 0; i < model->tensor_count; ++i)
    if (!model->tensors[i].statistic)
      tensors.push_back(&model->tensors[i]);
  std::sort(tensors.begin(), tensors.end(),
            [](auto *a, auto *b) { return a->offset < b->offset; });
  std::vector<bool> matched(options.factors.size());
  auto factorOf = [&](const std::string &name) {
    std::string layer = name.substr(0, name.rfind('.'));
    double factor = 1;
    for (size_t i = 0; i < matched.size(); ++i) {
      const char *pattern = options.factors[i].pattern.c_str();
      if (fnmatch(pattern, layer.c_str(), 0) == 0 ||
          fnmatch(pattern, name.c_str(), 0) == 0) {
        factor = options.factors[i].factor;
        matched[i] = true;
      }
    }
    return factor;
  };
  // What lies between tensors belongs to the one before.
  for (const rootc_tensor *tensor : tensors) {
    bool decayed = options.decayAll || tensor->offset < model->decayed_count;
    double factor = factorOf(tensor->name);
    if (!ranges.empty())
      ranges.back().end = tensor->offset;
    if (ranges.empty() || ranges.back().factor != factor ||
        ranges.back().decayed != decayed)
      ranges.push_back({tensor->offset, 0, factor, decayed});
  }
  if (!ranges.empty())
    ranges.back().end = model->parameter_count;
  for (size_t i = 0; i < matched.size(); ++i)
    if (!matched[i])
      fail("--lr-factors: '{}' matches no layer or tensor that {} trains; "
           "`rootrun info` lists them",
           options.factors[i].pattern, model.path());
}

OptimizerState Optimizer::makeState() const {
  OptimizerState state;
  state.velocity.resize(size_t(model->parameter_count));
  if (options.kind == "adamw")
    state.second.resize(size_t(model->parameter_count));
  return state;
}

void Optimizer::update(Session &session, Weights &weights,
                       OptimizerState &state, float *gradients,
                       double rate) const {
  ++state.updates;
  if (options.clipNorm > 0)
    session.clip(model->parameter_count, gradients, float(options.clipNorm));
  double t = double(state.updates);
  double first = 1 - std::pow(options.beta1, t);
  double root = 1 / std::sqrt(1 - std::pow(options.beta2, t));
  for (const Range &range : ranges) {
    double own = rate * range.factor, decay = range.decayed ? options.decay : 0;
    int64_t count = range.end - range.begin;
    float *w = weights.parameters.data() + range.begin,
          *v = state.velocity.data() + range.begin;
    const float *g = gradients + range.begin;
    if (options.kind == "adamw")
      session.adamw(count, w, g, v, state.second.data() + range.begin,
                    {.shrink = float(1 - own * decay),
                     .learning_rate = float(own / first),
                     .mean_gain = float(1 - options.beta1),
                     .square_gain = float(1 - options.beta2),
                     .root = float(root),
                     .epsilon = float(options.epsilon)});
    else
      session.update(count, w, g, v, float(own), float(options.momentum),
                     float(decay), options.nesterov);
  }
}
