//===- ImageFiles.cpp - JPEG and PNG files as a source of images ----------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ImageFiles.h"
#include "LoaderThreads.h"
#include "Resample.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <exception>
#include <filesystem>
#include <utility>
#include <xxhash.h>

using namespace rootc;
namespace fs = std::filesystem;

namespace {
constexpr int64_t surveyed = 10'000;
}

bool rootc::isImageName(std::string_view name) {
  std::string lower(
      name.substr(name.size() - std::min<size_t>(name.size(), 5)));
  for (char &c : lower)
    c = c >= 'A' && c <= 'Z' ? char(c - 'A' + 'a') : c;
  return lower.ends_with(".jpg") || lower == ".jpeg" || lower.ends_with(".png");
}

ImageFiles::ImageFiles(const Model &model, std::string flag, std::string root)
    : flag(std::move(flag)), root(std::move(root)), begins{0} {
  height = model->height;
  width = model->width;
  channels = model->channels;
  if (channels != 1 && channels != 3)
    fail(
        "{}: takes images of {} channels, and JPEG and PNG files have 1 (grey) "
        "or 3 (RGB)",
        model.path(), channels);
}

void ImageFiles::add(const std::string &path, int64_t size, int64_t label) {
  paths += path;
  paths += '\0';
  begins.push_back(paths.size());
  sizes.push_back(size);
  labels.push_back(label);
  reported.push_back(false);
  ++count;
}

std::vector<std::pair<std::string, int64_t>>
ImageFiles::list(const std::string &folder) {
  std::vector<std::pair<std::string, int64_t>> found;
  std::error_code error;
  // Does not follow links to folders, so it ends.
  std::string whole = root + folder;
  fs::recursive_directory_iterator it(whole, error), end;
  for (; !error && it != end; it.increment(error)) {
    std::string name = it->path().filename().string();
    std::error_code status;
    bool isFolder = it->is_directory(status), isLink = it->is_symlink(status);
    if (name.starts_with(".")) {
      if (isFolder)
        it.disable_recursion_pending();
    } else if (isFolder) {
      ignored += isLink;
    } else if (isImageName(name)) {
      // A file that cannot be looked at is one that cannot be read.
      auto size = it->file_size(status);
      found.emplace_back(it->path().string().substr(root.size()),
                         status ? 0 : int64_t(size));
    } else {
      ++ignored;
    }
  }
  if (error)
    fail("{}: {}: cannot be listed: {}", flag, whole, error.message());
  std::sort(found.begin(), found.end());
  return found;
}

int64_t ImageFiles::addFolder(const std::string &folder, int64_t label) {
  auto found = list(folder);
  for (const auto &[path, size] : found)
    add(path, size, label);
  return int64_t(found.size());
}

std::string ImageFiles::path(int64_t sample) const {
  uint64_t begin = begins[size_t(sample)];
  return root + paths.substr(begin, begins[size_t(sample) + 1] - 1 - begin);
}

void ImageFiles::report(const std::string &text) const {
  std::lock_guard<std::mutex> lock(mutex);
  reports.push_back(text);
}

std::vector<std::string> ImageFiles::takeReports() {
  std::lock_guard<std::mutex> lock(mutex);
  return std::exchange(reports, {});
}

int ImageFiles::defaultThreads() const {
  return std::max(1, rootc::defaultThreads() / 2);
}

/// Also tells the file's image size.
const uint8_t *ImageFiles::load(int64_t sample, const CropWords *crop,
                                std::vector<uint8_t> &buffer,
                                ImageSize &size) const {
  ImageSize model{height, width};
  std::string name = path(sample);
  try {
    std::vector<char> file = readFile(name, maximumImageBytes);
    DecodedImage image;
    try {
      image = decodeImage(file, channels, [&](ImageSize size) {
        return resizedSize(size, model, crop);
      });
    } catch (const Error &error) {
      fail("{}: {}", name, error.what());
    }
    size = image.size;
    buffer.resize(size_t(imageSize()));
    ImageSize resized = resizedSize(size, model, crop);
    resample(image, resized, cropWindow(resized, model, crop), buffer.data());
    return buffer.data();
  } catch (const Error &error) {
    std::lock_guard<std::mutex> lock(mutex);
    if (!reported[size_t(sample)])
      reports.push_back(fmt::format("{}; it is skipped", error.what()));
    reported[size_t(sample)] = true;
    lastError = error.what();
    return nullptr;
  }
}

const uint8_t *ImageFiles::read(int64_t sample, const CropWords *crop,
                                std::vector<uint8_t> &buffer) const {
  ImageSize size;
  return load(sample, crop, buffer, size);
}

std::string ImageFiles::place() const {
  return root.empty() ? root : root + ": ";
}

void ImageFiles::requireReadable() const {
  std::vector<uint8_t> buffer;
  for (int64_t i = 0; i < count; ++i)
    if (read(i, nullptr, buffer))
      return;
  std::lock_guard<std::mutex> lock(mutex);
  if (count == 1)
    fail("{}: {}", flag, lastError);
  fail("{}: {}none of the {} images can be read; the last: {}", flag, place(),
       count, lastError);
}

/// Whole numbers, so that they do not depend on the order of images.
struct ImageFiles::Sums {
  int64_t images = 0, ofModelSize = 0;
  std::vector<uint64_t> pixels;  ///< [H,W,C]
  std::vector<uint64_t> squares; ///< [C]
};

Survey ImageFiles::survey(int threads) const {
  int64_t tried = std::min(count, surveyed);
  size_t size = size_t(imageSize()), planes = size_t(channels);
  Sums total{0, 0, std::vector<uint64_t>(size), std::vector<uint64_t>(planes)};
  std::atomic<int64_t> next = 0;
  std::mutex merging;
  std::exception_ptr failure;
  auto work = [&] {
    try {
      Sums sums{0, 0, std::vector<uint64_t>(size),
                std::vector<uint64_t>(planes)};
      std::vector<uint8_t> buffer;
      for (int64_t i; (i = next++) < tried;) {
        ImageSize found;
        // Evenly spaced; count * tried fits: a count is of names in memory.
        const uint8_t *image = load(i * count / tried, nullptr, buffer, found);
        if (!image)
          continue;
        ++sums.images;
        sums.ofModelSize += found == ImageSize{height, width};
        for (size_t at = 0; at < size; ++at) {
          sums.pixels[at] += image[at];
          sums.squares[at % planes] += uint64_t(image[at]) * image[at];
        }
      }
      std::lock_guard<std::mutex> lock(merging);
      total.images += sums.images;
      total.ofModelSize += sums.ofModelSize;
      for (size_t at = 0; at < size; ++at)
        total.pixels[at] += sums.pixels[at];
      for (size_t c = 0; c < planes; ++c)
        total.squares[c] += sums.squares[c];
    } catch (...) {
      std::lock_guard<std::mutex> lock(merging);
      failure = std::current_exception();
      next = tried;
    }
  };
  for (std::thread &thread :
       startLoaderThreads(threads, work, [&] { next = tried; }))
    thread.join();
  if (failure)
    std::rethrow_exception(failure);
  if (total.images == 0)
    requireReadable();
  if (total.images == 0)
    fail("{}: {}none of {} images that were tried can be read", flag, place(),
         tried);

  using Real = long double;
  bool meanImage = total.ofModelSize == total.images;
  Real images = Real(total.images), all = images * Real(size / planes);
  std::vector<Real> channelSums(planes), explained(planes);
  for (size_t at = 0; at < size; ++at) {
    channelSums[at % planes] += Real(total.pixels[at]);
    explained[at % planes] +=
        Real(total.pixels[at]) * Real(total.pixels[at]) / images;
  }
  Survey result;
  result.augment = meanImage ? Augment::PadCropMirror : Augment::CropMirror;
  for (size_t at = 0; at < size; ++at)
    result.normalisation.mean.push_back(
        float(meanImage ? Real(total.pixels[at]) / images
                        : channelSums[at % planes] / all));
  for (size_t c = 0; c < planes; ++c) {
    Real mean =
        meanImage ? explained[c] : channelSums[c] * channelSums[c] / all;
    Real variance = (Real(total.squares[c]) - mean) / all;
    // A channel without contrast stays as it is.
    result.normalisation.scale.push_back(
        variance > 0 ? float(std::sqrt(variance)) : 1.f);
  }
  return result;
}

std::string ImageFiles::hash() const {
  XXH64_hash_t seed =
      XXH3_64bits(sizes.data(), sizes.size() * sizeof(sizes[0]));
  return fmt::format("{:016x}",
                     XXH3_64bits_withSeed(paths.data(), paths.size(), seed));
}
