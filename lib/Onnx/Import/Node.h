//===- Node.h - One node of a graph, its attributes checked -----*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_ONNX_IMPORT_NODE_H
#define ROOTC_ONNX_IMPORT_NODE_H

#include "lib/Onnx/Import/ModelFile.h"
#include "runtime/src/Support.h"

#include <set>

namespace rootc::importer {

/// What is wrong with one node. Another node may be imported all the same.
struct NodeError : Error {
  NodeError(const std::string &message, std::string kind)
      : Error(message), kind(std::move(kind)) {}
  std::string kind; ///< the same for nodes of one operator and one reason
  bool isUnsupported = false; ///< its operator is
};

class Node {
public:
  Node(const ModelFile &file, const ::onnx::NodeProto &proto, int index)
      : file(file), proto(proto), index(index) {}

  const std::string &op() const { return proto.op_type(); }
  const std::string &domain() const { return proto.domain(); }
  const std::string &name() const { return proto.name(); }
  int64_t opset() const { return file.opset(); }
  int inputs() const { return proto.input_size(); }
  int outputs() const { return proto.output_size(); }
  /// Empty where an optional one is left out.
  std::string input(int i) const {
    return i < inputs() ? proto.input(i) : std::string();
  }
  std::string output(int i) const {
    return i < outputs() ? proto.output(i) : std::string();
  }

  /// Its name, or that of what it makes.
  std::string label() const { return name().empty() ? output(0) : name(); }

  /// "node 'conv1' (Conv)"
  std::string describe() const;
  template <typename... Args>
  NodeError error(fmt::format_string<Args...> format, Args &&...args) const {
    constexpr size_t longest = 1000; // lists may be long
    fmt::string_view kind = format;
    std::string text = fmt::format(format, std::forward<Args>(args)...);
    if (text.size() > longest)
      text = text.substr(0, longest) + "...";
    return {fmt::format("{}: {}: {}", file.path(), describe(), text),
            domain() + ":" + op() + ":" +
                std::string(kind.data(), kind.size())};
  }
  template <typename... Args>
  [[noreturn]] void fail(fmt::format_string<Args...> format,
                         Args &&...args) const {
    throw error(format, std::forward<Args>(args)...);
  }

  /// An attribute's value, or the fallback. A wrong type is an error.
  int64_t integer(const std::string &name, int64_t fallback);
  double real(const std::string &name, double fallback);
  std::string text(const std::string &name, const std::string &fallback);
  std::vector<int64_t> integers(const std::string &name,
                                const std::vector<int64_t> &fallback = {});
  bool has(const std::string &name) const;
  /// Null if absent.
  const ::onnx::AttributeProto *attribute(const std::string &name);
  /// Attributes that change nothing here.
  void ignore(std::initializer_list<const char *> names);
  /// An attribute that nobody read might change the result: that is an error.
  void checkAttributes() const;

private:
  const ::onnx::AttributeProto *
  attribute(const std::string &name,
            ::onnx::AttributeProto::AttributeType type);

  const ModelFile &file;
  const ::onnx::NodeProto &proto;
  int index;
  std::set<std::string> read;
};

} // namespace rootc::importer

#endif // ROOTC_ONNX_IMPORT_NODE_H
