//===- KernelHarness.cpp - Kernels against the reference ------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "test/Kernels/KernelHarness.h"
#include "codegen/Compile.h"
#include "codegen/Geometry/Gather.h"
#include "codegen/KernelWork.h"
#include "codegen/Pipeline.h"
#include "test/Bench/ConvolutionCases.h"
#include "test/Kernels/MatrixUnit.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <filesystem>
#include <gtest/gtest.h>
#include <limits>
#include <memory>
#include <random>
#include <stdexcept>
#include <unistd.h>

namespace rootc::test {

TensorType f32(std::vector<int64_t> shape) {
  return {ElementType::F32, std::move(shape)};
}
TensorType bf16(std::vector<int64_t> shape) {
  return {ElementType::BF16, std::move(shape)};
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

size_t elementBytes(ElementType element) { return codegen::bytesOf(element); }

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

  void write(const Tensor &tensor) {
    switch (type.element) {
    case ElementType::F32:
      return write(tensor.floats());
    case ElementType::BF16: {
      std::vector<uint16_t> bits(tensor.reals.size());
      std::transform(tensor.reals.begin(), tensor.reals.end(), bits.begin(),
                     reference::toBfloat);
      return write(bits);
    }
    case ElementType::I64:
      return write(tensor.integers);
    case ElementType::I32:
      return write(
          std::vector<int32_t>(tensor.integers.begin(), tensor.integers.end()));
    case ElementType::U8:
      return write(
          std::vector<uint8_t>(tensor.integers.begin(), tensor.integers.end()));
    }
  }
  void read(Tensor &tensor) {
    switch (type.element) {
    case ElementType::F32:
      return read<float>(tensor.reals);
    case ElementType::BF16: {
      std::vector<uint16_t> bits;
      read<uint16_t>(bits);
      std::transform(bits.begin(), bits.end(), tensor.reals.begin(),
                     reference::fromBfloat);
      return;
    }
    case ElementType::I64:
      return read<int64_t>(tensor.integers);
    case ElementType::I32:
      return read<int32_t>(tensor.integers);
    case ElementType::U8:
      return read<uint8_t>(tensor.integers);
    }
  }

  Halide::Buffer<> buffer() {
    std::vector<int> extents(type.shape.rbegin(), type.shape.rend());
    Halide::Type element = type.element == ElementType::F32 ? Halide::Float(32)
                           : type.element == ElementType::I64 ? Halide::Int(64)
                           : type.element == ElementType::I32 ? Halide::Int(32)
                           : type.element == ElementType::BF16
                               ? Halide::UInt(16)
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
  template <typename T> void write(const std::vector<T> &values) {
    std::memcpy(data(), values.data(), bytes);
  }
  template <typename T, typename Value> void read(std::vector<Value> &into) {
    std::vector<T> values(bytes / sizeof(T));
    std::memcpy(values.data(), data(), bytes);
    into.assign(values.begin(), values.end());
  }

  static constexpr size_t Guard = 256;
  TensorType type;
  size_t bytes;
  std::vector<uint64_t> storage, before;
};

/// Bytes of 0xff are a NaN, in every float of every alignment.
constexpr unsigned char Poison = 0xff;

/// Zeros where a filter whose rows of taps are products has no taps: pixels
/// that are no business of theirs are multiplied with them.
void clearPadding(const Op &op, int64_t channels, Tensor &packed) {
  auto kernel = std::get<std::vector<int64_t>>(op.attributes.at("kernel"));
  if (packed.dim(2) == kernel[1])
    return;
  int64_t lanes = packed.dim(4), pairs = packed.dim(3);
  for (int64_t i = 0; i < packed.size(); ++i)
    if (i / lanes % pairs * 2 + i % 2 >= channels * kernel[1])
      packed.reals[i] = 0;
}

/// Zeros where a packed filter has them between groups that are merged.
void clearBetweenGroups(const codegen::FilterLayout &layout, Tensor &packed) {
  int64_t ownIns = layout.inPerGroup / layout.merged,
          ownOuts = layout.outPerGroup / layout.merged, line = packed.dim(4),
          lines = packed.dim(3), block = packed.size() / packed.dim(0);
  for (int64_t i = 0; i < packed.size(); ++i) {
    int64_t in = i / line % lines, lane = i % line;
    if (layout.pairs) {
      in = 2 * in + lane % 2;
      lane /= 2;
    }
    int64_t out = i / block % layout.blocksPerGroup * layout.block + lane;
    if (in / ownIns != out / ownOuts)
      packed.reals[i] = 0;
  }
}

/// What kernels call that is no part of Halide.
std::map<std::string, Halide::JITExtern> externs() {
  auto stage = [](void *function, size_t numbers) {
    std::vector<Halide::Type> arguments(numbers + 3, Halide::Int(32));
    for (size_t buffer : {size_t(0), size_t(1), numbers + 2})
      arguments[buffer] = Halide::type_of<halide_buffer_t *>();
    return Halide::JITExtern(Halide::ExternCFunction(
        function, Halide::ExternSignature(Halide::Int(32), false, arguments)));
  };
  return {{"rootc_support_tiles", stage(matrixProducts(), 14)},
          {"rootc_support_gradient", stage(matrixGradient(), 6)}};
}

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
    if (tensor.type.element == ElementType::BF16)
      for (double &value : tensor.reals)
        value = reference::fromBfloat(reference::toBfloat(value));
    for (int64_t &value : tensor.integers)
      value = generator() % 4;
    inputs.push_back(std::move(tensor));
  }
  for (const Op &op : kernel.ops)
    if (op.attributes.count("winograd") && op.name != "pack_filter")
      inputs.at(op.operands[1]) = transformedFilter(op, inputs[op.operands[1]]);
  for (const Op &op : kernel.ops)
    if (op.name == "conv2d" || op.name == "conv2d_backward_data") {
      codegen::FilterLayout layout = codegen::gatherOf(kernel, op).layout;
      if (layout.merged > 1 && size_t(op.operands[1]) < inputs.size())
        clearBetweenGroups(layout, inputs[op.operands[1]]);
    }
  for (const Op &op : kernel.ops)
    if (op.name == "conv2d" && op.attributes.count("pairs"))
      clearPadding(op, kernel.type(op.operands[0]).shape[3],
                   inputs[op.operands[1]]);
  return inputs;
}

namespace {
codegen::BuiltPipeline build(const Kernel &kernel, const Halide::Target &target,
                             bool plain) {
  codegen::BuiltPipeline built = codegen::buildPipeline(kernel, target, plain);
  built.pipeline.set_jit_externs(externs());
  return built;
}

/// The same, kept while few others are asked for: tests run a kernel several
/// times, on other inputs. Copies share the compiled code.
codegen::BuiltPipeline keptPipeline(const Kernel &kernel,
                                    const Halide::Target &target, bool plain) {
  static std::deque<std::pair<std::string, codegen::BuiltPipeline>> kept;
  std::string key =
      codegen::toJson(kernel) + target.to_string() + (plain ? " plain" : "");
  for (auto &[of, built] : kept)
    if (of == key)
      return built;
  if (kept.size() == 16)
    kept.pop_front();
  return kept.emplace_back(key, build(kernel, target, plain)).second;
}

std::vector<Tensor>
runFor(const Halide::Target &target, const Kernel &kernel,
       const std::vector<Tensor> &inputs, bool plain,
       const std::function<void(Halide::Pipeline &)> &change = {}) {
  std::vector<std::unique_ptr<Guarded>> memory;
  bool device = target.has_gpu_feature();
  try {
    codegen::BuiltPipeline built = change ? build(kernel, target, plain)
                                          : keptPipeline(kernel, target, plain);
    if (change)
      change(built.pipeline);
    std::vector<Halide::Buffer<>> buffers;
    auto add = [&](const TensorType &type) {
      memory.push_back(std::make_unique<Guarded>(type, Poison));
      buffers.push_back(memory.back()->buffer());
    };
    for (const Tensor &tensor : inputs) {
      add(tensor.type);
      memory.back()->write(tensor);
    }
    std::vector<Tensor> outputs;
    for (int64_t id : kernel.outputs) {
      outputs.emplace_back(
          concrete(kernel.type(id), dynamicOf(kernel, inputs)));
      add(outputs.back().type);
    }
    std::vector<uint8_t *> host;
    for (Halide::Buffer<> &buffer : buffers) {
      host.push_back(buffer.raw_buffer()->host);
      if (!device)
        continue;
      buffer.set_host_dirty();
      buffer.copy_to_device(target);
      buffer.raw_buffer()->host = nullptr;
    }
    for (size_t i = 0; i < inputs.size(); ++i)
      built.inputs[i].set(buffers[i]);
    std::vector<Halide::Buffer<>> results(buffers.begin() + inputs.size(),
                                          buffers.end());
    built.pipeline.realize(Halide::Realization(results), target);
    for (size_t i = 0; i < buffers.size(); ++i) {
      buffers[i].raw_buffer()->host = host[i];
      if (device && i >= inputs.size())
        buffers[i].copy_to_host();
    }
    for (auto &block : memory)
      if (!block->guardsIntact())
        throw std::runtime_error("wrote outside of a buffer");
    for (size_t i = 0; i < outputs.size(); ++i)
      memory[inputs.size() + i]->read(outputs[i]);
    return outputs;
  } catch (const Halide::Error &error) { // not a std::exception
    throw std::runtime_error(error.what());
  }
}
} // namespace

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
  // As kernels of libraries are.
  return runFor(target.with_feature(Halide::Target::NoBoundsQuery), kernel,
                inputs, plain);
}

/// Whether time is short: the variable ROOTC_TEST_TIER is "first".
static bool firstTier() {
  const char *text = std::getenv("ROOTC_TEST_TIER");
  std::string name = text ? text : "full";
  if (name != "first" && name != "full")
    throw std::invalid_argument("ROOTC_TEST_TIER=" + name);
  return name == "first";
}

Device device() {
  const char *text = std::getenv("ROOTC_TEST_DEVICE");
  std::string name = text ? text : "cpu";
  if (name == "cpu")
    return Device::Cpu;
  if (name == "opencl")
    return Device::OpenCL;
  if (name == "ptx")
    return Device::Ptx;
  throw std::invalid_argument("ROOTC_TEST_DEVICE=" + name);
}

static Halide::Target openCL() {
  return Halide::get_host_target()
      .with_feature(Halide::Target::OpenCL)
      .with_feature(Halide::Target::CLDoubles);
}

codegen::TargetInfo testTarget(int64_t bits) {
  return device() == Device::Cpu
             ? codegen::TargetInfo{"", bits, bits == 512 ? 32 : 16}
             : codegen::targetInfo(openCL());
}

std::vector<Tensor>
runOnDevice(const Kernel &kernel, const std::vector<Tensor> &inputs,
            const std::function<void(Halide::Pipeline &)> &change) {
  return runFor(openCL(), kernel, inputs, false, change);
}

namespace {
/// What a command writes, and its exit status.
std::pair<std::string, int> outputOf(const std::string &command) {
  std::string text;
  FILE *pipe = popen((command + " 2>&1").c_str(), "r");
  if (!pipe)
    return {"cannot start " + command, -1};
  char part[4096];
  for (size_t size; (size = fread(part, 1, sizeof part, pipe)) > 0;)
    text.append(part, size);
  return {text, pclose(pipe)};
}

/// The largest number that stands before `unit` in what ptxas writes.
int64_t largestBefore(const std::string &text, const std::string &unit) {
  int64_t largest = 0;
  for (size_t at = text.find(unit); at != std::string::npos;
       at = text.find(unit, at + 1)) {
    size_t begin = text.find_last_not_of("0123456789", at - 1) + 1;
    largest = std::max<int64_t>(largest, std::atoll(text.c_str() + begin));
  }
  return largest;
}
} // namespace

/// Of an installed toolkit, or of the tests' Python packages.
static std::string ptxas() {
  namespace fs = std::filesystem;
  std::error_code none;
  fs::path found = "/usr/local/cuda/bin/ptxas";
  if (fs::exists(found, none))
    return found;
  for (const auto &version :
       fs::directory_iterator(ROOTC_SOURCE_DIR "/.venv/lib", none)) {
    found = version.path() / "site-packages/nvidia/cu13/bin/ptxas";
    if (fs::exists(found, none))
      return found;
  }
  return "ptxas";
}

std::string assemble(const Kernel &kernel) {
  // What Halide's runtime lets the driver use, and every GPU has.
  const int64_t registers = 64, shared = 48 * 1024;
  std::string path = testing::TempDir() + "kernel" + std::to_string(getpid());
  std::string wrong;
  for (int capability : {80, 86, 90}) {
    // Halide knows 8.6 at most, of which drivers make code for what is newer.
    if (capability <= 86)
      codegen::compileKernel(kernel, codegen::OutputKind::Ptx,
                             "x86-64-linux-cuda-cuda_capability_" +
                                 std::to_string(capability),
                             path + ".ptx");
    auto [text, status] =
        outputOf(ptxas() + " -v -arch=sm_" + std::to_string(capability) +
                 " -maxrregcount=" + std::to_string(registers) + " " + path +
                 ".ptx -o " + path + ".cubin");
    if (status != 0)
      wrong = text;
    else if (largestBefore(text, " bytes spill") != 0)
      wrong = "spills: " + text;
    else if (largestBefore(text, " bytes smem") > shared)
      wrong = "shared memory: " + text;
    if (!wrong.empty()) {
      wrong = "sm_" + std::to_string(capability) + ": " + wrong;
      break;
    }
  }
  std::filesystem::remove(path + ".ptx");
  std::filesystem::remove(path + ".cubin");
  return wrong;
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
  if (device() == Device::Ptx)
    return assemble(kernel);
  std::vector<Tensor> want = reference::evaluate(kernel, inputs);
  if (device() == Device::OpenCL)
    return difference(runOnDevice(kernel, inputs), want, tolerance);
  std::string wrong = difference(runKernel(kernel, inputs), want, tolerance);
  if (!wrong.empty())
    return wrong;
  static int kernels = 0;
  if (firstTier() && kernels++ % 3 != 0)
    return "";
  wrong = difference(runKernel(kernel, inputs, true), want, tolerance);
  return wrong.empty() ? "" : "plain: " + wrong;
}

std::string checkAs(const Kernel &run, const Kernel &meant,
                    const std::vector<Tensor> &inputs, double tolerance) {
  return difference(device() == Device::OpenCL ? runOnDevice(run, inputs)
                                               : runKernel(run, inputs),
                    reference::evaluate(meant, inputs), tolerance);
}

} // namespace rootc::test
