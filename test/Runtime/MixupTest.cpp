//===- MixupTest.cpp - Batches of mixed images ----------------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/src/Mixup.h"
#include "FakeModel.h"
#include "TestSupport.h"
#include "codegen/MixedLabel.h"
#include "runtime/src/Cifar.h"

#include <algorithm>
#include <cmath>
#include <set>

using namespace rootc;
using namespace rootc::test;
using codegen::MixedLabel;

TEST(Mixup, LabelsArePacked) {
  MixedLabel mixed(ROOTC_MIXED_LABEL(2097151, 2097150, 2097149));
  EXPECT_EQ(mixed.label, 2097151);
  EXPECT_EQ(mixed.partner, 2097150);
  EXPECT_EQ(mixed.share, 2097149 / 2097152.0);
  EXPECT_TRUE(MixedLabel(9).isBelow(10));
  EXPECT_EQ(MixedLabel(9).label, 9);
  EXPECT_EQ(MixedLabel(9).share, 0);
  for (int64_t bad :
       {int64_t(10), int64_t(-1), INT64_MIN, ROOTC_MIXED_LABEL(10, 0, 1),
        ROOTC_MIXED_LABEL(0, 10, 1), ROOTC_MIXED_LABEL(0, 1, 0)})
    EXPECT_FALSE(MixedLabel(bad).isBelow(10)) << bad;
}

/// Beta(a, a) has mean 1/2 and variance 1 / (8 a + 4).
TEST(Mixup, WeightsAreBetaDistributed) {
  constexpr int count = 20000;
  for (double alpha : {0.05, 0.2, 1.0, 8.0}) {
    double sum = 0, squares = 0;
    int low = 0;
    for (int i = 0; i < count; ++i) {
      double weight = mixingWeight(alpha, 3, i / 100, i % 100);
      ASSERT_TRUE(weight >= 0 && weight <= 1) << weight;
      sum += weight;
      squares += (weight - 0.5) * (weight - 0.5);
      low += weight < 0.25;
    }
    double variance = 1 / (8 * alpha + 4);
    EXPECT_NEAR(sum / count, 0.5, 5 * std::sqrt(variance / count)) << alpha;
    EXPECT_NEAR(squares / count, variance, 0.05 * variance) << alpha;
    if (alpha == 1) {
      EXPECT_NEAR(double(low) / count, 0.25, 0.02);
    }
  }
  for (double alpha : {1e-44, 1e-10, 3e38})
    for (int i = 0; i < 100; ++i) {
      double weight = mixingWeight(alpha, 3, 0, i);
      EXPECT_TRUE(alpha > 1 ? std::abs(weight - 0.5) < 1e-6
                            : weight == 0 || weight == 1)
          << alpha << ": " << weight;
    }
}

static Batch makeBatch(int64_t size, int64_t index) {
  Batch batch;
  batch.size = size;
  batch.index = index;
  for (int64_t i = 0; i < size; ++i) {
    batch.labels.push_back(i);
    batch.samples.push_back(i);
    for (int k = 0; k < 3; ++k)
      batch.image.push_back(float(std::sin(i * 3 + k)));
  }
  return batch;
}

TEST(Mixup, ImagesAreMixedAsTheirLabelsSay) {
  std::set<double> shares;
  std::set<int64_t> partnersOfOne;
  for (int64_t index = 0; index < 50; ++index) {
    int64_t size = 1 + index % 9;
    Batch plain = makeBatch(size, index), mixed = plain;
    mixBatch(mixed, 0.5, 7);
    std::set<int64_t> partners;
    for (int64_t i = 0; i < size; ++i) {
      MixedLabel label(mixed.labels[size_t(i)]);
      EXPECT_EQ(label.label, i);
      EXPECT_EQ(label.share, MixedLabel(mixed.labels[0]).share);
      partners.insert(label.partner);
      for (int64_t k = 0; k < 3; ++k) {
        float share = float(label.share);
        EXPECT_EQ(mixed.image[size_t(3 * i + k)],
                  (1 - share) * plain.image[size_t(3 * i + k)] +
                      share * plain.image[size_t(3 * label.partner + k)]);
      }
      if (size == 9 && i == 1)
        partnersOfOne.insert(label.partner);
      shares.insert(label.share);
    }
    EXPECT_EQ(partners.size(), size_t(size)) << "is no permutation";
    EXPECT_EQ(mixed.samples, plain.samples);
    Batch again = plain;
    mixBatch(again, 0.5, 7);
    EXPECT_EQ(again.image, mixed.image);
    EXPECT_EQ(again.labels, mixed.labels);
  }
  EXPECT_GT(shares.size(), 40u);
  EXPECT_GT(partnersOfOne.size(), 2u);
  Batch none;
  mixBatch(none, 0.5, 7);
}

/// A weight of next to 0, and so of a share of exactly none.
TEST(Mixup, WithoutAShareABatchIsAsItWas) {
  int unmixed = 0;
  for (int64_t index = 0; index < 20; ++index) {
    Batch plain = makeBatch(6, index), mixed = plain;
    mixBatch(mixed, 1e-10, 7);
    if (MixedLabel(mixed.labels[0]).share > 0)
      continue;
    ++unmixed;
    EXPECT_EQ(mixed.image, plain.image);
    EXPECT_EQ(mixed.labels, plain.labels);
  }
  EXPECT_GT(unmixed, 3);
}

TEST(Mixup, BatchesDoNotDependOnThreads) {
  TemporaryFolder folder;
  Model model = Model::adopt(fake_model());
  writeBytes(folder.file("data_batch_1.bin"), makeCifar(45, 1));
  Dataset dataset = loadCifar(folder.path, true, model);
  Normalisation normalisation = dataset.survey(1).normalisation;
  auto read = [&](int threads, int64_t firstEpoch, int64_t firstBatch) {
    LoaderOptions options;
    options.batch = 8;
    options.seed = 5;
    options.shuffle = true;
    options.mixup = 1;
    options.epochs = 2;
    options.threads = threads;
    options.firstEpoch = firstEpoch;
    options.firstBatch = firstBatch;
    Loader loader(dataset, normalisation, options);
    std::vector<Batch> batches;
    while (const Batch *batch = loader.next())
      batches.push_back(*batch);
    return batches;
  };
  std::vector<Batch> all = read(1, 0, 0), some = read(4, 0, 0);
  std::vector<Batch> late = read(3, 1, 2);
  ASSERT_EQ(all.size(), 12u);
  some.insert(some.end(), late.begin(), late.end());
  ASSERT_EQ(some.size(), 16u);
  for (size_t i = 0; i < some.size(); ++i) {
    size_t same = i < 12 ? i : i - 4;
    EXPECT_EQ(some[i].image, all[same].image);
    EXPECT_EQ(some[i].labels, all[same].labels);
  }
  std::set<double> shares;
  for (const Batch &batch : all)
    shares.insert(MixedLabel(batch.labels[0]).share);
  EXPECT_EQ(shares.size(), 12u);
}
