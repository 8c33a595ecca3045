//===- PageFilters.cpp - The first layer's filters ------------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "PageParts.h"

using namespace rootc;
using namespace rootc::report;

void rootc::report::writeFilters(Markup &markup, const Comparison &all) {
  bool any = false;
  for (const Configuration &one : all.configurations)
    any |= all.runs[one.runs.front()].filters.has_value();
  if (!any)
    return;
  auto section = openSection(
      markup, "filters", "First-layer filters",
      "What the first layer looks for, each filter by its own largest weight: "
      "grey is 0. Smooth edges and colours are learnt; noise is a filter that "
      "has learnt little.");
  for (size_t i = 0; i < all.configurations.size(); ++i) {
    const auto &filters = all.runs[all.configurations[i].runs.front()].filters;
    if (!filters)
      continue;
    auto figure = markup.in("figure", {{"class", "card wide"}});
    {
      auto caption = markup.in("figcaption");
      writeKey(markup, all, i);
      markup.leaf("small", fmt::format("{}: {} filters of {} x {}",
                                       filters->layer, filters->filters,
                                       filters->height, filters->width));
    }
    markup.empty("img", {{"class", "pixels"},
                         {"width", fmt::format("{}", filters->pixels)},
                         {"alt", fmt::format("The {} filters of {}",
                                             filters->filters, filters->layer)},
                         {"src", "data:image/png;base64," + filters->png}});
  }
}
