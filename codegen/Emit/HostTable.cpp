//===- HostTable.cpp - A model as constant data ---------------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/Emit/HostTable.h"
#include "codegen/Emit/Target.h"

#include <array>
#include <cstddef>
#include <type_traits>

using llvm::StringRef;

namespace rootc::codegen {

const char modelTableName[] = "rootc_table";

std::string kernelEntry(const Kernel &kernel) { return kernel.name + "_argv"; }

namespace {

/// What a pointer holds other than text: the address of a table or a function.
struct Address {
  std::string name;
};

/// One member of struct S: its type and place there, and what to print.
template <typename S, typename T, size_t Offset, typename V> struct Field {
  using Struct = S;
  using Type = T;
  static constexpr size_t begin = Offset, end = Offset + sizeof(T);
  const V &value;
};

/// The member `name` of `type`, printed as `value`.
#define FIELD(type, name, value)                                               \
  makeField<type, decltype(type::name), offsetof(type, name)>(value)

template <typename S, typename T, size_t Offset, typename V>
Field<S, T, Offset, V> makeField(const V &value) {
  return {value};
}

/// Whether the fields are the members of their struct, in order: each begins
/// where the one before it ends, or at its alignment behind that.
template <typename S, typename... Fields> constexpr bool areMembersOf() {
  size_t end = 0;
  bool good = true;
  auto next = [&](size_t begin, size_t behind, size_t alignment) {
    good &= begin == (end + alignment - 1) / alignment * alignment;
    end = behind;
  };
  (next(Fields::begin, Fields::end, alignof(typename Fields::Type)), ...);
  return good && end == sizeof(S);
}

class Writer {
public:
  Writer(TablePrinter &printer, const Model &model, const HostPlan &plan,
         const TargetInfo &target)
      : printer(printer), model(model), plan(plan), target(target) {}

  void run() {
    Address tensors = array("rootc_tensor", "rootc_tensors", model.tensors);
    Address responses =
        array("rootc_response", "rootc_responses", model.responses);
    Addresses labels, work;
    for (int i = 0; i < ROOTC_PROGRAM_COUNT; ++i) {
      std::string number = std::to_string(i);
      labels[i] =
          array("char *const", "rootc_labels_" + number, plan.labelsOf(i));
      work[i] = array("rootc_work", "rootc_work_" + number, plan.workOf(i));
    }
    Address weights = model.weights ? printWeights(*model.weights) : Address{};
    printModel(tensors, responses, labels, work, weights);

    std::vector<Address> entries;
    for (const Kernel &kernel : model.kernels)
      entries.push_back({kernelEntry(kernel)});
    Address kernels = array("rootc_kernel", "rootc_kernels", entries);
    Address buffers = array("rootc_buffer", "rootc_buffers", plan.buffers);
    Address operands = array("int32_t", "rootc_operands", plan.operands);
    Address calls = array("rootc_call", "rootc_calls", plan.calls);
    printer.beginValue("rootc_host_table", "rootc_host", true);
    row(FIELD(rootc_host_table, model, Address{modelTableName}),
        FIELD(rootc_host_table, cpu_features, cpuFeatures(target)),
        FIELD(rootc_host_table, kernels, kernels),
        FIELD(rootc_host_table, buffers, buffers),
        FIELD(rootc_host_table, operands, operands),
        FIELD(rootc_host_table, calls, calls),
        FIELD(rootc_host_table, device_api,
              Address{"rootc_support_" + std::string(deviceKind(target))}),
        FIELD(rootc_host_table, programs, plan.programs));
    printer.end();
  }

private:
  using Addresses = std::array<Address, ROOTC_PROGRAM_COUNT>;

  TablePrinter &printer;
  const Model &model;
  const HostPlan &plan;
  const TargetInfo &target;

  template <typename Elements>
  Address array(StringRef type, const std::string &name,
                const Elements &elements) {
    if (std::empty(elements))
      return {};
    printer.beginArray(type, name);
    for (const auto &element : elements)
      if constexpr (std::is_same_v<decltype(element), const float &>)
        printer.real(element);
      else
        print<int32_t>(element);
    printer.end();
    return {name};
  }

  template <typename First, typename... Rest>
  void row(const First &first, const Rest &...rest) {
    static_assert(areMembersOf<typename First::Struct, First, Rest...>());
    printer.open();
    print<typename First::Type>(first.value);
    (print<typename Rest::Type>(rest.value), ...);
    printer.close();
  }

  /// Prints a value as a T; structs know their members.
  template <typename T, typename V> void print(const V &value) {
    if constexpr (std::is_array_v<T>) {
      using Element = std::remove_extent_t<T>;
      printer.open();
      for (const auto &element : value)
        print<Element>(element);
      if constexpr (std::is_integral_v<Element>)
        for (size_t i = std::size(value); i < std::extent_v<T>; ++i)
          print<Element>(0);
      printer.close();
    } else if constexpr (std::is_same_v<V, Address>) {
      printer.address(value.name);
    } else if constexpr (std::is_convertible_v<V, StringRef>) {
      printer.text(value);
    } else if constexpr (std::is_class_v<V>) {
      members(value);
    } else {
      static_assert(std::is_integral_v<T>);
      printer.integer(value, sizeof(T));
    }
  }

  void members(const TensorInfo &tensor) {
    row(FIELD(rootc_tensor, name, tensor.name),
        FIELD(rootc_tensor, role, tensor.role),
        FIELD(rootc_tensor, rank, tensor.shape.size()),
        FIELD(rootc_tensor, statistic, tensor.statistic),
        FIELD(rootc_tensor, shape, tensor.shape),
        FIELD(rootc_tensor, offset, tensor.offset),
        FIELD(rootc_tensor, fan_in, tensor.fanIn));
  }

  void members(const Response &response) {
    llvm::ArrayRef<int64_t> map =
        llvm::ArrayRef(response.buffer.type.shape).drop_front();
    row(FIELD(rootc_response, name, response.name),
        FIELD(rootc_response, value_of, response.valueOf),
        FIELD(rootc_response, call, response.call),
        FIELD(rootc_response, arena, responseArena(response)),
        FIELD(rootc_response, shape, map),
        FIELD(rootc_response, offset, response.buffer.offset),
        FIELD(rootc_response, order, response.order));
  }

  void members(const KernelWork &work) {
    row(FIELD(rootc_work, multiply_adds, work.multiplyAdds),
        FIELD(rootc_work, read_fixed, work.read.fixed),
        FIELD(rootc_work, read_per_image, work.read.perImage),
        FIELD(rootc_work, written_fixed, work.written.fixed),
        FIELD(rootc_work, written_per_image, work.written.perImage));
  }

  void members(const rootc_buffer &buffer) {
    row(FIELD(rootc_buffer, offset, buffer.offset),
        FIELD(rootc_buffer, per_image, buffer.per_image),
        FIELD(rootc_buffer, arena, buffer.arena),
        FIELD(rootc_buffer, element, buffer.element),
        FIELD(rootc_buffer, rank, buffer.rank),
        FIELD(rootc_buffer, extents, buffer.extents));
  }

  void members(const rootc_call &call) {
    row(FIELD(rootc_call, kernel, call.kernel),
        FIELD(rootc_call, first_operand, call.first_operand),
        FIELD(rootc_call, operand_count, call.operand_count));
  }

  void members(const rootc_host_program &program) {
    row(FIELD(rootc_host_program, batch_bytes, program.batch_bytes),
        FIELD(rootc_host_program, fixed_bytes, program.fixed_bytes),
        FIELD(rootc_host_program, max_elements, program.max_elements),
        FIELD(rootc_host_program, present, program.present),
        FIELD(rootc_host_program, uses_samples, program.uses_samples),
        FIELD(rootc_host_program, first_call, program.first_call),
        FIELD(rootc_host_program, most_operands, program.most_operands));
  }

  Address printWeights(const ModelWeights &weights) {
    Address prepared{"rootc_prepared"}, table{"rootc_weights_table"};
    if (weights.prepared.empty())
      prepared = {};
    else
      printer.bytes(prepared.name, weights.prepared);
    Address mean = array("float", "rootc_mean", weights.mean);
    Address scale = array("float", "rootc_scale", weights.scale);
    Address names =
        array("char *const", "rootc_class_names", weights.classNames);
    printer.beginValue("rootc_weights", table.name, false);
    row(FIELD(rootc_weights, prepared, prepared),
        FIELD(rootc_weights, mean, mean),
        FIELD(rootc_weights, mean_count, weights.mean.size()),
        FIELD(rootc_weights, scale, scale),
        FIELD(rootc_weights, class_names, names));
    printer.end();
    return table;
  }

  void printModel(const Address &tensors, const Address &responses,
                  const Addresses &labels, const Addresses &work,
                  const Address &weights) {
    auto entry = [](const char *name) {
      return Address{std::string("rootc_support_") + name};
    };
    printer.beginValue("rootc_model", modelTableName, false);
    row(FIELD(rootc_model, abi_version, ROOTC_ABI_VERSION),
        FIELD(rootc_model, struct_size, sizeof(rootc_model)),
        FIELD(rootc_model, name, model.name),
        FIELD(rootc_model, target, target.halide),
        FIELD(rootc_model, device_kind, StringRef(deviceKind(target))),
        FIELD(rootc_model, description, model.description),
        FIELD(rootc_model, height, model.height),
        FIELD(rootc_model, width, model.width),
        FIELD(rootc_model, channels, model.channels),
        FIELD(rootc_model, classes, model.classes),
        FIELD(rootc_model, tensors, tensors),
        FIELD(rootc_model, tensor_count, model.tensors.size()),
        FIELD(rootc_model, responses, responses),
        FIELD(rootc_model, response_count, model.responses.size()),
        FIELD(rootc_model, parameter_count, model.parameterCount),
        FIELD(rootc_model, decayed_count, model.decayedCount),
        FIELD(rootc_model, statistic_count, model.statisticCount),
        FIELD(rootc_model, prepared_bytes, model.preparedBytes),
        FIELD(rootc_model, has_training, plan.programs[ROOTC_TRAIN].present),
        FIELD(rootc_model, reserved, 0),
        FIELD(rootc_model, call_labels, labels),
        FIELD(rootc_model, call_work, work),
        FIELD(rootc_model, call_count, plan.callCounts),
        FIELD(rootc_model, unsupported, entry("unsupported")),
        FIELD(rootc_model, workspace_bytes, entry("workspace_bytes")),
        FIELD(rootc_model, prepare, entry("prepare")),
        FIELD(rootc_model, infer, entry("infer")),
        FIELD(rootc_model, train, entry("train")),
        FIELD(rootc_model, grad, entry("grad")),
        FIELD(rootc_model, update, entry("update")),
        FIELD(rootc_model, adamw, entry("adamw")),
        FIELD(rootc_model, clip, entry("clip")),
        FIELD(rootc_model, average, entry("average")),
        FIELD(rootc_model, pool_create, entry("pool_create")),
        FIELD(rootc_model, pool_destroy, entry("pool_destroy")),
        FIELD(rootc_model, parallel_for, entry("parallel_for")),
        FIELD(rootc_model, weights, weights),
        FIELD(rootc_model, classify,
              model.weights ? entry("classify") : Address{}),
        FIELD(rootc_model, next_target, Address{model.nextTarget}),
        FIELD(rootc_model, device_count, entry("device_count")),
        FIELD(rootc_model, device_info, entry("device_info")),
        FIELD(rootc_model, device_open, entry("device_open")),
        FIELD(rootc_model, device_close, entry("device_close")),
        FIELD(rootc_model, device_keep, entry("device_keep")),
        FIELD(rootc_model, device_drop, entry("device_drop")),
        FIELD(rootc_model, device_adopt, entry("device_adopt")),
        FIELD(rootc_model, device_pin, entry("device_pin")),
        FIELD(rootc_model, device_unpin, entry("device_unpin")),
        FIELD(rootc_model, device_ahead, entry("device_ahead")),
        FIELD(rootc_model, device_upload, entry("device_upload")),
        FIELD(rootc_model, device_download, entry("device_download")));
    printer.end();
  }
};

#undef FIELD

} // namespace

void printHostTable(TablePrinter &printer, const Model &model,
                    const HostPlan &plan, const TargetInfo &target) {
  Writer(printer, model, plan, target).run();
}

} // namespace rootc::codegen
