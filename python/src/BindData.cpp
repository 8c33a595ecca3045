//===- BindData.cpp - rootc.Dataset and rootc.LearningRate ----------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Bindings.h"
#include "runtime/src/Data.h"
#include "runtime/src/LearningRate.h"
#include "runtime/src/Loader.h"

#include <cmath>
#include <fmt/ranges.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/unique_ptr.h>
#include <nanobind/stl/vector.h>

using namespace rootc;
using namespace rootc::python;
using namespace nb::literals;

static bool isTrainingSplit(const std::string &split) {
  if (split != "train" && split != "test")
    throw nb::value_error(
        ("split is '" + split + "' and must be 'train' or 'test'").c_str());
  return split == "train";
}

Dataset::Dataset(const std::string &folder, const Network &network,
                 const std::string &split, double valFraction, uint64_t seed)
    : of(network), training(isTrainingSplit(split)),
      source(openData(folder, training, network.model,
                      DataSplit{valFraction, seed})),
      names(readClassNames(folder)) {}

const Survey &Dataset::survey() {
  std::lock_guard<std::mutex> lock(mutex);
  if (!measured)
    measured = source->survey(source->defaultThreads());
  return *measured;
}

namespace {
struct ShapedBatch : Batch {
  std::vector<int64_t> shape; ///< of `image`
};

/// The batches of some epochs, one after another.
class Batches {
public:
  Batches(Dataset &data, const LoaderOptions &options)
      : data(data),
        normalisation(Normalisation::of(*data.network().weights(),
                                        data.network().model.path())),
        loader(data.images(), normalisation, options),
        count((options.epochs - options.firstEpoch) *
              loader.batchesPerEpoch()) {}

  ShapedBatch next() {
    std::optional<ShapedBatch> batch;
    {
      nb::gil_scoped_release release;
      std::lock_guard<std::mutex> lock(mutex);
      // One of which no image can be read is passed over.
      while (Batch *made = loader.next())
        if (made->size > 0) {
          const ImageSource &images = data.images();
          batch = ShapedBatch{
              std::move(*made),
              {made->size, images.height, images.width, images.channels}};
          break;
        }
    }
    warn(data.takeReports());
    if (!batch)
      throw nb::stop_iteration();
    return std::move(*batch);
  }
  int64_t size() const { return count; }

private:
  Dataset &data;
  Normalisation normalisation;
  Loader loader;
  int64_t count;
  std::mutex mutex; ///< of next()
};
} // namespace

static std::unique_ptr<Batches>
batches(Dataset &data, int64_t batch, int64_t epochs, int64_t firstEpoch,
        uint64_t seed, std::optional<bool> shuffle,
        const std::optional<std::string> &augment, std::optional<double> mixup,
        int loaderThreads) {
  for (const auto &[name, value, least] :
       {std::tuple("batch", batch, int64_t(1)),
        {"epochs", epochs, 1},
        {"first_epoch", firstEpoch, 0}})
    if (value < least)
      throw nb::value_error(
          fmt::format("{} is {} and must be at least {}", name, value, least)
              .c_str());
  LoaderOptions options;
  options.batch = batch;
  options.seed = seed;
  options.firstEpoch = firstEpoch;
  options.epochs = firstEpoch + epochs;
  options.shuffle = shuffle.value_or(data.isTraining());
  options.threads = data.threadsFor(loaderThreads);
  if (augment) {
    auto kind = augmentFromName(*augment);
    if (!kind)
      throw nb::value_error(
          fmt::format("augment is '{}' and must be one of: {}", *augment,
                      fmt::join(augmentNames(), ", "))
              .c_str());
    options.augment = *kind;
  }
  if (mixup) {
    // Written so that NaN is refused.
    if (!(float(*mixup) > 0 && std::isfinite(float(*mixup))))
      throw nb::value_error(
          fmt::format("mixup is {} and must be greater than 0, and finite as a "
                      "float",
                      *mixup)
              .c_str());
    options.mixup = *mixup;
  }
  nb::gil_scoped_release release;
  if (!augment && data.isTraining())
    options.augment = data.survey().augment;
  return std::make_unique<Batches>(data, options);
}

static void bindBatch(nb::module_ &module) {
  nb::class_<ShapedBatch>(module, "Batch",
                          "Images of a data set, for one step.")
      .def_prop_ro(
          "images",
          [](nb::handle_t<ShapedBatch> self) {
            const auto &batch = nb::cast<const ShapedBatch &>(self);
            return viewOf(batch.image.data(), batch.shape, self);
          },
          "float32 [N, height, width, channels], normalised; read-only.")
      .def_prop_ro(
          "labels",
          [](nb::handle_t<ShapedBatch> self) {
            return viewOf(nb::cast<const ShapedBatch &>(self).labels, self);
          },
          "int64 [N], as train_step takes them; read-only.")
      .def_prop_ro(
          "samples",
          [](nb::handle_t<ShapedBatch> self) {
            return viewOf(nb::cast<const ShapedBatch &>(self).samples, self);
          },
          "int64 [N]: the images' numbers in the data set; read-only.")
      .def_ro("epoch", &ShapedBatch::epoch, "From 0.")
      .def_ro("index", &ShapedBatch::index,
              "Of the batch in its epoch, from 0.");
  nb::class_<Batches>(module, "Batches", "Iterates over Batch.")
      .def("__iter__", [](nb::handle_t<Batches> self) { return self; })
      .def("__next__", &Batches::next)
      .def("__len__", &Batches::size);
}

static void bindDataset(nb::module_ &module) {
  nb::class_<Dataset>(module, "Dataset",
                      R"(Labelled images in files, for one model.

folder: CIFAR-10's binary files or an image folder, as ``rootrun train --data``
takes it; split: "train" or "test"; val_fraction and seed: how a folder of classes
without train/ and val/ becomes two.

Raises Error, which names the folder or file at fault.)")
      .def(nb::init<const std::string &, const Network &, const std::string &,
                    double, uint64_t>(),
           "folder"_a, "model"_a, nb::kw_only(), "split"_a = "train",
           "val_fraction"_a = 0.2, "seed"_a = 0, nb::keep_alive<1, 3>())
      .def("__len__", [](const Dataset &data) { return data.images().count; })
      .def_prop_ro(
          "labels",
          [](nb::handle_t<Dataset> self) {
            return viewOf(nb::cast<const Dataset &>(self).images().labels,
                          self);
          },
          "int64 [len], in the files' order; read-only.")
      .def_prop_ro("class_names", &Dataset::classNames,
                   "Names of the classes; empty: the folder does not tell.")
      .def("batches", batches, nb::kw_only(), "batch"_a = 64, "epochs"_a = 1,
           "first_epoch"_a = 0, "seed"_a = 0, "shuffle"_a.none() = nb::none(),
           "augment"_a.none() = nb::none(), "mixup"_a.none() = nb::none(),
           "loader_threads"_a = 0, nb::keep_alive<0, 1>(),
           R"(Batches of so many epochs, made ahead on threads of their own.

Normalised as the model's weights say (Model.normalise_by). Order and
augmentation are functions of (seed, epoch), those of ``rootrun train``. shuffle
and augment (the kinds of ``rootrun train --augment``): by default training images
are shuffled, and augmented as suits them, test images neither. mixup: alpha, as
of ``rootrun train --mixup``; then a label holds two and their shares, which
train_step reads, and images are mixed with others of their batch. An epoch's last
batch may be smaller. Images that cannot be read are left out, and the
logger "rootc" is told.)");
}

void python::bindData(nb::module_ &module) {
  bindBatch(module);
  bindDataset(module);
  nb::class_<LearningRate>(module, "LearningRate",
                           R"(The learning rate of each step of a run.

policy: "constant", "step", "multistep", "poly", "cosine" or "one-cycle", with the
parameters that ``rootrun train --lr-...`` has.)")
      .def(
          "__init__",
          [](LearningRate *self, const std::string &policy, double lr,
             int64_t every, std::vector<int64_t> milestones, double gamma,
             double power, double warmup) {
            LearningRate rate{policy, lr,    every, std::move(milestones),
                              gamma,  power, warmup};
            rate.at(0, 1, 1); // says so if the policy is unknown
            new (self) LearningRate(std::move(rate));
          },
          "policy"_a = "one-cycle", nb::kw_only(), "lr"_a = 0.05,
          "every"_a = 10, "milestones"_a = std::vector<int64_t>(),
          "gamma"_a = 0.1, "power"_a = 1.0, "warmup"_a = 0.0)
      .def("at", &LearningRate::at, "step"_a, "steps_per_epoch"_a, "epochs"_a,
           "Of a step, counted from 0 over the whole run.");
}
