//===- CppSource.cpp - A model as one C++ source --------------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Each kernel's text is Halide's runtime declarations, the same in all, one
// function, another that takes its arguments as an array, and tables about it.
// The declarations are kept once, the functions made static, the tables
// dropped.
//
//===----------------------------------------------------------------------===//

#include "codegen/Emit/CppSource.h"
#include "codegen/Emit/Embedded.h"
#include "codegen/Emit/HostCode.h"

#include <cctype>
#include <llvm/Support/FormatVariadic.h>
#include <set>

using namespace llvm;

namespace rootc::codegen {

namespace {

struct KernelText {
  StringRef declarations, functions;
};

Expected<KernelText> split(StringRef text, StringRef name) {
  StringRef attribute = "HALIDE_FUNCTION_ATTRS\n";
  std::string head = (attribute + "int " + name + "(").str();
  std::string tables = (attribute + "const struct halide_filter_metadata_t *" +
                        name + "_metadata(")
                           .str();
  size_t begin = text.find(head), end = text.find(tables);
  size_t language = text.take_front(begin).rfind("#ifdef __cplusplus\n");
  if (begin == StringRef::npos || end == StringRef::npos || end < begin ||
      language == StringRef::npos)
    return createStringError("the C++ of kernel " + name +
                             " is not as expected");
  return KernelText{text.take_front(language), text.slice(language, end)};
}

/// The support code's functions with external linkage, renamed per model so
/// that two models' sources can be linked together.
std::string renames(const std::string &prefix) {
  std::set<std::string> names;
  StringRef source = embeddedSupportSource();
  for (size_t i = 0; i < source.size();) {
    size_t end = i;
    while (end < source.size() && (isalnum(source[end]) || source[end] == '_'))
      ++end;
    StringRef word = source.slice(i, end);
    StringRef after = source.drop_front(end);
    bool isFunction =
        after.starts_with("(") &&
        (word.starts_with("rootc_support_") || word.starts_with("halide_"));
    if (isFunction || word == "rootc_host")
      names.insert(word.str());
    i = std::max(end, i + 1);
  }
  std::string text;
  for (const std::string &name : names)
    text += llvm::formatv("#define {0} {1}_{0}\n", name, prefix);
  return text;
}

} // namespace

Expected<std::string> joinCpp(const Model &model, const HostPlan &plan,
                              const std::vector<std::string> &kernels) {
  std::string text = "// The model '" + model.name +
                     "', compiled by rootc. C++17; needs no other file.\n"
                     "// Contains declarations from Halide, under the MIT "
                     "licence (halide-lang.org).\n";
  text += renames(model.name);
  text += embeddedSupportSource();
  StringRef declarations;
  for (size_t i = 0; i < kernels.size(); ++i) {
    auto parts = split(kernels[i], model.kernels[i].name);
    if (!parts)
      return parts.takeError();
    if (i == 0) {
      declarations = parts->declarations;
      text += "#define HALIDE_FUNCTION_ATTRS static\n" + declarations.str();
    } else if (parts->declarations != declarations) {
      return createStringError("the C++ kernels differ in their declarations");
    }
    text += parts->functions.str() +
            "#ifdef __cplusplus\n} // extern \"C\"\n#endif\n\n";
  }
  TargetInfo target;
  target.halide = "c++17";
  text += printHostCpp(model, plan, target);
  return text;
}

} // namespace rootc::codegen
