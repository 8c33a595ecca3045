//===- Emit.cpp - From a model to the files that users get ----------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/Emit/Emit.h"
#include "codegen/Emit/CppSource.h"
#include "codegen/Emit/CudaCompiler.h"
#include "codegen/Emit/Embedded.h"
#include "codegen/Emit/HostCode.h"
#include "codegen/Emit/Linker.h"
#include "codegen/Emit/OutputFile.h"
#include "codegen/Emit/TemporaryFolder.h"
#include "codegen/Emit/TensorCoreObject.h"
#include "codegen/Schedules/Backend.h"
#include "codegen/Schedules/Families.h"
#include "runtime/src/ElfNote.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"

#include <exception>
#include <vector>

using namespace llvm;

namespace rootc::codegen {

namespace {

const char headerBegin[] = "/* The model '";

/// C declarations of one model; the common part is guarded in itself.
std::string headerText(const Model &model) {
  std::string guard = "ROOTC_MODEL_OF_" + model.name;
  std::string text = headerBegin + model.name +
                     "', compiled by rootc. Needs no other file. */\n";
  text += "#ifndef " + guard + "\n#define " + guard + "\n\n";
  text += embeddedModelHeader();
  text += "\n#ifdef __cplusplus\nextern \"C\" {\n#endif\n";
  text += "const rootc_model *" + entryName(model) + "(void);\n";
  if (model.weights)
    text += "/* With the weights that are in the library: see rootc_classify. "
            "*/\nint " +
            classifyName(model) +
            "(const uint8_t *pixels, int64_t height, int64_t width,\n"
            "    int64_t stride, float *probabilities, rootc_context "
            "*context);\n";
  text += "#ifdef __cplusplus\n}\n#endif\n\n#endif /* " + guard + " */\n";
  return text;
}

/// What kernels are asked for, for each kind.
const char *kernelKind(EmitKind kind) {
  switch (kind) {
  case EmitKind::Cpp:
    return "cpp";
  case EmitKind::LLVM:
    return "llvm";
  case EmitKind::Assembly:
    return "asm";
  case EmitKind::Stmt:
    return "stmt";
  case EmitKind::Ptx:
    return "ptx";
  case EmitKind::Cuda:
    return "cuda";
  default:
    return "object";
  }
}

class Emission {
public:
  Emission(Model model, const EmitOptions &options)
      : model(std::move(model)), options(options) {}

  Error run() {
    if (options.kind == EmitKind::Header)
      return writeOutput(options.output, headerText(model));
    for (Kernel &kernel : model.kernels)
      kernel.name = kernelSymbol(kernel);
    if (Error error = checkHeader())
      return error;
    auto planned = planHost(model);
    if (!planned)
      return planned.takeError();
    plan = std::move(*planned);
    KernelCompilerOptions compiler = options.kernels;
    compiler.target = options.target.halide;
    compiler.kind = kernelKind(options.kind);
    auto compiled = compileKernels(model.kernels, compiler);
    if (!compiled)
      return compiled.takeError();
    kernels = std::move(*compiled);
    switch (options.kind) {
    case EmitKind::SharedLibrary:
    case EmitKind::StaticLibrary:
    case EmitKind::Object:
      return emitBinary();
    case EmitKind::Cpp:
      return emitCpp();
    case EmitKind::Cuda:
      return writeOutput(options.output, joinCuda(model, plan, kernels));
    default:
      return emitText();
    }
  }

  Error runVariants(std::vector<std::string> objects) {
    if (Error error = checkHeader())
      return error;
    Expected<TemporaryFolder> folder = TemporaryFolder::create();
    if (!folder)
      return folder.takeError();
    LLVMContext context;
    auto dispatch = compileHostModule(
        *buildDispatch(model, objects.size(), options.target, context), false);
    if (!dispatch)
      return dispatch.takeError();
    objects.push_back(folder->path() + "/dispatch.o");
    if (Error error = explain(writeOutput(objects.back(), *dispatch)))
      return error;
    return link(objects, folder->path());
  }

private:
  Model model;
  const EmitOptions &options;
  HostPlan plan;
  std::vector<std::string> kernels;

  /// For each kernel, a comment that names it and its calls.
  std::vector<std::string> comments(StringRef mark) const {
    std::vector<SetVector<StringRef>> users(model.kernels.size());
    for (size_t i = 0; i < plan.calls.size(); ++i)
      users[plan.calls[i].kernel].insert(plan.labels[i]);
    std::vector<std::string> texts;
    for (size_t i = 0; i < users.size(); ++i)
      texts.push_back((mark + " " + model.kernels[i].name + ": " +
                       join(users[i], ", ") + "\n")
                          .str());
    return texts;
  }

  Error emitText() {
    std::string text;
    StringRef mark = options.kind == EmitKind::LLVM       ? ";"
                     : options.kind == EmitKind::Assembly ? "#"
                                                          : "//";
    if (options.kind == EmitKind::LLVM || options.kind == EmitKind::Assembly) {
      announce("compiling the host code");
      LLVMContext context;
      auto host = buildHostModule(model, plan, options.target, context);
      text += (mark + " host code\n").str();
      if (options.kind == EmitKind::LLVM) {
        raw_string_ostream(text) << *host;
      } else {
        auto assembly = compileHostModule(*host, true);
        if (!assembly)
          return assembly.takeError();
        text += *assembly;
      }
    }
    std::vector<std::string> heads = comments(mark);
    for (size_t i = 0; i < kernels.size(); ++i)
      text += "\n" + heads[i] +
              (options.kind == EmitKind::Ptx ? ptxPart(i) : kernels[i]);
    return writeOutput(options.output, text);
  }

  /// A kernel's part of one module: what says which PTX it is stands once, and
  /// functions have the kernel's name, as different kernels' have the same.
  std::string ptxPart(size_t index) const {
    StringRef module = kernels[index];
    const StringRef last = ".address_size", common = "_kernel_";
    size_t begin = index == 0 ? StringRef::npos : module.find(last);
    if (begin != StringRef::npos)
      module = module.substr(module.find('\n', begin) + 1);
    SmallVector<StringRef> parts;
    module.split(parts, common);
    return join(parts, "_" + model.kernels[index].name + "_");
  }

  Error emitCpp() {
    Expected<std::string> text = joinCpp(model, plan, kernels);
    if (!text)
      return text.takeError();
    return writeOutput(options.output, *text);
  }

  void announce(const std::string &what) const {
    if (options.kernels.progress)
      options.kernels.progress({what, "", {}});
    if (options.kernels.times)
      options.kernels.times->begin(what);
  }

  /// An error about an intermediate file, with what helps.
  static Error explain(Error error) {
    if (!error)
      return error;
    std::string text = toString(std::move(error));
    return createStringError(
        TemporaryFolder::isFull(text) ? TemporaryFolder::fullText(text) : text);
  }

  Error emitBinary() {
    Expected<TemporaryFolder> folder = TemporaryFolder::create();
    if (!folder)
      return folder.takeError();
    std::vector<std::string> objects;
    auto addObject = [&](const std::string &name, StringRef bytes) -> Error {
      objects.push_back(folder->path() + "/" + name + ".o");
      return explain(writeOutput(objects.back(), bytes));
    };
    announce("compiling the host code");
    LLVMContext context;
    auto host = compileHostModule(
        *buildHostModule(model, plan, options.target, context), false);
    if (!host)
      return host.takeError();
    if (Error error = addObject("host", *host))
      return error;
    auto support = supportObject();
    if (!support)
      return support.takeError();
    if (Error error = addObject("support", *support))
      return error;
    if (backendOf(options.target).device)
      if (Error error = addObject("device", embeddedDeviceObject()))
        return error;
    std::vector<Kernel> products; // and their texts
    std::vector<std::string> texts;
    for (size_t i = 0; i < kernels.size(); ++i)
      if (isForTensorCores(model.kernels[i])) {
        products.push_back(model.kernels[i]);
        texts.push_back(kernels[i]);
      } else if (Error error = addObject(model.kernels[i].name, kernels[i])) {
        return error;
      }
    if (!products.empty()) {
      announce("compiling kernels for tensor cores");
      auto ptx = compileCuda(joinDeviceCode(products, texts), options.target,
                             options.kernels.cacheDirectory);
      if (!ptx)
        return ptx.takeError();
      auto object = tensorCoreObject(products, *ptx, options.target);
      if (!object)
        return object.takeError();
      if (Error error = addObject("tensor-cores", *object))
        return error;
    }
    return link(objects, folder->path());
  }

  Error link(const std::vector<std::string> &objects,
             const std::string &folder) {
    std::string made;
    announce("linking");
    if (Error error = linkBinary(objects, folder, made))
      return explain(std::move(error));
    return writeBinary(made);
  }

  Expected<StringRef> supportObject() const {
    if (architectureOf(options.target) == Architecture::X86)
      return embeddedSupportObject();
    if (!embeddedArmObject().empty())
      return embeddedArmObject();
    return createStringError(
        "--target=" + options.target.halide +
        ": this rootc was built without a compiler for it; install "
        "g++-aarch64-linux-gnu, configure and build rootc again, or write C++ "
        "source, -o NET.cpp, and compile that");
  }

  /// Of the header beside a static library.
  std::string headerPath() const {
    SmallString<128> path(options.output);
    sys::path::replace_extension(path, "h");
    return std::string(path);
  }

  /// That header was not asked for by name, so it takes no other file's place.
  Error checkHeader() const {
    if (options.kind != EmitKind::StaticLibrary)
      return Error::success();
    auto before = MemoryBuffer::getFile(headerPath(), false, false);
    if (!before || (*before)->getBuffer().starts_with(headerBegin))
      return Error::success();
    return createStringError("'" + headerPath() +
                             "' is no header that rootc wrote, and the header "
                             "of '" +
                             options.output +
                             "' would take its place; choose another -o");
  }

  Error seal(std::vector<char> &bytes) const {
    try {
      sealModel(options.output, bytes);
      return Error::success();
    } catch (const std::exception &error) {
      return createStringError(error.what());
    }
  }

  Error linkBinary(const std::vector<std::string> &objects,
                   const std::string &folder, std::string &made) {
    made = folder + "/output";
    std::vector<std::string> names = exportedNames(model);
    if (Error error = options.kind == EmitKind::SharedLibrary
                          ? linkShared(architectureOf(options.target), objects,
                                       names, made, folder)
                          : linkRelocatable(objects, names, made, folder))
      return error;
    if (options.kind != EmitKind::StaticLibrary)
      return Error::success();
    std::string object = std::exchange(made, folder + "/archive");
    return archiveObject(object, model.name + ".o", made);
  }

  Error writeBinary(const std::string &made) {
    auto buffer = MemoryBuffer::getFile(made, false, false);
    if (!buffer)
      return createStringError(made + ": " + buffer.getError().message());
    StringRef content = (*buffer)->getBuffer();
    std::vector<char> bytes(content.begin(), content.end());
    if (options.kind == EmitKind::SharedLibrary)
      if (Error error = seal(bytes))
        return error;
    if (Error error =
            writeOutput(options.output, StringRef(bytes.data(), bytes.size())))
      return error;
    if (options.kind != EmitKind::StaticLibrary)
      return Error::success();
    return writeOutput(headerPath(), headerText(model));
  }
};

} // namespace

bool isText(EmitKind kind) {
  return kind != EmitKind::SharedLibrary && kind != EmitKind::StaticLibrary &&
         kind != EmitKind::Object;
}

Error emitModel(const Model &model, const EmitOptions &options) {
  return Emission(model, options).run();
}

std::string variantSuffix(int64_t index) { return "_" + std::to_string(index); }

Error joinVariants(const Model &model, const std::vector<std::string> &objects,
                   const EmitOptions &options) {
  return Emission(model, options).runVariants(objects);
}

} // namespace rootc::codegen
