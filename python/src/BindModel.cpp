//===- BindModel.cpp - rootc.Model ----------------------------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Bindings.h"

#include <cfloat>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

using namespace rootc;
using namespace rootc::python;
using namespace nb::literals;

using Release = nb::gil_scoped_release;

static std::vector<int64_t> imagesShape(const Network &network) {
  const Model &model = network.model;
  return {-1, model->height, model->width, model->channels};
}

static nb::object infer(Network &network, const Array &images,
                        const nb::object &out) {
  const float *values = floatsOf(images, "images", imagesShape(network));
  int64_t batch = int64_t(images.shape(0)), classes = network.model->classes;
  if (out.is_none()) {
    auto logits = std::make_shared<FloatArray>(size_t(batch * classes));
    {
      Release release;
      network.infer(batch, values, logits->data());
    }
    using Logits = nb::ndarray<nb::numpy, float, nb::ndim<2>>;
    return nb::cast(Logits(logits->data(), {size_t(batch), size_t(classes)},
                           capsuleOf(logits)));
  }
  auto destination = nb::cast<Destination>(out);
  auto *logits = const_cast<float *>(
      floatsOf(Array(destination), "out", {batch, classes}));
  const float *end = values + batch * network.model.imageSize();
  if (logits < end && values < logits + batch * classes)
    throw nb::value_error("out overlaps images; pass memory of its own");
  {
    Release release;
    network.infer(batch, values, logits);
  }
  return out;
}

static void beginTraining(Network &network, const std::string &optimizer,
                          double momentum, bool nesterov, double beta1,
                          double beta2, double epsilon, double weightDecay,
                          bool decayAll, double clipNorm,
                          const std::string &factors, double ema,
                          int64_t seed) {
  if (optimizer != "sgd" && optimizer != "adamw")
    throw nb::value_error(
        ("optimizer is '" + optimizer + "' and must be 'sgd' or 'adamw'")
            .c_str());
  // Written so that NaN is refused.
  for (const auto &[name, value, most] :
       {std::tuple("momentum", momentum, FLT_MAX),
        {"beta1", beta1, 1.0},
        {"beta2", beta2, 1.0},
        {"epsilon", epsilon, FLT_MAX},
        {"weight_decay", weightDecay, FLT_MAX},
        {"clip_norm", clipNorm, FLT_MAX},
        {"ema", ema, 1.0}})
    if (!(value >= 0 && value <= most))
      throw nb::value_error(fmt::format("{} is {} and must be from 0 to {:g}",
                                        name, valueText(value), most)
                                .c_str());
  TrainingOptions options;
  options.optimizer.kind = optimizer;
  options.optimizer.momentum = momentum;
  options.optimizer.nesterov = nesterov;
  options.optimizer.beta1 = beta1;
  options.optimizer.beta2 = beta2;
  options.optimizer.epsilon = epsilon;
  options.optimizer.decay = weightDecay;
  options.optimizer.decayAll = decayAll;
  options.optimizer.clipNorm = clipNorm;
  options.optimizer.factors = parseRateFactors(factors);
  options.average = ema;
  options.seed = seed;
  Release release;
  network.beginTraining(options);
}

static float trainStep(Network &network, const Array &images,
                       const Array &labels, double lr,
                       const std::optional<Array> &samples, int64_t epoch) {
  rootc_batch batch = {};
  batch.image = floatsOf(images, "images", imagesShape(network));
  batch.size = int64_t(images.shape(0));
  batch.labels = integersOf(labels, "labels", {batch.size});
  if (samples)
    batch.samples = integersOf(*samples, "samples", {batch.size});
  batch.epoch = epoch;
  Release release;
  return network.train(batch, lr);
}

using StateDict = nb::typed<nb::dict, nb::str, FloatView>;
using Numbers = nb::typed<nb::dict, nb::str, double>;

static StateDict stateDict(nb::handle_t<Network> self) {
  const Network &network = nb::cast<const Network &>(self);
  const Model &model = network.model;
  std::shared_ptr<const Weights> weights = network.readableWeights();
  nb::capsule owner = capsuleOf(weights);
  StateDict result;
  for (int64_t i = 0; i < model->tensor_count; ++i) {
    const rootc_tensor &tensor = model->tensors[i];
    const FloatArray &arena =
        tensor.statistic ? weights->statistics : weights->parameters;
    result[tensor.name] =
        viewOf(arena.data() + tensor.offset, shapeOf(tensor), owner);
  }
  if (!weights->inputMean.empty())
    result["input.mean"] = copyOf(
        weights->inputMean, {model->height, model->width, model->channels});
  if (!weights->inputScale.empty())
    result["input.scale"] = copyOf(weights->inputScale, {model->channels});
  return result;
}

static void read(Network &network, const std::function<Safetensors()> &open,
                 bool slice, bool skip) {
  std::vector<std::string> messages;
  {
    Release release;
    network.read(open(), slice, skip,
                 [&](const std::string &text) { messages.push_back(text); });
  }
  warn(messages);
}

static void loadStateDict(Network &network,
                          const nb::typed<nb::dict, nb::str, nb::object> &state,
                          bool slice, bool skip) {
  std::map<std::string, TensorEntry> tensors;
  std::vector<Array> kept;
  for (const auto &[key, value] : state) {
    auto name = nb::cast<std::string>(key);
    auto array = nb::cast<Array>(value);
    std::vector<int64_t> shape(array.shape_ptr(),
                               array.shape_ptr() + array.ndim());
    const float *values = floatsOf(array, name.c_str(), shape);
    tensors[name] = {"F32", shape, reinterpret_cast<const char *>(values),
                     array.size() * sizeof(float)};
    kept.push_back(array);
  }
  read(
      network, [&] { return Safetensors::of("state_dict", tensors); }, slice,
      skip);
}

static nb::object optionalCopy(const FloatArray &values,
                               const std::vector<int64_t> &shape) {
  return values.empty() ? nb::none() : nb::cast(copyOf(values, shape));
}

static void bindDescription(nb::class_<Network> &type) {
  type.def_prop_ro(
          "name", [](const Network &network) { return network.model->name; },
          "The network's name.")
      .def_prop_ro(
          "image_shape",
          [](const Network &network) {
            const Model &model = network.model;
            return std::tuple(model->height, model->width, model->channels);
          },
          "(height, width, channels) of an image.")
      .def_prop_ro(
          "classes",
          [](const Network &network) { return network.model->classes; },
          "Number of logits.")
      .def_prop_ro(
          "class_names",
          [](const Network &network) { return network.weights()->classNames; },
          "Names in the order of the logits; empty: unknown.")
      .def_prop_ro(
          "can_train",
          [](const Network &network) { return network.model.canTrain(); },
          "Whether the library holds training.")
      .def_prop_ro(
          "description",
          [](const Network &network) { return network.model->description; },
          "JSON: layers with their shapes, costs, and options, as "
          "``rootrun info --json`` has it.")
      .def_prop_ro(
          "input_mean",
          [](const Network &network) {
            const Model &model = network.model;
            return optionalCopy(network.weights()->inputMean,
                                {model->height, model->width, model->channels});
          },
          "Mean image in pixel values, float32 [height, width, channels]; "
          "None: "
          "unknown. An image is (pixels - input_mean) / input_scale.")
      .def_prop_ro(
          "input_scale",
          [](const Network &network) {
            return optionalCopy(network.weights()->inputScale,
                                {network.model->channels});
          },
          "Standard deviations, float32 [channels]; None: unknown.");
}

static void bindTraining(nb::class_<Network> &type) {
  type.def("begin_training", beginTraining, nb::kw_only(),
           "optimizer"_a = "sgd", "momentum"_a = 0.9, "nesterov"_a = false,
           "beta1"_a = 0.9, "beta2"_a = 0.999, "epsilon"_a = 1e-8,
           "weight_decay"_a = 5e-4, "decay_all"_a = false, "clip_norm"_a = 0.0,
           "lr_factors"_a = "", "ema"_a = 0.0, "seed"_a = 0,
           R"(Says what train_step does from now on; velocities begin at 0.

The options are those of ``rootrun train``: ``optimizer`` is "sgd" or "adamw",
``lr_factors`` "PATTERN=FACTOR,...", ``seed`` the key of dropout. With ``ema`` a
moving average of the weights is kept, of which each step keeps so much; then
inference, state_dict and save use that.

Raises Error if the library was compiled with ``mode="infer"``.)")
      .def("train_step", trainStep, "images"_a, "labels"_a, "lr"_a,
           nb::kw_only(), "samples"_a.none() = nb::none(), "epoch"_a = 0,
           R"(One step on a batch; returns its mean loss, of before the step.

images: float32 [N, height, width, channels], normalised, C order; labels: int64
[N], each in [0, classes), or mixed of two (Dataset.batches); samples: int64 [N], the images' numbers in the data
set, of which with ``epoch`` dropout's masks are functions (default: images are
numbered as they come). Arrays are used where they lie. The GIL is released.

Raises TypeError or ValueError for an array that is not as it has to be, Error
for a label that no class has, and for a loss that is not finite.)")
      .def(
          "evaluate",
          [](Network &network, const Dataset &data, int64_t batch,
             int loaderThreads) {
            Evaluation result;
            {
              Release release;
              result = network.evaluate(data.images(), batch,
                                        data.threadsFor(loaderThreads));
            }
            warn(data.takeReports());
            Numbers values;
            values["loss"] = result.loss;
            values["accuracy"] = result.accuracy;
            values["top5"] = result.top5;
            values["images"] = result.images;
            values["skipped"] = result.skipped;
            return values;
          },
          "data"_a, nb::kw_only(), "batch"_a = 128, "loader_threads"_a = 0,
          "Mean loss, accuracy (0 to 1) and top5 of a data set, images read "
          "and "
          "skipped, as ``rootrun eval`` measures them. The GIL is released.")
      .def(
          "normalise_by",
          [](Network &network, Dataset &data) {
            const Normalisation *measured;
            {
              Release release;
              measured = &data.survey().normalisation;
            }
            network.describeData(*measured, data.classNames());
          },
          "data"_a,
          "Takes mean and deviation of the training images, unless the weights "
          "brought theirs, and the classes' names. Reads all images once.");
}

static void bindWeights(nb::class_<Network> &type) {
  type.def(
          "state_dict", stateDict,
          R"(Parameters and running statistics by name, as in safetensors files.

Values are read-only NumPy arrays, float32: views of the model's memory, which
change as it trains (copy what is to stay). Filters are [out, kernel height,
kernel width, in / groups]. "input.mean" and "input.scale", if known, are
copies.)")
      .def(
          "load_state_dict", loadStateDict, "state_dict"_a, nb::kw_only(),
          "slice_weights"_a = false, "skip_mismatched"_a = false,
          R"(Takes what state_dict returns, of NumPy or PyTorch arrays (float32).

slice_weights cuts filters with fewer groups than the network's to their diagonal
blocks; with skip_mismatched layers that are missing or have another shape stay
as they are. What was cut or passed over goes to the logger "rootc".

Raises Error, which names the tensor; then nothing has changed.)")
      .def(
          "load",
          [](Network &network, const std::string &path, bool slice, bool skip) {
            read(network, [&] { return Safetensors::read(path); }, slice, skip);
          },
          "path"_a, nb::kw_only(), "slice_weights"_a = false,
          "skip_mismatched"_a = false,
          "As load_state_dict, from a safetensors file or a checkpoint.")
      .def(
          "save",
          [](const Network &network, const std::string &path) {
            Release release;
            network.save(path);
          },
          "path"_a,
          "Writes a safetensors file, with normalisation and class names; "
          "aside, then renamed.");
}

void python::bindModel(nb::module_ &module) {
  nb::class_<Network> type(module, "Network",
                           R"(A compiled network with its weights.

May be used by several threads; calls that compute wait for each other.)");
  type.def(nb::init<const std::string &, const std::string &, int, uint64_t>(),
           "path"_a, nb::kw_only(), "device"_a = "", "threads"_a = 0,
           "seed"_a = 0,
           R"(Loads a library that rootc made.

device: "cpu", or the number of a device ("" takes the first that the library was
compiled for); threads: of the kernels (0: $ROOTC_THREADS, else all cores). The
weights are those that the library holds, else initialised from ``seed``.

Raises Error if the file is none, damaged, or of another version.)")
      .def("__call__", infer, "images"_a, nb::kw_only(), "out"_a = nb::none(),
           R"(Logits, float32 [N, classes], of images.

images: float32 [N, height, width, channels], normalised, C order, used where
they lie; out: where the logits go (default: a new array). The GIL is released.

Raises TypeError or ValueError for an array that is not as it has to be.)");
  bindDescription(type);
  bindTraining(type);
  bindWeights(type);
}
