//===- ModelFile.cpp - An ONNX file, read with suspicion ------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lib/Onnx/Import/ModelFile.h"
#include "lib/Onnx/Import/MessageCount.h"
#include "runtime/src/Support.h"

#include <bit>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <google/protobuf/stubs/logging.h>
#include <set>

using namespace rootc;
using namespace rootc::importer;

namespace {
constexpr int64_t oldestOpset = 9;
} // namespace

std::string importer::quote(const std::string &name) {
  constexpr size_t longest = 120;
  std::string text = "'";
  for (char c : name.substr(0, longest))
    text += c >= ' ' && c <= '~' ? c : '?';
  return text + (name.size() > longest ? "...'" : "'");
}

ModelFile::ModelFile(const std::string &path) : file(path) {
  // Its complaints would go to standard error, beside ours.
  google::protobuf::SetLogHandler(nullptr);
  std::vector<char> bytes = readFile(path);
  present = int64_t(bytes.size());
  if (present > INT32_MAX)
    fail("{}: has {} bytes, and an ONNX file at most 2 GiB; keep its weights "
         "in external data",
         path, present);
  auto messages = countMessages({bytes.data(), bytes.size()});
  if (messages && *messages > maximumMessages)
    fail("{}: has more than {} nodes, attributes and names", path,
         maximumMessages);
  if (!messages || !model.ParseFromArray(bytes.data(), int(present)))
    fail("{}: is not an ONNX file, or is truncated or damaged", path);
  if (!model.has_graph())
    fail("{}: is not an ONNX model: it holds no graph", path);
  for (const auto &import : model.opset_import()) {
    if (!import.domain().empty() && import.domain() != "ai.onnx")
      continue;
    if (version)
      fail("{}: is damaged: it names two opsets", path);
    version = import.version();
    if (version < oldestOpset)
      fail("{}: is of opset {}, and {} is the oldest that can be imported; "
           "convert it (onnx.version_converter) or export it again",
           path, version, oldestOpset);
  }
  if (!version)
    fail("{}: is not an ONNX model: it names no opset", path);
}

const std::string *ModelFile::metadata(const std::string &key) const {
  for (const auto &entry : model.metadata_props())
    if (entry.key() == key)
      return &entry.value();
  return nullptr;
}

//===----------------------------------------------------------------------===//
// External data
//===----------------------------------------------------------------------===//

static std::string folderOf(const std::string &path) {
  size_t slash = path.rfind('/');
  return slash == std::string::npos ? "." : path.substr(0, slash + 1);
}

/// The file's real path; empty if it is missing or, by "..", an absolute path
/// or a link, not in the folder.
static std::string resolveInside(const std::string &folder,
                                 const std::filesystem::path &location) {
  std::error_code error;
  if (location.is_absolute() ||
      location.native().find('\0') != std::string::npos)
    return "";
  for (const auto &part : location)
    if (part == "..")
      return "";
  auto root = std::filesystem::canonical(folder, error);
  if (error)
    return "";
  auto path = std::filesystem::canonical(root / location, error);
  if (error || !std::filesystem::is_regular_file(path, error))
    return "";
  auto [end, rest] =
      std::mismatch(root.begin(), root.end(), path.begin(), path.end());
  return end == root.end() && rest != path.end() ? path.string() : "";
}

std::vector<char> ModelFile::readExternal(const ::onnx::TensorProto &tensor,
                                          int64_t needed) {
  std::string location;
  int64_t offset = 0, length = needed;
  auto damaged = [&](const std::string &what) {
    fail("{}: tensor {}: {}", file, quote(tensor.name()), what);
  };
  std::set<std::string> keys;
  for (const auto &entry : tensor.external_data()) {
    if (!keys.insert(entry.key()).second)
      damaged("its external data names " + quote(entry.key()) + " twice");
    if (entry.key() == "location") {
      location = entry.value();
    } else if (entry.key() == "offset" || entry.key() == "length") {
      const std::string &text = entry.value();
      bool digits = !text.empty() && text.size() <= 18 &&
                    text.find_first_not_of("0123456789") == std::string::npos;
      if (!digits)
        damaged("the " + entry.key() +
                " of its external data is no number: " + quote(text));
      (entry.key() == "offset" ? offset : length) = std::stoll(text);
    }
  }
  if (location.empty())
    damaged("its external data has no location");
  std::string path = resolveInside(folderOf(file), location);
  if (path.empty())
    damaged("its external data " + quote(location) +
            " is not a file in the model's folder; nothing else is read");
  if (length != needed)
    damaged(fmt::format("its external data has {} bytes, its shape needs {}",
                        length, needed));
  if (!externalSizes.count(path)) {
    externalSizes[path] = fileSize(path);
    externalLeft += externalSizes[path];
    present += externalSizes[path];
  }
  if (offset > externalSizes[path] || length > externalSizes[path] - offset)
    damaged(fmt::format("its external data ends at byte {} of {}, which has {}",
                        offset + length, quote(location), externalSizes[path]));
  externalLeft -= length;
  if (externalLeft < 0)
    damaged("its external data overlaps that of other tensors");
  return readFileRange(path, offset, length);
}

//===----------------------------------------------------------------------===//
// Tensors
//===----------------------------------------------------------------------===//

namespace {
/// IEEE half precision, exactly.
float fromHalf(uint16_t bits) {
  int exponent = bits >> 10 & 31, mantissa = bits & 1023;
  float value = exponent == 31 ? (mantissa ? NAN : INFINITY)
                : exponent == 0
                    ? std::ldexp(float(mantissa), -24)
                    : std::ldexp(float(mantissa + 1024), exponent - 25);
  return bits & 0x8000 ? -value : value;
}
float fromBrain(uint16_t bits) {
  return std::bit_cast<float>(uint32_t(bits) << 16);
}

/// The elements of raw bytes (little endian, not aligned).
template <typename Raw, typename To, typename Convert>
std::vector<To> convertRaw(std::string_view bytes, Convert convert) {
  std::vector<To> values(bytes.size() / sizeof(Raw));
  for (size_t i = 0; i < values.size(); ++i) {
    Raw raw;
    std::memcpy(&raw, bytes.data() + i * sizeof(Raw), sizeof(Raw));
    values[i] = convert(raw);
  }
  return values;
}

template <typename To, typename Field, typename Convert>
std::vector<To> convertField(const Field &field, Convert convert) {
  std::vector<To> values(size_t(field.size()));
  for (int i = 0; i < field.size(); ++i)
    values[size_t(i)] = convert(field.Get(i));
  return values;
}

/// How an element type is stored and read.
struct ElementType {
  const char *name;
  int64_t bytes;
  Constant (*fromRaw)(std::vector<int64_t> shape, std::string_view bytes);
  Constant (*fromFields)(std::vector<int64_t> shape,
                         const ::onnx::TensorProto &tensor);
  int (*fieldSize)(const ::onnx::TensorProto &tensor);
};

Size whole(int64_t value) { return {value, false}; }
Size wholeUnsigned(uint64_t value) {
  if (value > uint64_t(INT64_MAX))
    fail("a tensor of uint64 holds {}, more than {}", value, INT64_MAX);
  return {int64_t(value), false};
}
float single(double value) { return float(value); }

#define ROOTC_TYPE(NAME, RAW, TO, CONVERT, FIELD, CONVERT_FIELD)               \
  {NAME, sizeof(RAW),                                                          \
   [](std::vector<int64_t> shape, std::string_view bytes) {                    \
     return Constant::of(std::move(shape),                                     \
                         convertRaw<RAW, TO>(bytes, CONVERT));                 \
   },                                                                          \
   [](std::vector<int64_t> shape, const ::onnx::TensorProto &tensor) {         \
     return Constant::of(std::move(shape),                                     \
                         convertField<TO>(tensor.FIELD(), CONVERT_FIELD));     \
   },                                                                          \
   [](const ::onnx::TensorProto &tensor) { return tensor.FIELD##_size(); }}

/// Null for the types that no network here needs.
const ElementType *elementType(int32_t type) {
  using Proto = ::onnx::TensorProto;
  static const std::map<int32_t, ElementType> types = {
      {Proto::FLOAT,
       ROOTC_TYPE("float", float, float, single, float_data, single)},
      {Proto::DOUBLE,
       ROOTC_TYPE("double", double, float, single, double_data, single)},
      {Proto::FLOAT16,
       ROOTC_TYPE("float16", uint16_t, float, fromHalf, int32_data, fromHalf)},
      {Proto::BFLOAT16, ROOTC_TYPE("bfloat16", uint16_t, float, fromBrain,
                                   int32_data, fromBrain)},
      {Proto::INT64,
       ROOTC_TYPE("int64", int64_t, Size, whole, int64_data, whole)},
      {Proto::INT32,
       ROOTC_TYPE("int32", int32_t, Size, whole, int32_data, whole)},
      {Proto::INT16,
       ROOTC_TYPE("int16", int16_t, Size, whole, int32_data, whole)},
      {Proto::INT8, ROOTC_TYPE("int8", int8_t, Size, whole, int32_data, whole)},
      {Proto::UINT8,
       ROOTC_TYPE("uint8", uint8_t, Size, whole, int32_data, whole)},
      {Proto::UINT16,
       ROOTC_TYPE("uint16", uint16_t, Size, whole, int32_data, whole)},
      {Proto::UINT32,
       ROOTC_TYPE("uint32", uint32_t, Size, whole, uint64_data, whole)},
      {Proto::UINT64, ROOTC_TYPE("uint64", uint64_t, Size, wholeUnsigned,
                                 uint64_data, wholeUnsigned)},
      {Proto::BOOL,
       ROOTC_TYPE("bool", uint8_t, Size, whole, int32_data, whole)},
  };
  auto found = types.find(type);
  return found == types.end() ? nullptr : &found->second;
}
#undef ROOTC_TYPE
} // namespace

Constant ModelFile::decode(const ::onnx::TensorProto &tensor) {
  auto damaged = [&](const std::string &what) {
    fail("{}: tensor {}: {}", file, quote(tensor.name()), what);
  };
  const ElementType *type = elementType(tensor.data_type());
  if (!type)
    damaged(
        fmt::format("its element type, {}, is none of float, double, float16, "
                    "bfloat16, int8 to int64, uint8 to uint64 and bool",
                    ::onnx::TensorProto::DataType_IsValid(tensor.data_type())
                        ? ::onnx::TensorProto::DataType_Name(
                              ::onnx::TensorProto::DataType(tensor.data_type()))
                        : fmt::to_string(tensor.data_type())));
  if (tensor.dims_size() > highestRank)
    damaged(fmt::format("it has {} dimensions, more than {}",
                        tensor.dims_size(), highestRank));
  std::vector<int64_t> shape(tensor.dims().begin(), tensor.dims().end());
  std::optional<int64_t> count = elementCount(shape);
  std::optional<int64_t> bytes =
      count ? multiply(*count, type->bytes) : std::nullopt;
  if (!bytes)
    damaged("its shape " + toString(shape) + " is negative or too large");
  if (tensor.has_segment())
    damaged("it is stored in segments, which nothing writes");
  Constant result;
  if (tensor.data_location() == ::onnx::TensorProto::EXTERNAL) {
    std::vector<char> raw = readExternal(tensor, *bytes);
    result = type->fromRaw(std::move(shape), {raw.data(), raw.size()});
    result.wholeType = tensor.data_type();
    return result;
  }
  if (tensor.has_raw_data()) {
    if (int64_t(tensor.raw_data().size()) != *bytes)
      damaged(fmt::format("it has {} bytes, its shape {} of {} needs {}",
                          tensor.raw_data().size(), toString(shape), type->name,
                          *bytes));
    result = type->fromRaw(std::move(shape), tensor.raw_data());
    result.wholeType = tensor.data_type();
    return result;
  }
  if (type->fieldSize(tensor) != *count)
    damaged(fmt::format("it has {} values, its shape {} of {} needs {}",
                        type->fieldSize(tensor), toString(shape), type->name,
                        *count));
  result = type->fromFields(std::move(shape), tensor);
  result.wholeType = tensor.data_type();
  return result;
}
