//===- Export.cpp - A network as an ONNX file -----------------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lib/Onnx/Export.h"
#include "lib/Onnx/ExportLayers.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/JSON.h"

using namespace mlir;
using namespace rootc;
using namespace rootc::root;

// Every op used has its meaning since this opset; ONNX Runtime reads it since
// 1.13.
static constexpr int64_t opsetVersion = 17;
static constexpr int64_t irVersion = 8;
/// Of a protobuf message.
static constexpr int64_t maxFileBytes = 2147483647;

static LogicalResult refuseSize(NetworkOp network, int64_t bytes) {
  return network.emitError("as an ONNX file it would have ")
         << bytes << " bytes, and such a file has at most " << maxFileBytes
         << "; make the network smaller";
}

/// Reads or initialises the weights.
static LogicalResult fillWeights(NetworkOp network,
                                 const OnnxExportOptions &options,
                                 NetworkWeights &weights) {
  Location nowhere = UnknownLoc::get(network.getContext());
  try {
    if (options.weights.empty())
      weights.initialise(options.seed);
    else
      weights.load(options.weights, options.sliceWeights,
                   [&](const std::string &message) {
                     emitWarning(nowhere) << options.weights << ": " << message;
                   });
  } catch (const Error &error) {
    return emitError(nowhere) << error.what();
  }
  if (options.pixels &&
      (weights.inputMean().empty() || weights.inputScale().empty()))
    return emitError(nowhere)
           << "--pixels: "
           << (options.weights.empty() ? "without --weights"
                                       : options.weights + " lacks one:")
           << " there are no input.mean and input.scale to normalise by; use "
              "the weights of a training run";
  return success();
}

/// How training normalised its images; the mean of each channel alone if it is
/// the same at every place.
static void noteNormalisation(onnx::ModelProto &model, MapShape image,
                              const NetworkWeights &weights) {
  auto note = [&](StringRef key, ArrayRef<float> values) {
    if (values.empty())
      return;
    llvm::json::Array list;
    for (float value : values)
      list.push_back(value);
    onnx::StringStringEntryProto &entry = *model.add_metadata_props();
    entry.set_key(key.str());
    entry.set_value(
        llvm::formatv("{0}", llvm::json::Value(std::move(list))).str());
  };
  ArrayRef<float> mean = weights.inputMean();
  size_t channels = image.channels, same = channels;
  while (same < mean.size() && mean[same] == mean[same - channels])
    ++same;
  note("input.mean", same == mean.size() ? mean.take_front(channels) : mean);
  note("input.scale", weights.inputScale());
}

static FailureOr<std::string> makeFile(NetworkOp network,
                                       const OnnxExportOptions &options,
                                       NetworkWeights &weights) {
  if (failed(fillWeights(network, options, weights)))
    return failure();
  onnx::ModelProto model;
  model.set_ir_version(irVersion);
  model.set_producer_name("rootc");
  model.set_producer_version(options.version);
  onnx::OperatorSetIdProto &opset = *model.add_opset_import();
  opset.set_domain("");
  opset.set_version(opsetVersion);
  if (!options.pixels)
    noteNormalisation(model, network.getImageShape(), weights);
  if (failed(exportLayers(network, weights, options.pixels,
                          *model.mutable_graph())))
    return failure();
  if (model.ByteSizeLong() > maxFileBytes)
    return refuseSize(network, static_cast<int64_t>(model.ByteSizeLong()));
  std::string bytes;
  if (!model.SerializeToString(&bytes))
    return network.emitError("ONNX's serialiser failed");
  return bytes;
}

FailureOr<std::string> rootc::exportOnnx(NetworkOp network,
                                         const OnnxExportOptions &options) {
  auto weights = NetworkWeights::collect(network, options.description);
  if (failed(weights))
    return failure();
  // Refused before the weights take memory.
  if (weights->bytes() > maxFileBytes)
    return refuseSize(network, weights->bytes());
  try {
    return makeFile(network, options, *weights);
  } catch (const std::bad_alloc &) {
    return network.emitError("there is not enough memory for an ONNX file with "
                             "weights of ")
           << weights->bytes() << " bytes";
  }
}
