//===- ImageFiles.h - JPEG and PNG files as a source of images --*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Files are decoded each time they are read: names and labels alone are kept in
// memory.
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_RUNTIME_IMAGEFILES_H
#define ROOTC_RUNTIME_IMAGEFILES_H

#include "ImageDecode.h"
#include "ImageSource.h"

#include <mutex>

namespace rootc {

/// Whether a name ends in .jpg, .jpeg or .png, whatever its case.
bool isImageName(std::string_view name);

class ImageFiles : public ImageSource {
public:
  /// No files yet, for a model's image size. Paths begin with `root`, a folder
  /// with a slash at its end or nothing; `flag` ("--data") names its origin in
  /// messages. Throws if the model takes neither grey nor RGB images.
  ImageFiles(const Model &model, std::string flag, std::string root);

  /// Appends a file below the root; `size` in bytes tells data sets apart.
  void add(const std::string &path, int64_t size, int64_t label);
  /// The image files of a folder below the root ("": the root) and of its
  /// subfolders, their paths below the root and sizes, in the order of the
  /// paths. Names that begin with a dot are passed over, links to folders are
  /// not followed, other files are counted in `ignored`.
  std::vector<std::pair<std::string, int64_t>> list(const std::string &folder);
  /// Appends these; returns how many there are.
  int64_t addFolder(const std::string &folder, int64_t label);
  std::string path(int64_t sample) const override;
  /// A message for takeReports.
  void report(const std::string &text) const;

  const uint8_t *read(int64_t sample, const CropWords *crop,
                      std::vector<uint8_t> &buffer) const override;
  /// Over all images, or 10,000 of them at even distances, centre crops. If all
  /// have the model's size: their mean image and PadCropMirror, as for
  /// CIFAR-10's files; else the mean of each channel and CropMirror.
  Survey survey(int threads) const override;
  void requireReadable() const override;
  /// Of the files' paths below the root, and their sizes.
  std::string hash() const override;
  std::vector<std::string> takeReports() override;
  /// Half of what kernels get.
  int defaultThreads() const override;

  int64_t ignored = 0; ///< files that are no images by their names

private:
  struct Sums;
  const uint8_t *load(int64_t sample, const CropWords *crop,
                      std::vector<uint8_t> &buffer, ImageSize &size) const;
  std::string place() const; ///< the root, for messages

  std::string flag, root;
  std::string paths;            ///< each with a zero behind it
  std::vector<uint64_t> begins; ///< of each path, and of the next one
  std::vector<int64_t> sizes;
  mutable std::mutex mutex; ///< guards what follows
  mutable std::vector<bool> reported;
  mutable std::vector<std::string> reports;
  mutable std::string lastError;
};

} // namespace rootc

#endif // ROOTC_RUNTIME_IMAGEFILES_H
