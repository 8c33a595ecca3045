//===- CompileTimes.cpp - Where a compilation's time goes -----------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/Emit/CompileTimes.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/FormatVariadic.h"

#include <algorithm>

using namespace llvm;

namespace rootc::codegen {

void CompileTimes::begin(const std::string &name) {
  end();
  auto found =
      find_if(stages, [&](const Row &row) { return row.first == name; });
  stage = size_t(found - stages.begin());
  if (found == stages.end())
    stages.push_back({name, 0});
  since = Clock::now();
  isRunning = true;
}

void CompileTimes::end() {
  if (isRunning)
    stages[stage].second +=
        std::chrono::duration<double>(Clock::now() - since).count();
  isRunning = false;
}

std::string CompileTimes::table() {
  constexpr size_t most = 10;
  end();
  double total = 0;
  for (const Row &row : stages)
    total += row.second;
  std::string text = "  seconds  share\n";
  for (const auto &[name, seconds] : stages)
    text += formatv("{0,9:f2} {1,5:f1}%  {2}\n", seconds,
                    total > 0 ? 100 * seconds / total : 0.0, name);
  text += formatv("{0,9:f2} {1,5:f1}%  all\n", total, 100.0);
  if (kernels.empty() && cached == 0)
    return text;
  text += formatv("{0} kernels were compiled, {1} were in the cache\n",
                  kernels.size(), cached);
  stable_sort(kernels,
              [](const Row &a, const Row &b) { return a.second > b.second; });
  for (size_t i = 0; i < std::min(kernels.size(), most); ++i)
    text +=
        formatv("{0,9:f2}         {1}\n", kernels[i].second, kernels[i].first);
  if (kernels.size() > most) {
    double rest = 0;
    for (size_t i = most; i < kernels.size(); ++i)
      rest += kernels[i].second;
    text += formatv("{0,9:f2}         the {1} others together\n", rest,
                    kernels.size() - most);
  }
  return text;
}

} // namespace rootc::codegen
