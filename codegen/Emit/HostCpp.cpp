//===- HostCpp.cpp - A model's own functions and tables as C++ ------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/Emit/HostCode.h"
#include "codegen/Emit/Target.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/raw_ostream.h"

using namespace llvm;

namespace rootc::codegen {

namespace {

const char *const programNames[] = {"prepare", "infer", "train", "grad",
                                    "update"};

std::string quote(StringRef text) {
  std::string out = "\"";
  for (unsigned char c : text) {
    // Octal: a hexadecimal escape would swallow the digits after it.
    if (c == '"' || c == '\\')
      out += std::string("\\") + char(c);
    else if (c >= 32 && c < 127)
      out += char(c);
    else
      out += std::string("\\") + char('0' + (c >> 6)) +
             char('0' + (c >> 3 & 7)) + char('0' + (c & 7));
  }
  return out + "\"";
}

void printBuffer(raw_ostream &os, const HostBuffer &buffer, size_t index) {
  size_t rank = buffer.dimensions.size();
  os << "    halide_dimension_t d" << index << "[" << std::max<size_t>(rank, 1)
     << "] = {";
  for (const HostDimension &dimension : buffer.dimensions) {
    os << "{0, ";
    if (dimension.extent == -1)
      os << "(int32_t)n";
    else
      os << dimension.extent;
    os << ", " << dimension.stride << ", 0}, ";
  }
  os << "};\n    halide_buffer_t b" << index << " = {};\n"
     << "    b" << index << ".host = (uint8_t *)arenas[" << buffer.arena
     << "] + " << (buffer.scaled ? "n * " : "") << buffer.offset << ";\n"
     << "    b" << index << ".type = halide_type_t((halide_type_code_t)"
     << unsigned(buffer.typeCode) << ", " << unsigned(buffer.typeBits) << ");\n"
     << "    b" << index << ".dimensions = " << rank << ";\n"
     << "    b" << index << ".dim = d" << index << ";\n";
}

void printProgram(raw_ostream &os, const Model &model,
                  const HostProgram &program, int index) {
  os << "static int rootc_run_" << programNames[index]
     << "(rootc_frame *frame, char *const *arenas, int64_t n) {\n"
     << "  (void)arenas, (void)n, (void)frame;\n";
  for (size_t i = 0; i < program.calls.size(); ++i) {
    const HostCall &call = program.calls[i];
    os << "  { // " << call.label << "\n";
    for (size_t b = 0; b < call.buffers.size(); ++b)
      printBuffer(os, call.buffers[b], b);
    std::string where = ("frame, " + Twine(index) + ", " + Twine(i)).str();
    os << "    rootc_support_begin(" << where
       << ");\n    int code = " << model.kernels[call.kernel].name << "(frame";
    for (size_t b = 0; b < call.buffers.size(); ++b)
      os << ", &b" << b;
    os << ");\n    if (int status = rootc_support_end(" << where
       << ", code))\n      return status;\n  }\n";
  }
  os << "  return ROOTC_OK;\n}\n\n";
}

void printTables(raw_ostream &os, const Model &model, const HostPlan &plan,
                 const TargetInfo &target) {
  if (!model.tensors.empty()) {
    os << "static const rootc_tensor rootc_tensors[] = {\n";
    for (const TensorInfo &tensor : model.tensors) {
      os << "    {" << quote(tensor.name) << ", " << quote(tensor.role) << ", "
         << tensor.shape.size() << ", " << int(tensor.statistic) << ", {";
      interleaveComma(tensor.shape, os);
      os << "}, " << tensor.offset << ", " << tensor.fanIn << "},\n";
    }
    os << "};\n";
  }
  if (!model.responses.empty()) {
    os << "static const rootc_response rootc_responses[] = {\n";
    for (const Response &response : model.responses) {
      os << "    {" << quote(response.name) << ", " << quote(response.valueOf)
         << ", " << response.call << ", " << responseArena(response) << ", {";
      interleaveComma(ArrayRef(response.buffer.type.shape).drop_front(), os);
      os << "}, " << response.buffer.offset << "},\n";
    }
    os << "};\n";
  }
  for (int i = 0; i < 5; ++i) {
    if (plan[i].calls.empty())
      continue;
    os << "static const char *const rootc_labels_" << programNames[i]
       << "[] = {\n";
    for (const HostCall &call : plan[i].calls)
      os << "    " << quote(call.label) << ",\n";
    os << "};\n";
  }
  os << "static const rootc_model rootc_table = {\n    ROOTC_ABI_VERSION, "
        "sizeof(rootc_model), "
     << quote(model.name) << ",\n    " << quote(target.halide) << ",\n    "
     << quote(model.description) << ",\n    " << model.height << ", "
     << model.width << ", " << model.channels << ", " << model.classes << ", "
     << (model.tensors.empty() ? "nullptr" : "rootc_tensors") << ", "
     << model.tensors.size() << ", "
     << (model.responses.empty() ? "nullptr" : "rootc_responses") << ", "
     << model.responses.size() << ",\n    " << model.parameterCount << ", "
     << model.decayedCount << ", " << model.statisticCount << ", "
     << model.preparedBytes << ", " << int(plan[2].present) << ", 0,\n    {";
  for (int i = 0; i < 5; ++i)
    os << (plan[i].calls.empty()
               ? std::string("nullptr")
               : std::string("rootc_labels_") + programNames[i])
       << ", ";
  os << "},\n    {";
  for (int i = 0; i < 5; ++i)
    os << plan[i].calls.size() << ", ";
  os << "},\n    rootc_support_unsupported, rootc_support_workspace_bytes,\n"
        "    rootc_support_prepare, rootc_support_infer, rootc_support_train,\n"
        "    rootc_support_grad, rootc_support_update,\n"
        "    rootc_support_pool_create, rootc_support_pool_destroy,\n"
        "    rootc_support_parallel_for};\n\n"
     << "extern const rootc_host_table rootc_host = {\n    &rootc_table, 0, "
        "{\n";
  for (int i = 0; i < 5; ++i) {
    const HostProgram &program = plan[i];
    os << "        {"
       << (program.present ? std::string("rootc_run_") + programNames[i]
                           : std::string("nullptr"))
       << ", " << program.batchBytes << ", " << program.fixedBytes << ", "
       << program.maxElements << ", " << int(program.usesSamples) << "},\n";
  }
  os << "    }};\n\n";
}

} // namespace

std::string printHostCpp(const Model &model, const HostPlan &plan,
                         const TargetInfo &target) {
  std::string text;
  raw_string_ostream os(text);
  for (int i = 0; i < 5; ++i)
    if (plan[i].present)
      printProgram(os, model, plan[i], i);
  // C++ compilers choose the instructions: no feature of the CPU is required.
  os << "extern \"C\" {\n\n";
  printTables(os, model, plan, target);
  os << "__attribute__((visibility(\"default\"))) const rootc_model *"
     << entryName(model) << "(void) { return &rootc_table; }\n}\n";
  return text;
}

} // namespace rootc::codegen
