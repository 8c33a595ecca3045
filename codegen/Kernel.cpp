//===- Kernel.cpp - Kernel descriptions as JSON ---------------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/Kernel.h"
#include "codegen/Json.h"

#include <cmath>
#include <stdexcept>

using nlohmann::json;

namespace rootc::codegen {

bool isUpdate(const Op &op) {
  return op.name == "sgd" || op.name == "adamw" || op.name == "clip_norm" ||
         op.name == "moving_average";
}

namespace {

[[noreturn]] void fail(const std::string &where, const std::string &what) {
  throw std::invalid_argument("kernel description: '" + where + "' " + what);
}

const json &member(const json &object, const std::string &key,
                   const std::string &where) {
  std::string path = where.empty() ? key : where + "." + key;
  if (!object.is_object())
    fail(where.empty() ? "the text" : where, "is not an object");
  auto it = object.find(key);
  if (it == object.end())
    fail(path, "is missing");
  return *it;
}

int64_t readInteger(const json &value, const std::string &where) {
  if (!value.is_number_integer() ||
      (value.is_number_unsigned() && value.get<uint64_t>() > INT64_MAX))
    fail(where, "is not a 64-bit integer");
  return value.get<int64_t>();
}

std::string readString(const json &value, const std::string &where) {
  if (!value.is_string())
    fail(where, "is not a string");
  return value.get<std::string>();
}

/// Calls `read(element, where)` for each element of the array at `key`.
template <typename Read>
void readArray(const json &object, const std::string &key,
               const std::string &where, Read read) {
  const json &array = member(object, key, where);
  std::string path = where.empty() ? key : where + "." + key;
  if (!array.is_array())
    fail(path, "is not an array");
  for (size_t i = 0; i < array.size(); ++i)
    read(array[i], path + "[" + std::to_string(i) + "]");
}

TensorType readType(const json &value, const std::string &where) {
  TensorType type;
  std::string element =
      readString(member(value, "element", where), where + ".element");
  if (element == "f32")
    type.element = ElementType::F32;
  else if (element == "i64")
    type.element = ElementType::I64;
  else if (element == "i32")
    type.element = ElementType::I32;
  else if (element == "u8")
    type.element = ElementType::U8;
  else if (element == "bf16")
    type.element = ElementType::BF16;
  else
    fail(where + ".element",
         "is '" + element + "', not f32, bf16, i64, i32 or u8");
  readArray(
      value, "shape", where, [&](const json &dim, const std::string &path) {
        int64_t size = readInteger(dim, path);
        if (size < 1 && !(size == -1 && type.shape.empty()))
          fail(path, "is " + std::to_string(size) +
                         "; sizes are positive, or -1 in the first place");
        type.shape.push_back(size);
      });
  return type;
}

Attribute readAttribute(const json &value, const std::string &where) {
  if (value.is_number_float())
    return value.get<double>();
  if (value.is_number())
    return readInteger(value, where);
  if (value.is_string())
    return value.get<std::string>();
  if (!value.is_array())
    fail(where, "is not a number, a string or an array of numbers");
  if (!value.empty() && value[0].is_number_float()) {
    std::vector<double> numbers;
    for (const json &element : value) {
      if (!element.is_number_float())
        fail(where, "mixes floating point numbers with other elements");
      numbers.push_back(element.get<double>());
    }
    return numbers;
  }
  std::vector<int64_t> numbers;
  for (const json &element : value)
    numbers.push_back(readInteger(element, where));
  return numbers;
}

json finite(double value, const std::string &where) {
  if (!std::isfinite(value))
    fail(where, "is not finite");
  return value;
}

json attributeToJson(const Attribute &attribute, const std::string &where) {
  if (auto *number = std::get_if<double>(&attribute))
    return finite(*number, where);
  if (auto *numbers = std::get_if<std::vector<double>>(&attribute)) {
    json array = json::array();
    for (double number : *numbers)
      array.push_back(finite(number, where));
    return array;
  }
  if (auto *integer = std::get_if<int64_t>(&attribute))
    return *integer;
  if (auto *text = std::get_if<std::string>(&attribute))
    return *text;
  return std::get<std::vector<int64_t>>(attribute);
}

json opToJson(const Op &op) {
  json attributes = json::object();
  for (const auto &[key, attribute] : op.attributes)
    attributes[key] = attributeToJson(attribute, op.name + "." + key);
  return {{"name", op.name},
          {"operands", op.operands},
          {"attributes", std::move(attributes)},
          {"results", typesToJson(op.results)}};
}

json kernelToJson(const Kernel &kernel) {
  json ops = json::array();
  for (const Op &op : kernel.ops)
    ops.push_back(opToJson(op));
  return {{"inputs", typesToJson(kernel.inputs)},
          {"ops", std::move(ops)},
          {"outputs", kernel.outputs},
          {"schedule", kernel.schedule}};
}

} // namespace

json typeToJson(const TensorType &type) {
  const char *element = type.element == ElementType::F32    ? "f32"
                        : type.element == ElementType::I64  ? "i64"
                        : type.element == ElementType::I32  ? "i32"
                        : type.element == ElementType::BF16 ? "bf16"
                                                            : "u8";
  return {{"element", element}, {"shape", type.shape}};
}

json typesToJson(const std::vector<TensorType> &types) {
  json array = json::array();
  for (const TensorType &type : types)
    array.push_back(typeToJson(type));
  return array;
}

std::string dump(const json &value) {
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

const TensorType &Kernel::type(int64_t value) const {
  if (value >= 0) {
    uint64_t index = value;
    if (index < inputs.size())
      return inputs[index];
    index -= inputs.size();
    for (const Op &op : ops) {
      if (index < op.results.size())
        return op.results[index];
      index -= op.results.size();
    }
  }
  throw std::out_of_range("kernel '" + name + "' has no value " +
                          std::to_string(value));
}

std::string toJson(const Kernel &kernel) {
  json object = kernelToJson(kernel);
  object["name"] = kernel.name;
  return dump(object);
}

std::string signature(const Kernel &kernel) {
  return dump(kernelToJson(kernel));
}

Kernel kernelFromJson(const std::string &text) {
  json root = json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (root.is_discarded())
    fail("the text", "is not JSON");

  Kernel kernel;
  kernel.name = readString(member(root, "name", ""), "name");
  readArray(root, "inputs", "", [&](const json &value, const std::string &at) {
    kernel.inputs.push_back(readType(value, at));
  });

  int64_t defined = kernel.inputs.size();
  auto readValue = [&](const json &value, const std::string &at) {
    int64_t id = readInteger(value, at);
    if (id < 0 || id >= defined)
      fail(at, "is " + std::to_string(id) + "; only values 0 to " +
                   std::to_string(defined - 1) + " are defined here");
    return id;
  };
  readArray(root, "ops", "", [&](const json &value, const std::string &where) {
    Op op;
    op.name = readString(member(value, "name", where), where + ".name");
    readArray(value, "operands", where,
              [&](const json &id, const std::string &at) {
                op.operands.push_back(readValue(id, at));
              });
    const json &attributes = member(value, "attributes", where);
    if (!attributes.is_object())
      fail(where + ".attributes", "is not an object");
    for (const auto &[key, attribute] : attributes.items()) {
      std::string place = where + ".attributes.";
      op.attributes[key] = readAttribute(attribute, place += key);
    }
    readArray(value, "results", where,
              [&](const json &type, const std::string &at) {
                op.results.push_back(readType(type, at));
              });
    defined += op.results.size();
    kernel.ops.push_back(std::move(op));
  });
  readArray(root, "outputs", "", [&](const json &value, const std::string &at) {
    kernel.outputs.push_back(readValue(value, at));
  });
  const json &schedule = member(root, "schedule", "");
  if (!schedule.is_object())
    fail("schedule", "is not an object");
  for (const auto &[key, value] : schedule.items())
    kernel.schedule[key] = readInteger(value, "schedule." + key);
  return kernel;
}

} // namespace rootc::codegen
