//===- Explain.cpp - The facts of a program's kernels ---------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lib/Explain/Explain.h"
#include "codegen/Geometry/Gather.h"
#include "codegen/KernelWork.h"
#include "dialect/Remarks.h"
#include "dialect/ScheduleFrom.h"
#include "lib/Translation/Translation.h"

#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Support/FormatVariadic.h"

using namespace mlir;

namespace rootc {

using namespace root;

double ExplainedProgram::predicted() const {
  double sum = 0;
  for (const ExplainedKernel &kernel : kernels)
    sum += kernel.predicted.seconds();
  return sum;
}

std::optional<double> ExplainedProgram::measured() const {
  double sum = 0;
  for (const ExplainedKernel &kernel : kernels) {
    if (!kernel.measured)
      return std::nullopt;
    sum += *kernel.measured;
  }
  return sum;
}

namespace {

llvm::Error fail(const Twine &message) {
  return llvm::createStringError(llvm::inconvertibleErrorCode(), message);
}

/// How long ago values were last touched, in bytes of a program that runs again
/// and again.
class Distances {
public:
  /// Bytes since the kernel that last touched `value` began.
  double of(Value value) const {
    auto found = touched.find(key(value));
    return found == touched.end() ? now : now - found->second;
  }
  void touch(ValueRange values) {
    for (Value value : values)
      touched[key(value)] = now;
  }
  void advance(double bytes) { now += bytes; }

private:
  /// Each read of a named tensor is a value of its own.
  static std::pair<const void *, const void *> key(Value value) {
    Operation *op = value.getDefiningOp();
    if (isa<ParameterOp, StatisticOp, PreparedOp>(op))
      return {op->getName().getAsOpaquePointer(),
              op->getAttr("name").getAsOpaquePointer()};
    return {value.getAsOpaquePointer(), nullptr};
  }

  double now = 0;
  llvm::DenseMap<std::pair<const void *, const void *>, double> touched;
};

std::string sizes(ArrayRef<int64_t> kernel, ArrayRef<int64_t> stride) {
  std::string text = llvm::formatv("{0}x{1}", kernel[0], kernel[1]);
  if (stride[0] != 1 || stride[1] != 1)
    text += stride[0] == stride[1]
                ? llvm::formatv("/{0}", stride[0]).str()
                : llvm::formatv("/{0}x{1}", stride[0], stride[1]).str();
  return text;
}

std::string describe(Operation &op) {
  std::string text = primName(&op).str();
  auto array = [&](StringRef name) {
    return op.getAttrOfType<DenseI64ArrayAttr>(name);
  };
  if (array("kernel") && array("stride"))
    text +=
        " " + sizes(array("kernel").asArrayRef(), array("stride").asArrayRef());
  if (auto filters = op.getAttrOfType<IntegerAttr>("filters"))
    text += llvm::formatv(", {0} filters", filters.getInt());
  auto groups = op.getAttrOfType<IntegerAttr>("groups");
  if (groups && groups.getInt() > 1)
    text += llvm::formatv(", {0} groups", groups.getInt());
  return text;
}

std::string describe(const codegen::FilterLayout &layout) {
  if (layout.pairs)
    return llvm::formatv("in pairs for matrix products; {0} blocks of {1} "
                         "out channels",
                         layout.blocks, layout.block);
  if (layout.winograd)
    return llvm::formatv("Winograd's, tiles of {0}x{0}; {1} blocks of {2} "
                         "channels",
                         layout.winograd, layout.blocks, layout.block);
  if (layout.groupLanes())
    return llvm::formatv("lanes are groups, {0} blocks of {1}", layout.blocks,
                         layout.laneGroups);
  if (layout.merged > 1)
    return llvm::formatv("{0} block{1} of {2} groups with zeros between them, "
                         "{3} channels",
                         layout.blocks, layout.blocks == 1 ? "" : "s",
                         layout.merged, layout.block);
  if (layout.groupsPerBlock > 1)
    return llvm::formatv("{0} blocks of {1} groups, {2} channels",
                         layout.blocks, layout.groupsPerBlock, layout.block);
  return llvm::formatv("{0} block{1} of {2} channels", layout.blocks,
                       layout.blocks == 1 ? "" : "s", layout.block);
}

class Collector {
public:
  Collector(const ExplainOptions &options, int64_t parameters)
      : options(options), parameters(parameters) {}

  /// Of `programs`, which run one after another.
  ExplainedProgram collect(StringRef name, ArrayRef<ProgramOp> programs) {
    ExplainedProgram result;
    result.name = name.str();
    Distances distances;
    countCheap(programs);
    for (bool last : {false, true}) // the first run is what the last follows
      for (ProgramOp program : programs)
        for (auto kernel : program.getBody().front().getOps<KernelOp>()) {
          count = program.getKind() >= ProgramKind::Update ? parameters
                                                           : options.batch;
          codegen::Kernel plain = translateKernel(kernel);
          codegen::KernelWork work = codegen::workOf(plain);
          double bytes = work.read.of(count) + work.written.of(count);
          if (last)
            result.kernels.push_back(
                explain(kernel, plain, work, bytes, distances));
          distances.touch(kernel.getInputs());
          distances.touch(kernel.getOutputs());
          distances.advance(bytes);
        }
    return result;
  }

private:
  const ExplainOptions &options;
  int64_t parameters;
  int64_t count = 1;              ///< images, or parameters that are updated
  llvm::StringMap<int64_t> cheap; ///< kernels that compute it, by name

  static std::string layerOf(Operation &op) {
    auto layer = op.getAttrOfType<StringAttr>("layer");
    return layer ? layer.str() : "";
  }
  /// What several kernels may compute, each for itself.
  static std::string cheapName(Operation &op) {
    bool isMap =
        cast<RankedTensorType>(op.getResult(0).getType()).getRank() == 4;
    std::string layer = layerOf(op);
    return op.hasTrait<PrimCheap>() && isMap && !layer.empty()
               ? layer + " " + primName(&op).str()
               : "";
  }
  void countCheap(ArrayRef<ProgramOp> programs) {
    cheap.clear();
    for (ProgramOp program : programs)
      for (auto kernel : program.getBody().front().getOps<KernelOp>())
        for (Operation &op : kernel.getBody().front().without_terminator())
          if (std::string name = cheapName(op); !name.empty())
            ++cheap[name];
  }

  ExplainedKernel explain(KernelOp kernel, const codegen::Kernel &plain,
                          const codegen::KernelWork &work, double bytes,
                          const Distances &distances) {
    codegen::Problem problem(plain, options.target);
    ExplainedKernel result;
    result.label = kernelLabel(kernel);
    result.layer = layerOf(*mainOp(kernel));
    if (problem.inner || result.layer.empty())
      result.layer = StringRef(result.label).rsplit(' ').first.str();
    result.kind = kindOf(problem);
    addOps(result, kernel, problem);
    for (Value value : kernel.getYield().getValues())
      if (auto order = value.getDefiningOp()->getAttrOfType<IntegerAttr>(
              channelOrderAttrName))
        result.order = order.getInt();
    for (const codegen::Op *op : {problem.inner, problem.anchor})
      if (op && (op->name == "conv2d" || op->name == "conv2d_backward_data"))
        result.filter += (result.filter.empty() ? "" : "; ") +
                         describe(codegen::gatherOf(plain, *op).layout);
    result.schedule = plain.schedule;
    auto from = kernel->getAttrOfType<StringAttr>(scheduleFromAttrName);
    result.scheduleFrom = from ? from.str() : "rule";
    result.multiplyAdds = double(work.multiplyAdds) * double(count);
    result.bytes = bytes;
    std::vector<double> ago;
    for (Value input : kernel.getInputs())
      ago.push_back(distances.of(input));
    result.predicted = codegen::predict(problem, options.machine, count, ago);
    for (Operation &op : kernel.getBody().front().without_terminator())
      for (std::string &text : remarksOf(&op)) {
        std::string layer = layerOf(op);
        result.remarks.push_back(layer.empty() ? text : layer + ": " + text);
      }
    for (std::string &text : losses(problem, result.predicted, options.machine))
      result.remarks.push_back(std::move(text));
    return result;
  }

  static std::string kindOf(const codegen::Problem &problem) {
    auto family = [](const codegen::Problem &problem) {
      return std::visit(
          [](const auto &family) { return std::string(family.name()); },
          codegen::defaultSchedule(problem));
    };
    std::string kind = family(problem);
    if (problem.inner)
      kind = family(problem.ofInner()) + " + " + kind;
    if (problem.anchor && problem.anchor->name == "conv2d_backward_data")
      kind += " backward";
    return kind;
  }

  void addOps(ExplainedKernel &result, KernelOp kernel,
              const codegen::Problem &problem) {
    const codegen::Kernel &plain = problem.kernel;
    auto indexOf = [&](const codegen::Op *op) -> int64_t {
      return op ? op - plain.ops.data() : -1;
    };
    int64_t anchor = indexOf(problem.anchor), inner = indexOf(problem.inner);
    // What the first anchor, and the last, are computed from.
    std::vector<bool> before(plain.ops.size(), false), between = before;
    std::vector<int64_t> producer(plain.inputs.size(), -1);
    for (size_t i = 0; i < plain.ops.size(); ++i)
      producer.insert(producer.end(), plain.ops[i].results.size(), int64_t(i));
    auto mark = [&](int64_t index, std::vector<bool> &needed) {
      if (index >= 0)
        needed[index] = true;
      for (int64_t i = index; i >= 0; --i)
        if (needed[i])
          for (int64_t operand : plain.ops[i].operands)
            if (int64_t made = producer[operand]; made >= 0)
              needed[made] = true;
    };
    mark(inner >= 0 ? inner : anchor, before);
    if (inner >= 0)
      mark(anchor, between);
    llvm::StringMap<bool> told;
    for (auto [index, op] :
         llvm::enumerate(kernel.getBody().front().without_terminator())) {
      ExplainedOp &to = result.ops.emplace_back();
      auto at = int64_t(index);
      to.role = at == anchor  ? ExplainedOp::Anchor
                : at == inner ? ExplainedOp::Inner
                : before[at]  ? ExplainedOp::Prologue
                : between[at] ? ExplainedOp::Inner
                              : ExplainedOp::Epilogue;
      to.layer = layerOf(op);
      to.what = describe(op);
      std::string name = cheapName(op);
      if (int64_t times = cheap.lookup(name);
          times > 1 && !name.empty() && !told[name]) {
        told[name] = true;
        result.remarks.push_back(llvm::formatv(
            "{0} is computed in {1} kernels, each for itself", name, times));
      }
    }
  }
};

llvm::Error addMeasured(ExplainedProgram &program, const Profile &profile) {
  if (profile.calls.size() != program.kernels.size())
    return fail(llvm::formatv(
        "the profile is of another library: it has {0} calls, this network's "
        "program '{1}' {2}; compile and profile it with the same flags",
        profile.calls.size(), program.name, program.kernels.size()));
  for (auto [kernel, call] : llvm::zip(program.kernels, profile.calls)) {
    if (kernel.label != call.label)
      return fail("the profile is of another library: it has a call '" +
                  call.label + "' where this network has '" + kernel.label +
                  "'; compile and profile it with the same flags");
    kernel.measured = call.ms / 1e3;
    double more = *kernel.measured - kernel.predicted.seconds();
    if (more > kernel.predicted.seconds() / 4 && more > 20e-6)
      kernel.remarks.push_back(llvm::formatv(
          "{0:f3} ms more than predicted, which nothing here explains",
          more * 1e3));
  }
  return llvm::Error::success();
}

} // namespace

llvm::Expected<Explanation> explain(ModuleOp module,
                                    const ExplainOptions &options) {
  auto model = *module.getOps<ModelOp>().begin();
  llvm::StringMap<ProgramOp> programs;
  for (auto program : model.getBody().getOps<ProgramOp>())
    programs[stringifyEnum(program.getKind())] = program;
  Explanation result;
  result.network = model.getSymName().str();
  result.batch = options.batch;
  result.machine = options.machine;
  SmallVector<StringRef> names = {options.program};
  if (options.program.empty())
    names = programs.contains("train")
                ? SmallVector<StringRef>{"infer", "train"}
                : SmallVector<StringRef>{"infer"};
  Collector collector(options, model.getParameterCount().value_or(1));
  for (StringRef name : names) {
    if (!programs.contains(name))
      return fail("--explain=" + name +
                  ": with --mode=infer there is no such program");
    SmallVector<ProgramOp> run = {programs[name]};
    if (name == "train")
      run.push_back(programs["update"]); // a step, as rootrun profiles it
    ExplainedProgram &program =
        result.programs.emplace_back(collector.collect(name, run));
    if (options.profile)
      if (llvm::Error error = addMeasured(program, *options.profile))
        return error;
  }
  return result;
}

} // namespace rootc
