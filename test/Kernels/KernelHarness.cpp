//===- KernelHarness.cpp - Kernels against the reference ------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "test/Kernels/KernelHarness.h"
#include "codegen/Pipeline.h"
#include "test/Bench/ConvolutionCases.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <memory>
#include <random>
#include <stdexcept>

namespace rootc::test {

TensorType f32(std::vector<int64_t> shape) {
  return {ElementType::F32, std::move(shape)};
}
TensorType i64(std::vector<int64_t> shape) {
  return {ElementType::I64, std::move(shape)};
}
TensorType u8(std::vector<int64_t> shape) {
  return {ElementType::U8, std::move(shape)};
}

int64_t KernelBuilder::input(TensorType type) {
  kernel.inputs.push_back(std::move(type));
  return kernel.inputs.size() - 1;
}

std::vector<int64_t> KernelBuilder::op(std::string name,
                                       std::vector<int64_t> operands,
                                       std::vector<TensorType> results,
                                       AttributeMap attributes) {
  int64_t next = kernel.inputs.size();
  for (const Op &op : kernel.ops)
    next += op.results.size();
  kernel.outputs.clear();
  for (size_t i = 0; i < results.size(); ++i)
    kernel.outputs.push_back(next + i);
  kernel.ops.push_back({std::move(name), std::move(operands),
                        std::move(attributes), std::move(results)});
  kernel.name = "test_" + kernel.ops.back().name;
  return kernel.outputs;
}

void KernelBuilder::output(std::vector<int64_t> values) {
  kernel.outputs = std::move(values);
}

Kernel oneOp(std::string name, std::vector<TensorType> inputs,
             std::vector<TensorType> results, AttributeMap attributes) {
  KernelBuilder builder;
  std::vector<int64_t> operands;
  for (TensorType &type : inputs)
    operands.push_back(builder.input(std::move(type)));
  builder.op(std::move(name), operands, std::move(results),
             std::move(attributes));
  return builder.kernel;
}

namespace {
TensorType concrete(TensorType type, int64_t dynamic) {
  if (type.shape[0] < 0)
    type.shape[0] = dynamic;
  return type;
}

size_t elementBytes(ElementType element) {
  return element == ElementType::I64 ? 8 : element == ElementType::U8 ? 1 : 4;
}

/// A dense tensor between guards.
class Guarded {
public:
  Guarded(const TensorType &type, unsigned char fill) : type(type) {
    size_t elements = 1;
    for (int64_t extent : type.shape)
      elements *= extent;
    bytes = elements * elementBytes(type.element);
    storage.assign((bytes + 2 * Guard) / 8 + 1, 0);
    std::memset(storage.data(), fill, storage.size() * 8);
    before = storage;
  }

  char *data() { return reinterpret_cast<char *>(storage.data()) + Guard; }

  template <typename T> void write(const std::vector<T> &values) {
    std::memcpy(data(), values.data(), bytes);
  }
  template <typename T> std::vector<T> read() {
    std::vector<T> values(bytes / sizeof(T));
    std::memcpy(values.data(), data(), bytes);
    return values;
  }

  Halide::Buffer<> buffer() {
    std::vector<int> extents(type.shape.rbegin(), type.shape.rend());
    Halide::Type element = type.element == ElementType::F32 ? Halide::Float(32)
                           : type.element == ElementType::I64 ? Halide::Int(64)
                           : type.element == ElementType::I32 ? Halide::Int(32)
                                                              : Halide::UInt(8);
    return Halide::Buffer<>(element, data(), extents);
  }

  bool guardsIntact() {
    auto *now = reinterpret_cast<char *>(storage.data());
    auto *then = reinterpret_cast<char *>(before.data());
    size_t end = Guard + bytes;
    return std::memcmp(now, then, Guard) == 0 &&
           std::memcmp(now + end, then + end, storage.size() * 8 - end) == 0;
  }

private:
  static constexpr size_t Guard = 256;
  TensorType type;
  size_t bytes;
  std::vector<uint64_t> storage, before;
};

/// Bytes of 0xff are a NaN, in every float of every alignment.
constexpr unsigned char Poison = 0xff;

/// The value of the dynamic dimension among the inputs.
int64_t dynamicOf(const Kernel &kernel, const std::vector<Tensor> &inputs) {
  for (size_t i = 0; i < inputs.size(); ++i)
    if (kernel.inputs[i].shape[0] < 0)
      return inputs[i].dim(0);
  return 1;
}
} // namespace

std::vector<Tensor> makeInputs(const Kernel &kernel, int64_t dynamic,
                               std::vector<size_t> positive, uint32_t seed) {
  std::mt19937 generator(seed);
  std::uniform_real_distribution<float> real(-1, 1);
  std::vector<Tensor> inputs;
  for (size_t i = 0; i < kernel.inputs.size(); ++i) {
    Tensor tensor(concrete(kernel.inputs[i], dynamic));
    bool shift = std::count(positive.begin(), positive.end(), i) > 0;
    for (double &value : tensor.reals)
      value = shift ? 1 + real(generator) / 2 : real(generator);
    for (int64_t &value : tensor.integers)
      value = generator() % 4;
    inputs.push_back(std::move(tensor));
  }
  for (const Op &op : kernel.ops)
    if (op.attributes.count("winograd") && op.name != "pack_filter")
      inputs.at(op.operands[1]) = transformedFilter(op, inputs[op.operands[1]]);
  return inputs;
}

std::vector<Tensor> runKernel(const Kernel &kernel,
                              const std::vector<Tensor> &inputs, bool plain,
                              int64_t bits) {
  Halide::Target target = Halide::get_jit_target_from_environment();
  if (bits < 512)
    for (auto feature :
         {Halide::Target::AVX512, Halide::Target::AVX512_KNL,
          Halide::Target::AVX512_Skylake, Halide::Target::AVX512_Cannonlake,
          Halide::Target::AVX512_SapphireRapids, Halide::Target::AVX512_Zen4,
          Halide::Target::AVX10_1})
      target.set_feature(feature, false);
  std::vector<std::unique_ptr<Guarded>> memory;
  try {
    codegen::BuiltPipeline built =
        codegen::buildPipeline(kernel, target, plain);
    for (size_t i = 0; i < inputs.size(); ++i) {
      const Tensor &tensor = inputs[i];
      memory.push_back(std::make_unique<Guarded>(tensor.type, Poison));
      if (tensor.type.element == ElementType::F32)
        memory.back()->write(tensor.floats());
      else if (tensor.type.element == ElementType::I64)
        memory.back()->write(tensor.integers);
      else if (tensor.type.element == ElementType::I32)
        memory.back()->write(std::vector<int32_t>(tensor.integers.begin(),
                                                  tensor.integers.end()));
      else
        memory.back()->write(std::vector<uint8_t>(tensor.integers.begin(),
                                                  tensor.integers.end()));
      built.inputs[i].set(memory.back()->buffer());
    }
    std::vector<Halide::Buffer<>> buffers;
    std::vector<Tensor> outputs;
    for (int64_t id : kernel.outputs) {
      outputs.emplace_back(
          concrete(kernel.type(id), dynamicOf(kernel, inputs)));
      memory.push_back(std::make_unique<Guarded>(outputs.back().type, Poison));
      buffers.push_back(memory.back()->buffer());
    }
    built.pipeline.realize(Halide::Realization(buffers), target);
    for (auto &block : memory)
      if (!block->guardsIntact())
        throw std::runtime_error("wrote outside of a buffer");
    for (size_t i = 0; i < outputs.size(); ++i) {
      Guarded &block = *memory[inputs.size() + i];
      if (outputs[i].type.element == ElementType::F32) {
        std::vector<float> values = block.read<float>();
        outputs[i].reals.assign(values.begin(), values.end());
      } else if (outputs[i].type.element == ElementType::I64) {
        outputs[i].integers = block.read<int64_t>();
      } else if (outputs[i].type.element == ElementType::I32) {
        std::vector<int32_t> values = block.read<int32_t>();
        outputs[i].integers.assign(values.begin(), values.end());
      } else {
        std::vector<uint8_t> values = block.read<uint8_t>();
        outputs[i].integers.assign(values.begin(), values.end());
      }
    }
    return outputs;
  } catch (const Halide::Error &error) { // not a std::exception
    throw std::runtime_error(error.what());
  }
}

std::string difference(const std::vector<Tensor> &got,
                       const std::vector<Tensor> &want, double tolerance) {
  if (got.size() != want.size())
    return "another number of results";
  for (size_t i = 0; i < got.size(); ++i) {
    std::string where = "result " + std::to_string(i) + ", element ";
    if (got[i].shape() != want[i].shape())
      return "result " + std::to_string(i) + " has another shape";
    double scale = 0;
    for (double value : want[i].reals)
      if (std::isfinite(value))
        scale = std::max(scale, std::abs(value));
    auto agrees = [&](double value, double due) {
      return std::isfinite(due)
                 ? std::abs(value - due) <= tolerance * scale
                 : value == due || (std::isnan(value) && std::isnan(due));
    };
    for (size_t j = 0; j < want[i].reals.size(); ++j)
      if (!agrees(got[i].reals[j], want[i].reals[j]))
        return where + std::to_string(j) + ": " +
               std::to_string(got[i].reals[j]) + ", not " +
               std::to_string(want[i].reals[j]);
    for (size_t j = 0; j < want[i].integers.size(); ++j)
      if (got[i].integers[j] != want[i].integers[j])
        return where + std::to_string(j) + ": " +
               std::to_string(got[i].integers[j]) + ", not " +
               std::to_string(want[i].integers[j]);
  }
  return "";
}

std::string check(const Kernel &kernel, const std::vector<Tensor> &inputs,
                  double tolerance) {
  std::vector<Tensor> want = reference::evaluate(kernel, inputs);
  std::string wrong = difference(runKernel(kernel, inputs), want, tolerance);
  if (!wrong.empty())
    return wrong;
  wrong = difference(runKernel(kernel, inputs, true), want, tolerance);
  return wrong.empty() ? "" : "plain: " + wrong;
}

std::string checkAs(const Kernel &run, const Kernel &meant,
                    const std::vector<Tensor> &inputs, double tolerance) {
  return difference(runKernel(run, inputs), reference::evaluate(meant, inputs),
                    tolerance);
}

} // namespace rootc::test
