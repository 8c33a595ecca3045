//===- MessageCount.cpp - How many messages an ONNX file holds ------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lib/Onnx/Import/MessageCount.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/wire_format_lite.h>

using namespace rootc::importer;
using google::protobuf::internal::WireFormatLite;
using google::protobuf::io::CodedInputStream;

namespace {
constexpr int maximumDepth = 32;

enum class Kind {
  Model,
  Graph,
  Node,
  Attribute,
  Tensor,
  SparseTensor,
  ValueInfo,
  Type,
  TensorType,
  Shape,
  Training,
  Function,
  Strings, ///< holds no message
  Other    ///< counted as if it held nothing but empty messages
};

/// The fields of the schema, onnx.proto, that are messages.
struct Field {
  Kind parent;
  int number;
  Kind child;
};
constexpr Field fields[] = {
    {Kind::Model, 7, Kind::Graph},
    {Kind::Model, 8, Kind::Strings},
    {Kind::Model, 14, Kind::Strings},
    {Kind::Model, 20, Kind::Training},
    {Kind::Model, 25, Kind::Function},
    {Kind::Model, 26, Kind::Other},
    {Kind::Graph, 1, Kind::Node},
    {Kind::Graph, 5, Kind::Tensor},
    {Kind::Graph, 11, Kind::ValueInfo},
    {Kind::Graph, 12, Kind::ValueInfo},
    {Kind::Graph, 13, Kind::ValueInfo},
    {Kind::Graph, 14, Kind::Other},
    {Kind::Graph, 15, Kind::SparseTensor},
    {Kind::Graph, 16, Kind::Strings},
    {Kind::Node, 5, Kind::Attribute},
    {Kind::Node, 9, Kind::Strings},
    {Kind::Node, 10, Kind::Other},
    {Kind::Attribute, 5, Kind::Tensor},
    {Kind::Attribute, 6, Kind::Graph},
    {Kind::Attribute, 10, Kind::Tensor},
    {Kind::Attribute, 11, Kind::Graph},
    {Kind::Attribute, 14, Kind::Type},
    {Kind::Attribute, 15, Kind::Type},
    {Kind::Attribute, 22, Kind::SparseTensor},
    {Kind::Attribute, 23, Kind::SparseTensor},
    {Kind::Tensor, 3, Kind::Strings},
    {Kind::Tensor, 13, Kind::Strings},
    {Kind::Tensor, 16, Kind::Strings},
    {Kind::SparseTensor, 1, Kind::Tensor},
    {Kind::SparseTensor, 2, Kind::Tensor},
    {Kind::ValueInfo, 2, Kind::Type},
    {Kind::ValueInfo, 4, Kind::Strings},
    {Kind::Type, 1, Kind::TensorType},
    {Kind::Type, 4, Kind::Other},
    {Kind::Type, 5, Kind::Other},
    {Kind::Type, 7, Kind::Other},
    {Kind::Type, 8, Kind::Other},
    {Kind::Type, 9, Kind::Other},
    {Kind::TensorType, 2, Kind::Shape},
    {Kind::Shape, 1, Kind::Strings},
    {Kind::Training, 1, Kind::Graph},
    {Kind::Training, 2, Kind::Graph},
    {Kind::Training, 3, Kind::Strings},
    {Kind::Training, 4, Kind::Strings},
    {Kind::Function, 7, Kind::Node},
    {Kind::Function, 9, Kind::Strings},
    {Kind::Function, 11, Kind::Attribute},
    {Kind::Function, 12, Kind::ValueInfo},
    {Kind::Function, 14, Kind::Strings},
};

/// Null for a string, bytes, packed numbers, or a field that is unknown.
const Field *findField(Kind parent, int number) {
  for (const Field &field : fields)
    if (field.parent == parent && field.number == number)
      return &field;
  return nullptr;
}

/// False if it is malformed or too deep.
bool count(CodedInputStream &stream, Kind kind, int depth, int64_t &total) {
  if (depth > maximumDepth)
    return false;
  while (uint32_t tag = stream.ReadTag()) {
    auto wire = WireFormatLite::GetTagWireType(tag);
    if (wire != WireFormatLite::WIRETYPE_LENGTH_DELIMITED) {
      // The schema has no groups.
      if (wire == WireFormatLite::WIRETYPE_START_GROUP ||
          !WireFormatLite::SkipField(&stream, tag))
        return false;
      continue;
    }
    uint32_t size;
    if (!stream.ReadVarint32(&size) || int64_t(size) > stream.BytesUntilLimit())
      return false;
    ++total;
    const Field *field =
        findField(kind, WireFormatLite::GetTagFieldNumber(tag));
    if (!field || field->child == Kind::Other) {
      total += field ? size / 2 : 0;
      if (!stream.Skip(int(size)))
        return false;
    } else {
      auto limit = stream.PushLimit(int(size));
      if (!count(stream, field->child, depth + 1, total))
        return false;
      stream.PopLimit(limit);
    }
    if (total > maximumMessages)
      return true;
  }
  return stream.BytesUntilLimit() == 0;
}
} // namespace

std::optional<int64_t> rootc::importer::countMessages(std::string_view bytes) {
  CodedInputStream stream(reinterpret_cast<const uint8_t *>(bytes.data()),
                          int(bytes.size()));
  stream.PushLimit(int(bytes.size()));
  int64_t total = 0;
  if (!count(stream, Kind::Model, 0, total))
    return std::nullopt;
  return total;
}
