//===- Cifar.cpp - Images in CIFAR-10's binary format ---------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Cifar.h"
#include "Resample.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <xxhash.h>

using namespace rootc;
namespace fs = std::filesystem;

namespace {
constexpr int64_t side = 32, planes = 3;
constexpr int64_t recordSize = 1 + planes * side * side;
} // namespace

std::string Dataset::hash() const {
  XXH64_hash_t seed =
      XXH3_64bits(labels.data(), labels.size() * sizeof(labels[0]));
  return fmt::format("{:016x}",
                     XXH3_64bits_withSeed(pixels.data(), pixels.size(), seed));
}

const uint8_t *Dataset::read(int64_t sample, const CropWords *crop,
                             std::vector<uint8_t> &buffer) const {
  // A crop of the model's size is the whole image.
  if (!crop || !crop->isResized)
    return image(sample);
  ImageSize size{height, width};
  DecodedImage whole{
      size, size, channels, {image(sample), image(sample) + imageSize()}};
  ImageSize resized = resizedSize(size, size, crop);
  buffer.resize(size_t(imageSize()));
  resample(whole, resized, cropWindow(resized, size, crop), buffer.data());
  return buffer.data();
}

void rootc::readCifar(const std::string &path, int64_t classes,
                      Dataset &dataset) {
  std::vector<char> bytes = readFile(path);
  int64_t records = int64_t(bytes.size()) / recordSize;
  if (bytes.empty() || int64_t(bytes.size()) % recordSize)
    fail("{}: has {} bytes, which is not a whole number of CIFAR-10's records "
         "of {} bytes; it is truncated, or of another format",
         path, bytes.size(), recordSize);
  dataset.height = dataset.width = side;
  dataset.channels = planes;
  int64_t first = dataset.count;
  dataset.count += records;
  dataset.pixels.resize(size_t(dataset.count * dataset.imageSize()));
  dataset.labels.resize(size_t(dataset.count));
  for (int64_t i = 0; i < records; ++i) {
    const char *record = bytes.data() + i * recordSize;
    int64_t label = static_cast<unsigned char>(record[0]);
    if (label >= classes)
      fail("{}: record {} has label {}, and the network has {} classes; the "
           "file is of another format, or for another network",
           path, i, label, classes);
    dataset.labels[size_t(first + i)] = label;
    uint8_t *image = dataset.pixels.data() + (first + i) * dataset.imageSize();
    for (int64_t pixel = 0; pixel < side * side; ++pixel)
      for (int64_t plane = 0; plane < planes; ++plane)
        image[pixel * planes + plane] =
            uint8_t(record[1 + plane * side * side + pixel]);
  }
}

/// data_batch_2.bin comes before data_batch_10.bin.
static bool byNumber(const std::string &a, const std::string &b) {
  return a.size() != b.size() ? a.size() < b.size() : a < b;
}

/// The files of the training or the test images, in order.
static std::vector<std::string> listFiles(const std::string &folder,
                                          bool training) {
  std::error_code error;
  std::vector<std::string> files;
  for (fs::directory_iterator it(folder, error), end; !error && it != end;
       it.increment(error)) {
    std::string name = it->path().filename().string();
    if (training ? name.starts_with("data_batch_") && name.ends_with(".bin")
                 : name == "test_batch.bin")
      files.push_back(it->path().string());
  }
  if (error)
    fail("--data: {}: cannot be listed: {}", folder, error.message());
  std::sort(files.begin(), files.end(), byNumber);
  return files;
}

bool rootc::isCifar(const std::string &folder) {
  return !listFiles(folder, true).empty() || !listFiles(folder, false).empty();
}

Dataset rootc::loadCifar(const std::string &folder, bool training,
                         const Model &model) {
  if (model->height != side || model->width != side ||
      model->channels != planes)
    fail("{}: takes images of {} x {} x {}, and CIFAR-10's are {} x {} x {}; "
         "compile the network with --image={}x{}",
         model.path(), model->height, model->width, model->channels, side, side,
         planes, side, side);
  std::vector<std::string> files = listFiles(folder, training);
  if (files.empty())
    fail("--data: {}: holds no {}; give the folder of CIFAR-10's binary files",
         folder, training ? "data_batch_*.bin" : "test_batch.bin");
  Dataset dataset;
  for (const std::string &file : files)
    readCifar(file, model->classes, dataset);
  return dataset;
}

std::vector<std::string> rootc::readCifarNames(const std::string &folder) {
  std::vector<std::string> names;
  std::string path = (fs::path(folder) / "batches.meta.txt").string();
  std::error_code error;
  if (!fs::is_regular_file(path, error))
    return names;
  std::vector<char> bytes = readFile(path);
  std::string line;
  bytes.push_back('\n');
  for (char c : bytes) {
    if (c == '\n') {
      if (!line.empty())
        names.push_back(line);
      line.clear();
    } else if (c != '\r') {
      line += c;
    }
  }
  return names;
}

Survey Dataset::survey(int) const {
  Normalisation result;
  size_t size = size_t(imageSize());
  std::vector<uint64_t> sums(size);
  for (size_t i = 0; i < pixels.size(); ++i)
    sums[i % size] += pixels[i];
  for (uint64_t sum : sums)
    result.mean.push_back(float(double(sum) / double(count)));
  std::vector<double> squares(static_cast<size_t>(channels));
  for (size_t i = 0; i < pixels.size(); ++i) {
    double difference = pixels[i] - double(result.mean[i % size]);
    squares[i % squares.size()] += difference * difference;
  }
  for (double square : squares) {
    double deviation =
        std::sqrt(square * double(channels) / double(pixels.size()));
    // A channel without contrast stays as it is.
    result.scale.push_back(deviation > 0 ? float(deviation) : 1.f);
  }
  return {result, Augment::PadCropMirror};
}
