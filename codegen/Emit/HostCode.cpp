//===- HostCode.cpp - A model's own functions and tables as LLVM IR -------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/Emit/HostCode.h"
#include "codegen/Emit/Target.h"
#include "runtime/support/Support.h"
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

const char tripleText[] = "x86_64-unknown-linux-gnu";

/// Bytes of Halide's buffer and dimension records, and where their fields lie.
namespace layout {
constexpr int64_t buffer = 56, host = 16, dim = 40;
constexpr int64_t dimension = 16, extent = 4;
} // namespace layout

class HostBuilder {
public:
  HostBuilder(const Model &model, const HostPlan &plan,
              const TargetInfo &target, LLVMContext &context)
      : model(model), plan(plan), target(target), context(context),
        module(std::make_unique<Module>(model.name, context)), ir(context),
        pointer(PointerType::get(context, 0)), i32(Type::getInt32Ty(context)),
        i64(Type::getInt64Ty(context)) {}

  std::unique_ptr<Module> build() {
    module->setTargetTriple(Triple(tripleText));
    module->setPICLevel(PICLevel::BigPIC);
    buildTables();
    buildNote();
    return std::move(module);
  }

private:
  const Model &model;
  const HostPlan &plan;
  const TargetInfo &target;
  LLVMContext &context;
  std::unique_ptr<Module> module;
  IRBuilder<> ir;
  PointerType *pointer;
  Type *i32, *i64;
  StringMap<Constant *> strings;

  Constant *null() { return ConstantPointerNull::get(pointer); }
  Constant *int32(int64_t value) { return ConstantInt::get(i32, value, true); }
  Constant *int64(int64_t value) { return ConstantInt::get(i64, value, true); }

  GlobalVariable *constant(Constant *value, const Twine &name) {
    auto *global = new GlobalVariable(*module, value->getType(), true,
                                      GlobalValue::PrivateLinkage, value, name);
    global->setUnnamedAddr(GlobalValue::UnnamedAddr::Global);
    return global;
  }

  Constant *string(StringRef text) {
    Constant *&entry = strings[text];
    if (!entry)
      entry = constant(ConstantDataArray::getString(context, text), "text");
    return entry;
  }

  Constant *array(ArrayRef<Constant *> elements, const Twine &name) {
    if (elements.empty())
      return null();
    auto *type = ArrayType::get(elements[0]->getType(), elements.size());
    return constant(ConstantArray::get(type, elements), name);
  }

  /// A function of the support object or a kernel.
  FunctionCallee support(StringRef name, Type *result,
                         ArrayRef<Type *> parameters) {
    FunctionCallee callee = module->getOrInsertFunction(
        name, FunctionType::get(result, parameters, false));
    cast<Function>(callee.getCallee())
        ->setVisibility(GlobalValue::HiddenVisibility);
    return callee;
  }

  /// The address of an entry, whose signature the C compiler checked.
  Constant *entryPointer(StringRef name) {
    return cast<Constant>(
        support(name, Type::getVoidTy(context), {}).getCallee());
  }

  void buildTables();
  void buildNote();
  Constant *tensorTable();
  Constant *responseTable();
  Function *buildProgram(int index);
  void buildCall(const HostCall &call, int program, int index, Value *buffers,
                 Value *dimensions, BasicBlock *failed, PHINode *result);
  void fillBuffer(const HostBuffer &buffer, Value *record, Value *dimensions);
  Constant *bufferTemplate(const HostBuffer &buffer);
  Constant *dimensionTemplate(const HostBuffer &buffer);

  Value *runFrame = nullptr, *runArenas = nullptr, *runN = nullptr;

  Value *at(Value *base, int64_t bytes) {
    return ir.CreateConstInBoundsGEP1_64(ir.getInt8Ty(), base, bytes);
  }
};

Constant *HostBuilder::tensorTable() {
  auto *shapeType = ArrayType::get(i64, 4);
  std::vector<Constant *> rows;
  for (const TensorInfo &tensor : model.tensors) {
    std::vector<Constant *> shape(4, int64(0));
    for (size_t i = 0; i < tensor.shape.size() && i < 4; ++i)
      shape[i] = int64(tensor.shape[i]);
    rows.push_back(ConstantStruct::getAnon(
        {string(tensor.name), string(tensor.role), int32(tensor.shape.size()),
         int32(tensor.statistic), ConstantArray::get(shapeType, shape),
         int64(tensor.offset), int64(tensor.fanIn)}));
  }
  return array(rows, "tensors");
}

Constant *HostBuilder::responseTable() {
  auto *shapeType = ArrayType::get(i64, 3);
  std::vector<Constant *> rows;
  for (const Response &response : model.responses) {
    const std::vector<int64_t> &shape = response.buffer.type.shape;
    rows.push_back(ConstantStruct::getAnon(
        {string(response.name), string(response.valueOf), int32(response.call),
         int32(responseArena(response)),
         ConstantArray::get(
             shapeType, {int64(shape[1]), int64(shape[2]), int64(shape[3])}),
         int64(response.buffer.offset)}));
  }
  return array(rows, "responses");
}

void HostBuilder::buildTables() {
  std::vector<Constant *> labels, counts, programs;
  for (int index = 0; index < ROOTC_PROGRAM_COUNT; ++index) {
    const HostProgram &program = plan[index];
    std::vector<Constant *> names;
    for (const HostCall &call : program.calls)
      names.push_back(string(call.label));
    labels.push_back(array(names, "labels"));
    counts.push_back(int32(program.calls.size()));
    Constant *run = null();
    if (program.present)
      run = buildProgram(index);
    programs.push_back(ConstantStruct::getAnon(
        {run, int64(program.batchBytes), int64(program.fixedBytes),
         int64(program.maxElements), int64(program.usesSamples)}));
  }
  auto *labelsType = ArrayType::get(pointer, ROOTC_PROGRAM_COUNT);
  auto *countsType = ArrayType::get(i32, ROOTC_PROGRAM_COUNT);
  Constant *table =
      ConstantStruct::getAnon({int32(ROOTC_ABI_VERSION),
                               int32(sizeof(rootc_model)),
                               string(model.name),
                               string(target.halide),
                               string(model.description),
                               int64(model.height),
                               int64(model.width),
                               int64(model.channels),
                               int64(model.classes),
                               tensorTable(),
                               int64(model.tensors.size()),
                               responseTable(),
                               int64(model.responses.size()),
                               int64(model.parameterCount),
                               int64(model.decayedCount),
                               int64(model.statisticCount),
                               int64(model.preparedBytes),
                               int32(plan[ROOTC_TRAIN].present),
                               int32(0),
                               ConstantArray::get(labelsType, labels),
                               ConstantArray::get(countsType, counts),
                               entryPointer("rootc_support_unsupported"),
                               entryPointer("rootc_support_workspace_bytes"),
                               entryPointer("rootc_support_prepare"),
                               entryPointer("rootc_support_infer"),
                               entryPointer("rootc_support_train"),
                               entryPointer("rootc_support_grad"),
                               entryPointer("rootc_support_update"),
                               entryPointer("rootc_support_pool_create"),
                               entryPointer("rootc_support_pool_destroy"),
                               entryPointer("rootc_support_parallel_for")});
  Constant *modelTable = constant(table, "model");
  auto *programType = ArrayType::get(programs[0]->getType(), programs.size());
  Constant *host =
      ConstantStruct::getAnon({modelTable, int64(cpuFeatures(target)),
                               ConstantArray::get(programType, programs)});
  auto *global =
      new GlobalVariable(*module, host->getType(), true,
                         GlobalValue::ExternalLinkage, host, "rootc_host");
  global->setVisibility(GlobalValue::HiddenVisibility);

  auto *entry =
      Function::Create(FunctionType::get(pointer, false),
                       GlobalValue::ExternalLinkage, entryName(model), *module);
  entry->setDSOLocal(true);
  ir.SetInsertPoint(BasicBlock::Create(context, "", entry));
  ir.CreateRet(modelTable);
}

void HostBuilder::buildNote() {
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

/// A halide_buffer_t whose host and dim are still to be set.
Constant *HostBuilder::bufferTemplate(const HostBuffer &buffer) {
  uint32_t type = buffer.typeCode | buffer.typeBits << 8 | 1 << 16;
  return ConstantStruct::getAnon({int64(0), null(), null(), int64(0),
                                  int32(type), int32(buffer.dimensions.size()),
                                  null(), null()});
}

Constant *HostBuilder::dimensionTemplate(const HostBuffer &buffer) {
  std::vector<Constant *> words;
  for (const HostDimension &dimension : buffer.dimensions)
    for (int32_t word : {0, dimension.extent, dimension.stride, 0})
      words.push_back(int32(word));
  return ConstantArray::get(ArrayType::get(i32, words.size()), words);
}

void HostBuilder::fillBuffer(const HostBuffer &buffer, Value *record,
                             Value *dimensions) {
  Constant *templates = constant(bufferTemplate(buffer), "buffer");
  ir.CreateMemCpy(record, Align(8), templates, Align(8), layout::buffer);
  Value *base = ir.CreateLoad(
      pointer, ir.CreateConstInBoundsGEP1_64(pointer, runArenas, buffer.arena));
  Value *address =
      buffer.scaled
          ? ir.CreateGEP(ir.getInt8Ty(), base,
                         ir.CreateMul(runN, int64(buffer.offset)))
          : ir.CreateConstGEP1_64(ir.getInt8Ty(), base, buffer.offset);
  ir.CreateStore(address, at(record, layout::host));
  ir.CreateStore(dimensions, at(record, layout::dim));
  Constant *shape = dimensionTemplate(buffer);
  int64_t rank = buffer.dimensions.size();
  if (rank == 0)
    return;
  ir.CreateMemCpy(dimensions, Align(4), constant(shape, "dimensions"), Align(4),
                  rank * layout::dimension);
  if (buffer.dimensions.back().extent == -1)
    ir.CreateStore(
        ir.CreateTrunc(runN, i32),
        at(dimensions, (rank - 1) * layout::dimension + layout::extent));
}

void HostBuilder::buildCall(const HostCall &call, int program, int index,
                            Value *buffers, Value *dimensions,
                            BasicBlock *failed, PHINode *result) {
  std::vector<Value *> arguments = {runFrame};
  int64_t rankSum = 0;
  for (const HostBuffer &buffer : call.buffers) {
    Value *record = at(buffers, int64_t(arguments.size() - 1) * layout::buffer);
    fillBuffer(buffer, record, at(dimensions, rankSum * layout::dimension));
    rankSum += buffer.dimensions.size();
    arguments.push_back(record);
  }
  FunctionCallee begin = support("rootc_support_begin",
                                 Type::getVoidTy(context), {pointer, i32, i32});
  FunctionCallee end =
      support("rootc_support_end", i32, {pointer, i32, i32, i32});
  FunctionCallee kernel =
      support(model.kernels[call.kernel].name, i32,
              std::vector<Type *>(arguments.size(), pointer));
  ir.CreateCall(begin, {runFrame, int32(program), int32(index)});
  Value *code = ir.CreateCall(kernel, arguments);
  Value *status =
      ir.CreateCall(end, {runFrame, int32(program), int32(index), code});
  result->addIncoming(status, ir.GetInsertBlock());
  BasicBlock *next = BasicBlock::Create(context, "", failed->getParent());
  ir.CreateCondBr(ir.CreateICmpEQ(status, int32(ROOTC_OK)), next, failed);
  ir.SetInsertPoint(next);
}

Function *HostBuilder::buildProgram(int index) {
  static const char *const names[] = {"prepare", "infer", "train", "grad",
                                      "update"};
  const HostProgram &program = plan[index];
  auto *function = Function::Create(
      FunctionType::get(i32, {pointer, pointer, i64}, false),
      GlobalValue::InternalLinkage, model.name + "_" + names[index], *module);
  function->setDoesNotThrow();
  runFrame = function->getArg(0);
  runArenas = function->getArg(1);
  runN = function->getArg(2);
  size_t mostBuffers = 0, mostDimensions = 0;
  for (const HostCall &call : program.calls) {
    size_t dimensions = 0;
    for (const HostBuffer &buffer : call.buffers)
      dimensions += buffer.dimensions.size();
    mostBuffers = std::max(mostBuffers, call.buffers.size());
    mostDimensions = std::max(mostDimensions, dimensions);
  }
  ir.SetInsertPoint(BasicBlock::Create(context, "", function));
  auto space = [&](int64_t bytes) {
    AllocaInst *slot =
        ir.CreateAlloca(ArrayType::get(ir.getInt8Ty(), bytes), nullptr);
    slot->setAlignment(Align(8));
    return slot;
  };
  Value *buffers = space(mostBuffers * layout::buffer);
  Value *dimensions = space(mostDimensions * layout::dimension);
  BasicBlock *failed = BasicBlock::Create(context, "failed", function);
  IRBuilder<> exit(failed);
  PHINode *result = exit.CreatePHI(i32, program.calls.size());
  exit.CreateRet(result);
  for (size_t i = 0; i < program.calls.size(); ++i)
    buildCall(program.calls[i], index, i, buffers, dimensions, failed, result);
  ir.CreateRet(int32(ROOTC_OK));
  if (program.calls.empty())
    failed->eraseFromParent();
  return function;
}

} // namespace

std::string entryName(const Model &model) { return model.name + "_model"; }

std::unique_ptr<Module> buildHostModule(const Model &model,
                                        const HostPlan &plan,
                                        const TargetInfo &target,
                                        LLVMContext &context) {
  return HostBuilder(model, plan, target, context).build();
}

Expected<std::string> compileHostModule(Module &module, bool assembly) {
  LLVMInitializeX86TargetInfo();
  LLVMInitializeX86Target();
  LLVMInitializeX86TargetMC();
  LLVMInitializeX86AsmPrinter();
  std::string error;
  raw_string_ostream problems(error);
  if (verifyModule(module, &problems))
    return createStringError("the host code is not valid: " + error);
  const Target *target =
      TargetRegistry::lookupTarget(Triple(tripleText), error);
  if (!target)
    return createStringError(error);
  std::unique_ptr<TargetMachine> machine(target->createTargetMachine(
      Triple(tripleText), "x86-64", "", TargetOptions(), Reloc::PIC_,
      std::nullopt, CodeGenOptLevel::Less));
  module.setDataLayout(machine->createDataLayout());
  SmallString<0> bytes;
  raw_svector_ostream stream(bytes);
  legacy::PassManager passes;
  if (machine->addPassesToEmitFile(passes, stream, nullptr,
                                   assembly ? CodeGenFileType::AssemblyFile
                                            : CodeGenFileType::ObjectFile))
    return createStringError("this LLVM cannot emit x86-64 objects");
  passes.run(module);
  return std::string(bytes);
}

} // namespace rootc::codegen
