//===- RunData.h - What a run's folder holds --------------------*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_RUNTIME_REPORT_RUNDATA_H
#define ROOTC_RUNTIME_REPORT_RUNDATA_H

#include "../RunRecord.h"
#include "Measurement.h"

#include <cmath>

namespace rootc::report {

/// A line of metrics.jsonl. What a line does not hold is NaN.
struct Epoch {
  int64_t epoch = 0;
  double loss = NAN, testLoss = NAN;
  double rate = NAN;                 ///< learning rate of its last step
  double peakBytes = NAN;            ///< largest resident set so far
  double accuracy = NAN, top5 = NAN; ///< parts of one, on the test images
  double imagesPerSecond = NAN, seconds = NAN; ///< of training
  double skipped = NAN, testSkipped = NAN;     ///< images that cannot be read
  bool diverged = false; ///< a loss that the line holds is not finite
};

struct Layer {
  std::string name, op;
  int64_t groups = 1, params = 0, macs = 0;
};

/// What a model says about itself.
struct ModelInfo {
  std::string name, hash, target;
  std::string path;       ///< of the library, as far as known
  int64_t bytes = 0;      ///< of the library; 0: unknown
  bool described = false; ///< the fields below are known
  int64_t params = 0, macs = 0;
  std::vector<Layer> layers;
  int64_t root = 0; ///< --root; 0: as the file says
  std::string topology, groups, image;

  /// Reads the model's JSON object; false, and nothing is changed, if it is not
  /// one of rootc's.
  bool describe(std::string_view json);
  /// "conv2a 8, conv3a 4"; long ones "64 x 3, 32 x 4"; "" without groups.
  std::string groupList() const;
};

/// A folder of `rootrun covariance`.
struct CovarianceMap {
  std::string kind; ///< "plain" or "whitened"
  double inside = NAN, outside = NAN, ratio = NAN;
  std::string mediaType; ///< of the picture; "": there is none
  std::string picture;   ///< bytes
};
struct Covariance {
  std::string layerA, layerB, split;
  int64_t blocks = 1, images = 0;
  std::vector<CovarianceMap> maps;
};

/// evaluation.json: the test images after the run's last epoch.
struct TestResults {
  struct Cell {
    int64_t label, predicted, images;
  };
  struct Picture {
    int64_t label, predicted;
    double probability; ///< of `predicted`, part of one
    std::string name;   ///< "image 17", or its file
    std::string png;    ///< base64; "": there is none
  };
  int64_t epoch = 0, images = 0;
  std::vector<std::string> classes; ///< names, or numbers
  std::vector<Cell> confusion;      ///< those that occur
  std::vector<Picture> worst;       ///< the largest loss first
};

/// The first layer's filters as one picture.
struct FilterPicture {
  std::string layer;
  int64_t filters = 0, height = 0, width = 0;
  int64_t pixels = 0; ///< width of the picture
  std::string png;    ///< base64
};

enum class Status { Running, Finished, Diverged, Stopped };
/// "running", "finished", "diverged", "not finished"
const char *statusText(Status status);

struct Run {
  std::string path; ///< as the user gave it
  std::string name; ///< the last part of it, or all if several share that
  ModelInfo model;
  std::string dataPath, dataHash;
  int64_t trainingImages = 0, testImages = 0; ///< 0: unknown
  std::map<std::string, std::string> options; ///< empty: unknown
  std::string machine;                        ///< that trained it; "": unknown
  int64_t threads = 0;                        ///< that trained it; 0: unknown
  std::vector<Epoch> epochs;
  int64_t plannedEpochs = 0; ///< 0: unknown
  Status status = Status::Stopped;
  std::optional<Measurement> measured;
  std::vector<Covariance> covariances;
  std::optional<TestResults> test;
  std::optional<FilterPicture> filters;
  std::vector<std::string> remarks; ///< what was left out, and why

  std::string option(const std::string &name) const;
};

/// Reads what a folder of `rootrun train` holds, of older versions too. Throws
/// an Error that names the file if it is no run's folder, or damaged elsewhere
/// than in the last line of metrics.jsonl, which a killed run cuts.
Run readRun(const std::string &path);

/// Adds what covariance.json in the run's folder and in its subfolders says.
void readCovariances(Run &run);

/// Reads evaluation.json, if the folder has one.
void readTestResults(Run &run);

/// Draws the filters of the layer that reads the image, of the run's weights or
/// its checkpoint's; nothing if it has none that colours can show.
void readFilters(Run &run, std::vector<std::string> &remarks);

/// Reads the text of metrics.jsonl; `remark` is set if the last line is cut.
std::vector<Epoch> readMetrics(std::string_view text, const std::string &path,
                               std::string &remark);

} // namespace rootc::report

#endif // ROOTC_RUNTIME_REPORT_RUNDATA_H
