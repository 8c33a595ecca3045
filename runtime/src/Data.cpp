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
#include <filesystem>
#include <fmt/ranges.h>

using namespace rootc;
namespace fs = std::filesystem;

using Names = std::vector<std::string>;

static bool isFolder(const fs::path &path) {
  std::error_code error;
  return fs::is_directory(path, error);
}

namespace {
/// Where an image folder's parts lie; empty where there is none.
struct Layout {
  std::string train, test;

  explicit Layout(const std::string &folder) {
    auto part = [&](const char *name) {
      fs::path path = fs::path(folder) / name;
      return isFolder(path) ? path.string() : std::string();
    };
    train = part("train");
    test = part("val");
    if (test.empty())
      test = part("test");
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

std::unique_ptr<ImageSource>
rootc::openData(const std::string &folder, bool training, const Model &model) {
  Layout layout(folder);
  if (!isCifar(folder)) {
    if (!layout.train.empty() || !layout.test.empty())
      return openFolder(layout, folder, training, model);
    fail(
        "--data: {}: holds no data_batch_*.bin or test_batch.bin (CIFAR-10's "
        "binary files), and no train/CLASS/... and val/CLASS/... (or test/ for "
        "val/) with .jpg, .jpeg and .png files (an image folder); give a "
        "folder of one kind",
        folder);
  }
  return std::make_unique<Dataset>(loadCifar(folder, training, model));
}

std::vector<std::string> rootc::readClassNames(const std::string &folder) {
  Names names = readCifarNames(folder);
  if (!names.empty())
    return names;
  Layout layout(folder);
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
