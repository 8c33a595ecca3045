//===- ProgramsTest.cpp - What the passes make computes what it should ----===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Whole networks through all passes, run by the reference on their planned
// buffers: gradients against finite differences of the loss, and inference,
// folded and packed, against the training loss.
//
//===----------------------------------------------------------------------===//

#include "lib/Pipelines/Pipelines.h"
#include "lib/Reference/Reference.h"
#include "lib/Translation/Translation.h"

#include "mlir/Parser/Parser.h"
#include "gtest/gtest.h"

#include <cmath>
#include <random>

using namespace rootc;
using codegen::Arena;
using codegen::ProgramKind;
using Floats = std::vector<float>;

namespace {
constexpr int64_t batch = 3;

/// A network, compiled, with parameters and a batch to run it on.
class Network {
public:
  explicit Network(const std::string &text) {
    mlir::MLIRContext context;
    context.loadDialect<root::RootDialect>();
    auto module = mlir::parseSourceString<mlir::ModuleOp>(text, &context);
    mlir::PassManager passes(&context);
    buildPipeline(passes, PipelineOptions());
    if (!module || failed(passes.run(*module)))
      throw std::runtime_error("the network does not compile");
    auto translated = translateToModel(*module);
    if (failed(translated))
      throw std::runtime_error("the network does not translate");
    model = translated->model;

    parameters.resize(model.parameterCount);
    statistics.resize(model.statisticCount);
    for (const codegen::TensorInfo &tensor : model.tensors) {
      Floats &arena = tensor.statistic ? statistics : parameters;
      bool nearOne = tensor.role == "scale" || tensor.role == "variance";
      float spread =
          tensor.fanIn > 0 ? std::sqrt(2.0f / float(tensor.fanIn)) : 0.3f;
      for (int64_t i = 0; i < size(tensor); ++i)
        arena[tensor.offset + i] =
            nearOne ? 1.0f + 0.2f * std::tanh(normal()) : spread * normal();
    }
    image.resize(batch * model.height * model.width * model.channels);
    for (float &value : image)
      value = normal();
    for (int64_t n = 0; n < batch; ++n)
      labels.push_back(n % model.classes);
  }

  static int64_t size(const codegen::TensorInfo &tensor) {
    int64_t count = 1;
    for (int64_t dim : tensor.shape)
      count *= dim;
    return count;
  }

  /// Runs train or grad; the statistics are left as they were.
  reference::Arenas train(ProgramKind kind) const {
    reference::Arenas arenas = {
        {Arena::Image, reference::toBytes(image)},
        {Arena::Labels, reference::toBytes(labels)},
        {Arena::Samples, reference::toBytes(std::vector<int64_t>{7, 2, 9})},
        {Arena::Random, reference::toBytes(std::vector<int64_t>{5, 1})},
        {Arena::Parameters, reference::toBytes(parameters)},
        {Arena::Statistics, reference::toBytes(statistics)},
        {Arena::Gradients, reference::toBytes(Floats(parameters.size(), NAN))},
        {Arena::Loss, reference::toBytes(Floats(1, NAN))},
        {Arena::InputGradient, reference::toBytes(Floats(image.size(), NAN))}};
    reference::run(model, kind, batch, arenas);
    return arenas;
  }

  double loss() const {
    return reference::fromBytes<float>(
        train(ProgramKind::Train)[Arena::Loss])[0];
  }

  Floats infer() const {
    reference::Arenas arenas = {
        {Arena::Image, reference::toBytes(image)},
        {Arena::Parameters, reference::toBytes(parameters)},
        {Arena::Statistics, reference::toBytes(statistics)},
        {Arena::Prepared, std::vector<std::byte>(model.preparedBytes)},
        {Arena::Logits,
         reference::toBytes(Floats(batch * model.classes, NAN))}};
    reference::run(model, ProgramKind::Prepare, batch, arenas);
    // All that inference may read besides the image is what prepare has made.
    arenas.erase(Arena::Parameters);
    arenas.erase(Arena::Statistics);
    reference::run(model, ProgramKind::Infer, batch, arenas);
    return reference::fromBytes<float>(arenas[Arena::Logits]);
  }

  codegen::Model model;
  Floats parameters, statistics, image;
  std::vector<int64_t> labels;

private:
  float normal() { return distribution(generator); }
  std::mt19937 generator{17};
  std::normal_distribution<float> distribution;
};
} // namespace

/// The loss's slope along the gradient must be the gradient's length.
static void expectSlope(Network &network, Floats &values, int64_t offset,
                        const Floats &gradient, const std::string &what) {
  double length = 0;
  for (float g : gradient)
    length += double(g) * g;
  length = std::sqrt(length);
  ASSERT_TRUE(std::isfinite(length)) << what;
  Floats saved = values;
  auto lossAt = [&](double step) {
    for (size_t i = 0; i < gradient.size(); ++i)
      values[offset + i] = float(saved[offset + i] +
                                 step * gradient[i] / std::max(length, 1e-3));
    return network.loss();
  };
  double step = 2e-3;
  double slope = (lossAt(step) - lossAt(-step)) / (2 * step);
  values = saved;
  EXPECT_NEAR(slope, length * length / std::max(length, 1e-3),
              0.03 * length + 3e-4)
      << what;
}

static void checkGradients(const std::string &text) {
  Network network(text);
  reference::Arenas train = network.train(ProgramKind::Train);
  reference::Arenas grad = network.train(ProgramKind::Grad);
  EXPECT_EQ(train[Arena::Loss], grad[Arena::Loss]);
  EXPECT_EQ(train[Arena::Statistics], grad[Arena::Statistics]);
  Floats gradients = reference::fromBytes<float>(grad[Arena::Gradients]);
  Floats trained = reference::fromBytes<float>(train[Arena::Gradients]);
  for (const codegen::TensorInfo &tensor : network.model.tensors) {
    if (tensor.statistic)
      continue;
    auto begin = gradients.begin() + tensor.offset;
    Floats gradient(begin, begin + Network::size(tensor));
    EXPECT_TRUE(std::equal(gradient.begin(), gradient.end(),
                           trained.begin() + tensor.offset))
        << tensor.name;
    expectSlope(network, network.parameters, tensor.offset, gradient,
                tensor.name);
  }
  expectSlope(network, network.image, 0,
              reference::fromBytes<float>(grad[Arena::InputGradient]), "image");
}

TEST(ProgramsTest, ResidualGradients) {
  checkGradients(R"(
    root.network @residual(%image: !root.image<7x6x3>) classes(4) {
      %0 = root.conv2d "stem" %image filters(8) kernel(3x3) pad(1) no_bias
      %x = root.relu %0
      %1 = root.conv2d "a" %x filters(8) kernel(3x3) stride(2) pad(1) groups(4)
      %2 = root.batch_norm "bna" %1
      %3 = root.relu %2
      %4 = root.conv2d "b" %3 filters(12) kernel(1x1) no_bias
      %5 = root.batch_norm "bnb" %4
      %6 = root.conv2d "proj" %x filters(12) kernel(1x1) stride(2) no_bias
      %7 = root.batch_norm "bnp" %6
      %8 = root.add %5, %7
      %9 = root.relu %8
      %10 = root.global_average_pool %9
      %11 = root.linear "fc" %10 outputs(4)
      root.output %11
    })");
}

TEST(ProgramsTest, InceptionGradients) {
  checkGradients(R"(
    root.network @inception(%image: !root.image<7x7x4>) classes(5) {
      %1 = root.conv2d "one" %image filters(4) kernel(1x1)
      %2 = root.conv2d "three" %image filters(6) kernel(3x3) pad(1) groups(2)
      %3 = root.max_pool %image kernel(3x3) pad(1)
      %4 = root.concat %1, %2, %3, %1
      %5 = root.local_response_norm %4 size(3) alpha(0.5)
      %6 = root.average_pool %5 kernel(3x3) stride(2) pad(1) rounding(ceil) exclude_pad
      %7 = root.dropout %6 rate(0.4)
      %8 = root.linear "aux" %7 outputs(5) no_bias
      root.auxiliary %8 weight(0.3)
      %9 = root.dropout %7 rate(0.3)
      %10 = root.conv2d "last" %9 filters(5) kernel(3x2) dilation(1x2)
      %11 = root.average_pool %10 kernel(2x2)
      root.output %11
    })");
}

TEST(ProgramsTest, DepthwiseGradients) {
  checkGradients(R"(
    root.network @separable(%image: !root.image<7x5x6>) classes(3) {
      %1 = root.conv2d "depthwise" %image filters(12) kernel(3x3) stride(2) pad(0,1,2,1) groups(6)
      %2 = root.batch_norm "bn" %1
      %3 = root.add %2, %2
      %4 = root.conv2d "pointwise" %3 filters(3) kernel(1x1)
      %5 = root.global_average_pool %4
      root.output %5
    })");
}

/// A network with momentum 1 leaves the batch's own statistics behind, so that
/// inference must then give the loss of training. All its maps are 5x4.
TEST(ProgramsTest, InferenceAgreesWithTraining) {
  Network network(R"(
    root.network @folded(%image: !root.image<5x4x3>) classes(4) {
      %1 = root.conv2d "a" %image filters(6) kernel(3x3) pad(1) groups(3)
      %2 = root.batch_norm "bna" %1 momentum(1.0)
      %3 = root.batch_norm "again" %2 momentum(1.0)
      %4 = root.conv2d "b" %3 filters(6) kernel(1x1) no_bias
      %5 = root.batch_norm "bnb" %4 momentum(1.0)
      %6 = root.add %4, %5
      %7 = root.batch_norm "bnc" %6 momentum(1.0)
      %8 = root.relu %7
      %9 = root.linear "fc" %8 outputs(4)
      root.output %9
    })");
  reference::Arenas trained = network.train(ProgramKind::Train);
  double loss = reference::fromBytes<float>(trained[Arena::Loss])[0];
  network.statistics = reference::fromBytes<float>(trained[Arena::Statistics]);
  float count = batch * 5 * 4;
  for (const codegen::TensorInfo &tensor : network.model.tensors)
    if (tensor.role == "variance")
      for (int64_t i = 0; i < Network::size(tensor); ++i)
        network.statistics[tensor.offset + i] *= (count - 1) / count;

  Floats logits = network.infer();
  double expected = 0;
  for (int64_t n = 0; n < batch; ++n) {
    double sum = 0;
    for (int64_t k = 0; k < 4; ++k)
      sum += std::exp(double(logits[n * 4 + k]));
    expected += (std::log(sum) - logits[n * 4 + network.labels[n]]) / batch;
  }
  EXPECT_NEAR(loss, expected, 1e-5 * std::abs(loss) + 1e-6);
}
