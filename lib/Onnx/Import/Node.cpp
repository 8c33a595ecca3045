//===- Node.cpp - One node of a graph, its attributes checked -------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lib/Onnx/Import/Node.h"

using namespace rootc;
using namespace rootc::importer;
using Attribute = ::onnx::AttributeProto;

std::string Node::describe() const {
  std::string type = quote(op());
  type = type.substr(1, type.size() - 2);
  if (!name().empty())
    return fmt::format("node {} ({})", quote(name()), type);
  return fmt::format("node {} ({}), which makes {}", index, type,
                     quote(output(0)));
}

bool Node::has(const std::string &name) const {
  for (const Attribute &attribute : proto.attribute())
    if (attribute.name() == name)
      return true;
  return false;
}

const Attribute *Node::attribute(const std::string &name) {
  read.insert(name);
  const Attribute *found = nullptr;
  for (const Attribute &attribute : proto.attribute()) {
    if (attribute.name() != name)
      continue;
    if (found)
      fail("the attribute {} is there twice", quote(name));
    found = &attribute;
  }
  if (found && !found->ref_attr_name().empty())
    fail("the attribute {} refers to one of a function", quote(name));
  return found;
}

const Attribute *Node::attribute(const std::string &name,
                                 Attribute::AttributeType type) {
  const Attribute *found = attribute(name);
  if (found && found->type() != type)
    fail("the attribute {} has a wrong type; it must be {}", quote(name),
         Attribute::AttributeType_Name(type));
  return found;
}

int64_t Node::integer(const std::string &name, int64_t fallback) {
  const Attribute *found = attribute(name, Attribute::INT);
  return found ? found->i() : fallback;
}

double Node::real(const std::string &name, double fallback) {
  const Attribute *found = attribute(name, Attribute::FLOAT);
  return found ? double(found->f()) : fallback;
}

std::string Node::text(const std::string &name, const std::string &fallback) {
  const Attribute *found = attribute(name, Attribute::STRING);
  return found ? found->s() : fallback;
}

std::vector<int64_t> Node::integers(const std::string &name,
                                    const std::vector<int64_t> &fallback) {
  const Attribute *found = attribute(name, Attribute::INTS);
  if (!found)
    return fallback;
  return {found->ints().begin(), found->ints().end()};
}

void Node::ignore(std::initializer_list<const char *> names) {
  read.insert(names.begin(), names.end());
}

void Node::checkAttributes() const {
  for (const Attribute &attribute : proto.attribute())
    if (!read.count(attribute.name()))
      fail("the attribute {} is not known", quote(attribute.name()));
}
