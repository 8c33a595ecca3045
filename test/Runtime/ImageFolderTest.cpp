//===- ImageFolderTest.cpp - Image folders as data sets -------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "FakeModel.h"
#include "TestImages.h"
#include "TestSupport.h"
#include "runtime/src/Cifar.h"
#include "runtime/src/Data.h"
#include "runtime/src/ImageFiles.h"
#include "runtime/src/Loader.h"

#include <set>
#include <sys/stat.h>

using namespace rootc;
using namespace rootc::test;
namespace fs = std::filesystem;

namespace {
struct Folder : testing::Test {
  TemporaryFolder folder;
  rootc_model table = *fake_model();
  Model model = Model::adopt(&table);

  Folder() { table.classes = 2; }

  void write(const std::string &name, const std::string &bytes) {
    fs::create_directories(fs::path(folder.file(name)).parent_path());
    writeBytes(folder.file(name), bytes);
  }
  static std::string png(int64_t height, int64_t width, unsigned seed = 0) {
    return encodePng(height, width, {}, pattern(height, width, 3, seed));
  }
  /// Two classes of `count` images in train, one image of each in val.
  void fill(int count, int64_t height = 40, int64_t width = 50) {
    for (int i = 0; i < count; ++i)
      for (const char *name : {"cat", "dog"})
        write(fmt::format("train/{}/{:03}.png", name, i),
              png(height, width, unsigned(i * 2)));
    write("val/cat/a.png", png(height, width));
    write("val/dog/a.png", png(height, width));
  }
  std::string error(bool training = true) {
    return errorOf([&] { openData(folder.path, training, model); });
  }
  std::vector<Batch> load(const ImageSource &source, LoaderOptions options,
                          Augment augment = Augment::CropMirror) {
    options.batch = 4;
    options.seed = 5;
    options.shuffle = true;
    options.augment = augment;
    options.epochs = 2;
    Normalisation normalisation = source.survey(2).normalisation;
    Loader loader(source, normalisation, options);
    std::vector<Batch> batches;
    while (const Batch *batch = loader.next())
      batches.push_back(*batch);
    return batches;
  }
};
} // namespace

TEST_F(Folder, Recognised) {
  EXPECT_CONTAINS(error(), "CIFAR-10's binary files");
  EXPECT_CONTAINS(error(), "train/CLASS/");
  fill(3);
  auto images = openData(folder.path, true, model);
  EXPECT_EQ(images->count, 6);
  EXPECT_EQ(images->labels, (std::vector<int64_t>{0, 0, 0, 1, 1, 1}));
  EXPECT_EQ(openData(folder.path, false, model)->count, 2);
  EXPECT_EQ(readClassNames(folder.path),
            (std::vector<std::string>{"cat", "dog"}));
  fs::rename(folder.file("val"), folder.file("test"));
  EXPECT_EQ(openData(folder.path, false, model)->count, 2);
  fs::remove_all(folder.file("train")); // to evaluate, val alone will do
  EXPECT_EQ(openData(folder.path, false, model)->count, 2);
  EXPECT_CONTAINS(error(true), "without train/");
  table.classes = 10;
  writeBytes(folder.file("test_batch.bin"), makeCifar(7, 1));
  EXPECT_EQ(openData(folder.path, false, model)->count, 7); // CIFAR-10's first
}

TEST_F(Folder, ClassesWithoutPartsAreSplit) {
  for (int i = 0; i < 10; ++i)
    for (const char *name : {"cat", "dog"})
      write(fmt::format("{}/{:03}.png", name, i), png(8, 8));
  auto paths = [&](bool training, DataSplit split) {
    auto images = openData(folder.path, training, model, split);
    std::vector<std::string> result;
    for (int64_t i = 0; i < images->count; ++i)
      result.push_back(static_cast<ImageFiles &>(*images).path(i));
    return result;
  };
  auto train = paths(true, {0.3, 1}), test = paths(false, {0.3, 1});
  EXPECT_EQ(train.size(), 14u);
  EXPECT_EQ(test.size(), 6u); // three of each class
  EXPECT_EQ(
      std::count_if(test.begin(), test.end(),
                    [](auto &path) { return path.find("cat") != path.npos; }),
      3);
  std::vector<std::string> both = train;
  both.insert(both.end(), test.begin(), test.end());
  std::sort(both.begin(), both.end());
  EXPECT_EQ(std::unique(both.begin(), both.end()) - both.begin(), 20);
  EXPECT_EQ(paths(true, {0.3, 1}), train);
  EXPECT_NE(paths(true, {0.3, 2}), train);
  EXPECT_EQ(paths(false, {0, 1}).size(), 2u); // at least one of each
  EXPECT_EQ(paths(true, {1, 1}).size(), 2u);
  // Without a split: all.
  EXPECT_EQ(openData(folder.path, false, model)->count, 20);
  EXPECT_EQ(readClassNames(folder.path),
            (std::vector<std::string>{"cat", "dog"}));
  write("eel/1.png", png(8, 8));
  EXPECT_CONTAINS(error(), "has 3 class folders (cat, dog, eel)");
  table.classes = 3;
  EXPECT_CONTAINS(errorOf([&] { paths(true, {0.3, 1}); }),
                  "eel: holds 1 .jpg, .jpeg or .png files");
}

TEST_F(Folder, ClassErrors) {
  fs::create_directories(folder.file("train"));
  EXPECT_CONTAINS(error(), "train: holds no class folders");
  EXPECT_CONTAINS(error(false), "without val/ or test/");
  fill(1);
  fs::create_directories(folder.file("train/eel"));
  EXPECT_CONTAINS(error(), "train has a class that " + folder.file("val") +
                               " has not: eel");
  fs::create_directories(folder.file("val/eel"));
  EXPECT_CONTAINS(error(), "has 3 class folders (cat, dog, eel)");
  EXPECT_CONTAINS(error(), "has 2 classes");
  table.classes = 3;
  write("train/eel/notes.txt", "x");
  EXPECT_CONTAINS(error(), "train/eel: holds no .jpg, .jpeg or .png file");
  write("train/eel/1.JPG", png(40, 50));
  EXPECT_EQ(error(), "");
  EXPECT_CONTAINS(error(false), "val/eel: holds no");
  table.channels = 4;
  EXPECT_CONTAINS(error(), "4 channels");
}

TEST_F(Folder, OddEntries) {
  fill(2);
  write("train/cat/.hidden.png", "x");
  write("train/cat/.git/deep.png", "x");
  write("train/readme.txt", "x");
  write("train/cat/notes.txt", "x");
  write("train/cat/sub/deep/x.JpEg",
        encodeJpeg(40, 50, {}, pattern(40, 50, 3)));
  fs::create_directory_symlink("..", folder.file("train/cat/loop"));
  fs::create_symlink("loop.png", folder.file("train/cat/loop.png"));
  fs::create_symlink("nowhere", folder.file("train/dog/broken.png"));
  ASSERT_EQ(mkfifo(folder.file("train/dog/pipe.png").c_str(), 0666), 0);
  fs::create_symlink("../cat/000.png", folder.file("train/dog/good.png"));
  auto images = openData(folder.path, true, model);
  // cat: 2, sub/deep/x.JpEg, loop.png; dog: 2, broken, pipe, good.
  EXPECT_EQ(images->count, 9);
  std::vector<std::string> reports = images->takeReports();
  ASSERT_EQ(reports.size(), 1u);
  EXPECT_CONTAINS(reports[0], "2 files or linked folders");
  int unread = 0;
  std::vector<uint8_t> buffer;
  for (int round = 0; round < 2; ++round)
    for (int64_t i = 0; i < images->count; ++i)
      unread += !images->read(i, nullptr, buffer);
  EXPECT_EQ(unread, 6);
  EXPECT_EQ(images->takeReports().size(), 3u); // once a file
  EXPECT_TRUE(images->takeReports().empty());
}

TEST_F(Folder, SurveyOfTheNetworksSize) {
  // The same images as CIFAR-10's file and as PNG: the same numbers.
  table.classes = 10;
  std::string records = makeCifar(60, 3);
  std::string sorted;
  for (int label = 0; label < 10; ++label)
    for (size_t at = 0; at < records.size(); at += 3073)
      if (records[at] == label)
        sorted += records.substr(at, 3073);
  writeBytes(folder.file("data_batch_1.bin"), sorted);
  Dataset dataset = loadCifar(folder.path, true, model);
  for (int64_t i = 0; i < dataset.count; ++i)
    for (const char *part : {"train", "val"})
      write(fmt::format("images/{}/{}/{:03}.png", part,
                        dataset.labels[size_t(i)], i),
            encodePng(32, 32, {}, {dataset.image(i), dataset.image(i) + 3072}));
  auto images = openData(folder.file("images"), true, model);
  for (int threads : {1, 3}) {
    Survey a = dataset.survey(1), b = images->survey(threads);
    EXPECT_EQ(a.augment, b.augment);
    EXPECT_EQ(a.normalisation.mean, b.normalisation.mean);
    EXPECT_EQ(a.normalisation.scale, b.normalisation.scale);
  }
  auto a = load(dataset, {}, Augment::PadCropMirror),
       b = load(*images, {}, Augment::PadCropMirror);
  ASSERT_EQ(a.size(), b.size());
  for (size_t i = 0; i < a.size(); ++i) {
    EXPECT_EQ(a[i].image, b[i].image);
    EXPECT_EQ(a[i].labels, b[i].labels);
  }
}

TEST_F(Folder, SurveyOfOtherSizes) {
  write("train/cat/a.png",
        encodePng(37, 37, {}, std::vector<uint8_t>(4107, 10)));
  write("train/dog/a.png",
        encodePng(37, 37, {}, std::vector<uint8_t>(4107, 40)));
  write("train/dog/b.png", "no image");
  write("val/cat/a.png", png(5, 5));
  write("val/dog/a.png", png(5, 5));
  Survey survey = openData(folder.path, true, model)->survey(2);
  EXPECT_EQ(survey.augment, Augment::CropMirror);
  EXPECT_EQ(survey.normalisation.mean, FloatArray(3072, 25.f));
  EXPECT_EQ(survey.normalisation.scale, FloatArray(3, 15.f));
}

TEST_F(Folder, CropsComeFromTheImage) {
  // Each pixel says where it lies; 37 x 42 is resized to itself.
  std::vector<uint8_t> pixels;
  for (int y = 0; y < 37; ++y)
    for (int x = 0; x < 42; ++x)
      pixels.insert(pixels.end(), {uint8_t(y), uint8_t(x), 0});
  write("train/cat/a.png", encodePng(37, 42, {}, pixels));
  write("train/dog/a.png", encodePng(37, 42, {}, pixels));
  write("val/cat/a.png", png(5, 5));
  write("val/dog/a.png", png(5, 5));
  auto images = openData(folder.path, true, model);
  Normalisation plain{FloatArray(3072, 0.f), FloatArray(3, 1.f)};
  std::vector<uint8_t> buffer;
  FloatArray out(3072), again(3072);
  ASSERT_TRUE(
      makeImage(*images, plain, 0, Augment::None, 0, 0, out.data(), buffer));
  EXPECT_EQ(out[0], 2); // (37 - 32) / 2
  EXPECT_EQ(out[1], 5); // (42 - 32) / 2
  std::set<int> tops, lefts, mirrors;
  for (int64_t epoch = 0; epoch < 300; ++epoch) {
    for (FloatArray *target : {&out, &again})
      ASSERT_TRUE(makeImage(*images, plain, 1, Augment::CropMirror, 9, epoch,
                            target->data(), buffer));
    EXPECT_EQ(out, again);
    int mirror = out[1] > out[4], top = int(out[0]),
        left = int(out[mirror ? 31 * 3 + 1 : 1]);
    tops.insert(top), lefts.insert(left), mirrors.insert(mirror);
    for (int y = 0; y < 32; ++y)
      for (int x = 0; x < 32; ++x) {
        size_t at = size_t(y * 32 + x) * 3;
        ASSERT_EQ(out[at], top + y);
        ASSERT_EQ(out[at + 1], left + (mirror ? 31 - x : x));
      }
  }
  EXPECT_EQ(tops.size(), 6u);
  EXPECT_EQ(*tops.rbegin(), 5);
  EXPECT_EQ(lefts.size(), 11u);
  EXPECT_EQ(*lefts.rbegin(), 10);
  EXPECT_EQ(mirrors.size(), 2u);
  // Rows and columns still grow evenly, by steps of as many sizes as there are
  // parts.
  std::set<int> heights, widths;
  for (int64_t epoch = 0; epoch < 300; ++epoch) {
    for (FloatArray *target : {&out, &again})
      ASSERT_TRUE(makeImage(*images, plain, 1, Augment::RandomResizedCrop, 9,
                            epoch, target->data(), buffer));
    EXPECT_EQ(out, again);
    auto at = [&](int y, int x, int c) {
      return out[size_t(y * 32 + x) * 3 + size_t(c)];
    };
    float down = (at(29, 9, 0) - at(2, 9, 0)) / 27;
    float right = (at(9, 29, 1) - at(9, 2, 1)) / 27;
    heights.insert(int(std::lround(32 * down)));
    widths.insert(int(std::lround(32 * std::abs(right))));
    for (int i = 2; i < 30; ++i) {
      ASSERT_NEAR(at(i, 9, 0), at(2, 9, 0) + down * float(i - 2), 1);
      ASSERT_NEAR(at(9, i, 1), at(9, 2, 1) + right * float(i - 2), 1);
    }
  }
  EXPECT_GT(heights.size(), 20u);
  EXPECT_GE(*heights.begin(), 9);   // 8% of the area, twice as wide as high
  EXPECT_LE(*heights.rbegin(), 38); // 37, rounded
  EXPECT_GT(widths.size(), 20u);
  EXPECT_LE(*widths.rbegin(), 43);
}

TEST_F(Folder, BatchesDoNotDependOnThreadsOrDamage) {
  fill(11);
  write("train/cat/004.png", png(40, 50).substr(0, 90));
  write("train/cat/005.png", "");
  write("train/dog/010.png", "GIF89a");
  std::string jpeg = encodeJpeg(90, 80, {}, pattern(90, 80, 3));
  write("train/dog/002.png", jpeg); // whatever its name says
  write("train/dog/003.png", jpeg.substr(0, jpeg.size() / 2));
  auto images = openData(folder.path, true, model);
  std::vector<Batch> all = load(*images, {});
  ASSERT_EQ(all.size(), 12u);
  std::multiset<int64_t> samples;
  for (size_t i = 0; i < 6; ++i) {
    EXPECT_EQ(all[i].size + all[i].skipped, i < 5 ? 4 : 2);
    EXPECT_EQ(all[i].size, int64_t(all[i].samples.size()));
    EXPECT_EQ(all[i].image.size(), size_t(all[i].size) * 3072);
    for (int64_t j = 0; j < all[i].size; ++j)
      EXPECT_EQ(all[i].labels[size_t(j)], all[i].samples[size_t(j)] / 11);
    samples.insert(all[i].samples.begin(), all[i].samples.end());
  }
  EXPECT_EQ(samples, (std::multiset<int64_t>{0, 1, 2, 3, 6, 7, 8, 9, 10, 11, 12,
                                             13, 15, 16, 17, 18, 19, 20}));
  EXPECT_EQ(images->takeReports().size(), 4u);
  LoaderOptions options;
  options.threads = 3;
  options.firstEpoch = 1;
  options.firstBatch = 2;
  auto other = openData(folder.path, true, model);
  EXPECT_EQ(other->hash(), images->hash());
  std::vector<Batch> some = load(*other, options);
  ASSERT_EQ(some.size(), 4u);
  for (size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(some[i].image, all[8 + i].image);
    EXPECT_EQ(some[i].samples, all[8 + i].samples);
    EXPECT_EQ(some[i].skipped, all[8 + i].skipped);
  }
}

TEST_F(Folder, NothingReadable) {
  fill(0);
  write("train/cat/a.png", "x");
  write("train/dog/a.jpg", "x");
  auto images = openData(folder.path, true, model);
  std::string message = errorOf([&] { images->survey(2); });
  EXPECT_CONTAINS(message, "none of the 2 images can be read");
  EXPECT_CONTAINS(message, "is neither a JPEG nor a PNG file");
  EXPECT_EQ(
      errorOf([&] { openData(folder.path, false, model)->requireReadable(); }),
      "");
}

TEST_F(Folder, HashOfNamesAndSizes) {
  fill(2);
  auto hash = [&] { return openData(folder.path, true, model)->hash(); };
  std::string first = hash();
  EXPECT_EQ(hash(), first);
  fs::rename(folder.file("train/cat/001.png"),
             folder.file("train/cat/002.png"));
  EXPECT_NE(hash(), first);
  fs::rename(folder.file("train/cat/002.png"),
             folder.file("train/cat/001.png"));
  EXPECT_EQ(hash(), first);
  write("train/cat/001.png", png(40, 51, 2));
  EXPECT_NE(hash(), first);
}
