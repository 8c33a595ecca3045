//===- many_threads.cpp - Eight threads infer on one model ----------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// many_threads NET.so: eight threads, each with a session of its own, infer
// with shared weights and a shared pool; the logits must be the serial ones,
// bit for bit. Meant for the thread and address sanitizers, too.
//
//===----------------------------------------------------------------------===//

#include "rootc/runtime.h"

#include <cstdio>
#include <cstring>
#include <thread>

using namespace rootc;

static int check(const char *path) {
  constexpr int threadCount = 8;
  constexpr int64_t batch = 3;
  Model model = Model::open(path);
  Weights weights = Weights::initialise(model, 1);
  Prepared prepared(model, weights);
  auto imageCount = size_t(batch * model.imageSize());
  auto logitCount = size_t(batch * model->classes);
  FloatArray images(threadCount * imageCount);
  for (size_t i = 0; i < images.size(); ++i)
    images[i] = float(i * 7919 % 509) / 255 - 1;

  FloatArray serial(threadCount * logitCount);
  Session session(model);
  for (size_t t = 0; t < threadCount; ++t)
    session.infer(prepared, batch, images.data() + t * imageCount,
                  serial.data() + t * logitCount);

  FloatArray parallel(serial.size(), -1e30f);
  auto pool = std::make_shared<ThreadPool>(model, 2);
  std::vector<std::string> errors(threadCount);
  std::vector<std::thread> threads;
  for (size_t t = 0; t < threadCount; ++t)
    threads.emplace_back([&, t] {
      try {
        Session own(model, pool);
        for (int repeat = 0; repeat < 3; ++repeat)
          own.infer(prepared, batch, images.data() + t * imageCount,
                    parallel.data() + t * logitCount);
      } catch (const Error &error) {
        errors[t] = error.what();
      }
    });
  for (std::thread &thread : threads)
    thread.join();
  for (const std::string &error : errors)
    if (!error.empty())
      throw Error(error);
  if (std::memcmp(serial.data(), parallel.data(),
                  serial.size() * sizeof(float)) != 0) {
    std::fprintf(stderr, "many_threads: logits differ from the serial ones\n");
    return 1;
  }
  if (!std::memcmp(serial.data(), serial.data() + logitCount,
                   logitCount * sizeof(float))) {
    std::fprintf(stderr, "many_threads: other images gave the same logits\n");
    return 1;
  }
  return 0;
}

int main(int argc, char **argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: many_threads NET.so\n");
    return 1;
  }
  try {
    return check(argv[1]);
  } catch (const Error &error) {
    std::fprintf(stderr, "many_threads: %s\n", error.what());
    return 1;
  }
}
