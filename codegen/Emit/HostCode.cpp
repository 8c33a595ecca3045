//===- HostCode.cpp - A model's table as LLVM IR --------------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/Emit/HostCode.h"
#include "codegen/Emit/Emit.h"
#include "codegen/Emit/HostTable.h"
#include "codegen/Emit/Target.h"
#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/IR/Verifier.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Support/raw_ostream.h"
#include "llvm/Target/TargetMachine.h"
#include "llvm/TargetParser/Triple.h"

#include <cstring>

using namespace llvm;

namespace rootc::codegen {

namespace {

Triple tripleOf(const TargetInfo &target) {
  return Triple(architectureOf(target) == Architecture::Arm
                    ? "aarch64-unknown-linux-gnu"
                    : "x86_64-unknown-linux-gnu");
}

} // namespace

void setHostTriple(Module &module, const TargetInfo &target) {
  module.setTargetTriple(tripleOf(target));
  module.setPICLevel(PICLevel::BigPIC);
}

namespace {

class HostBuilder : public TablePrinter {
public:
  HostBuilder(const Model &model, const TargetInfo &target,
              LLVMContext &context)
      : model(model), context(context),
        module(std::make_unique<Module>(model.name, context)),
        pointer(PointerType::get(context, 0)) {
    setHostTriple(*module, target);
  }

  std::unique_ptr<Module> build(const HostPlan &plan,
                                const TargetInfo &target) {
    printHostTable(*this, model, plan, target);
    buildEntry();
    if (!model.variant.empty())
      return std::move(module);
    if (model.weights)
      buildClassify([&](IRBuilder<> &) {
        return module->getNamedValue("rootc_support_classify");
      });
    buildNote();
    return std::move(module);
  }

  std::unique_ptr<Module> buildDispatch(int64_t count) {
    buildChoice(count);
    if (model.weights)
      buildClassify([&](IRBuilder<> &ir) {
        Value *table = ir.CreateCall(FunctionType::get(pointer, false),
                                     module->getNamedValue(entryName(model)));
        return load(ir, table, offsetof(rootc_model, classify));
      });
    buildNote();
    return std::move(module);
  }

  void beginArray(StringRef, StringRef name) override {
    started = {name, GlobalValue::PrivateLinkage, true};
    open();
  }

  void beginValue(StringRef, StringRef name, bool shared) override {
    started = {name,
               shared ? GlobalValue::ExternalLinkage
                      : GlobalValue::PrivateLinkage,
               false};
    open();
  }

  void end() override {
    std::vector<Constant *> elements = std::move(groups.back());
    groups.pop_back();
    Constant *value = elements[0];
    if (started.isArray)
      value = ConstantArray::get(
          ArrayType::get(value->getType(), elements.size()), elements);
    GlobalVariable *global = constant(value, started.name);
    if (started.linkage == GlobalValue::PrivateLinkage)
      return;
    global->setLinkage(started.linkage);
    global->setUnnamedAddr(GlobalValue::UnnamedAddr::None);
    global->setVisibility(GlobalValue::HiddenVisibility);
  }

  void open() override { groups.emplace_back(); }

  void close() override {
    Constant *group = ConstantStruct::getAnon(context, groups.back());
    groups.pop_back();
    add(group);
  }

  void integer(int64_t value, size_t bytes) override {
    add(ConstantInt::get(Type::getIntNTy(context, 8 * bytes), value, true));
  }

  void real(float value) override {
    add(ConstantFP::get(Type::getFloatTy(context), value));
  }

  void bytes(StringRef name, StringRef data) override {
    constant(ConstantDataArray::getString(context, data, false), name)
        ->setAlignment(Align(64));
  }

  void text(StringRef text) override {
    Constant *&entry = strings[text];
    if (!entry)
      entry = constant(ConstantDataArray::getString(context, text), "text");
    add(entry);
  }

  void address(StringRef name) override {
    if (name.empty())
      return add(ConstantPointerNull::get(pointer));
    if (GlobalValue *known = module->getNamedValue(name))
      return add(known);
    // A function whose signature the C++ compiler has checked.
    auto *function =
        Function::Create(FunctionType::get(Type::getVoidTy(context), false),
                         GlobalValue::ExternalLinkage, name, *module);
    function->setVisibility(GlobalValue::HiddenVisibility);
    add(function);
  }

private:
  const Model &model;
  LLVMContext &context;
  std::unique_ptr<Module> module;
  PointerType *pointer;
  StringMap<Constant *> strings;
  struct {
    StringRef name;
    GlobalValue::LinkageTypes linkage;
    bool isArray;
  } started = {};
  /// What the table, and each struct opened in it, holds so far.
  std::vector<std::vector<Constant *>> groups;

  void add(Constant *value) { groups.back().push_back(value); }

  GlobalVariable *constant(Constant *value, const Twine &name) {
    auto *global = new GlobalVariable(*module, value->getType(), true,
                                      GlobalValue::PrivateLinkage, value, name);
    global->setUnnamedAddr(GlobalValue::UnnamedAddr::Global);
    return global;
  }

  /// NAME_model.
  void buildEntry() {
    auto *entry = Function::Create(FunctionType::get(pointer, false),
                                   GlobalValue::ExternalLinkage,
                                   entryName(model), *module);
    entry->setDSOLocal(true);
    IRBuilder<> ir(BasicBlock::Create(context, "", entry));
    ir.CreateRet(module->getNamedValue(modelTableName));
  }

  /// NAME_classify, which calls what `callee` finds.
  void buildClassify(function_ref<Value *(IRBuilder<> &)> callee) {
    Type *size = Type::getInt64Ty(context);
    auto *type =
        FunctionType::get(Type::getInt32Ty(context),
                          {pointer, size, size, size, pointer, pointer}, false);
    auto *entry = Function::Create(type, GlobalValue::ExternalLinkage,
                                   classifyName(model), *module);
    entry->setDSOLocal(true);
    IRBuilder<> ir(BasicBlock::Create(context, "", entry));
    SmallVector<Value *> arguments;
    for (Argument &argument : entry->args())
      arguments.push_back(&argument);
    ir.CreateRet(ir.CreateCall(type, callee(ir), arguments));
  }

  /// A member of the rootc_model at `table`.
  Value *load(IRBuilder<> &ir, Value *table, size_t offset) {
    return ir.CreateLoad(pointer,
                         ir.CreateConstGEP1_64(ir.getInt8Ty(), table, offset));
  }

  /// NAME_model of several variants.
  void buildChoice(int64_t count) {
    auto *type = FunctionType::get(pointer, false);
    auto *entry = Function::Create(type, GlobalValue::ExternalLinkage,
                                   entryName(model), *module);
    entry->setDSOLocal(true);
    IRBuilder<> ir(BasicBlock::Create(context, "", entry));
    for (int64_t i = 0; i < count; ++i) {
      auto *variant =
          Function::Create(type, GlobalValue::ExternalLinkage,
                           entryName(model) + variantSuffix(i), *module);
      variant->setVisibility(GlobalValue::HiddenVisibility);
      Value *table = ir.CreateCall(type, variant);
      if (i + 1 == count) {
        ir.CreateRet(table);
        return;
      }
      Value *why = ir.CreateCall(
          type, load(ir, table, offsetof(rootc_model, unsupported)));
      BasicBlock *good = BasicBlock::Create(context, "", entry);
      BasicBlock *next = BasicBlock::Create(context, "", entry);
      ir.CreateCondBr(ir.CreateIsNull(why), good, next);
      ir.SetInsertPoint(good);
      ir.CreateRet(table);
      ir.SetInsertPoint(next);
    }
  }

  void buildNote() {
    auto int32 = [&](int64_t value) {
      return ConstantInt::get(Type::getInt32Ty(context), value);
    };
    rootc_note note = {};
    note.abi_version = ROOTC_ABI_VERSION;
    strncpy(note.entry, entryName(model).c_str(), sizeof note.entry - 1);
    char owner[8] = ROOTC_NOTE_OWNER;
    StringRef descriptor(reinterpret_cast<const char *>(&note), sizeof note);
    Constant *record = ConstantStruct::getAnon(
        {int32(sizeof ROOTC_NOTE_OWNER), int32(sizeof note),
         int32(ROOTC_NOTE_TYPE),
         ConstantDataArray::getString(context, StringRef(owner, sizeof owner),
                                      false),
         ConstantDataArray::getString(context, descriptor, false)});
    GlobalVariable *global = constant(record, "rootc_note");
    global->setSection(".note.rootc");
    global->setAlignment(Align(4));
    // Nothing refers to it.
    auto *used = ConstantArray::get(ArrayType::get(pointer, 1), {global});
    auto *list =
        new GlobalVariable(*module, used->getType(), false,
                           GlobalValue::AppendingLinkage, used, "llvm.used");
    list->setSection("llvm.metadata");
  }
};

} // namespace

std::string entryName(const Model &model) {
  return model.name + "_model" + model.variant;
}

std::string classifyName(const Model &model) {
  return model.name + "_classify";
}

std::vector<std::string> exportedNames(const Model &model) {
  std::vector<std::string> names = {entryName(model)};
  if (model.weights && model.variant.empty())
    names.push_back(classifyName(model));
  return names;
}

std::unique_ptr<Module> buildHostModule(const Model &model,
                                        const HostPlan &plan,
                                        const TargetInfo &target,
                                        LLVMContext &context) {
  return HostBuilder(model, target, context).build(plan, target);
}

std::unique_ptr<Module> buildDispatch(const Model &model, int64_t count,
                                      const TargetInfo &target,
                                      LLVMContext &context) {
  return HostBuilder(model, target, context).buildDispatch(count);
}

Expected<std::string> compileHostModule(Module &module, bool assembly) {
  LLVMInitializeX86TargetInfo();
  LLVMInitializeX86Target();
  LLVMInitializeX86TargetMC();
  LLVMInitializeX86AsmPrinter();
  LLVMInitializeAArch64TargetInfo();
  LLVMInitializeAArch64Target();
  LLVMInitializeAArch64TargetMC();
  LLVMInitializeAArch64AsmPrinter();
  std::string error;
  raw_string_ostream problems(error);
  if (verifyModule(module, &problems))
    return createStringError("the host code is not valid: " + error);
  const Triple &triple = module.getTargetTriple();
  const Target *target = TargetRegistry::lookupTarget(triple, error);
  if (!target)
    return createStringError(error);
  std::unique_ptr<TargetMachine> machine(target->createTargetMachine(
      triple, triple.isX86() ? "x86-64" : "generic", "", TargetOptions(),
      Reloc::PIC_, std::nullopt, CodeGenOptLevel::Less));
  module.setDataLayout(machine->createDataLayout());
  SmallString<0> bytes;
  raw_svector_ostream stream(bytes);
  legacy::PassManager passes;
  if (machine->addPassesToEmitFile(passes, stream, nullptr,
                                   assembly ? CodeGenFileType::AssemblyFile
                                            : CodeGenFileType::ObjectFile))
    return createStringError("this LLVM cannot emit objects");
  passes.run(module);
  return std::string(bytes);
}

} // namespace rootc::codegen
