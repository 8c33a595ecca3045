//===- PageMistakes.cpp - What is taken for what --------------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "PageParts.h"

#include <algorithm>

using namespace rootc;
using namespace rootc::report;

/// Networks of more classes show the worst of them, and the commonest mistakes
/// instead of a matrix.
static constexpr size_t mostClasses = 24, mostMistakes = 24;

namespace {
struct ClassResult {
  size_t index = 0;
  int64_t images = 0, right = 0;

  double accuracy() const {
    return images ? double(right) / double(images) : NAN;
  }
};
} // namespace

static std::vector<ClassResult> classesOf(const TestResults &test) {
  std::vector<ClassResult> classes(test.classes.size());
  for (size_t i = 0; i < classes.size(); ++i)
    classes[i].index = i;
  for (const TestResults::Cell &cell : test.confusion) {
    ClassResult &to = classes[size_t(cell.label)];
    to.images += cell.images;
    to.right += cell.label == cell.predicted ? cell.images : 0;
  }
  std::erase_if(classes,
                [](const ClassResult &one) { return one.images == 0; });
  if (classes.size() > mostClasses) {
    std::stable_sort(classes.begin(), classes.end(),
                     [](const ClassResult &a, const ClassResult &b) {
                       return a.accuracy() < b.accuracy();
                     });
    classes.resize(mostClasses);
  }
  return classes;
}

static void writeClasses(Markup &markup, const TestResults &test,
                         size_t series) {
  auto figure = markup.in("figure", {{"class", "card"}});
  bool all = test.classes.size() <= mostClasses;
  markup.leaf("figcaption",
              all ? "Accuracy of each class"
                  : fmt::format("Accuracy of the {} worst of {} "
                                "classes",
                                mostClasses, test.classes.size()));
  auto list = markup.in("div", {{"class", "classes"}});
  for (const ClassResult &one : classesOf(test)) {
    markup.leaf("bdi", shorten(test.classes[one.index], 24));
    {
      auto track = markup.in("i", {{"class", seriesClass(series)}});
      markup.leaf(
          "b", {{"style", fmt::format("width:{:.2f}%", 100 * one.accuracy())}},
          "");
    }
    markup.leaf("span", fmt::format("{:.1f} %", 100 * one.accuracy()));
    markup.leaf("small", fmt::format("of {}", grouped(one.images)));
  }
}

/// Rows are what images show, columns what they are taken for.
static void writeMatrix(Markup &markup, const TestResults &test) {
  size_t count = test.classes.size();
  std::vector<int64_t> images(count);
  for (const TestResults::Cell &cell : test.confusion)
    images[size_t(cell.label)] += cell.images;
  size_t letters = 0;
  for (const std::string &name : test.classes)
    letters = std::max(letters, characters(shorten(name, 14)));
  double side = count <= 12 ? 38 : 26;
  double left = 14 + 7.2 * double(letters), size = side * double(count);
  auto figure = markup.in("figure", {{"class", "card"}});
  {
    auto caption = markup.in("figcaption");
    markup.text("Confusion matrix");
    markup.leaf("small", "Rows: what images show; columns: what they are taken "
                         "for; the darker, the larger the part of the row.");
  }
  auto svg = markup.in(
      "svg", {{"viewBox", fmt::format("0 0 {:.0f} {:.0f}", left + size + 4,
                                      left + size + 4)},
              {"role", "img"},
              {"aria-label", "Confusion matrix"}});
  for (size_t i = 0; i < count; ++i) {
    double middle = left + side * (double(i) + 0.5);
    std::string name = shorten(test.classes[i], 14);
    markup.leaf("text",
                {{"class", "tick end"},
                 {"x", coordinate(left - 7)},
                 {"y", coordinate(middle + 4)}},
                name);
    markup.leaf("text",
                {{"class", "tick"},
                 {"transform", fmt::format("translate({:.1f} {:.1f}) "
                                           "rotate(-90)",
                                           middle + 4, left - 7)}},
                name);
  }
  for (size_t i = 0; i < count; ++i)
    for (size_t j = 0; j < count; ++j)
      markup.empty("rect", {{"class", "cell"},
                            {"x", coordinate(left + side * double(j) + 0.5)},
                            {"y", coordinate(left + side * double(i) + 0.5)},
                            {"width", coordinate(side - 1)},
                            {"height", coordinate(side - 1)}});
  for (const TestResults::Cell &cell : test.confusion) {
    double x = left + side * double(cell.predicted);
    double y = left + side * double(cell.label);
    bool right = cell.label == cell.predicted;
    double part = double(cell.images) /
                  double(std::max<int64_t>(1, images[size_t(cell.label)]));
    auto group = markup.in("g");
    markup.leaf("title", fmt::format("{} taken for {}: {} of {}",
                                     test.classes[size_t(cell.label)],
                                     test.classes[size_t(cell.predicted)],
                                     grouped(cell.images),
                                     grouped(images[size_t(cell.label)])));
    // Mistakes are the smaller part, and what is looked for.
    double opacity = right ? 0.9 * part : std::min(1.0, 0.08 + 2.5 * part);
    markup.empty("rect", {{"class", right ? "cell right" : "cell wrong"},
                          {"x", coordinate(x + 0.5)},
                          {"y", coordinate(y + 0.5)},
                          {"width", coordinate(side - 1)},
                          {"height", coordinate(side - 1)},
                          {"fill-opacity", fmt::format("{:.3f}", opacity)}});
    if (count <= 12)
      markup.leaf("text",
                  {{"class", opacity > 0.75 ? "middle on" : "middle off"},
                   {"x", coordinate(x + side / 2)},
                   {"y", coordinate(y + side / 2 + 4)}},
                  fmt::format("{}", cell.images));
  }
}

static void writeCommonest(Markup &markup, const TestResults &test) {
  std::vector<TestResults::Cell> mistakes;
  for (const TestResults::Cell &cell : test.confusion)
    if (cell.label != cell.predicted)
      mistakes.push_back(cell);
  std::stable_sort(
      mistakes.begin(), mistakes.end(),
      [](const auto &a, const auto &b) { return a.images > b.images; });
  mistakes.resize(std::min(mistakes.size(), mostMistakes));
  auto box = markup.in("div");
  Table table(markup, "The commonest mistakes",
              {"Images show", "Taken for", "#Images"}, /*sortable=*/false);
  for (const TestResults::Cell &cell : mistakes) {
    auto row = markup.in("tr");
    for (int64_t index : {cell.label, cell.predicted}) {
      auto name = markup.in("td", {{"class", "text"}});
      writeName(markup, test.classes[size_t(index)]);
    }
    numberCell(markup, double(cell.images), grouped(cell.images));
  }
}

static void writeWorst(Markup &markup, const TestResults &test) {
  if (test.worst.empty())
    return;
  markup.leaf("h3", "The images with the largest losses");
  auto list = markup.in("div", {{"class", "worst"}});
  for (const TestResults::Picture &one : test.worst) {
    auto figure = markup.in("figure", {{"title", one.name}});
    const std::string &label = test.classes[size_t(one.label)];
    const std::string &predicted = test.classes[size_t(one.predicted)];
    if (!one.png.empty())
      markup.empty("img", {{"class", "pixels"},
                           {"alt", one.name},
                           {"src", "data:image/png;base64," + one.png}});
    auto caption = markup.in("figcaption");
    markup.leaf("bdi", label);
    markup.leaf("small",
                fmt::format("{} {:.0f} %", predicted, 100 * one.probability));
  }
}

void rootc::report::writeMistakes(Markup &markup, const Comparison &all) {
  std::vector<size_t> shown;
  for (size_t i = 0; i < all.configurations.size(); ++i)
    if (all.runs[all.configurations[i].runs.front()].test)
      shown.push_back(i);
  if (shown.empty())
    return;
  auto section = openSection(
      markup, "mistakes", "What is taken for what",
      "The test images after the last epoch. Under a picture: what it shows, "
      "and what it is taken for, how surely.");
  for (size_t index : shown) {
    const Run &run = all.runs[all.configurations[index].runs.front()];
    const TestResults &test = *run.test;
    Attributes attributes;
    if (index == shown.front())
      attributes.emplace_back("open", "");
    auto details = markup.in("details", attributes);
    {
      auto summary = markup.in("summary");
      writeKey(markup, all, index);
      markup.leaf("small", fmt::format(" {}, epoch {}, {} images", run.name,
                                       test.epoch, grouped(test.images)));
    }
    {
      auto charts = markup.in("div", {{"class", "charts two"}});
      writeClasses(markup, test, index);
      if (test.classes.size() <= mostClasses)
        writeMatrix(markup, test);
      else
        writeCommonest(markup, test);
    }
    writeWorst(markup, test);
  }
}
