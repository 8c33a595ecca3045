//===- TranslateModel.cpp - root.model to codegen::Model ------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lib/Translation/Translation.h"

#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringSet.h"

#include <set>

using namespace mlir;
using namespace rootc;
using namespace rootc::root;

static codegen::Arena arenaOf(ArgumentKind kind) {
  switch (kind) {
  case ArgumentKind::Image:
    return codegen::Arena::Image;
  case ArgumentKind::Labels:
    return codegen::Arena::Labels;
  case ArgumentKind::Samples:
    return codegen::Arena::Samples;
  case ArgumentKind::Random:
    return codegen::Arena::Random;
  case ArgumentKind::Parameters:
    return codegen::Arena::Parameters;
  case ArgumentKind::Gradients:
    return codegen::Arena::Gradients;
  case ArgumentKind::Velocity:
    return codegen::Arena::Velocity;
  case ArgumentKind::Scalars:
    return codegen::Arena::Scalars;
  case ArgumentKind::Square:
    return codegen::Arena::Square;
  case ArgumentKind::Average:
    return codegen::Arena::Average;
  }
  llvm_unreachable("unknown argument");
}

static codegen::Arena arenaOf(SlotArena arena) {
  switch (arena) {
  case SlotArena::Batch:
    return codegen::Arena::WorkspaceBatch;
  case SlotArena::Fixed:
    return codegen::Arena::WorkspaceFixed;
  case SlotArena::Logits:
    return codegen::Arena::Logits;
  case SlotArena::Loss:
    return codegen::Arena::Loss;
  case SlotArena::InputGradient:
    return codegen::Arena::InputGradient;
  case SlotArena::Gradients:
    return codegen::Arena::Gradients;
  case SlotArena::Statistics:
    return codegen::Arena::Statistics;
  case SlotArena::Prepared:
    return codegen::Arena::Prepared;
  case SlotArena::Parameters:
    return codegen::Arena::Parameters;
  case SlotArena::Velocity:
    return codegen::Arena::Velocity;
  case SlotArena::Square:
    return codegen::Arena::Square;
  case SlotArena::Average:
    return codegen::Arena::Average;
  }
  llvm_unreachable("unknown slot");
}

static codegen::ProgramKind translateKind(ProgramKind kind) {
  switch (kind) {
  case ProgramKind::Prepare:
    return codegen::ProgramKind::Prepare;
  case ProgramKind::Infer:
    return codegen::ProgramKind::Infer;
  case ProgramKind::Train:
    return codegen::ProgramKind::Train;
  case ProgramKind::Grad:
    return codegen::ProgramKind::Grad;
  case ProgramKind::Update:
    return codegen::ProgramKind::Update;
  case ProgramKind::Adamw:
    return codegen::ProgramKind::Adamw;
  case ProgramKind::Clip:
    return codegen::ProgramKind::Clip;
  case ProgramKind::Average:
    return codegen::ProgramKind::Average;
  }
  llvm_unreachable("unknown kind");
}

namespace {
class ModelTranslator {
public:
  explicit ModelTranslator(ModelOp model) : model(model) {}

  FailureOr<TranslatedModel> run() {
    codegen::Model &to = result.model;
    to.name = model.getSymName().str();
    to.height = model.getImage()[0];
    to.width = model.getImage()[1];
    to.channels = model.getImage()[2];
    to.classes = model.getClasses();
    if (auto description = model.getDescription())
      to.description = description->str();
    if (!model.getParameterCount() || !model.getDecayedCount() ||
        !model.getStatisticCount() || !model.getPreparedBytes())
      return model.emitOpError("has no memory plan; run root-plan-memory");
    to.parameterCount = *model.getParameterCount();
    to.decayedCount = *model.getDecayedCount();
    to.statisticCount = *model.getStatisticCount();
    to.preparedBytes = *model.getPreparedBytes();
    for (auto tensor : model.getBody().getOps<ArenaTensorOp>())
      if (failed(translate(tensor)))
        return failure();
    for (auto program : model.getBody().getOps<ProgramOp>()) {
      if (failed(translate(program)))
        return failure();
      if (program.getKind() == ProgramKind::Infer)
        findResponses(program);
    }
    return std::move(result);
  }

private:
  LogicalResult translate(ArenaTensorOp tensor) {
    if (!tensor.getOffset())
      return tensor.emitOpError("has no offset; run root-plan-memory");
    offsets[static_cast<int>(tensor.getKind())][tensor.getName()] =
        *tensor.getOffset();
    if (tensor.getKind() == TensorKind::Prepared)
      return success();
    codegen::TensorInfo &info = result.model.tensors.emplace_back();
    info.name = tensor.getName().str();
    info.role = tensor.getRole().str();
    info.shape = cast<RankedTensorType>(tensor.getType()).getShape().vec();
    info.offset = *tensor.getOffset();
    info.fanIn = tensor.getFanIn();
    info.statistic = tensor.getKind() == TensorKind::Statistic;
    return success();
  }

  LogicalResult translate(ProgramOp program) {
    codegen::Program &to = result.model.programs.emplace_back();
    to.kind = translateKind(program.getKind());
    to.batchBytes = program.getBatchBytes().value_or(0);
    to.fixedBytes = program.getFixedBytes().value_or(0);
    for (Operation &op : program.getBody().front()) {
      if (isPrim(&op))
        return op.emitOpError("is in no kernel; run root-fuse-kernels");
      auto kernel = dyn_cast<KernelOp>(op);
      if (!kernel)
        continue;
      if (!kernel.getSlots())
        return kernel.emitOpError("has no slots; run root-plan-memory");
      codegen::Kernel plain = translateKernel(kernel);
      codegen::Call &call = to.calls.emplace_back();
      call.label = kernelLabel(kernel);
      for (auto [input, type] : llvm::zip(kernel.getInputs(), plain.inputs)) {
        FailureOr<codegen::BufferRef> buffer = translate(kernel, input);
        if (failed(buffer))
          return failure();
        buffer->type = type;
        call.buffers.push_back(std::move(*buffer));
      }
      for (auto [index, id] : llvm::enumerate(plain.outputs)) {
        codegen::BufferRef buffer = resultBuffer(kernel, index);
        buffer.type = plain.type(id);
        call.buffers.push_back(std::move(buffer));
      }
      call.kernel = indexOf(std::move(plain), kernel);
    }
    return success();
  }

  /// A kernel's result is the response of layersOf it.
  void findResponses(ProgramOp program) {
    std::vector<codegen::Response> found;
    for (auto [call, kernel] :
         llvm::enumerate(program.getBody().getOps<KernelOp>()))
      for (auto [index, value] :
           llvm::enumerate(kernel.getYield().getValues())) {
        auto type =
            dyn_cast<RankedTensorType>(kernel.getResult(index).getType());
        codegen::BufferRef buffer = resultBuffer(kernel, index);
        if (!isBatch(value) || type.getRank() != 4 ||
            !type.getElementType().isF32() ||
            (buffer.arena != codegen::Arena::WorkspaceBatch &&
             buffer.arena != codegen::Arena::Logits))
          continue;
        buffer.type.shape.assign(type.getShape().begin(),
                                 type.getShape().end());
        buffer.type.shape[0] = -1;
        SmallVector<StringRef> layers = layersOf(value);
        auto order = value.getDefiningOp()->getAttrOfType<IntegerAttr>(
            channelOrderAttrName);
        for (StringRef layer : llvm::reverse(layers))
          found.push_back({layer.str(), layers.front().str(), int64_t(call),
                           buffer, order ? order.getInt() : 1});
      }
    // A layer of several kernels is complete after its last one.
    llvm::StringSet<> seen;
    for (codegen::Response &response : llvm::reverse(found))
      if (seen.insert(response.name).second)
        result.model.responses.push_back(std::move(response));
    std::reverse(result.model.responses.begin(), result.model.responses.end());
  }

  /// The layers of a kernel whose response its result is, the last first: those
  /// of which it is a function point by point, and that of the op which is not
  /// elementwise, even if another map joins on the way.
  static SmallVector<StringRef> layersOf(Value result) {
    auto before = [](Operation *a, Operation *b) {
      return a->isBeforeInBlock(b);
    };
    std::set<Operation *, decltype(before)> pending = {result.getDefiningOp()};
    SmallVector<StringRef> layers;
    for (bool alone = true; !pending.empty();) {
      Operation *op = *pending.rbegin();
      pending.erase(op);
      bool elementwise = op->hasTrait<PrimElementwise>();
      auto layer = op->getAttrOfType<StringAttr>("layer");
      if (layer && (!elementwise || (alone && pending.empty())))
        layers.push_back(layer.getValue());
      if (!elementwise)
        break;
      for (Value operand : op->getOperands()) {
        Operation *producer = operand.getDefiningOp();
        if (producer && operand.getType() == result.getType())
          pending.insert(producer);
        else if (isBatch(operand))
          alone = false;
      }
    }
    return layers;
  }

  static bool isBatch(Value value) {
    auto type = dyn_cast<RankedTensorType>(value.getType());
    return type && type.getRank() && type.isDynamicDim(0);
  }

  static codegen::BufferRef resultBuffer(KernelOp kernel, int64_t index) {
    auto slot = cast<SlotAttr>((*kernel.getSlots())[index]);
    return {arenaOf(slot.getArena()), slot.getOffset(), {}};
  }

  /// Where the value lies.
  FailureOr<codegen::BufferRef> translate(KernelOp reader, Value value) {
    Operation *producer = value.getDefiningOp();
    if (auto argument = dyn_cast<ArgumentOp>(producer))
      return codegen::BufferRef{arenaOf(argument.getKind()), 0, {}};
    if (auto kernel = dyn_cast<KernelOp>(producer))
      return resultBuffer(kernel, cast<OpResult>(value).getResultNumber());
    if (auto parameter = dyn_cast<ParameterOp>(producer))
      return named(producer, codegen::Arena::Parameters, TensorKind::Parameter,
                   parameter.getName());
    if (auto statistic = dyn_cast<StatisticOp>(producer))
      return named(producer, codegen::Arena::Statistics, TensorKind::Statistic,
                   statistic.getName());
    if (auto prepared = dyn_cast<PreparedOp>(producer))
      return named(producer, codegen::Arena::Prepared, TensorKind::Prepared,
                   prepared.getName());
    return reader.emitOpError("reads a value that no kernel computes");
  }

  FailureOr<codegen::BufferRef> named(Operation *op, codegen::Arena arena,
                                      TensorKind kind, StringRef name) {
    auto &own = offsets[static_cast<int>(kind)];
    auto found = own.find(name);
    if (found == own.end())
      return op->emitOpError()
             << "names no tensor of the model: '" << name << "'";
    return codegen::BufferRef{
        arena, found->second * static_cast<int64_t>(sizeof(float)), {}};
  }

  /// The index of an equal kernel, or of this one, added.
  int64_t indexOf(codegen::Kernel kernel, KernelOp op) {
    int64_t next = result.model.kernels.size();
    auto [found, isNew] = indices.try_emplace(codegen::signature(kernel), next);
    if (isNew) {
      kernel.name = result.model.name + "_k" + std::to_string(next) + "_" +
                    primName(mainOp(op)).str();
      result.model.kernels.push_back(std::move(kernel));
      result.locations.push_back(op.getLoc());
    }
    return found->second;
  }

  ModelOp model;
  TranslatedModel result;
  llvm::StringMap<int64_t> offsets[3]; // floats, by TensorKind
  llvm::StringMap<int64_t> indices;    // of kernels, by signature
};
} // namespace

FailureOr<TranslatedModel> rootc::translateToModel(ModuleOp module) {
  auto models = module.getOps<ModelOp>();
  if (models.empty())
    return module.emitError("holds no root.model");
  if (std::next(models.begin()) != models.end())
    return (*std::next(models.begin()))
        .emitOpError("is one too many: a library holds one model");
  return ModelTranslator(*models.begin()).run();
}
