//===- TrainingTest.cpp - Data, order, random numbers, learning rates -----===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "FakeModel.h"
#include "TestSupport.h"
#include "runtime/src/Cifar.h"
#include "runtime/src/LearningRate.h"
#include "runtime/src/Loader.h"
#include "runtime/src/Philox.h"
#include "runtime/src/RunFolder.h"

#include <algorithm>
#include <cmath>
#include <csignal>
#include <set>
#include <sys/resource.h>
#include <unistd.h>

using namespace rootc;
using namespace rootc::test;

TEST(Philox, KnownAnswers) {
  // The vectors that Random123 publishes for Philox4x32-10.
  EXPECT_EQ(philox({0, 0, 0, 0}, 0),
            (PhiloxBlock{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  EXPECT_EQ(philox({~0u, ~0u, ~0u, ~0u}, ~0ull),
            (PhiloxBlock{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
                   0x299f31d0a4093822ull),
            (PhiloxBlock{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(LearningRate, OneCycle) {
  LearningRate rate;
  rate.lr = 0.05;
  auto at = [&](int64_t step) { return rate.at(step, 10, 10); };
  EXPECT_DOUBLE_EQ(at(0), 0.05 / 25);
  EXPECT_DOUBLE_EQ(at(19), 0.05); // 20% of 100 steps, counted from 0
  EXPECT_DOUBLE_EQ(at(99), 0.05 / 250000);
  EXPECT_NEAR(at(59), (0.05 + 0.05 / 250000) / 2, 1e-12); // half the way down
  for (int64_t step = 1; step < 100; ++step)
    EXPECT_EQ(at(step) > at(step - 1), step <= 19) << step;
  for (int64_t steps : {1, 2, 3, 4, 5, 6})
    for (int64_t step = 0; step < steps; ++step) {
      double value = rate.at(step, 1, steps);
      EXPECT_TRUE(value > 0 && value <= 0.05) << step << " of " << steps;
    }
}

TEST(LearningRate, Others) {
  LearningRate rate;
  rate.lr = 1;
  auto at = [&](const char *policy, int64_t step) {
    rate.policy = policy;
    return rate.at(step, 4, 10);
  };
  EXPECT_EQ(at("constant", 39), 1);
  rate.every = 3;
  EXPECT_EQ(at("step", 11), 1);
  EXPECT_DOUBLE_EQ(at("step", 12), 0.1);
  EXPECT_DOUBLE_EQ(at("step", 24), 0.01);
  rate.milestones = {2, 5};
  EXPECT_EQ(at("multistep", 7), 1);
  EXPECT_DOUBLE_EQ(at("multistep", 8), 0.1);
  EXPECT_DOUBLE_EQ(at("multistep", 20), 0.01);
  rate.power = 2;
  EXPECT_DOUBLE_EQ(at("poly", 0), 1);
  EXPECT_DOUBLE_EQ(at("poly", 10), 0.5625);
  EXPECT_DOUBLE_EQ(at("cosine", 20), 0.5);
  EXPECT_NEAR(at("cosine", 10), (1 + std::sqrt(0.5)) / 2, 1e-12);
  EXPECT_CONTAINS(errorOf([&] { at("linear", 0); }), "--lr-policy: 'linear'");
  rate.warmup = 1.5; // 6 steps
  EXPECT_DOUBLE_EQ(at("constant", 0), 1 / 6.0);
  EXPECT_DOUBLE_EQ(at("constant", 4), 5 / 6.0);
  EXPECT_EQ(at("constant", 5), 1);
  EXPECT_EQ(at("constant", 6), 1);
}

namespace {
struct Data : testing::Test {
  TemporaryFolder folder;
  Model model = Model::adopt(fake_model());

  Dataset make(int count) {
    writeBytes(folder.file("data_batch_1.bin"), makeCifar(count, 1));
    return loadCifar(folder.path, true, model);
  }
  std::string error(const std::string &bytes) {
    writeBytes(folder.file("test_batch.bin"), bytes);
    return errorOf([&] { loadCifar(folder.path, false, model); });
  }
};
} // namespace

TEST_F(Data, Layout) {
  std::string record(3073, '\0');
  record[0] = 9;
  for (int c = 0; c < 3; ++c)
    record[size_t(1 + c * 1024 + 5 * 32 + 7)] = char(100 + c);
  writeBytes(folder.file("data_batch_2.bin"), record);
  record[0] = 3;
  writeBytes(folder.file("data_batch_10.bin"), record);
  record[0] = 1;
  writeBytes(folder.file("data_batch_1.bin"), record);
  Dataset dataset = loadCifar(folder.path, true, model);
  EXPECT_EQ(dataset.labels, (std::vector<int64_t>{1, 9, 3}));
  for (int c = 0; c < 3; ++c)
    EXPECT_EQ(dataset.image(2)[(5 * 32 + 7) * 3 + c], 100 + c);
}

TEST_F(Data, ShortAndForeignFiles) {
  std::string good = makeCifar(2, 1);
  EXPECT_EQ(error(good), "");
  std::string message = error(good.substr(0, 5000));
  EXPECT_CONTAINS(message, folder.file("test_batch.bin"));
  EXPECT_CONTAINS(message, "5000 bytes");
  EXPECT_CONTAINS(message, "3073 bytes");
  EXPECT_CONTAINS(error(""), "0 bytes");
  std::string label = good;
  label[3073] = 10;
  EXPECT_CONTAINS(error(label), "record 1 has label 10");
  EXPECT_CONTAINS(errorOf([&] { loadCifar("/no/such", true, model); }),
                  "--data: /no/such: cannot be listed");
  EXPECT_CONTAINS(errorOf([&] { loadCifar(folder.path, true, model); }),
                  "holds no data_batch_*.bin");
  rootc_model wide = *fake_model();
  wide.width = 64;
  Model other = Model::adopt(&wide);
  EXPECT_CONTAINS(errorOf([&] { loadCifar(folder.path, false, other); }),
                  "32 x 64 x 3");
}

TEST_F(Data, Normalisation) {
  Dataset dataset = make(50);
  Normalisation normalisation = dataset.survey(1).normalisation;
  std::vector<double> sums(3), squares(3);
  std::vector<uint8_t> buffer;
  for (int64_t i = 0; i < dataset.count; ++i) {
    std::vector<float> image(3072);
    makeImage(dataset, normalisation, i, Augment::None, 0, 0, image.data(),
              buffer);
    for (size_t j = 0; j < 3072; ++j) {
      sums[j % 3] += image[j];
      squares[j % 3] += double(image[j]) * image[j];
    }
  }
  for (size_t c = 0; c < 3; ++c) {
    EXPECT_NEAR(sums[c] / 51200, 0, 1e-6);
    EXPECT_NEAR(squares[c] / 51200, 1, 1e-4);
  }
}

TEST_F(Data, OrderIsAPermutationOfItsKey) {
  auto order = shuffledOrder(1000, 1, 2);
  EXPECT_EQ(order, shuffledOrder(1000, 1, 2));
  EXPECT_NE(order, shuffledOrder(1000, 1, 3));
  EXPECT_NE(order, shuffledOrder(1000, 2, 2));
  EXPECT_EQ(std::set<int64_t>(order.begin(), order.end()).size(), 1000u);
  EXPECT_EQ(*std::max_element(order.begin(), order.end()), 999);
}

TEST_F(Data, AugmentationIsACropOfThePaddedImage) {
  Dataset dataset = make(3);
  Normalisation normalisation = dataset.survey(1).normalisation;
  std::vector<float> plain(3072), image(3072, -1e30f);
  std::vector<uint8_t> buffer;
  makeImage(dataset, normalisation, 1, Augment::None, 0, 0, plain.data(),
            buffer);
  std::set<int> kinds;
  for (int64_t epoch = 0; epoch < 300; ++epoch) {
    makeImage(dataset, normalisation, 1, Augment::PadCropMirror, 9, epoch,
              image.data(), buffer);
    int kind = -1;
    for (int candidate = 0; candidate < 162; ++candidate) {
      int mirror = candidate % 2, right = candidate / 2 % 9 - 4,
          down = candidate / 18 - 4;
      bool same = true;
      for (int at = 0; same && at < 3072; ++at) {
        int c = at % 3, x = at / 3 % 32, y = at / 96;
        int fromX = (mirror ? 31 - x : x) + right, fromY = y + down;
        bool inside = fromX >= 0 && fromX < 32 && fromY >= 0 && fromY < 32;
        float expected =
            inside ? plain[size_t((fromY * 32 + fromX) * 3 + c)] : 0.f;
        same = image[size_t(at)] == expected;
      }
      if (same)
        kind = candidate;
    }
    ASSERT_NE(kind, -1) << "epoch " << epoch;
    kinds.insert(kind);
  }
  EXPECT_GT(kinds.size(), 100u); // of 162, in 300 draws
}

TEST_F(Data, BatchesDoNotDependOnThreads) {
  Dataset dataset = make(45);
  Normalisation normalisation = dataset.survey(1).normalisation;
  auto read = [&](int threads, int64_t depth, int64_t firstEpoch,
                  int64_t firstBatch) {
    LoaderOptions options;
    options.batch = 8;
    options.seed = 5;
    options.shuffle = true;
    options.augment = Augment::PadCropMirror;
    options.epochs = 3;
    options.threads = threads;
    options.depth = depth;
    options.firstEpoch = firstEpoch;
    options.firstBatch = firstBatch;
    Loader loader(dataset, normalisation, options);
    std::vector<Batch> batches;
    while (const Batch *batch = loader.next())
      batches.push_back(*batch);
    EXPECT_EQ(loader.next(), nullptr);
    return batches;
  };
  std::vector<Batch> all = read(1, 1, 0, 0);
  ASSERT_EQ(all.size(), 18u);
  EXPECT_EQ(all[5].size, 5);
  std::set<int64_t> samples;
  for (size_t i = 6; i < 12; ++i)
    samples.insert(all[i].samples.begin(), all[i].samples.end());
  EXPECT_EQ(samples.size(), 45u);
  auto same = [&](const std::vector<Batch> &some, size_t first) {
    ASSERT_EQ(some.size(), all.size() - first);
    for (size_t i = 0; i < some.size(); ++i) {
      EXPECT_EQ(some[i].image, all[first + i].image);
      EXPECT_EQ(some[i].labels, all[first + i].labels);
      EXPECT_EQ(some[i].samples, all[first + i].samples);
      EXPECT_EQ(some[i].epoch, all[first + i].epoch);
      EXPECT_EQ(some[i].index, all[first + i].index);
    }
  };
  same(read(3, 4, 0, 0), 0);
  same(read(2, 8, 1, 4), 10);
  same(read(2, 8, 0, 6), 6); // at the end of an epoch
  same(read(2, 8, 3, 0), 18);
}

TEST(RunFolder, IsLocked) {
  TemporaryFolder folder;
  std::string path = folder.file("a/b");
  {
    RunFolder run(path);
    EXPECT_CONTAINS(errorOf([&] { RunFolder other(path); }), "is in use");
  }
  EXPECT_EQ(errorOf([&] { RunFolder other(path); }), "");
  EXPECT_CONTAINS(errorOf([&] { RunFolder other("/dev/null/x"); }),
                  "-o /dev/null/x: cannot be made");
}

/// Of the run before, and nobody else's.
TEST(RunFolder, HalfWrittenFilesGo) {
  TemporaryFolder folder;
  std::vector<std::string> own = {"checkpoint.safetensors.partial.17",
                                  "checkpoint.previous.safetensors.partial.17",
                                  "weights.safetensors.partial.17",
                                  "run.json.partial.17"};
  std::vector<std::string> others = {"checkpoint.safetensors",
                                     "checkpoint.safetensors.partial.18",
                                     "weights.safetensors.partial",
                                     "photos.partial.17",
                                     "film.mkv.partial",
                                     ".partial.txt"};
  for (const auto &names : {own, others})
    for (const std::string &name : names)
      writeBytes(folder.file(name), "x");
  auto exists = [&](const std::string &name) {
    return std::filesystem::exists(folder.file(name));
  };
  std::string first = std::to_string(getpid()) + "\n";
  {
    RunFolder run(folder.path);
  } // of no run before
  EXPECT_EQ(readBytes(folder.file("lock")), first);
  for (const std::string &name : own)
    EXPECT_TRUE(exists(name)) << name;
  writeBytes(folder.file("lock"), "17\n");
  {
    RunFolder run(folder.path);
  }
  EXPECT_EQ(readBytes(folder.file("lock")), first);
  for (const std::string &name : own)
    EXPECT_FALSE(exists(name)) << name;
  for (const std::string &name : others)
    EXPECT_TRUE(exists(name)) << name;
  writeBytes(folder.file("lock"), "of my bicycle: 1234\n");
  {
    RunFolder run(folder.path);
  }
  EXPECT_EQ(readBytes(folder.file("lock")), "of my bicycle: 1234\n");
}

TEST(RunFolder, ALineThatDoesNotFitIsLeftOutWhole) {
  TemporaryFolder folder;
  RunFolder run(folder.path);
  EXPECT_EQ(run.appendMetrics("one"), 4);
  auto before = std::signal(SIGXFSZ, SIG_IGN);
  rlimit old, limit;
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &old), 0);
  limit = {6, old.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &limit), 0);
  std::string message = errorOf([&] { run.appendMetrics("two"); });
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &old), 0);
  std::signal(SIGXFSZ, before);
  EXPECT_CONTAINS(message, run.file("metrics.jsonl") +
                               ": cannot be written: File too large; raise");
  EXPECT_EQ(readBytes(run.file("metrics.jsonl")), "one\n");
  EXPECT_EQ(run.appendMetrics("two"), 8);
}

TEST(RunFolder, MetricsAreCutToTheCheckpoint) {
  TemporaryFolder folder;
  RunFolder run(folder.path);
  int64_t one = run.appendMetrics("one");
  EXPECT_EQ(one, 4);
  EXPECT_EQ(run.appendMetrics("two"), 8);
  run.truncateMetrics(one);
  EXPECT_EQ(readBytes(run.file("metrics.jsonl")), "one\n");
  EXPECT_CONTAINS(errorOf([&] { run.truncateMetrics(5); }), "metrics.jsonl");
}
