//===- TrainingCost.cpp - What a training step computes -------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lib/Driver/TrainingCost.h"
#include "codegen/KernelWork.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/JSON.h"

using namespace llvm;

namespace rootc {

namespace {

struct LayerStep {
  int64_t forward = 0, backward = 0; ///< multiply-adds for one image
};

struct StepCost {
  MapVector<StringRef, LayerStep> layers; ///< in the order of the calls
  LayerStep sum;
  int64_t trained = 0, parameters = 0; ///< numbers, padding left out
  int64_t bytes = 0;

  int64_t multiplyAdds() const { return sum.forward + sum.backward; }
};

StepCost costOf(const codegen::Model &model, int64_t batch) {
  StepCost cost;
  for (const codegen::Program &program : model.programs) {
    if (program.kind != codegen::ProgramKind::Train)
      continue;
    cost.bytes += batch * program.batchBytes + program.fixedBytes;
    for (const codegen::Call &call : program.calls) {
      int64_t work = codegen::workOf(model.kernels[call.kernel]).multiplyAdds;
      if (!work)
        continue;
      // "conv2a forward", "conv2a backward filter"
      StringRef label = call.label;
      size_t forward = label.rfind(" forward");
      bool backward = forward == StringRef::npos;
      StringRef name =
          label.take_front(backward ? label.rfind(" backward") : forward);
      for (LayerStep *step : {&cost.layers[name], &cost.sum})
        (backward ? step->backward : step->forward) += work;
    }
  }
  for (const codegen::TensorInfo &tensor : model.tensors) {
    int64_t count = 1;
    for (int64_t size : tensor.shape)
      count *= size;
    if (tensor.role == "mean" || tensor.role == "variance")
      continue;
    cost.parameters += count;
    cost.trained += tensor.statistic ? 0 : count;
  }
  // Parameters have a gradient and a velocity.
  cost.bytes += 4 * (3 * model.parameterCount + model.statisticCount);
  return cost;
}

std::string ratio(int64_t part, int64_t whole) {
  return formatv("{0:f2}", double(part) / double(std::max<int64_t>(whole, 1)));
}

void emitText(const codegen::Model &model, const StepCost &cost,
              const StepCost *whole, int64_t batch, raw_ostream &out) {
  size_t width = 5;
  for (const auto &[name, step] : cost.layers)
    width = std::max(width, name.size());
  auto row = [&](StringRef name, const std::string &forward,
                 const std::string &backward) {
    out << name << std::string(width - name.size(), ' ')
        << formatv("  {0,16}  {1,16}\n", forward, backward);
  };
  out << model.name << ": multiply-adds of a training step, for each image\n";
  row("layer", "forward", "backward");
  for (const auto &[name, step] : cost.layers)
    row(name, std::to_string(step.forward), std::to_string(step.backward));
  row("total", std::to_string(cost.sum.forward),
      std::to_string(cost.sum.backward));
  out << formatv("trained: {0} of {1} parameters\n", cost.trained,
                 cost.parameters)
      << formatv("memory of a step of {0} images: {1} MiB\n", batch,
                 cost.bytes >> 20);
  if (whole)
    out << formatv(
        "of a step without --freeze: {0} of the multiply-adds ({1}), "
        "{2} of the memory ({3} MiB)\n",
        ratio(cost.multiplyAdds(), whole->multiplyAdds()),
        whole->multiplyAdds(), ratio(cost.bytes, whole->bytes),
        whole->bytes >> 20);
}

void emitJson(const codegen::Model &model, const StepCost &cost,
              const StepCost *whole, int64_t batch, raw_ostream &out) {
  json::OStream json(out, /*IndentSize=*/2);
  auto step = [&](const StepCost &of) {
    json.attribute("forward", of.sum.forward);
    json.attribute("backward", of.sum.backward);
    json.attribute("trained", of.trained);
    json.attribute("bytes", of.bytes);
  };
  json.object([&] {
    json.attribute("network", model.name);
    json.attribute("batch", batch);
    step(cost);
    if (whole)
      json.attributeObject("without_freeze", [&] { step(*whole); });
    json.attributeArray("layers", [&] {
      for (const auto &[name, layer] : cost.layers)
        json.object([&, name = name, layer = layer] {
          json.attribute("name", name);
          json.attribute("forward", layer.forward);
          json.attribute("backward", layer.backward);
        });
    });
  });
  out << "\n";
}

void emitCsv(const StepCost &cost, raw_ostream &out) {
  out << "name,forward,backward\n";
  for (const auto &[name, step] : cost.layers)
    out << name << "," << step.forward << "," << step.backward << "\n";
  out << "total," << cost.sum.forward << "," << cost.sum.backward << "\n";
}

} // namespace

void emitTrainingCost(const codegen::Model &model, const codegen::Model *whole,
                      int64_t batch, CostFormat format, raw_ostream &out) {
  StepCost own = costOf(model, batch);
  std::optional<StepCost> other;
  if (whole)
    other = costOf(*whole, batch);
  const StepCost *compared = other ? &*other : nullptr;
  switch (format) {
  case CostFormat::Text:
    return emitText(model, own, compared, batch, out);
  case CostFormat::Json:
    return emitJson(model, own, compared, batch, out);
  case CostFormat::Csv:
    return emitCsv(own, out);
  }
}

} // namespace rootc
