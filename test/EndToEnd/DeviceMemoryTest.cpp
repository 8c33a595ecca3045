//===- DeviceMemoryTest.cpp - Host memory that a device knows -------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// device_pin, device_ahead and their like of a library for OpenCL.
//
//===----------------------------------------------------------------------===//

#include "CompiledModels.h"

#include <gtest/gtest.h>
#include <thread>

using namespace rootc;
using namespace rootc::test;

namespace {

constexpr int64_t batch = 3;

class DeviceMemory : public testing::Test {
protected:
  Model model = Model::open(
      compiled(ROOTC_TINY, "device.so", "--target=host-opencl,host"));
  Weights weights = Weights::initialise(model, 1);
  Prepared prepared{model, weights};
  rootc_context context = {};

  void SetUp() override {
    ASSERT_TRUE(model.hasDevice());
    context.device = model.device();
  }

  FloatArray images(unsigned seed) const {
    return randomFloats(batch * model.imageSize(), seed);
  }
  /// Of images that nothing was done with before.
  FloatArray expected(FloatArray given) const { return infer(given); }
  FloatArray infer(const FloatArray &given, int64_t size = batch) const {
    Session session(model);
    FloatArray logits(size_t(size * model->classes), NAN);
    session.infer(prepared, size, given.data(), logits.data());
    return logits;
  }
  int pin(FloatArray &values) {
    return model->device_pin(&context, values.data(),
                             values.size() * sizeof(float));
  }
  int ahead(const FloatArray &values) {
    return model->device_ahead(&context, values.data(),
                               values.size() * sizeof(float));
  }
  void unpin(FloatArray &values) {
    model->device_unpin(model.device(), values.data());
  }
};

TEST_F(DeviceMemory, ImagesAheadGiveWhatTheyWouldHave) {
  FloatArray one = images(1), two = images(2);
  FloatArray ofOne = expected(one), ofTwo = expected(two);
  ASSERT_FALSE(sameBits(ofOne, ofTwo));
  ASSERT_EQ(pin(one), ROOTC_OK);
  ASSERT_EQ(pin(two), ROOTC_OK);
  // In turns, in another order than they were begun, and without having been.
  for (int turn = 0; turn < 3; ++turn) {
    EXPECT_EQ(ahead(two), ROOTC_OK);
    EXPECT_TRUE(sameBits(infer(one), ofOne));
    EXPECT_EQ(ahead(one), ROOTC_OK);
    EXPECT_TRUE(sameBits(infer(two), ofTwo));
    EXPECT_TRUE(sameBits(infer(two), ofTwo));
    EXPECT_TRUE(sameBits(infer(one), ofOne));
  }
  unpin(one);
  unpin(two);
}

TEST_F(DeviceMemory, ImagesThatAreBegunTwiceAreTheLast) {
  FloatArray values = images(1), other = images(2);
  FloatArray wanted = expected(other);
  ASSERT_EQ(pin(values), ROOTC_OK);
  EXPECT_EQ(ahead(values), ROOTC_OK);
  unpin(values); // what was begun is forgotten
  std::copy(other.begin(), other.end(), values.begin());
  EXPECT_TRUE(sameBits(infer(values), wanted));
  ASSERT_EQ(pin(values), ROOTC_OK);
  EXPECT_EQ(ahead(values), ROOTC_OK);
  EXPECT_EQ(ahead(values), ROOTC_OK);
  EXPECT_TRUE(sameBits(infer(values), wanted));
  unpin(values);
}

TEST_F(DeviceMemory, FewerAndMoreImagesThanWentAhead) {
  FloatArray values = images(1);
  FloatArray wanted = expected(values);
  ASSERT_EQ(pin(values), ROOTC_OK);
  EXPECT_EQ(ahead(values), ROOTC_OK);
  FloatArray first = infer(values, 1);
  EXPECT_TRUE(std::equal(first.begin(), first.end(), wanted.begin()));
  EXPECT_EQ(model->device_ahead(&context, values.data(),
                                size_t(model.imageSize()) * sizeof(float)),
            ROOTC_OK);
  EXPECT_TRUE(sameBits(infer(values), wanted));
  unpin(values);
}

TEST_F(DeviceMemory, ImagesThatAreNotPinnedAreRefused) {
  FloatArray values = images(1), other = images(2);
  EXPECT_EQ(ahead(values), ROOTC_ERROR_ARGUMENT);
  EXPECT_NE(std::strstr(context.error, "device_pin"), nullptr) << context.error;
  ASSERT_EQ(pin(values), ROOTC_OK);
  EXPECT_EQ(ahead(other), ROOTC_ERROR_ARGUMENT);
  EXPECT_EQ(model->device_ahead(&context, values.data() + 1,
                                values.size() * sizeof(float)),
            ROOTC_ERROR_ARGUMENT);
  EXPECT_EQ(ahead(values), ROOTC_OK);
  EXPECT_STREQ(context.error, "");
  unpin(other); // which was not
  unpin(values);
  unpin(values);
  EXPECT_EQ(ahead(values), ROOTC_ERROR_ARGUMENT);
}

TEST_F(DeviceMemory, ThreadsHaveTheirOwnImages) {
  std::vector<std::thread> threads;
  for (unsigned seed = 0; seed < 4; ++seed)
    threads.emplace_back([&, seed] {
      FloatArray one = images(10 + seed), two = images(20 + seed);
      FloatArray ofOne = expected(one), ofTwo = expected(two);
      ImagesAhead next(model);
      for (int turn = 0; turn < 5; ++turn) {
        next.begin(two);
        EXPECT_TRUE(sameBits(infer(one), ofOne));
        next.begin(one);
        EXPECT_TRUE(sameBits(infer(two), ofTwo));
      }
    });
  for (std::thread &thread : threads)
    thread.join();
}

TEST_F(DeviceMemory, OnTheCpuNothingIsDone) {
  Model cpu = Model::open(
      compiled(ROOTC_TINY, "device.so", "--target=host-opencl,host"), "cpu");
  ASSERT_FALSE(cpu.hasDevice());
  FloatArray values = images(1);
  context.device = nullptr;
  EXPECT_EQ(cpu->device_ahead(&context, values.data(), 4), ROOTC_OK);
  EXPECT_EQ(cpu->device_pin(&context, values.data(), 4), ROOTC_OK);
  cpu->device_unpin(nullptr, values.data());
  ImagesAhead(cpu).begin(values);
}

TEST_F(DeviceMemory, WhatIsKeptIsTheDevicesUntilItIsFetched) {
  FloatArray values = images(1);
  FloatArray wanted = expected(values);
  DeviceCopy copy(model, values);
  FloatArray before = values;
  std::fill(values.begin(), values.end(), 0.0f);
  EXPECT_TRUE(sameBits(infer(values), wanted));
  copy.fetch();
  EXPECT_TRUE(sameBits(values, before));
}

} // namespace
