//===- EvaluationData.cpp - Reads what a run's test images show -----------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "JsonFields.h"
#include "RunData.h"

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

using namespace rootc;
using namespace rootc::report;
using Json = nlohmann::ordered_json;

static constexpr int64_t mostClasses = 100'000;
static constexpr size_t mostPictures = 100;

static int64_t classOf(const Json &value) {
  auto index = value.get<int64_t>();
  if (index < 0 || index >= mostClasses)
    fail("a class is {}", index);
  return index;
}

static TestResults::Picture readPicture(const Json &entry) {
  TestResults::Picture picture;
  picture.label = classOf(entry.at("label"));
  picture.predicted = classOf(entry.at("predicted"));
  picture.probability = entry.at("probability").get<double>();
  picture.name =
      entry.contains("path")
          ? entry.at("path").get<std::string>()
          : fmt::format("image {}", entry.at("sample").get<int64_t>());
  entry.at("png").get_to(picture.png);
  if (picture.png.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnop"
                                    "qrstuvwxyz0123456789+/=") !=
      std::string::npos)
    fail("a picture is not base64");
  return picture;
}

static TestResults parse(const std::string &text) {
  Json json = Json::parse(text);
  TestResults result;
  json.at("epoch").get_to(result.epoch);
  json.at("images").get_to(result.images);
  json.at("classes").get_to(result.classes);
  int64_t largest = -1;
  for (const Json &entry : json.at("confusion")) {
    TestResults::Cell cell{classOf(entry.at(0)), classOf(entry.at(1)),
                           entry.at(2).get<int64_t>()};
    if (cell.images < 0 || cell.images > int64_t(1) << 40)
      fail("a number of images is {}", cell.images);
    largest = std::max({largest, cell.label, cell.predicted});
    result.confusion.push_back(cell);
  }
  for (const Json &entry : json.at("worst")) {
    result.worst.push_back(readPicture(entry));
    largest = std::max(
        {largest, result.worst.back().label, result.worst.back().predicted});
    if (result.worst.size() == mostPictures)
      break;
  }
  while (int64_t(result.classes.size()) <= largest)
    result.classes.push_back(fmt::format("class {}", result.classes.size()));
  return result;
}

void rootc::report::readTestResults(Run &run) {
  std::string path = run.path + "/evaluation.json";
  std::error_code error;
  if (!std::filesystem::exists(path, error))
    return;
  try {
    run.test = parse(readText(path, largestText));
  } catch (const std::exception &problem) {
    run.remarks.push_back(fmt::format(
        "{}: is damaged or of another version: {}", path, problem.what()));
  }
}
