//===- CudaText.cpp - Lines of CUDA C++ -----------------------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/CudaText.h"

#include <stdexcept>

namespace rootc::codegen {

static bool isOperatorAt(const std::string &content, size_t at) {
  size_t behind = content.find(' ', at);
  return behind - at <= 2 &&
         std::string("+-*/%?:&|<>=").find(content[at]) != std::string::npos;
}

void CudaText::line(std::string content) {
  const size_t width = 110;
  auto margin = static_cast<size_t>(2 * indent);
  while (margin + content.size() > width) {
    size_t at = content.rfind(' ', width - margin);
    while (at != std::string::npos && at > 0 && content[at - 1] != ',' &&
           !isOperatorAt(content, at + 1))
      at = content.rfind(' ', at - 1);
    if (at == std::string::npos || at == 0)
      break;
    text << std::string(margin, ' ') << content.substr(0, at) << '\n';
    content.erase(0, at + 1);
    margin = static_cast<size_t>(2 * indent + 4);
  }
  text << std::string(margin, ' ') << content << '\n';
}

std::string cudaElement(const TensorType &type) {
  switch (type.element) {
  case ElementType::F32:
    return "float";
  case ElementType::I64:
    return "int64_t";
  case ElementType::I32:
    return "int";
  case ElementType::U8:
    return "uint8_t";
  case ElementType::BF16:
    return "uint16_t";
  }
  throw std::invalid_argument("unknown element type");
}

std::string describeForCuda(const Kernel &kernel,
                            const std::vector<std::string> &arguments,
                            const std::map<std::string, TensorType> &types) {
  std::string head;
  for (const Op &op : kernel.ops) {
    head += (head.empty() ? "//   " : ", ") + op.name;
    for (const auto &[name, value] : op.attributes)
      if (name == "groups")
        head += " of " + std::to_string(std::get<int64_t>(value)) + " groups";
  }
  head += '\n';
  for (const std::string &argument : arguments) {
    const TensorType &type = types.at(argument);
    head += "//   " + argument + ": " + cudaElement(type) + " [";
    for (size_t d = 0; d < type.shape.size(); ++d)
      head += (d ? "][" : "") +
              (type.shape[d] < 0 ? cudaBatch : std::to_string(type.shape[d]));
    head += "]\n";
  }
  return head;
}

} // namespace rootc::codegen
