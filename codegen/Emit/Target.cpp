//===- Target.cpp - What the kernels are compiled for ---------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/Emit/Target.h"
#include "codegen/Schedules/Backend.h"
#include "runtime/support/Support.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/bit.h"
#include "llvm/TargetParser/Host.h"

#include <set>

namespace rootc::codegen {

namespace {

struct Feature {
  const char *name; ///< Halide's
  uint64_t bit;     ///< rootc_cpu_feature
  std::vector<const char *> implies;
  /// LLVM's names of what a CPU must have.
  std::vector<const char *> llvm;
};

const std::vector<Feature> &features() {
  static const std::vector<Feature> table = {
      {"sse41", ROOTC_CPU_SSE41, {}, {"sse4.1"}},
      {"avx", ROOTC_CPU_AVX, {"sse41"}, {"avx"}},
      {"f16c", ROOTC_CPU_F16C, {"avx"}, {"f16c"}},
      {"fma", ROOTC_CPU_FMA, {"avx"}, {"fma"}},
      {"avx2", ROOTC_CPU_AVX2, {"avx"}, {"avx2", "bmi", "bmi2"}},
      {"avx512",
       ROOTC_CPU_AVX512_FOUNDATION,
       {"avx2", "f16c", "fma"},
       {"avx512f", "avx512cd"}},
      {"avx512_skylake",
       ROOTC_CPU_AVX512_SKYLAKE,
       {"avx512"},
       {"avx512bw", "avx512dq", "avx512vl"}},
      {"avx512_cannonlake",
       ROOTC_CPU_AVX512_CANNONLAKE,
       {"avx512_skylake"},
       {"avx512ifma", "avx512vbmi"}},
      // LLVM then compiles for a Zen 4, whose SSE4a no Intel has.
      {"avx512_zen4",
       ROOTC_CPU_AVX512_ZEN4,
       {"avx512_cannonlake"},
       {"sse4a", "avx512vnni", "avx512bf16", "avx512bitalg", "avx512vbmi2",
        "avx512vpopcntdq"}},
  };
  return table;
}

/// Halide's names of what a device has.
bool isOfDevice(llvm::StringRef name) {
  for (const char *known : {"cuda", "cuda_capability_80", "cuda_capability_86",
                            "opencl", "cl_doubles"})
    if (name == known)
      return true;
  return false;
}

const Feature *find(llvm::StringRef name) {
  for (const Feature &feature : features())
    if (name == feature.name)
      return &feature;
  return nullptr;
}

void add(std::set<std::string> &set, const Feature &feature) {
  set.insert(feature.name);
  for (const char *implied : feature.implies)
    add(set, *find(implied));
}

std::set<std::string> hostFeatures() {
  llvm::StringMap<bool> host = llvm::sys::getHostCPUFeatures();
  std::set<std::string> set;
  for (const Feature &feature : features()) {
    bool all = true;
    for (const char *name : feature.llvm)
      all &= host.lookup(name);
    for (const char *name : feature.implies)
      all &= set.count(name) != 0;
    if (all)
      set.insert(feature.name);
  }
#ifdef ROOTC_HALIDE_SANITIZER
  // The thread sanitizer sees accesses of 16 bytes at most, and none with
  // masks.
  if (llvm::StringRef(ROOTC_HALIDE_SANITIZER) == "tsan")
    set = {"sse41"};
  set.insert(ROOTC_HALIDE_SANITIZER);
#endif
  return set;
}

llvm::Error unknown(llvm::StringRef text, llvm::StringRef why) {
  std::string names;
  for (const Feature &feature : features())
    names += std::string(names.empty() ? "" : ", ") + feature.name;
  return llvm::createStringError(
      "--target=" + text + ": " + why +
      "; give host, x86-64-v3, x86-64-v4, arm-64-linux, or x86-64-linux "
      "followed by any of these with a '-' before each: " +
      names +
      "; kernels for a GPU of NVIDIA's with cuda and one of "
      "cuda_capability_80, cuda_capability_86; for other devices with opencl; "
      "several targets with ',' between make one library that holds code for "
      "each");
}

const char armTarget[] = "arm-64-linux";

TargetInfo make(const std::set<std::string> &set) {
  TargetInfo info;
  info.halide = "x86-64-linux";
  for (const std::string &name : set)
    info.halide += "-" + name;
  bool wide = set.count("avx512") != 0;
  info.vectorBits = wide ? 512 : set.count("avx") ? 256 : 128;
  info.registers = wide ? 32 : 16;
  return info;
}

} // namespace

llvm::Expected<TargetInfo> parseTarget(llvm::StringRef text) {
  std::set<std::string> set;
  if (text == "host")
    return make(hostFeatures());
  if (text == "x86-64-v3" || text == "x86-64-v4") {
    for (const char *name : {"avx2", "f16c", "fma"})
      add(set, *find(name));
    if (text == "x86-64-v4")
      add(set, *find("avx512_skylake"));
    return make(set);
  }
  if (text == armTarget)
    return TargetInfo{armTarget, 128, 32};
  llvm::StringRef rest = text;
  if (rest.consume_front("host")) {
    set = hostFeatures();
  } else if (!rest.consume_front("x86-64-linux")) {
    return unknown(text, "unknown target");
  }
  llvm::SmallVector<llvm::StringRef> names;
  rest.split(names, '-', -1, false);
  if (!rest.empty() && rest[0] != '-')
    return unknown(text, "unknown target");
  for (llvm::StringRef name : names) {
    if (const Feature *feature = find(name))
      add(set, *feature);
    else if (name == "asan" || name == "tsan" || isOfDevice(name))
      set.insert(name.str());
    else
      return unknown(text, ("feature '" + name +
                            "' is unknown or not supported by this version")
                               .str());
  }
  for (const char *capability : {"cuda_capability_80", "cuda_capability_86"})
    if (set.count(capability) != 0)
      set.insert("cuda");
  if (set.count("cuda") != 0 && set.count("cuda_capability_86") == 0)
    set.insert("cuda_capability_80");
  // Statistics of batches are summed in float64.
  if (set.count("opencl") != 0)
    set.insert("cl_doubles");
  return make(set);
}

llvm::Expected<std::vector<TargetInfo>> parseTargets(llvm::StringRef text) {
  llvm::SmallVector<llvm::StringRef> parts;
  text.split(parts, ',');
  std::vector<TargetInfo> targets;
  for (llvm::StringRef part : parts) {
    llvm::Expected<TargetInfo> target = parseTarget(part);
    if (!target)
      return target.takeError();
    for (const TargetInfo &other : targets) {
      if (other.halide == target->halide)
        return unknown(text, "'" + part.str() + "' is another one's equal");
      if (architectureOf(other) != architectureOf(*target))
        return unknown(text, "one library has code for one architecture");
      llvm::StringRef kind = deviceKind(*target);
      if (kind != "cpu" && kind == deviceKind(other))
        return unknown(text, "two targets are of the same kind, " + kind.str());
    }
    targets.push_back(std::move(*target));
  }
  auto rank = [](const TargetInfo &target) {
    return std::pair(backendOf(target).device,
                     -llvm::popcount(cpuFeatures(target)));
  };
  llvm::stable_sort(targets, [&](const TargetInfo &a, const TargetInfo &b) {
    return rank(a) < rank(b);
  });
  return targets;
}

Architecture architectureOf(const TargetInfo &target) {
  return llvm::StringRef(target.halide).starts_with("arm") ? Architecture::Arm
                                                           : Architecture::X86;
}

const char *deviceKind(const TargetInfo &target) {
  std::string features = target.halide + "-";
  for (const char *kind : {"cuda", "opencl"})
    if (features.find("-" + std::string(kind) + "-") != std::string::npos)
      return kind;
  return "cpu";
}

uint64_t cpuFeatures(const TargetInfo &target) {
  llvm::SmallVector<llvm::StringRef> names;
  llvm::StringRef(target.halide).split(names, '-');
  uint64_t bits = 0;
  for (llvm::StringRef name : names)
    if (const Feature *feature = find(name))
      bits |= feature->bit;
  return bits;
}

} // namespace rootc::codegen
