//===- VerbsCovariance.cpp - covariance -----------------------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "BatchFeed.h"
#include "Covariance.h"
#include "Data.h"
#include "HeatMap.h"
#include "LayerGraph.h"
#include "Npy.h"
#include "Progress.h"
#include "VerbSupport.h"

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

using namespace rootc;
namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

namespace {
struct PairLayer {
  const rootc_response *response = nullptr;
  int64_t groups = 1;
  bool mixed = false; ///< its kernel combines it with other layers' responses
};

/// What --layers and --blocks ask for.
struct Pair {
  PairLayer first, second;
  int64_t blocks = 1;
  std::string blocksFrom; ///< "groups", "--blocks", or empty: no blocks
};
} // namespace

static MapSize sizeOf(const rootc_response &response) {
  return {response.shape[0], response.shape[1], response.shape[2]};
}

static bool goesOn(const rootc_response &response) {
  return std::string(response.name) != response.value_of;
}

static std::string describe(const rootc_response &response) {
  return fmt::format("{} ({} x {} x {}{}{})", response.name, response.shape[0],
                     response.shape[1], response.shape[2],
                     goesOn(response) ? ", after " : "",
                     goesOn(response) ? response.value_of : "");
}

/// The second layer has to read the first with no weights between.
static LayerGraph::Path checkAdjacent(const LayerGraph &graph,
                                      const std::string &first,
                                      const std::string &second) {
  LayerGraph::Path path = graph.path(first, second);
  if (path.found)
    return path;
  if (graph.path(second, first).found)
    fail("--layers: '{}' reads '{}', not the other way round; give --layers "
         "{},{}",
         first, second, second, first);
  std::string sources =
      fmt::format("{}", fmt::join(graph.sources(second), ", "));
  fail("--layers: '{}' does not read '{}' through pools, normalisation and "
       "elementwise layers alone; it reads {}",
       second, first, sources.empty() ? "the image" : sources);
}

static PairLayer chooseLayer(const Model &model, const LayerGraph &graph,
                             const std::string &name) {
  PairLayer layer;
  try {
    layer.response = &model.response(name);
  } catch (const Error &error) {
    fail("--layers: {}", error.what());
  }
  layer.groups = graph.find(name)->groups;
  layer.mixed = goesOn(*layer.response) &&
                graph.sources(layer.response->value_of, name) !=
                    std::vector<std::string>{name};
  return layer;
}

static Pair choosePair(const Model &model, const VerbOptions &options) {
  size_t comma = options.layers.find(',');
  std::string first = options.layers.substr(0, comma);
  std::string second =
      comma == std::string::npos ? "" : options.layers.substr(comma + 1);
  if (first.empty() || second.empty() || second.find(',') != std::string::npos)
    fail("--layers: '{}' does not name two layers; give --layers FIRST,SECOND",
         options.layers);
  Pair pair;
  LayerGraph graph(model);
  pair.first = chooseLayer(model, graph, first);
  pair.second = chooseLayer(model, graph, second);
  bool inPlace = checkAdjacent(graph, first, second).keepsChannels;
  if (options.blocks) {
    pair.blocks = options.blocks;
    pair.blocksFrom = "--blocks";
  } else if (pair.second.groups > 1 && inPlace &&
             pair.first.response->shape[2] % pair.second.groups == 0) {
    pair.blocks = pair.second.groups;
    pair.blocksFrom = "groups";
  }
  for (const PairLayer &layer : {pair.first, pair.second})
    if (int64_t channels = layer.response->shape[2]; channels % pair.blocks)
      fail("--blocks {}: does not divide the {} channels of '{}'", pair.blocks,
           channels, layer.response->name);
  return pair;
}

/// From no more samples than channels, whitened responses are related whatever
/// the layers do.
static void checkSamples(const PairLayer &layer, const VerbOptions &options,
                         int64_t images) {
  MapSize size = sizeOf(*layer.response);
  if (images * size.pixels() <= size.channels)
    fail("--data {}: {} images have {} samples of the {} channels of '{}', "
         "too few to whiten; give more than {} images",
         options.data, images, images * size.pixels(), size.channels,
         layer.response->name, size.channels / size.pixels());
}

/// The covariance over a data set, and how many of its images were read.
static Covariance measure(const Model &model, const VerbOptions &options,
                          const Pair &pair, const ImageSource &source,
                          const Weights &weights,
                          const Normalisation &normalisation, int64_t &read) {
  Prepared prepared(model, weights);
  auto pool = std::make_shared<ThreadPool>(model, options.threads);
  Session session(model, pool);
  LoaderOptions loading;
  loading.batch = std::min(options.batch ? options.batch : 32, source.count);
  loading.threads =
      options.loaderThreads ? options.loaderThreads : source.defaultThreads();
  Loader loader(source, normalisation, loading);
  BatchFeed batches(model, loader);
  const rootc_response &one = *pair.first.response,
                       &two = *pair.second.response;
  CovarianceSums sums(sizeOf(one), sizeOf(two));
  FloatArray logits(size_t(loading.batch * model->classes)), first, second;
  Progress progress(loader.batchesPerEpoch());
  int64_t done = 0;
  while (const Batch *images = batches.next()) {
    done += images->size + images->skipped;
    read += images->size;
    if (images->size == 0)
      continue;
    session.infer(prepared, images->size, images->image.data(), logits.data(),
                  {&one, &two},
                  [&](const rootc_response &layer, const float *values) {
                    MapSize size = sizeOf(layer);
                    (&layer == &one ? first : second)
                        .assign(values, values + images->size * size.pixels() *
                                                     size.channels);
                  });
    sums.add(images->size, first.data(), second.data(), *pool);
    progress.step("covariance", done, source.count, "");
  }
  if (read == 0)
    source.requireReadable(); // says why
  return sums.finish();
}

/// Writes NAME.npy, NAME.png and NAME.svg; returns what covariance.json says.
static Json writeMatrix(const Model &model, const VerbOptions &options,
                        const Pair &pair, const Matrix &matrix,
                        const std::string &name) {
  BlockMeans means = blockMeans(matrix, pair.blocks);
  std::string base = (fs::path(options.output) / name).string();
  FloatArray values(matrix.data(), matrix.data() + matrix.size());
  writeNpy(base + ".npy", {matrix.rows(), matrix.cols()}, values.data());
  HeatMap map{matrix, pair.blocks, HeatMap::topOf(matrix), "", "", "", "",
              "",     ""};
  map.title = fmt::format("{}: |covariance| of {}responses", model->name,
                          name == "whitened" ? "whitened " : "");
  map.subtitle = fmt::format("{} x {}", describe(*pair.first.response),
                             describe(*pair.second.response));
  if (pair.blocks > 1)
    map.caption = fmt::format(
        "{} blocks{}{}", pair.blocks,
        map.outlinesBlocks() ? ", outlined" : " on the diagonal",
        means.ratio ? fmt::format(": inside / outside {:.3g}", *means.ratio)
                    : "");
  map.rows = fmt::format("channel of {}", pair.first.response->name);
  map.scale = "|covariance|";
  map.columns = fmt::format("channel of {}", pair.second.response->name);
  std::string png = map.png();
  writeFile(base + ".png", {png});
  writeFile(base + ".svg", {map.svg(png)});
  bool cut = pair.blocks > 1;
  return {{"inside", cut ? Json(means.inside) : Json()},
          {"outside", cut ? Json(means.outside) : Json()},
          {"ratio", means.ratio ? Json(*means.ratio) : Json()},
          {"top", map.top},
          {"matrix", name + ".npy"},
          {"image", name + ".png"},
          {"figure", name + ".svg"}};
}

static Json describeLayer(const PairLayer &layer,
                          const std::vector<int64_t> &constant,
                          const Whitening &whitening) {
  const rootc_response &response = *layer.response;
  return {{"name", response.name},
          {"value_of", response.value_of},
          {"mixed", layer.mixed},
          {"shape", {response.shape[0], response.shape[1], response.shape[2]}},
          {"groups", layer.groups},
          {"constant_channels", constant},
          {"dropped_directions", whitening.dropped},
          {"whitening_error", whitening.error}};
}

static void print(const Json &report, const std::string &output) {
  fmt::print("{} and {}: {} images, {} samples\n",
             report["layers"][0]["name"].get<std::string>(),
             report["layers"][1]["name"].get<std::string>(),
             report["images"].get<int64_t>(), report["samples"].get<int64_t>());
  for (const Json &layer : report["layers"]) {
    auto name = layer["name"].get<std::string>();
    if (layer["mixed"].get<bool>())
      fmt::print("{}: its kernel combines it with other layers' responses; "
                 "measured is the result, {}\n",
                 name, layer["value_of"].get<std::string>());
    if (size_t count = layer["constant_channels"].size())
      fmt::print("{}: {} of {} channels are constant; their covariance is 0\n",
                 name, count, layer["shape"][2].get<int64_t>());
    if (auto count = layer["dropped_directions"].get<int64_t>())
      fmt::print("{}: {} directions vary too little to be whitened\n", name,
                 count);
    fmt::print("{}: whitened covariance with itself is the identity within "
               "{:.1e}\n",
               name, layer["whitening_error"].get<double>());
  }
  auto blocks = report["blocks"].get<int64_t>();
  if (blocks == 1) {
    fmt::print("no blocks: '{}' has one group, or reads its channels in "
               "another order; --blocks N measures N\n",
               report["layers"][1]["name"].get<std::string>());
  } else {
    fmt::print("{:>10}  {:>12}  {:>12}  {:>8}  ({} blocks)\n", "", "inside",
               "outside", "ratio", blocks);
    for (const char *kind : {"plain", "whitened"}) {
      const Json &means = report[kind];
      fmt::print("{:>10}  {:>12.6g}  {:>12.6g}  {:>8}\n", kind,
                 means["inside"].get<double>(), means["outside"].get<double>(),
                 means["ratio"].is_null()
                     ? "none"
                     : fmt::format("{:.4g}", means["ratio"].get<double>()));
    }
  }
  fmt::print("pictures: {0}/plain.svg, {0}/whitened.svg\n", output);
}

/// Throws if files would be overwritten that no covariance was written to.
static void requireOwnFiles(const std::string &folder) {
  std::error_code error;
  if (fs::exists(fs::path(folder) / "covariance.json", error))
    return;
  for (const char *kind : {"plain", "whitened"})
    for (const char *suffix : {".npy", ".png", ".svg"})
      if (std::string name = std::string(kind) + suffix;
          fs::exists(fs::path(folder) / name, error))
        fail("-o {}: holds {}, which is not of a covariance, as there is no "
             "covariance.json; choose another folder, or remove it",
             folder, name);
}

void rootc::measureCovariance(const VerbOptions &options) {
  Model model = Model::open(options.model, options.device);
  Pair pair = choosePair(model, options);
  Weights weights = loadWeights(model, options);
  Normalisation normalisation = Normalisation::of(weights, options.weights);
  auto source = openData(options.data, options.split != "test", model);
  for (const PairLayer &layer : {pair.first, pair.second})
    checkSamples(layer, options, source->count);
  std::error_code error;
  fs::create_directories(options.output, error);
  if (error || !fs::is_directory(options.output, error))
    fail("-o {}: cannot be made: {}", options.output,
         error ? error.message() : "it is no folder");

  requireOwnFiles(options.output);
  int64_t images = 0;
  Covariance covariance =
      measure(model, options, pair, *source, weights, normalisation, images);
  for (const PairLayer &layer : {pair.first, pair.second})
    checkSamples(layer, options, images);
  printReports(*source);
  Whitening first = whiten(covariance.first, options.epsilon);
  Whitening second = whiten(covariance.second, options.epsilon);
  Matrix whitened = first.matrix * covariance.cross * second.matrix;

  Json report = {
      {"model", model->name},
      {"weights", options.weights},
      {"data", options.data},
      {"split", options.split != "test" ? "train" : "test"},
      {"images", images},
      {"skipped", source->count - images},
      {"samples", covariance.samples},
      {"layers",
       Json::array(
           {describeLayer(pair.first, covariance.firstConstant, first),
            describeLayer(pair.second, covariance.secondConstant, second)})},
      {"blocks", pair.blocks},
      {"blocks_from", pair.blocksFrom.empty() ? Json() : Json(pair.blocksFrom)},
      {"epsilon", options.epsilon},
      {"plain", writeMatrix(model, options, pair, covariance.cross, "plain")},
      {"whitened", writeMatrix(model, options, pair, whitened, "whitened")}};
  std::string text =
      report.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
  writeFile((fs::path(options.output) / "covariance.json").string(), {text});
  if (options.json)
    fmt::print("{}\n",
               report.dump(-1, ' ', false, Json::error_handler_t::replace));
  else
    print(report, options.output);
}
