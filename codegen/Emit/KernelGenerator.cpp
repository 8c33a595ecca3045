//===- KernelGenerator.cpp - The version of what makes a kernel -----------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/Emit/KernelGenerator.h"
#include "codegen/Geometry/Gather.h"
#include "codegen/Schedules/Backend.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/xxhash.h"

#include <set>

using namespace llvm;

namespace rootc::codegen {

/// The parts whose sources make an op, beside those that matter for all. A
/// filter's layout is a matter of tuning, so Winograd's belong to all of its
/// convolutions.
static void addParts(const Kernel &kernel, const Op &op,
                     std::set<std::string> &names) {
  StringRef name = op.name;
  if (name.contains("pool"))
    names.insert("Pool");
  bool isFilter = name == "conv2d_backward_filter";
  if (!isFilter && name != "conv2d" && name != "conv2d_backward_data")
    return;
  ConvShape shape = convShapeOf(kernel, op);
  names.insert("Convolution");
  if (isFilter)
    names.insert({"ConvolutionGradient", "AcrossInsGradient"});
  if (op.attributes.count("pairs"))
    names.insert("Pairs");
  if (groupsInnermost(shape))
    names.insert("GroupLanes");
  else if (!isFilter)
    names.insert("Winograd");
}

std::string KernelGenerator::version(const Kernel &kernel,
                                     const TargetInfo &target) const {
  bool device = backendOf(target).device;
  std::set<std::string> names = {"", "Halide"};
  for (const Op &op : kernel.ops)
    addParts(kernel, op, names);
  std::string text;
  for (const auto &[name, hash] : parts)
    if (device || names.count(name))
      text += name + "=" + hash + "\n";
  return utohexstr(xxh3_64bits(text), /*LowerCase=*/true, /*Width=*/16);
}

} // namespace rootc::codegen
