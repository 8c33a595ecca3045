//===- TensorCoreSource.cpp - A convolution by tensor cores ---------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/TensorCoreSource.h"
#include "codegen/CudaExpressions.h"
#include "codegen/CudaText.h"
#include "codegen/Geometry/Gather.h"
#include "codegen/TensorCorePoints.h"

#include <algorithm>
#include <stdexcept>

using namespace Halide;
using namespace Halide::Internal;

namespace rootc::codegen {

namespace {
class Printer {
public:
  Printer(const Problem &problem, const UnscheduledPipeline &pipeline,
          const TensorCoreSchedule &schedule)
      : kernel(problem.kernel), pipeline(pipeline), context(pipeline.context),
        schedule(schedule), launch(launchOf(schedule, problem)),
        groups(tensorCoreGroups(problem)), anchor(*context.anchor) {}

  std::string print() {
    for (size_t i = 0; i < kernel.inputs.size(); ++i)
      add("in" + std::to_string(i), kernel.inputs[i]);
    for (size_t i = 0; i < kernel.outputs.size(); ++i)
      add("out" + std::to_string(i), kernel.type(kernel.outputs[i]));
    chooseVectors(pipeline.vectorStages);
    if (launch.gradient)
      printGradient();
    else
      printConvolution();
    return describeForCuda(kernel, arguments, types) + text.str();
  }

private:
  const Kernel &kernel;
  const UnscheduledPipeline &pipeline;
  const ScheduleContext &context;
  const TensorCoreSchedule &schedule;
  const TensorCoreLaunch launch;
  const TensorCoreGroups groups;
  const Op &anchor;
  std::vector<std::string> arguments;
  std::map<std::string, TensorType> types;
  std::vector<SharedVector> vectors;
  CudaText text;

  /// Of vectors such as a batch norm's multiplier those that a block has room
  /// for; others are computed at each point.
  void chooseVectors(const std::vector<Func> &stages) {
    int64_t room = TensorCoreSchedule::mostShared - schedule.sharedBytes();
    for (const Func &stage : stages) {
      if (stage.type() != Float(32))
        continue;
      std::vector<SharedVector> one = {
          {"vector" + std::to_string(vectors.size()), stage, 0}};
      for (size_t i = 0; i < context.operands.size(); ++i)
        if (context.operands[i].type.shape.size() == 4 && !isCopied(i))
          addUse(one[0], context.operands[i].func, context.operands[i].type);
      if (!launch.gradient)
        for (const Expr &result : outputsAtPoint())
          addUse(one[0], result, context.outputValue.type);
      if (one[0].size > 0 && 4 * one[0].size <= room) {
        room -= 4 * one[0].size;
        vectors.push_back(one[0]);
      }
    }
  }
  void addUse(SharedVector &vector, const Expr &expr,
              const TensorType &type) const {
    std::vector<SharedVector> one = {vector};
    AtPoint at(kernel, context, one);
    at.mutate(expr);
    if (!at.used.empty())
      vector.size = std::max(vector.size, type.shape.at(3));
  }
  void addUse(SharedVector &vector, const Func &func,
              const TensorType &type) const {
    addUse(vector, atPoint(func), type);
  }

  static Expr atPoint(const Func &func) {
    return func(placeOf(0), placeOf(1), placeOf(2), placeOf(3));
  }
  std::vector<Expr> outputsAtPoint() const {
    std::map<std::string, Expr> point;
    for (size_t d = 0; d < 4; ++d)
      point[context.output.args().at(d).name()] = placeOf(d);
    std::vector<Expr> results;
    const Tuple values = context.output.values();
    for (const Expr &result : values.as_vector())
      results.push_back(substitute(point, result));
    return results;
  }

  void add(const std::string &name, const TensorType &type) {
    arguments.push_back(name);
    types[name] = type;
  }
  bool isOutput(size_t argument) const {
    return argument >= kernel.inputs.size();
  }

  void line(const std::string &content) { text.line(content); }
  void open(const std::string &content) {
    line(content + " {");
    ++text.indent;
  }
  void close(const std::string &end = "}") {
    --text.indent;
    line(end);
  }

  void constants(const std::vector<std::pair<const char *, int64_t>> &named) {
    std::string all;
    for (const auto &[name, value] : named)
      all += (all.empty() ? "" : ", ") + std::string(name) + " = " +
             std::to_string(value);
    line("static constexpr int " + all + ";");
  }

  /// What the kernel is given, and the begin of the struct that a block of
  /// threads makes of it, with its tile and vectors.
  void beginBlock(bool byTerms) {
    open("struct " + operands());
    line(std::string("int ") + cudaBatch + ";");
    for (size_t i = 0; i < arguments.size(); ++i)
      line((isOutput(i) ? "" : "const ") + cudaElement(types[arguments[i]]) +
           " *" + arguments[i] + ";");
    close("};");
    open("struct " + block() + " : " + operands());
    std::string numbers;
    for (int64_t number : {schedule.tileM, schedule.tileN, schedule.tileK,
                           schedule.warpsM, schedule.warpsN})
      numbers += ", " + std::to_string(number);
    line(std::string("using tile = rootc_tile<") +
         (schedule.operandBits == 16 ? "true" : "false") + numbers + ", " +
         (byTerms ? "true" : "false") + ">; // of " +
         (schedule.operandBits == 16 ? "bf16" : "TF32"));
    for (const SharedVector &vector : vectors)
      line("const float *" + vector.array + ";");
  }

  /// Knows the names within a function of the struct.
  CudaExpressions scope(const std::vector<int64_t> &shape) const {
    CudaExpressions of;
    of.declareAs(cudaBatch, cudaBatch, ConstantInterval(1, 1 << 30));
    for (const std::string &argument : arguments)
      of.declareAs(argument, argument);
    for (size_t d = 0; d < 4; ++d) {
      int64_t extent = shape.at(3 - d);
      of.declareAs(places[d], places[d],
                   ConstantInterval(0, extent < 0 ? 1 << 30 : extent - 1));
    }
    for (const SharedVector &vector : vectors)
      of.declareAs(vector.array, vector.array);
    of.declareAs(sumName, sumName);
    return of;
  }

  static std::string head(const char *result, const std::string &name,
                          const char *more = "") {
    return std::string("__device__ ") + result + " " + name +
           "(int c, int x, int y, int image" + more + ") const";
  }

  std::string value(CudaExpressions &of, const Expr &expr) {
    std::string printed =
        of.text(common_subexpression_elimination(simplify(expr)));
    for (const std::string &declaration : of.before)
      line(declaration);
    of.before.clear();
    return printed;
  }

  /// Where a point lies in a tensor.
  static std::string index(const std::vector<int64_t> &shape) {
    return "((image * " + std::to_string(shape[1]) + " + y) * " +
           std::to_string(shape[2]) + " + x) * " + std::to_string(shape[3]) +
           " + c";
  }

  bool isCopied(size_t operand) const {
    int64_t id = anchor.operands.at(operand);
    return id < static_cast<int64_t>(kernel.inputs.size()) &&
           kernel.inputs[id].element == ElementType::F32;
  }

  /// The functions by which an operand is copied, or computed.
  void reader(size_t operand, const std::string &pointer,
              const std::string &place, const std::string &read) {
    const Halide::Func &func = context.operands.at(operand).func;
    const std::vector<int64_t> &shape = context.operands[operand].type.shape;
    if (isCopied(operand)) {
      line("__device__ const float *" + pointer + "() const { return in" +
           std::to_string(anchor.operands[operand]) + "; }");
      open("__device__ static int " + place +
           "(int c, int x, int y, int image)");
      line("return " + index(shape) + ";");
      close();
      return;
    }
    open(head("float", read));
    CudaExpressions of = scope(shape);
    line("return " +
         value(of, AtPoint(kernel, context, vectors).mutate(atPoint(func))) +
         ";");
    close();
  }

  /// The function that stores a point's results.
  void writer() {
    const std::vector<int64_t> &shape = context.outputValue.type.shape;
    open(head("void", "write", ", float sum"));
    CudaExpressions of = scope(shape);
    // A gradient is stored by a kernel that has none.
    const std::vector<SharedVector> none;
    AtPoint at(kernel, context, launch.gradient ? none : vectors);
    std::vector<std::string> printed;
    for (const Expr &result : outputsAtPoint())
      printed.push_back(value(of, at.mutate(result)));
    line("const int place = " + index(shape) + ";");
    for (size_t i = 0; i < printed.size(); ++i)
      line("out" + std::to_string(i) + "[place] = " + printed[i] + ";");
    close();
  }

  void channels() {
    constants({{"groups", groups.groups},
               {"ins", groups.ins},
               {"outs", groups.outs},
               {"merged", groups.merged}});
  }

  /// The functions by which a block makes its vectors.
  void makers() {
    for (const SharedVector &vector : vectors) {
      open("__device__ float make_" + vector.array + "(int c) const");
      CudaExpressions of = scope({1, 1, 1, vector.size});
      Expr made = vector.func(placeOf(0));
      // Itself it is not there yet.
      std::vector<SharedVector> none;
      line("return " + value(of, AtPoint(kernel, context, none).mutate(made)) +
           ";");
      close();
    }
  }

  std::string operands() const { return kernel.name + "_operands"; }
  std::string block() const { return kernel.name + "_block"; }

  void beginKernel(const std::string &name, const std::string &parameters,
                   int64_t size) {
    std::string bounds = std::to_string(size);
    if (size >= 256)
      bounds += ", " + std::to_string(std::max<int64_t>(1, 512 / size));
    line("static __global__ void __launch_bounds__(" + bounds + ")");
    open(kernel.name + name + "(const " + operands() + " given" + parameters +
         ")");
    line(block() + " of = {given};");
  }
  /// What a block has in shared memory, and `of`, which knows of it.
  void tiles() {
    for (const SharedVector &vector : vectors) {
      const std::string size = std::to_string(vector.size);
      line("__shared__ float " + vector.array + "[" + size + "];");
      line("of." + vector.array + " = " + vector.array + ";");
      line("for (int c = threadIdx.x; c < " + size +
           "; c += " + std::to_string(launch.threads) + ")");
      line("  " + vector.array + "[c] = of.make_" + vector.array + "(c);");
    }
    if (!vectors.empty())
      line("__syncthreads();");
    line("alignas(16) __shared__ float tiles[2 * " + block() +
         "::tile::floats];");
  }

  void beginLaunch() {
    open("static int " + kernel.name + "_argv(void **arguments)");
    line("rootc_cuda_device &device = *(rootc_cuda_device *)arguments[0];");
    line(operands() + " operands = {};");
    line("const int n = operands.n = device.n;");
    for (size_t i = 0; i < arguments.size(); ++i)
      line("operands." + arguments[i] + " = (" + (isOutput(i) ? "" : "const ") +
           cudaElement(types[arguments[i]]) + " *)arguments[" +
           std::to_string(i + 1) + "];");
  }
  void endLaunch() {
    line("return device.status;");
    close();
  }

  void printConvolution() {
    Gather gather = gatherOf(kernel, anchor);
    const FilterLayout &layout = gather.layout;
    auto counts = gather.phaseCount();
    // In rows and columns of what is written, before they are cut into phases.
    auto before = [&](int d) {
      return gather.before[d] * gather.phases[d] + gather.skew[d];
    };
    beginBlock(false);
    constants({{"height", gather.height},
               {"width", gather.width},
               {"in_height", gather.inHeight},
               {"in_width", gather.inWidth}});
    channels();
    constants({{"block", layout.block}, {"blocks", layout.blocksPerGroup}});
    constants({{"kernel_y", layout.kernel[0]},
               {"kernel_x", layout.kernel[1]},
               {"stride_y", gather.stride[0]},
               {"stride_x", gather.stride[1]},
               {"dilation_y", gather.dilation[0]},
               {"dilation_x", gather.dilation[1]},
               {"before_y", before(0)},
               {"before_x", before(1)}});
    constants({{"phases_y", gather.phases[0]},
               {"phases_x", gather.phases[1]},
               {"phase_count_x", counts[1]},
               {"tap_step_y", gather.tapStep(0)},
               {"tap_step_x", gather.tapStep(1)}});
    line(std::string("static constexpr bool copied = ") +
         (isCopied(0) ? "true;" : "false;"));
    makers();
    reader(0, "map", "place", "read");
    line("__device__ const float *filter() const { return in" +
         std::to_string(anchor.operands.at(1)) + "; }");
    writer();
    close("};");
    line("");
    beginKernel("_products", "", launch.threads);
    tiles();
    line("rootc_convolution<" + block() + ">(of, tiles).run();");
    close();
    line("");
    beginLaunch();
    line("device.launch(" + kernel.name + "_products, dim3((n * " +
         std::to_string(launch.pixels) + " + " +
         std::to_string(launch.tile - 1) + ") / " +
         std::to_string(launch.tile) + ", " + std::to_string(launch.blocks[1]) +
         ", " + std::to_string(launch.blocks[2]) + "), dim3(" +
         std::to_string(launch.threads) + "), operands);");
    endLaunch();
  }

  void printGradient() {
    ConvShape shape = convShapeOf(kernel, anchor);
    int64_t ins = shape.inPerGroup(), taps = groups.taps;
    beginBlock(true);
    constants({{"height", shape.outHeight()},
               {"width", shape.outWidth()},
               {"in_height", shape.inHeight},
               {"in_width", shape.inWidth}});
    channels();
    constants({{"kernel_y", shape.kernel[0]},
               {"kernel_x", shape.kernel[1]},
               {"stride_y", shape.stride[0]},
               {"stride_x", shape.stride[1]},
               {"dilation_y", shape.dilation[0]},
               {"dilation_x", shape.dilation[1]},
               {"before_y", shape.pad[0]},
               {"before_x", shape.pad[1]}});
    line(std::string("static constexpr bool copied = ") +
         (isCopied(0) ? "true" : "false") +
         ", dy_copied = " + (isCopied(1) ? "true;" : "false;"));
    makers();
    reader(0, "map", "place", "read");
    reader(1, "dy", "dy_place", "read_dy");
    writer();
    close("};");
    line("");
    beginKernel("_products", ", int stages, float *partial", launch.threads);
    tiles();
    line("rootc_filter_gradient<" + block() +
         ">(of, tiles).run(stages, partial);");
    close();
    line("");
    const std::string all = std::to_string(launch.weights),
                      width = std::to_string(launch.sumThreads);
    beginKernel("_total", ", int chunks, const float *partial",
                launch.sumThreads);
    line("const int weight = blockIdx.x * " + width + " + threadIdx.x;");
    open("if (weight < " + all + ")");
    line("float sum = partial[weight];");
    line("for (int chunk = 1; chunk < chunks; ++chunk)");
    line("  sum += partial[chunk * " + all + " + weight];");
    line("of.write(weight % " + std::to_string(ins) + ", weight / " +
         std::to_string(ins) + " % " + std::to_string(shape.kernel[1]) +
         ", weight / " + std::to_string(ins * shape.kernel[1]) + " % " +
         std::to_string(shape.kernel[0]) + ", weight / " +
         std::to_string(ins * taps) + ", sum);");
    close();
    close();
    line("");
    beginLaunch();
    // Each chunk of a few stages at least, all of equally many.
    line("const int all = (n * " + std::to_string(launch.pixels) + " + " +
         std::to_string(launch.tile - 1) + ") / " +
         std::to_string(launch.tile) + ";");
    line("const int most = smaller<int>(" + std::to_string(launch.split) +
         ", (all + " + std::to_string(launch.stages - 1) + ") / " +
         std::to_string(launch.stages) + ");");
    line("const int stages = (all + most - 1) / most;");
    line("const int chunks = (all + stages - 1) / stages;");
    line("rootc_cuda_temporary<float> partial(device, (int64_t)chunks * " +
         all + ");");
    line("device.launch(" + kernel.name + "_products, dim3(" +
         std::to_string(launch.blocks[0]) + ", " +
         std::to_string(launch.blocks[1]) + ", chunks * " +
         std::to_string(launch.blocks[2]) + "), dim3(" +
         std::to_string(launch.threads) + "), operands, stages, partial);");
    line("device.launch(" + kernel.name + "_total, dim3(" +
         std::to_string(ceilDiv(launch.weights, launch.sumThreads)) +
         "), dim3(" + width + "), operands, chunks, partial);");
    endLaunch();
  }
};
} // namespace

std::string tensorCoreSource(const Kernel &kernel, const Target &target) {
  Problem problem(kernel, targetInfo(target));
  ReadSchedule read = readSchedule(problem);
  const auto *schedule = std::get_if<TensorCoreSchedule>(&read.schedule);
  if (!schedule)
    throw std::invalid_argument("its schedule is none for tensor cores");
  if (!read.error.empty())
    throw std::invalid_argument("schedule: " + read.error);
  UnscheduledPipeline pipeline = unscheduledPipeline(kernel, target);
  return Printer(problem, pipeline, *schedule).print();
}

} // namespace rootc::codegen
