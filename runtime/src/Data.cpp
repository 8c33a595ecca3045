//===- Data.cpp - Data sets that --data names -----------------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Data.h"
#include "Cifar.h"
#include "ImageFiles.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fmt/ranges.h>
#include <xxhash.h>

using namespace rootc;
namespace fs = std::filesystem;

using Names = std::vector<std::string>;

static bool isFolder(const fs::path &path) {
  std::error_code error;
  return fs::is_directory(path, error);
}

static bool holdsImage(const fs::path &folder) {
  std::error_code error;
  for (fs::recursive_directory_iterator it(folder, error), end;
       !error && it != end; it.increment(error))
    if (isImageName(it->path().filename().string()))
      return true;
  return false;
}

namespace {
/// Where an image folder's parts lie; empty where there is none.
struct Layout {
  std::string train, test;
  bool flat = false; ///< neither: classes lie in the folder itself

  explicit Layout(const std::string &folder) {
    auto part = [&](const char *name) {
      fs::path path = fs::path(folder) / name;
      return isFolder(path) ? path.string() : std::string();
    };
    train = part("train");
    test = part("val");
    if (test.empty())
      test = part("test");
    flat = train.empty() && test.empty() && holdsClasses(folder) &&
           !isCifar(folder);
  }

private:
  /// Whether a folder in it holds an image.
  static bool holdsClasses(const fs::path &folder) {
    std::error_code error;
    for (fs::directory_iterator it(folder, error), end; !error && it != end;
         it.increment(error))
      if (isFolder(it->path()) && holdsImage(it->path()))
        return true;
    return false;
  }
};
} // namespace

/// The class folders of a part, in the order of their names.
static Names classFolders(const std::string &part) {
  Names names;
  std::error_code error;
  for (fs::directory_iterator it(part, error), end; !error && it != end;
       it.increment(error)) {
    std::string name = it->path().filename().string();
    if (!name.starts_with(".") && isFolder(it->path()))
      names.push_back(name);
  }
  if (error)
    fail("--data: {}: cannot be listed: {}", part, error.message());
  std::sort(names.begin(), names.end());
  return names;
}

/// The first few of some names.
static std::string listed(Names names) {
  constexpr size_t most = 5;
  if (names.size() > most) {
    names.resize(most);
    names.push_back("...");
  }
  return fmt::format("{}", fmt::join(names, ", "));
}

static void checkCount(const std::string &part, const Names &classes,
                       const Model &model) {
  if (int64_t(classes.size()) != model->classes)
    fail(
        "--data: {}: has {} class folders ({}), and {} has {} classes; compile "
        "a network with classes({}), or give the folder that the network is "
        "for",
        part, classes.size(), listed(classes), model.path(), model->classes,
        classes.size());
}

/// Both parts need the same classes, for labels are their order.
static void checkSameClasses(const Layout &layout, const Names &train,
                             const Names &test) {
  auto missing = [](const Names &from, const Names &in) {
    Names names;
    std::set_difference(from.begin(), from.end(), in.begin(), in.end(),
                        std::back_inserter(names));
    return names;
  };
  auto check = [&](const Names &names, const std::string &where,
                   const std::string &other) {
    if (!names.empty())
      fail("--data: {} has {} that {} has not: {}; both need the same classes",
           where, names.size() == 1 ? "a class" : "classes", other,
           listed(names));
  };
  check(missing(train, test), layout.train, layout.test);
  check(missing(test, train), layout.test, layout.train);
}

static std::unique_ptr<ImageSource> openFolder(const Layout &layout,
                                               const std::string &folder,
                                               bool training,
                                               const Model &model) {
  const std::string &part = training ? layout.train : layout.test;
  if (part.empty())
    fail("--data: {}: is an image folder without {}, whose images {}", folder,
         training ? "train/" : "val/ or test/",
         training ? "the network is trained on"
                  : "the accuracy is measured on");
  Names classes = classFolders(part);
  if (classes.empty())
    fail(
        "--data: {}: holds no class folders; give each class a folder of .jpg, "
        ".jpeg and .png files in it",
        part);
  const std::string &other = training ? layout.test : layout.train;
  if (!other.empty()) {
    Names others = classFolders(other);
    if (training)
      checkSameClasses(layout, classes, others);
    else
      checkSameClasses(layout, others, classes);
  }
  checkCount(part, classes, model);
  auto images = std::make_unique<ImageFiles>(model, "--data", part + "/");
  for (size_t i = 0; i < classes.size(); ++i)
    if (images->addFolder(classes[i], int64_t(i)) == 0)
      fail("--data: {}/{}: holds no .jpg, .jpeg or .png file; remove the class "
           "or give it images",
           part, classes[i]);
  if (images->ignored)
    images->report(fmt::format(
        "{}: {} files or linked folders that are no .jpg, .jpeg or .png files "
        "are ignored",
        part, images->ignored));
  return images;
}

/// A folder of class folders, of which `split` takes a part.
static std::unique_ptr<ImageSource>
openClasses(const std::string &folder, const Names &classes, bool training,
            const Model &model, const std::optional<DataSplit> &split) {
  checkCount(folder, classes, model);
  auto images = std::make_unique<ImageFiles>(model, "--data", folder + "/");
  for (size_t i = 0; i < classes.size(); ++i) {
    auto files = images->list(classes[i]);
    int64_t count = int64_t(files.size()), tested = 0;
    if (split) {
      if (count < 2)
        fail("--data: {}/{}: holds {} .jpg, .jpeg or .png files; to train and "
             "to test, a class needs two",
             folder, classes[i], count);
      tested = std::clamp<int64_t>(
          std::llround(split->testFraction * double(count)), 1, count - 1);
      // The same file falls into the same part whatever others there are, as
      // far as their number allows.
      std::stable_sort(files.begin(), files.end(), [&](auto &a, auto &b) {
        auto key = [&](auto &file) {
          return XXH3_64bits_withSeed(file.first.data(), file.first.size(),
                                      split->seed);
        };
        return key(a) < key(b);
      });
      files.erase(training ? files.begin() : files.begin() + tested,
                  training ? files.begin() + tested : files.end());
      std::sort(files.begin(), files.end());
    } else if (count == 0) {
      fail("--data: {}/{}: holds no .jpg, .jpeg or .png file; remove the class "
           "or give it images",
           folder, classes[i]);
    }
    for (const auto &[path, size] : files)
      images->add(path, size, int64_t(i));
  }
  return images;
}

std::unique_ptr<ImageSource> rootc::openData(const std::string &folder,
                                             bool training, const Model &model,
                                             std::optional<DataSplit> split) {
  Layout layout(folder);
  if (!isCifar(folder)) {
    if (layout.flat)
      return openClasses(folder, classFolders(folder), training, model, split);
    if (!layout.train.empty() || !layout.test.empty())
      return openFolder(layout, folder, training, model);
    fail("--data: {}: holds no data_batch_*.bin or test_batch.bin (CIFAR-10's "
         "binary files), no train/CLASS/... and val/CLASS/... (or test/ for "
         "val/) and no CLASS/... with .jpg, .jpeg and .png files (an image "
         "folder); give a folder of one kind",
         folder);
  }
  return std::make_unique<Dataset>(loadCifar(folder, training, model));
}

std::vector<std::string> rootc::readClassNames(const std::string &folder) {
  Names names = readCifarNames(folder);
  if (!names.empty())
    return names;
  Layout layout(folder);
  if (layout.flat)
    return classFolders(folder);
  const std::string &part = layout.train.empty() ? layout.test : layout.train;
  return part.empty() ? names : classFolders(part);
}

std::string rootc::compareClassNames(const Weights &weights,
                                     const std::string &folder) {
  const Names &trained = weights.classNames;
  Names present = readClassNames(folder);
  if (trained.size() != present.size())
    return "";
  for (size_t i = 0; i < trained.size(); ++i)
    if (trained[i] != present[i])
      return fmt::format(
          "warning: class {} is '{}' in {}, and was '{}' when the weights were "
          "trained; images are counted as right by the classes' order",
          i, present[i], folder, trained[i]);
  return "";
}
