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
#include "codegen/Schedules/Families.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FormatVariadic.h"

#include <cctype>
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
std::string renames(StringRef source, const std::string &prefix) {
  std::set<std::string> names;
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

/// For each kernel a name of its own, after the first call of it.
std::vector<std::string> readableNames(const Model &model,
                                       const HostPlan &plan) {
  std::vector<std::string> names(model.kernels.size());
  std::set<std::string> used;
  for (size_t i = 0; i < plan.calls.size(); ++i) {
    std::string &name = names[plan.calls[i].kernel];
    if (!name.empty())
      continue;
    std::string base = "k_" + plan.labels[i];
    for (char &c : base)
      if (!isalnum(static_cast<unsigned char>(c)))
        c = '_';
    name = base;
    for (int more = 2; !used.insert(name).second; ++more)
      name = base + "_" + std::to_string(more);
  }
  for (size_t i = 0; i < names.size(); ++i)
    if (names[i].empty())
      names[i] = model.kernels[i].name;
  return names;
}

void replaceAll(std::string &text, const std::string &from,
                const std::string &to) {
  for (size_t at = 0; (at = text.find(from, at)) != std::string::npos;
       at += to.size())
    text.replace(at, from.size(), to);
}

} // namespace

std::string joinCuda(const Model &model, const HostPlan &plan,
                     const std::vector<std::string> &kernels) {
  std::string text = "// The model '" + model.name +
                     "', compiled by rootc. CUDA C++17; needs no file but the "
                     "CUDA toolkit's:\n//   nvcc -O2 -std=c++17 "
                     "-arch=sm_90 -c\n";
  text += renames(embeddedCudaSupport(), model.name);
  text += embeddedCudaSupport();
  if (any_of(model.kernels, isForTensorCores))
    text += embeddedTensorCores();
  std::vector<SetVector<StringRef>> users(kernels.size());
  for (size_t i = 0; i < plan.calls.size(); ++i)
    users[plan.calls[i].kernel].insert(plan.labels[i]);
  Model named = model;
  std::vector<std::string> names = readableNames(model, plan);
  for (size_t i = 0; i < kernels.size(); ++i) {
    std::string kernel = kernels[i];
    replaceAll(kernel, model.kernels[i].name, names[i]);
    named.kernels[i].name = names[i];
    text += "// " + join(users[i], ", ") + ":\n" + kernel + "\n";
  }
  // Those lie in memory that is the device's.
  named.responses.clear();
  TargetInfo target;
  target.halide = "cuda";
  text += printHostCpp(named, plan, target);
  // Whatever is linked of it is a library that rootrun takes.
  text += formatv(R"(
__attribute__((section(".note.rootc"), used, aligned(4))) static const struct {{
  int32_t owner_bytes, bytes, type;
  char owner[8];
  rootc_note note;
} rootc_model_note = {{sizeof ROOTC_NOTE_OWNER, sizeof(rootc_note),
                      ROOTC_NOTE_TYPE, ROOTC_NOTE_OWNER,
                      {{ROOTC_ABI_VERSION, "{0}", ""}};
)",
                  entryName(model));
  return text;
}

Expected<std::string> joinCpp(const Model &model, const HostPlan &plan,
                              const std::vector<std::string> &kernels) {
  std::string text = "// The model '" + model.name +
                     "', compiled by rootc. C++17; needs no other file.\n"
                     "// Contains declarations from Halide, under the MIT "
                     "licence (halide-lang.org).\n";
  text += renames(embeddedSupportSource(), model.name);
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
