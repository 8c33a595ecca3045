//===- CovarianceData.cpp - Covariance maps of a run's folder -------------===//
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
namespace fs = std::filesystem;

static constexpr uintmax_t largestPicture = uintmax_t(16) << 20;

static Covariance readCovariance(const fs::path &file) {
  std::string path = file.string();
  Covariance result;
  try {
    Json json = Json::parse(readText(path, largestText));
    const Json &layers = json.at("layers");
    layers.at(0).at("name").get_to(result.layerA);
    layers.at(1).at("name").get_to(result.layerB);
    json.at("split").get_to(result.split);
    json.at("blocks").get_to(result.blocks);
    json.at("images").get_to(result.images);
    for (const char *kind : {"whitened", "plain"}) {
      const Json &entry = json.at(kind);
      CovarianceMap map;
      map.kind = kind;
      map.inside = numberOf(entry, "inside", 0, INFINITY, path);
      map.outside = numberOf(entry, "outside", 0, INFINITY, path);
      map.ratio = numberOf(entry, "ratio", 0, INFINITY, path);
      // The figure has axes; the bare picture is for those that want pixels.
      for (const char *key : {"figure", "image"}) {
        if (!map.picture.empty() || !entry.contains(key))
          continue;
        // Only a file of that folder, whatever the JSON says.
        fs::path picture =
            file.parent_path() /
            fs::path(entry.at(key).get<std::string>()).filename();
        std::error_code missing;
        std::string type = picture.extension() == ".svg"   ? "image/svg+xml"
                           : picture.extension() == ".png" ? "image/png"
                                                           : "";
        if (type.empty() || !fs::exists(picture, missing))
          continue;
        map.picture = readText(picture.string(), largestPicture);
        map.mediaType = type;
      }
      result.maps.push_back(std::move(map));
    }
  } catch (const Json::exception &error) {
    fail("{}: is damaged or of another version: {}", path, error.what());
  }
  return result;
}

void rootc::report::readCovariances(Run &run) {
  std::vector<fs::path> files;
  std::error_code error;
  fs::path own = fs::path(run.path) / "covariance.json";
  if (fs::exists(own, error))
    files.push_back(own);
  for (fs::directory_iterator it(run.path, error), end; !error && it != end;
       it.increment(error)) {
    std::error_code missing;
    fs::path file = it->path() / "covariance.json";
    if (it->is_directory(missing) && fs::exists(file, missing))
      files.push_back(file);
  }
  std::sort(files.begin(), files.end());
  for (const fs::path &file : files)
    try {
      run.covariances.push_back(readCovariance(file));
    } catch (const Error &problem) {
      run.remarks.emplace_back(problem.what());
    }
}
