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
#include <numeric>

using namespace rootc;

namespace {
constexpr int64_t chunk = 1 << 16; ///< floats of a task
}

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

Optimizer::Optimizer(const Model &model, std::shared_ptr<ThreadPool> pool,
                     OptimizerOptions given)
    : model(model), pool(std::move(pool)), options(std::move(given)) {
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

void Optimizer::forEach(
    const Range &range,
    const std::function<void(int64_t begin, int64_t end)> &work) const {
  pool->forEach((range.end - range.begin + chunk - 1) / chunk, [&](int64_t i) {
    int64_t begin = range.begin + i * chunk;
    work(begin, std::min(begin + chunk, range.end));
  });
}

double Optimizer::normOf(const float *gradients) const {
  int64_t count = model->parameter_count;
  std::vector<double> sums(size_t((count + chunk - 1) / chunk));
  pool->forEach(int64_t(sums.size()), [&](int64_t i) {
    double sum = 0;
    for (int64_t j = i * chunk; j < std::min((i + 1) * chunk, count); ++j)
      sum += double(gradients[j]) * double(gradients[j]);
    sums[size_t(i)] = sum;
  });
  return std::sqrt(std::accumulate(sums.begin(), sums.end(), 0.0));
}

namespace {
struct Adam {
  float shrink, beta1, gain1, beta2, gain2, rate, root, epsilon;

  void apply(int64_t begin, int64_t end, float *w, const float *g, float *m,
             float *v) const {
    for (int64_t i = begin; i < end; ++i) {
      m[i] = beta1 * m[i] + gain1 * g[i];
      v[i] = beta2 * v[i] + gain2 * g[i] * g[i];
      w[i] = w[i] * shrink - rate * (m[i] / (std::sqrt(v[i]) * root + epsilon));
    }
  }
};
} // namespace

static void nesterov(int64_t begin, int64_t end, float *w, const float *g,
                     float *v, float rate, float momentum, float decay) {
  for (int64_t i = begin; i < end; ++i) {
    float gradient = g[i] + decay * w[i];
    v[i] = momentum * v[i] + gradient;
    w[i] -= rate * (gradient + momentum * v[i]);
  }
}

void Optimizer::update(Session &session, Weights &weights,
                       OptimizerState &state, float *gradients,
                       double rate) const {
  ++state.updates;
  if (options.clipNorm > 0) {
    // As PyTorch's clip_grad_norm_.
    double scale = options.clipNorm / (normOf(gradients) + 1e-6);
    if (scale < 1)
      forEach({0, model->parameter_count, 1, false},
              [&](int64_t begin, int64_t end) {
                for (int64_t i = begin; i < end; ++i)
                  gradients[i] *= float(scale);
              });
  }
  double t = double(state.updates);
  double first = 1 - std::pow(options.beta1, t);
  double root = 1 / std::sqrt(1 - std::pow(options.beta2, t));
  for (const Range &range : ranges) {
    double own = rate * range.factor, decay = range.decayed ? options.decay : 0;
    float *w = weights.parameters.data(), *v = state.velocity.data();
    if (options.kind == "adamw") {
      Adam adam{float(1 - own * decay),
                float(options.beta1),
                float(1 - options.beta1),
                float(options.beta2),
                float(1 - options.beta2),
                float(own / first),
                float(root),
                float(options.epsilon)};
      forEach(range, [&](int64_t begin, int64_t end) {
        adam.apply(begin, end, w, gradients, v, state.second.data());
      });
    } else if (options.nesterov) {
      forEach(range, [&](int64_t begin, int64_t end) {
        nesterov(begin, end, w, gradients, v, float(own),
                 float(options.momentum), float(decay));
      });
    } else {
      session.update(range.end - range.begin, w + range.begin,
                     gradients + range.begin, v + range.begin, float(own),
                     float(options.momentum), float(decay));
    }
  }
}

void rootc::averageInto(const ThreadPool &pool, FloatArray &average,
                        const FloatArray &values, double decay) {
  float share = float(1 - decay);
  int64_t count = int64_t(values.size());
  pool.forEach((count + chunk - 1) / chunk, [&](int64_t i) {
    for (int64_t j = i * chunk; j < std::min((i + 1) * chunk, count); ++j)
      average[size_t(j)] += share * (values[size_t(j)] - average[size_t(j)]);
  });
}
