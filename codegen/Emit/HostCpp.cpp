//===- HostCpp.cpp - A model's table as C++ -------------------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/Emit/HostCode.h"
#include "codegen/Emit/HostTable.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/raw_ostream.h"

using namespace llvm;

namespace rootc::codegen {

namespace {

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

class SourcePrinter : public TablePrinter {
public:
  explicit SourcePrinter(raw_ostream &os) : os(os) {}

  void beginArray(StringRef type, StringRef name) override {
    os << "static const " << type << " " << name << "[] = {\n    ";
    isArray = true;
  }
  void beginValue(StringRef type, StringRef name, bool shared) override {
    os << (shared ? "extern" : "static") << " const " << type << " " << name
       << " = ";
    isArray = false;
    values.insert(name);
  }
  void end() override { os << (isArray ? "};\n\n" : ";\n\n"); }

  void open() override {
    os << "{";
    ++depth;
  }
  void close() override {
    --depth;
    os << "}";
    separate();
  }
  void real(float value) override {
    os << format("%af", double(value));
    separate();
  }
  void bytes(StringRef name, StringRef data) override {
    os << "alignas(64) static const unsigned char " << name << "[] = {";
    for (size_t i = 0; i < data.size(); ++i)
      os << (i % 32 ? "" : "\n    ") << int(static_cast<uint8_t>(data[i]))
         << ",";
    os << "};\n\n";
  }
  void integer(int64_t value, size_t) override {
    os << value;
    separate();
  }
  void text(StringRef text) override {
    os << quote(text);
    separate();
  }
  void address(StringRef name) override {
    os << (values.contains(name) ? "&" : "")
       << (name.empty() ? "nullptr" : name);
    separate();
  }

private:
  raw_ostream &os;
  bool isArray = false;
  int depth = 0;
  StringSet<> values; // an array or a function is its own address

  void separate() {
    if (depth)
      os << ", ";
    else if (isArray)
      os << ",\n    ";
  }
};

} // namespace

std::string printHostCpp(const Model &model, const HostPlan &plan,
                         const TargetInfo &target) {
  std::string text;
  raw_string_ostream os(text);
  os << "extern \"C\" {\n\n";
  SourcePrinter printer(os);
  printHostTable(printer, model, plan, target);
  const char exported[] = "__attribute__((visibility(\"default\"))) ";
  os << exported << "const rootc_model *" << entryName(model)
     << "(void) { return &" << modelTableName << "; }\n";
  if (model.weights)
    os << exported << "int " << classifyName(model)
       << "(const uint8_t *pixels, int64_t height, int64_t width, "
          "int64_t stride, float *probabilities, rootc_context *context) {\n"
          "  return rootc_support_classify(pixels, height, width, stride, "
          "probabilities, context);\n}\n";
  os << "}\n";
  return text;
}

} // namespace rootc::codegen
