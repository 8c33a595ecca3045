//===- Print.cpp - An explanation as text and as JSON ---------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lib/Explain/Explain.h"

#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/JSON.h"

using namespace llvm;

namespace rootc {

namespace {

/// What several kernels have in common.
struct Sum {
  std::string name;
  int64_t kernels = 0;
  double predicted = 0, measured = 0, multiplyAdds = 0;

  double time(bool isMeasured) const {
    return isMeasured ? measured : predicted;
  }
};

/// The sums by one of their names, the longest first.
std::vector<Sum> sumsBy(const ExplainedProgram &program,
                        std::string ExplainedKernel::*name) {
  MapVector<StringRef, Sum> sums;
  for (const ExplainedKernel &kernel : program.kernels) {
    Sum &sum = sums[kernel.*name];
    sum.name = kernel.*name;
    ++sum.kernels;
    sum.predicted += kernel.predicted.seconds();
    sum.measured += kernel.measured.value_or(0);
    sum.multiplyAdds += kernel.multiplyAdds;
  }
  std::vector<Sum> sorted;
  for (auto &[key, sum] : sums)
    sorted.push_back(sum);
  bool measured = program.measured().has_value();
  llvm::stable_sort(sorted, [&](const Sum &a, const Sum &b) {
    return a.time(measured) > b.time(measured);
  });
  return sorted;
}

std::array<double, codegen::partCount>
partsOf(const ExplainedProgram &program) {
  std::array<double, codegen::partCount> parts{};
  for (const ExplainedKernel &kernel : program.kernels)
    for (size_t i = 0; i < parts.size(); ++i)
      parts[i] += kernel.predicted.parts[i];
  return parts;
}

std::string nameOf(const ExplainedOp &op) {
  if (op.layer.empty())
    return op.what;
  if (StringRef(op.layer).starts_with(op.what)) // relu_1
    return op.layer;
  return op.layer + " (" + op.what + ")";
}

const char *nameOf(ExplainedOp::Role role) {
  switch (role) {
  case ExplainedOp::Prologue:
    return "prologue";
  case ExplainedOp::Inner:
    return "inner";
  case ExplainedOp::Anchor:
    return "anchor";
  case ExplainedOp::Epilogue:
    return "epilogue";
  }
  return "";
}

//===----------------------------------------------------------------------===//
// Text
//===----------------------------------------------------------------------===//

class TextPrinter {
public:
  explicit TextPrinter(raw_ostream &out) : out(out) {}

  void print(const Explanation &explanation) {
    const codegen::Machine &machine = explanation.machine;
    out << formatv("{0}: batch {1}, {2} thread{3}\n", explanation.network,
                   explanation.batch, machine.threads,
                   machine.threads == 1 ? "" : "s");
    out << formatv("machine ({0}): {1:f0} GFLOP/s, reading {2:f0} GB/s near to "
                   "{3:f0} GB/s far\n",
                   machine.name, machine.flops / 1e9,
                   machine.bandwidth.front().read / 1e9,
                   machine.bandwidth.back().read / 1e9);
    for (const ExplainedProgram &program : explanation.programs)
      print(program);
  }

private:
  raw_ostream &out;
  bool measured = false;
  double total = 0;

  /// Measured, predicted, their difference, the share.
  void times(double predicted, double real) {
    if (measured)
      out << formatv("{0,10:f3} {1,10:f3} {2,5}", real * 1e3, predicted * 1e3,
                     difference(predicted, real));
    else
      out << formatv("{0,10:f3}", predicted * 1e3);
    double time = measured ? real : predicted;
    out << formatv(" {0,5:f1}%", total > 0 ? 100 * time / total : 0);
  }
  static std::string difference(double predicted, double real) {
    if (real <= 0)
      return "";
    auto percent = int64_t(std::lround(100 * (predicted / real - 1)));
    return formatv("{0}{1}%", percent > 0 ? "+" : "", percent);
  }
  void head() {
    if (measured)
      out << "  measured  predicted  diff";
    else
      out << " predicted";
    out << "  share";
  }

  void print(const ExplainedProgram &program) {
    measured = program.measured().has_value();
    total = measured ? *program.measured() : program.predicted();
    out << "\n"
        << program.name
        << (program.name == "train" ? ", a step with its update" : "")
        << " (times in ms)\n\n";
    head();
    out << "  bound       GFLOP/s      MB  kernel\n";
    for (const ExplainedKernel &kernel : program.kernels)
      print(kernel);
    times(program.predicted(), total);
    out << "  all " << program.kernels.size() << " kernels\n";
    printParts(program);
    printSums("by kind", sumsBy(program, &ExplainedKernel::kind), SIZE_MAX);
    printSums("by layer", sumsBy(program, &ExplainedKernel::layer), 20);
  }

  void print(const ExplainedKernel &kernel) {
    double predicted = kernel.predicted.seconds(),
           real = kernel.measured.value_or(0),
           time = measured ? real : predicted;
    times(predicted, real);
    std::string rate;
    if (kernel.multiplyAdds > 0 && time > 0)
      rate = formatv("{0:f0}", 2 * kernel.multiplyAdds / time / 1e9);
    out << formatv("  {0,-10} {1,8} {2,7:f1}  {3}\n",
                   codegen::nameOf(kernel.predicted.bound), rate,
                   kernel.bytes / 1e6, kernel.label);
    line(fusion(kernel));
    std::string how = "schedule (" + kernel.scheduleFrom + ")";
    for (auto &[key, value] : kernel.schedule)
      how += " " + key + "=" + std::to_string(value);
    if (!kernel.filter.empty())
      how = "filter: " + kernel.filter + "; " + how;
    if (kernel.order > 1)
      how = formatv("channels in order {0}; {1}", kernel.order, how);
    line(how);
    for (const std::string &remark : kernel.remarks)
      line("- " + remark);
  }

  void line(const std::string &text) { out << "            " << text << "\n"; }

  static std::string fusion(const ExplainedKernel &kernel) {
    std::string text;
    auto add = [&](ExplainedOp::Role role, const char *head) {
      bool first = true;
      for (const ExplainedOp &op : kernel.ops) {
        if (op.role != role)
          continue;
        text += first ? (text.empty() ? "" : "; ") + std::string(head) : ", ";
        text += nameOf(op);
        first = false;
      }
    };
    add(ExplainedOp::Prologue, "as it is read ");
    add(ExplainedOp::Anchor, "");
    add(ExplainedOp::Inner, "within its tasks ");
    add(ExplainedOp::Epilogue, text.empty() ? "" : "then ");
    return text;
  }

  void printParts(const ExplainedProgram &program) {
    auto parts = partsOf(program);
    out << "\nwhere the predicted time goes\n";
    for (size_t i = 0; i < parts.size(); ++i)
      out << formatv("{0,10:f3} {1,5:f1}%  {2}\n", parts[i] * 1e3,
                     100 * parts[i] / std::max(program.predicted(), 1e-12),
                     codegen::nameOf(codegen::Part(i)));
  }

  void printSums(StringRef title, const std::vector<Sum> &sums, size_t most) {
    out << "\n" << title << "\n";
    head();
    out << "  kernels\n";
    Sum rest;
    for (size_t i = 0; i < sums.size(); ++i) {
      const Sum &sum = sums[i];
      if (i >= most) {
        rest.kernels += sum.kernels;
        rest.predicted += sum.predicted;
        rest.measured += sum.measured;
        continue;
      }
      times(sum.predicted, sum.measured);
      out << formatv("  {0,7}  {1}\n", sum.kernels, sum.name);
    }
    if (rest.kernels) {
      times(rest.predicted, rest.measured);
      out << formatv("  {0,7}  all others\n", rest.kernels);
    }
  }
};

//===----------------------------------------------------------------------===//
// JSON
//===----------------------------------------------------------------------===//

void printTimes(json::OStream &json, double predicted,
                std::optional<double> measured) {
  json.attribute("predicted_ms", predicted * 1e3);
  if (measured)
    json.attribute("measured_ms", *measured * 1e3);
}

void printParts(json::OStream &json,
                const std::array<double, codegen::partCount> &parts) {
  json.attributeObject("parts_ms", [&] {
    for (size_t i = 0; i < parts.size(); ++i)
      json.attribute(codegen::nameOf(codegen::Part(i)), parts[i] * 1e3);
  });
}

void printKernel(json::OStream &json, const ExplainedKernel &kernel) {
  json.attribute("label", kernel.label);
  json.attribute("layer", kernel.layer);
  json.attribute("kind", kernel.kind);
  json.attributeArray("ops", [&] {
    for (const ExplainedOp &op : kernel.ops)
      json.object([&] {
        json.attribute("role", nameOf(op.role));
        json.attribute("layer", op.layer);
        json.attribute("op", op.what);
      });
  });
  json.attribute("channel_order", kernel.order);
  json.attribute("filter", kernel.filter);
  json.attributeObject("schedule", [&] {
    for (auto &[key, value] : kernel.schedule)
      json.attribute(key, value);
  });
  json.attribute("schedule_from", kernel.scheduleFrom);
  json.attribute("multiply_adds", int64_t(kernel.multiplyAdds));
  json.attribute("bytes", int64_t(kernel.bytes));
  json.attribute("tasks", kernel.predicted.tasks);
  json.attribute("bound", codegen::nameOf(kernel.predicted.bound));
  printTimes(json, kernel.predicted.seconds(), kernel.measured);
  printParts(json, kernel.predicted.parts);
  json.attributeArray("remarks", [&] {
    for (const std::string &remark : kernel.remarks)
      json.value(remark);
  });
}

void printSums(json::OStream &json, StringRef name,
               const std::vector<Sum> &sums, bool measured) {
  json.attributeArray(name, [&] {
    for (const Sum &sum : sums)
      json.object([&] {
        json.attribute("name", sum.name);
        json.attribute("kernels", sum.kernels);
        json.attribute("multiply_adds", int64_t(sum.multiplyAdds));
        printTimes(json, sum.predicted,
                   measured ? std::optional(sum.measured) : std::nullopt);
      });
  });
}

void printProgram(json::OStream &json, const ExplainedProgram &program) {
  bool measured = program.measured().has_value();
  json.attribute("program", program.name);
  printTimes(json, program.predicted(), program.measured());
  printParts(json, partsOf(program));
  printSums(json, "kinds", sumsBy(program, &ExplainedKernel::kind), measured);
  printSums(json, "layers", sumsBy(program, &ExplainedKernel::layer), measured);
  json.attributeArray("kernels", [&] {
    for (const ExplainedKernel &kernel : program.kernels)
      json.object([&] { printKernel(json, kernel); });
  });
}

} // namespace

void printText(const Explanation &explanation, raw_ostream &out) {
  TextPrinter(out).print(explanation);
}

void printJson(const Explanation &explanation, raw_ostream &out) {
  json::OStream json(out, /*IndentSize=*/2);
  const codegen::Machine &machine = explanation.machine;
  json.object([&] {
    json.attribute("network", explanation.network);
    json.attribute("batch", explanation.batch);
    json.attribute("threads", machine.threads);
    json.attributeObject("machine", [&] {
      json.attribute("name", machine.name);
      json.attribute("gflop_per_s", machine.flops / 1e9);
      json.attributeArray("bandwidth", [&] {
        for (const codegen::Machine::Bandwidth &level : machine.bandwidth)
          json.object([&] {
            json.attribute("bytes", level.bytes);
            json.attribute("read_gb_per_s", level.read / 1e9);
            json.attribute("written_gb_per_s", level.written / 1e9);
          });
      });
    });
    json.attributeArray("programs", [&] {
      for (const ExplainedProgram &program : explanation.programs)
        json.object([&] { printProgram(json, program); });
    });
  });
  out << "\n";
}

} // namespace rootc
