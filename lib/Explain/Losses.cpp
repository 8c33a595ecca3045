//===- Losses.cpp - What a prediction lost, in words ----------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/Geometry/Gather.h"
#include "lib/Explain/Explain.h"

#include "llvm/Support/FormatVariadic.h"

using namespace llvm;

namespace rootc {

using codegen::Part;

namespace {

/// Words for the parts of one kernel.
class Words {
public:
  Words(const codegen::Problem &problem, const codegen::Prediction &prediction,
        const codegen::Machine &machine)
      : problem(problem), prediction(prediction), machine(machine),
        schedule(problem.kernel.schedule) {}

  std::string of(Part part) const {
    switch (part) {
    case Part::MultiplyAdds:
      return "";
    case Part::Lanes:
      return lanes();
    case Part::Tiles:
      return tiles();
    case Part::Loads:
      return loads();
    case Part::Other:
      return other();
    case Part::Memory:
      return memory();
    case Part::Threads:
      return formatv("{0} task{1} for {2} threads", prediction.tasks,
                     prediction.tasks == 1 ? "" : "s", machine.threads);
    case Part::Start:
      return formatv("a call of {0} task{1} with little to do",
                     prediction.tasks, prediction.tasks == 1 ? "" : "s");
    }
    return "";
  }

private:
  const codegen::Problem &problem;
  const codegen::Prediction &prediction;
  const codegen::Machine &machine;
  const codegen::Schedule &schedule;

  int64_t key(const char *name, int64_t otherwise = 1) const {
    auto found = schedule.find(name);
    return found == schedule.end() ? otherwise : found->second;
  }
  bool hasFilter() const {
    return problem.anchor && (problem.anchor->name == "conv2d" ||
                              problem.anchor->name == "conv2d_backward_data");
  }
  bool isGradient() const {
    return problem.anchor && problem.anchor->name == "conv2d_backward_filter";
  }

  /// Register tile: vectors, scalars.
  std::pair<int64_t, int64_t> tile() const {
    if (isGradient())
      return {key("vectors"),
              key("tile_o") * key("tile_i") * key("tile_kx") * key("tile_ky")};
    codegen::Gather gather = codegen::gatherOf(problem.kernel, *problem.anchor);
    int64_t pixels = key("tile_x") * key("tile_y") * key("tile_n");
    if (gather.layout.groupLanes())
      return {key("tile_o") / key("across"), pixels};
    return {gather.layout.block / key("lanes"), pixels};
  }

  std::string lanes() const {
    int64_t wide = problem.lanes();
    if (key("lanes", wide) < wide)
      return formatv("vectors have {0} lanes, the machine's {1}", key("lanes"),
                     wide);
    if (hasFilter()) {
      codegen::Gather gather =
          codegen::gatherOf(problem.kernel, *problem.anchor);
      const codegen::FilterLayout &layout = gather.layout;
      if (layout.groupLanes())
        return formatv("{0} groups in blocks of {1}, {2} of {3} lanes filled",
                       layout.groups, layout.laneGroups,
                       layout.laneGroups * key("across"), wide);
      if (layout.merged > 1)
        return formatv("zeros between the {0} groups of a block, {1} channels "
                       "in blocks of {2}",
                       layout.merged, layout.outPerGroup, layout.block);
      if (layout.groupsPerBlock > 1)
        return formatv("{0} channels of a block of {1} are not there",
                       layout.blocks * layout.block -
                           layout.outPerGroup * layout.groups,
                       layout.block);
      return formatv("{0} channels{1} in {2} blocks of {3}", layout.outPerGroup,
                     layout.groups > 1 ? " of a group" : "",
                     layout.blocksPerGroup, layout.block);
    }
    return "channels do not fill vectors";
  }

  std::string tiles() const {
    if (isGradient())
      return "channels or taps are no multiple of the register tile";
    codegen::Gather gather = codegen::gatherOf(problem.kernel, *problem.anchor);
    if (gather.layout.winograd)
      return formatv("tiles of {0}x{0} pixels on a map of {1}x{2}",
                     gather.layout.winograd, gather.height, gather.width);
    auto phase = gather.phaseSize();
    return formatv("register tiles of {0}x{1} pixels, {2} image{3}, on a map "
                   "of {4}x{5}",
                   key("tile_y"), key("tile_x"), key("tile_n"),
                   key("tile_n") == 1 ? "" : "s", phase[0], phase[1]);
  }

  std::string loads() const {
    auto [vectors, scalars] = tile();
    return formatv("a register tile of {0} vector{1} x {2} {3}{4}", vectors,
                   vectors == 1 ? "" : "s", scalars,
                   isGradient() ? "channel" : "pixel", scalars == 1 ? "" : "s");
  }

  std::string other() const {
    if (problem.anchor && problem.anchor->attributes.count("winograd"))
      return "transforms of tiles, before and behind";
    std::string text;
    auto add = [&](const char *what) {
      text += (text.empty() ? "" : ", ") + std::string(what);
    };
    if (key("copy", 0))
      add(isGradient() ? "x is copied" : "what is read is copied");
    if (key("copy_dy", 0))
      add("dy is copied");
    if (isGradient())
      add("sums are added up in the cache");
    else
      add(hasFilter() ? "ends of register tiles, what follows them"
                      : "instructions for each element");
    return text;
  }

  std::string memory() const {
    std::string text;
    if (prediction.again > 0)
      text = formatv("; a filter with no place in the cache passes by again, "
                     "{0:f1} MB",
                     prediction.again / 1e6);
    if (prediction.storedFirst)
      text += "; the convolution's result is stored first, as what follows "
              "reads other channels";
    return formatv("{0:f2} ms by themselves{1}", prediction.memory * 1e3, text);
  }
};

} // namespace

std::vector<std::string> losses(const codegen::Problem &problem,
                                const codegen::Prediction &prediction,
                                const codegen::Machine &machine) {
  const double least = prediction.seconds() / 20;
  std::vector<std::pair<double, Part>> parts;
  for (size_t i = 1; i < codegen::partCount; ++i)
    if (prediction.parts[i] >= least)
      parts.push_back({prediction.parts[i], Part(i)});
  llvm::stable_sort(parts, [](auto &a, auto &b) { return a.first > b.first; });
  // A pool's tasks spend their arithmetic on the convolution within them.
  codegen::Kernel kernel = problem.kernel;
  bool within = problem.inner && problem.anchor->name != "conv2d";
  if (within)
    kernel.schedule =
        codegen::print(codegen::defaultSchedule(problem.ofInner()));
  codegen::Problem whole(kernel, problem.target),
      own = within ? whole.ofInner() : whole;
  Words words(own, prediction, machine);
  std::vector<std::string> texts;
  for (auto [seconds, part] : parts)
    texts.push_back(formatv("{0:f3} ms {1}: {2}", seconds * 1e3,
                            codegen::nameOf(part), words.of(part)));
  return texts;
}

} // namespace rootc
