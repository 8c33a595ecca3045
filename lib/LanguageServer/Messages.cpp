//===- Messages.cpp - Messages that can be borne --------------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lib/LanguageServer/Messages.h"

#include "llvm/Support/LSP/Logging.h"

using namespace llvm;
using namespace rootc;

/// Far more than the protocol has; far less than overflows the stack of LLVM's
/// JSON parser, which recurses.
static constexpr int maxDepth = 256;

static bool isDeep(StringRef json) {
  int depth = 0;
  bool inString = false;
  for (size_t i = 0; i < json.size(); ++i) {
    char c = json[i];
    if (inString && c == '\\')
      ++i;
    else if (c == '"')
      inString = !inString;
    else if (!inString && (c == '[' || c == '{'))
      ++depth;
    else if (!inString && (c == ']' || c == '}'))
      --depth;
    if (depth > maxDepth)
      return true;
  }
  return false;
}

static LogicalResult check(StringRef text) {
  if (isDeep(text)) {
    lsp::Logger::error("a message is nested deeper than {0}", maxDepth);
    return failure();
  }
  Expected<json::Value> value = json::parse(text);
  if (!value) {
    lsp::Logger::error("a message is no JSON: {0}",
                       toString(value.takeError()));
    return failure();
  }
  const json::Object *object = value->getAsObject();
  if (object && object->getString("jsonrpc") == "2.0" &&
      object->getString("method"))
    return success();
  lsp::Logger::error("a message is no request of JSON-RPC 2.0");
  return failure();
}

LogicalResult CheckedInput::readStandardMessage(std::string &json) {
  return success(succeeded(input.readStandardMessage(json)) &&
                 succeeded(check(json)));
}

LogicalResult CheckedInput::readDelimitedMessage(std::string &json) {
  return success(succeeded(input.readDelimitedMessage(json)) &&
                 succeeded(check(json)));
}
