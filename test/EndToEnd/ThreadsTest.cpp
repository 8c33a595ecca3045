//===- ThreadsTest.cpp - Compiled models and many threads -----------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Models as rootc makes them: the same bits whatever threads run them, from
// any number of callers. In the sanitizer presets the kernels are instrumented.
//
//===----------------------------------------------------------------------===//

#include "CompiledModels.h"
#ifndef ROOTC_TEST_SANITIZER
#include "AllocationCounter.h"
#endif

#include <atomic>
#include <cmath>
#include <fstream>
#include <gtest/gtest.h>
#include <numeric>
#include <optional>
#include <thread>

using namespace rootc;
using namespace rootc::test;

namespace {

constexpr int callers = 8;

struct Network {
  const char *name, *path, *flags;
};
constexpr Network smallRoot = {"SmallRoot", ROOTC_SMALL, "--root=4"};
constexpr Network smallDense = {"SmallDense", ROOTC_SMALL, ""};
constexpr Network smallBf16 = {"SmallBf16", ROOTC_SMALL,
                               "--root=4 --precision=bf16"};
constexpr Network ninRoot = {"NinRoot8", ROOTC_NIN, "--root=8"};

Model load(const Network &network) {
  return Model::open(
      compiled(network.path, std::string(network.name) + ".so", network.flags));
}

std::shared_ptr<ThreadPool> makePool(const Model &model, int threads) {
  return threads ? std::make_shared<ThreadPool>(model, threads) : nullptr;
}

/// What a few training steps leave behind.
struct Trained {
  FloatArray losses, gradients, parameters, statistics, velocity, imageGradient;
};

void expectSame(const Trained &a, const Trained &b) {
  EXPECT_TRUE(sameBits(a.losses, b.losses));
  EXPECT_TRUE(sameBits(a.gradients, b.gradients));
  EXPECT_TRUE(sameBits(a.parameters, b.parameters));
  EXPECT_TRUE(sameBits(a.statistics, b.statistics));
  EXPECT_TRUE(sameBits(a.velocity, b.velocity));
  EXPECT_TRUE(sameBits(a.imageGradient, b.imageGradient));
}

/// Three steps of SGD, then one `grad`.
Trained train(const Model &model, std::shared_ptr<ThreadPool> pool,
              int64_t size, unsigned seed) {
  Session session(model, std::move(pool));
  Weights weights = Weights::initialise(model, seed);
  FloatArray image = randomFloats(size * model.imageSize(), seed);
  std::vector<int64_t> labels(static_cast<size_t>(size)), samples(labels);
  std::iota(samples.begin(), samples.end(), 100);
  for (size_t i = 0; i < labels.size(); ++i)
    labels[i] = int64_t(i * 5 + seed) % model->classes;
  rootc_batch batch = {size,           image.data(),  labels.data(),
                       samples.data(), int64_t(seed), 3};
  Trained result;
  result.gradients.resize(size_t(model->parameter_count));
  result.velocity.resize(result.gradients.size());
  result.imageGradient.resize(image.size());
  for (int step = 0; step < 3; ++step) {
    result.losses.push_back(
        session.train(batch, weights, result.gradients.data()));
    session.update(weights, result.gradients.data(), result.velocity.data(),
                   0.05f, 0.9f, 5e-4f);
  }
  result.losses.push_back(session.grad(batch, weights, result.gradients.data(),
                                       result.imageGradient.data()));
  result.parameters = weights.parameters;
  result.statistics = weights.statistics;
  return result;
}

FloatArray infer(Session &session, const Model &model, const Prepared &prepared,
                 const FloatArray &image) {
  int64_t batch = int64_t(image.size()) / model.imageSize();
  FloatArray logits(size_t(batch * model->classes));
  session.infer(prepared, batch, image.data(), logits.data());
  return logits;
}

/// Weights with statistics of their own, as after some training.
Weights usedWeights(const Model &model) {
  Weights weights = Weights::initialise(model, 7);
  FloatArray noise = randomFloats(model->statistic_count, 8);
  for (size_t i = 0; i < noise.size(); ++i)
    weights.statistics[i] += 0.2f * noise[i];
  return weights;
}

template <typename Call> void onThreads(int count, const Call &call) {
  std::vector<std::thread> threads;
  for (int i = 0; i < count; ++i)
    threads.emplace_back([&call, i] { call(i); });
  for (std::thread &thread : threads)
    thread.join();
}

class Threads : public testing::TestWithParam<std::tuple<Network, int64_t>> {
protected:
  Network network() const { return std::get<0>(GetParam()); }
  int64_t batch() const { return std::get<1>(GetParam()); }
};

TEST_P(Threads, EightInferWithOneModelsWeights) {
  Model model = load(network());
  Weights weights = usedWeights(model);
  Prepared prepared(model, weights);
  std::vector<FloatArray> images, expected;
  Session serial(model);
  for (int i = 0; i < callers; ++i) {
    images.push_back(randomFloats(batch() * model.imageSize(), 20 + i));
    expected.push_back(infer(serial, model, prepared, images[i]));
  }
  ASSERT_FALSE(sameBits(expected[0], expected[1]));

  auto shared = makePool(model, 3);
  for (int threads : {0, 2, -1}) { // -1: the shared pool
    std::vector<int> wrong(callers);
    onThreads(callers, [&](int i) {
      Session session(model, threads < 0 ? shared : makePool(model, threads));
      for (int turn = 0; turn < 3; ++turn)
        wrong[i] +=
            !sameBits(infer(session, model, prepared, images[i]), expected[i]);
    });
    EXPECT_EQ(wrong, std::vector<int>(callers)) << threads << " threads each";
  }
}

TEST_P(Threads, TrainingHasTheSameBitsAtAnyCount) {
  Model model = load(network());
  Trained expected = train(model, nullptr, batch(), 5);
  ASSERT_NE(expected.losses[0], expected.losses[2]);
  for (int threads : {1, 2, 3}) {
    SCOPED_TRACE(threads);
    expectSame(train(model, makePool(model, threads), batch(), 5), expected);
  }
}

TEST_P(Threads, SeveralTrainAtOnce) {
  Model model = load(network());
  const int trainers = 3;
  std::vector<Trained> expected, actual(trainers);
  for (int i = 0; i < trainers; ++i)
    expected.push_back(train(model, nullptr, batch(), 10 + i));
  auto shared = makePool(model, 3);
  onThreads(trainers,
            [&](int i) { actual[i] = train(model, shared, batch(), 10 + i); });
  for (int i = 0; i < trainers; ++i) {
    SCOPED_TRACE(i);
    expectSame(actual[i], expected[i]);
  }
}

#ifndef ROOTC_TEST_SANITIZER
/// Keeps a pool's threads, but for the caller, from taking tasks.
class Occupied {
public:
  Occupied(const Model &model, const ThreadPool &pool)
      : missing(pool.threads()), other([this, &model, &pool] {
          model->parallel_for(pool.handle(), &wait, this, pool.threads());
        }) {
    while (missing > 0)
      std::this_thread::yield();
  }
  ~Occupied() {
    go = true;
    other.join();
  }

private:
  static int wait(void *state, int64_t) {
    auto &self = *static_cast<Occupied *>(state);
    for (--self.missing; !self.go;)
      std::this_thread::yield();
    return ROOTC_OK;
  }
  std::atomic<int> missing;
  std::atomic<bool> go = false;
  std::thread other;
};

TEST_P(Threads, WarmInferenceAllocatesNothing) {
  Model model = load(network());
  Weights weights = usedWeights(model);
  Prepared prepared(model, weights);
  FloatArray image = randomFloats(batch() * model.imageSize(), 1);
  FloatArray logits(size_t(batch() * model->classes));
  for (int threads : {0, 1, 2, 3}) {
    auto pool = makePool(model, threads);
    Session session(model, pool);
    {
      // Where threads are slow to wake, the caller warms up alone.
      std::optional<Occupied> occupied;
      if (pool)
        occupied.emplace(model, *pool);
      session.infer(prepared, batch(), image.data(), logits.data());
    }
    int64_t before = allocations();
    for (int turn = 0; turn < 5; ++turn)
      session.infer(prepared, batch(), image.data(), logits.data());
    EXPECT_EQ(allocations() - before, 0) << threads << " threads";
  }
}
#endif

std::string
testName(const testing::TestParamInfo<std::tuple<Network, int64_t>> &info) {
  return std::string(std::get<0>(info.param).name) + "Batch" +
         std::to_string(std::get<1>(info.param));
}

INSTANTIATE_TEST_SUITE_P(Small, Threads,
                         testing::Combine(testing::Values(smallRoot),
                                          testing::Values(1, 5, 128)),
                         testName);
INSTANTIATE_TEST_SUITE_P(SmallBf16, Threads,
                         testing::Combine(testing::Values(smallBf16),
                                          testing::Values(1, 5)),
                         testName);
#ifndef ROOTC_TEST_SANITIZER
INSTANTIATE_TEST_SUITE_P(Nin, Threads,
                         testing::Combine(testing::Values(ninRoot),
                                          testing::Values(1, 5, 32)),
                         testName);
#endif

/// Of the largest magnitude in `b`, how far `a` lies off at most.
double distance(const FloatArray &a, const FloatArray &b) {
  double largest = 0, worst = 0;
  for (size_t i = 0; i < b.size(); ++i) {
    largest = std::max(largest, std::abs(double(b[i])));
    worst = std::max(worst, std::abs(double(a[i]) - double(b[i])));
  }
  return worst / largest;
}

// Not that of the image: where rounding makes another pixel the largest of a
// pool's window, its gradient is that pixel's.
TEST(Bf16, LogitsAndGradientsAreThoseOfF32) {
  Model narrow = load(smallBf16), wide = load(smallRoot);
  Weights weights = usedWeights(wide);
  const int64_t size = 5;
  FloatArray image = randomFloats(size * wide.imageSize(), 3);
  std::vector<int64_t> labels = {0, 3, 6, 1, 5}, samples = {4, 3, 2, 1, 0};
  rootc_batch batch = {size, image.data(), labels.data(), samples.data(), 1, 1};
  FloatArray logits[2], gradients[2];
  for (int i : {0, 1}) {
    const Model &model = i ? wide : narrow;
    Session session(model);
    logits[i] = infer(session, model, Prepared(model, weights), image);
    gradients[i].resize(size_t(model->parameter_count));
    Weights own = weights;
    session.train(batch, own, gradients[i].data());
  }
  EXPECT_GT(distance(logits[0], logits[1]), 1e-5);
  EXPECT_LT(distance(logits[0], logits[1]), 2e-2);
  EXPECT_LT(distance(gradients[0], gradients[1]), 2e-2);
}

int64_t mappings() {
  std::ifstream file("/proc/self/maps");
  return std::count(std::istreambuf_iterator<char>(file), {}, '\n');
}

TEST(Loading, AHundredTimes) {
  FloatArray image, expected;
  int64_t before = 0;
  for (int turn = 0; turn < 100; ++turn) {
    {
      Model model = load(smallRoot);
      auto pool = makePool(model, 2);
      Prepared prepared(model, Weights::initialise(model, 1));
      Session session(model, pool);
      if (turn == 0) {
        image = randomFloats(3 * model.imageSize(), 2);
        expected = infer(session, model, prepared, image);
      }
      ASSERT_TRUE(sameBits(infer(session, model, prepared, image), expected));
    }
    // A library that stayed would add several mappings each time.
    if (turn == 9)
      before = mappings();
  }
  EXPECT_LT(mappings(), before + 90);
}

TEST(Loading, TwoModelsOfOneNameInOneProgram) {
  const Network networks[] = {smallRoot, smallDense};
  Trained expected[2];
  for (int i : {0, 1})
    expected[i] = train(load(networks[i]), nullptr, 5, 3);
  ASSERT_NE(expected[0].parameters.size(), expected[1].parameters.size());

  Model models[] = {load(networks[0]), load(networks[1])};
  Trained actual[4];
  onThreads(4, [&](int i) {
    actual[i] =
        train(models[i % 2], i < 2 ? makePool(models[i], 2) : nullptr, 5, 3);
  });
  for (int i = 0; i < 4; ++i) {
    SCOPED_TRACE(i);
    expectSame(actual[i], expected[i % 2]);
  }
}

#ifdef ROOTC_TEST_SANITIZER
TEST(Sanitizer, SeesInsideKernels) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  Model model = load(smallRoot);
  Prepared prepared(model, Weights::initialise(model, 1));
  FloatArray image = randomFloats(9 * model.imageSize(), 2);
#ifdef __SANITIZE_THREAD__
  FloatArray logits(size_t(9 * model->classes));
  auto race = [&] {
    onThreads(2, [&](int) {
      Session session(model);
      for (int turn = 0; turn < 100; ++turn)
        session.infer(prepared, 9, image.data(), logits.data());
    });
  };
  EXPECT_DEATH(race(), "data race");
#else
  FloatArray tooSmall(size_t(9 * model->classes - 1));
  Session session(model);
  EXPECT_DEATH(session.infer(prepared, 9, image.data(), tooSmall.data()),
               "heap-buffer-overflow");
#endif
}
#endif

} // namespace
