//===- TensorCoreObject.cpp - Kernels by tensor cores ---------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/Emit/TensorCoreObject.h"
#include "codegen/Emit/Embedded.h"
#include "codegen/Emit/HostCode.h"
#include "codegen/Schedules/Families.h"
#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/LLVMContext.h"

using namespace llvm;

namespace rootc::codegen {

std::string joinDeviceCode(const std::vector<Kernel> &kernels,
                           const std::vector<std::string> &texts) {
  std::string source =
      embeddedCudaFunctions().str() + embeddedTensorCores().str();
  // Found by their names.
  const StringRef local = "static __global__",
                  known = "extern \"C\" __global__";
  for (size_t i = 0; i < kernels.size(); ++i) {
    StringRef text = texts[i];
    text =
        text.take_front(text.find("static int " + kernels[i].name + "_argv("));
    for (size_t at = 0; (at = text.find(local)) != StringRef::npos;) {
      source += text.take_front(at).str() + known.str();
      text = text.drop_front(at + local.size());
    }
    source += text;
  }
  return source;
}

namespace {
class Builder {
public:
  Builder(const std::string &ptx, const TargetInfo &target,
          LLVMContext &context)
      : context(context), target(target),
        module(std::make_unique<Module>("tensor cores", context)),
        pointer(PointerType::get(context, 0)), word(Type::getInt32Ty(context)),
        text(string(ptx)) {
    auto *type = FunctionType::get(word, {pointer, pointer}, false);
    run = Function::Create(type, GlobalValue::ExternalLinkage,
                           "rootc_support_products", *module);
    run->setVisibility(GlobalValue::HiddenVisibility);
  }

  void add(const Kernel &kernel) {
    auto *entry = Function::Create(FunctionType::get(word, {pointer}, false),
                                   GlobalValue::ExternalLinkage,
                                   kernel.name + "_argv", *module);
    entry->setDSOLocal(true);
    IRBuilder<> ir(BasicBlock::Create(context, "", entry));
    ir.CreateRet(ir.CreateCall(run, {entry->getArg(0), products(kernel)}));
  }

  std::unique_ptr<Module> take() { return std::move(module); }

private:
  LLVMContext &context;
  const TargetInfo &target;
  std::unique_ptr<Module> module;
  PointerType *pointer;
  IntegerType *word;
  Constant *text;
  Function *run;

  GlobalVariable *constant(Constant *value) {
    auto *global =
        new GlobalVariable(*module, value->getType(), true,
                           GlobalValue::PrivateLinkage, value, "constant");
    global->setUnnamedAddr(GlobalValue::UnnamedAddr::Global);
    return global;
  }
  Constant *string(StringRef value) {
    return constant(ConstantDataArray::getString(context, value));
  }

  /// The rootc_products of a kernel.
  Constant *products(const Kernel &kernel) {
    ReadSchedule read = readSchedule(Problem(kernel, target));
    TensorCoreLaunch launch = launchOf(
        std::get<TensorCoreSchedule>(read.schedule), Problem(kernel, target));
    size_t batched = 0;
    while (kernel.inputs.at(batched).shape[0] >= 0)
      ++batched;
    std::vector<Constant *> fields = {text, string(kernel.name + "_products"),
                                      launch.gradient
                                          ? string(kernel.name + "_total")
                                          : ConstantPointerNull::get(pointer)};
    for (int64_t number :
         {int64_t(kernel.inputs.size() + kernel.outputs.size()),
          int64_t(batched), launch.pixels, launch.tile, launch.blocks[0],
          launch.blocks[1], launch.blocks[2], launch.threads, launch.split,
          launch.stages, launch.weights, launch.sumThreads})
      fields.push_back(ConstantInt::get(word, number));
    return constant(ConstantStruct::getAnon(context, fields));
  }
};
} // namespace

Expected<std::string> tensorCoreObject(const std::vector<Kernel> &kernels,
                                       const std::string &ptx,
                                       const TargetInfo &target) {
  LLVMContext context;
  Builder builder(ptx, target, context);
  for (const Kernel &kernel : kernels)
    builder.add(kernel);
  std::unique_ptr<Module> module = builder.take();
  setHostTriple(*module, target);
  return compileHostModule(*module, false);
}

} // namespace rootc::codegen
