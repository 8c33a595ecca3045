//===- Profile.cpp - What rootrun measured --------------------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lib/Explain/Profile.h"

#include "llvm/Support/JSON.h"
#include "llvm/Support/MemoryBuffer.h"

using namespace llvm;

namespace rootc {

static bool fromJSON(const json::Value &value, codegen::Machine &machine,
                     json::Path path) {
  json::ObjectMapper map(value, path);
  if (!map || !map.map("gflop_per_s", machine.flops))
    return false;
  machine.flops *= 1e9;
  const json::Object &object = *value.getAsObject();
  const json::Array *levels = object.getArray("bandwidth");
  if (!levels || levels->empty() || !(machine.flops > 0)) {
    path.field("bandwidth").report("expected bandwidths");
    return false;
  }
  double before = 0;
  for (const json::Value &level : *levels) {
    codegen::Machine::Bandwidth to;
    json::ObjectMapper entry(level, path.field("bandwidth"));
    if (!entry || !entry.map("bytes", to.bytes) ||
        !entry.map("read_gb_per_s", to.read) ||
        !entry.map("written_gb_per_s", to.written))
      return false;
    if (!(to.bytes > before && to.read > 0 && to.written > 0)) {
      path.field("bandwidth").report("expected increasing, positive numbers");
      return false;
    }
    before = to.bytes;
    to.read *= 1e9;
    to.written *= 1e9;
    machine.bandwidth.push_back(to);
  }
  return true;
}

static bool fromJSON(const json::Value &value, Profile::Call &call,
                     json::Path path) {
  json::ObjectMapper map(value, path);
  return map && map.map("label", call.label) && map.map("ms", call.ms);
}

static bool fromJSON(const json::Value &value, Profile &profile,
                     json::Path path) {
  json::ObjectMapper map(value, path);
  if (!map || !map.map("program", profile.program) ||
      !map.map("batch", profile.batch) ||
      !map.map("threads", profile.machine.threads) ||
      !map.map("calls", profile.calls))
    return false;
  if (profile.batch < 1 || profile.machine.threads < 1) {
    path.report("expected a batch and threads of at least 1");
    return false;
  }
  const json::Value *machine = value.getAsObject()->get("machine");
  if (!machine) {
    path.field("machine").report("missing");
    return false;
  }
  return fromJSON(*machine, profile.machine, path.field("machine"));
}

Expected<Profile> readProfile(const std::string &path) {
  auto fail = [&](const Twine &what) {
    return createStringError(inconvertibleErrorCode(),
                             "'" + path +
                                 "' is no output of rootrun profile "
                                 "--json: " +
                                 what);
  };
  auto buffer = MemoryBuffer::getFile(path);
  if (!buffer)
    return createStringError(buffer.getError(),
                             "cannot read '" + path +
                                 "': " + buffer.getError().message());
  Expected<json::Value> value = json::parse((*buffer)->getBuffer());
  if (!value)
    return fail(toString(value.takeError()));
  Profile profile;
  json::Path::Root root("profile");
  if (!fromJSON(*value, profile, root))
    return fail(toString(root.getError()));
  profile.machine.name = "measured, '" + path + "'";
  return profile;
}

} // namespace rootc
