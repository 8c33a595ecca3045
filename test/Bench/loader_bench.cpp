//===- loader_bench.cpp - Speed of reading image folders ------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
//   loader_bench NET.so DIR [THREADS...]
//
// Images a second that the loader makes of DIR/train for a network of RGB
// images (read, decoded, resized, cropped at random, mirrored, normalised),
// with each number of threads; then what decoding and resizing take of it, on
// one thread.
//
//===----------------------------------------------------------------------===//

#include "runtime/src/Data.h"
#include "runtime/src/ImageFiles.h"
#include "runtime/src/Loader.h"
#include "runtime/src/Resample.h"

#include <chrono>
#include <cstdio>

using namespace rootc;
using Clock = std::chrono::steady_clock;

static double secondsSince(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

static void timeLoader(const ImageSource &images, int threads) {
  Normalisation normalisation{FloatArray(size_t(images.imageSize()), 120.f),
                              FloatArray(size_t(images.channels), 60.f)};
  LoaderOptions options;
  options.shuffle = true;
  options.augment = Augment::CropMirror;
  options.threads = threads;
  auto start = Clock::now();
  Loader loader(images, normalisation, options);
  int64_t count = 0, skipped = 0;
  while (const Batch *batch = loader.next()) {
    count += batch->size;
    skipped += batch->skipped;
  }
  fmt::print("{} threads: {:.0f} images/s ({} images, {} skipped)\n", threads,
             double(count) / secondsSince(start), count, skipped);
}

static void timeParts(const ImageFiles &images, ImageSize model) {
  double decoding = 0, resizing = 0;
  std::vector<uint8_t> out(size_t(model.height * model.width * 3));
  for (int64_t i = 0; i < images.count; ++i) {
    std::vector<char> file = readFile(images.path(i));
    auto start = Clock::now();
    DecodedImage image = decodeImage(
        file, 3, [&](ImageSize size) { return resizedSize(size, model); });
    decoding += secondsSince(start);
    start = Clock::now();
    ImageSize resized = resizedSize(image.size, model);
    resample(image, resized, cropWindow(resized, model, nullptr), out.data());
    resizing += secondsSince(start);
  }
  fmt::print("one thread: decoding {:.2f} ms, resizing {:.2f} ms an image\n",
             1e3 * decoding / double(images.count),
             1e3 * resizing / double(images.count));
}

int main(int argc, char **argv) {
  if (argc < 3) {
    std::fputs("loader_bench NET.so DIR [THREADS...]\n", stderr);
    return 1;
  }
  try {
    Model model = Model::open(argv[1]);
    auto images = openData(argv[2], true, model);
    for (int i = 3; i < argc; ++i)
      timeLoader(*images, std::stoi(argv[i]));
    timeParts(dynamic_cast<ImageFiles &>(*images),
              {model->height, model->width});
  } catch (const std::exception &error) {
    std::fprintf(stderr, "loader_bench: %s\n", error.what());
    return 1;
  }
  return 0;
}
