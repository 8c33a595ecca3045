//===- ChannelSums.h - Sums over a position's channels ---------*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_CODEGEN_ALGORITHMS_CHANNELSUMS_H
#define ROOTC_CODEGEN_ALGORITHMS_CHANNELSUMS_H

#include "codegen/Algorithms/Algorithms.h"

#include <functional>

namespace rootc::codegen {

/// The terms of some sums at a channel of position (x, y, n), in the variables
/// of imageVars().
using ChannelTerms =
    std::function<std::vector<Halide::Expr>(const Halide::Expr &channel)>;

/// Sums over each position's channels, as Exprs in (x, y, n): of every 16th
/// channel, then of these, so that the bits are the same with vectors of any
/// width. Adds the stages "position NAME"(x, y, n) and, where there are 16
/// channels, "lane NAME"(lane, x, y, n).
std::vector<Halide::Expr>
sumOverChannels(const std::string &name, int64_t channels,
                const ChannelTerms &terms,
                std::map<std::string, Halide::Func> &stages);

/// The largest of each position's channels, likewise; NaN if one is.
Halide::Expr largestOfChannels(const Value &x,
                               std::map<std::string, Halide::Func> &stages);

} // namespace rootc::codegen

#endif // ROOTC_CODEGEN_ALGORITHMS_CHANNELSUMS_H
