//===- Page.cpp - The report as HTML --------------------------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Page.h"

#include "PageParts.h"

#include <algorithm>
#include <set>
#include <tuple>

using namespace rootc;
using namespace rootc::report;

/// A word of a command line for sh.
static std::string shellWord(const std::string &text) {
  bool plain = !text.empty() && text[0] != '-' &&
               text.find_first_not_of(
                   "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                   "0123456789_-./=+,:@%") == std::string::npos;
  if (plain)
    return text;
  std::string quoted = text.starts_with('-') ? "./'" : "'";
  for (char character : text)
    if (character == '\'')
      quoted += "'\\''";
    else
      quoted += character;
  return quoted + "'";
}

std::string rootc::report::measureCommand(const Comparison &all) {
  std::string command = "rootrun report";
  for (const Run &run : all.runs)
    command += " " + shellWord(run.path);
  for (std::set<std::string> seen; const Run &run : all.runs)
    if (run.model.path.empty() && seen.insert(run.model.hash).second)
      command += " --model NET.so";
  return command + " --measure -o report.html";
}

Markup::Scope rootc::report::openSection(Markup &markup, const char *id,
                                         const char *heading,
                                         const std::string &lead) {
  std::string label = std::string(id) + "-heading";
  markup.open("section", {{"id", id}, {"aria-labelledby", label}});
  markup.leaf("h2", {{"id", label}}, heading);
  if (!lead.empty())
    markup.leaf("p", {{"class", "lead"}}, lead);
  return Markup::Scope(markup);
}

Table::Table(Markup &markup, const std::string &caption,
             const std::vector<std::string> &headings, bool sortable)
    : markup(markup) {
  markup.open("div", {{"class", "scroll"},
                      {"role", "region"},
                      {"aria-label", caption},
                      {"tabindex", "0"}});
  markup.open("table", {{"class", sortable ? "sortable" : "plain"}});
  markup.leaf("caption", caption);
  {
    auto head = markup.in("thead");
    auto row = markup.in("tr");
    for (const std::string &heading : headings) {
      bool number = heading.starts_with('#');
      markup.leaf("th", {{"scope", "col"}, {"class", number ? "n" : "t"}},
                  heading.substr(number ? 1 : 0));
    }
  }
  markup.open("tbody");
}

Table::~Table() {
  markup.close();
  markup.close();
  markup.close();
}

void rootc::report::numberCell(Markup &markup, double value,
                               const std::string &text,
                               const std::string &note) {
  if (!std::isfinite(value)) {
    markup.leaf("td", {{"class", "n soft"}}, "–");
    return;
  }
  auto cell = markup.in(
      "td", {{"class", "n"}, {"data-value", fmt::format("{:.9g}", value)}});
  markup.text(text);
  if (!note.empty())
    markup.leaf("small", note);
}

void rootc::report::writeName(Markup &markup, const std::string &name) {
  markup.leaf("bdi", name);
}

void rootc::report::writeKey(Markup &markup, const Comparison &all,
                             size_t configuration) {
  auto key = markup.in("span", {{"class", "key"}});
  {
    auto drawing = markup.in("svg", {{"viewBox", "0 0 26 12"},
                                     {"aria-hidden", "true"},
                                     {"class", seriesClass(configuration)}});
    markup.empty("polyline", {{"class", "curve"}, {"points", "0,6 26,6"}});
    drawMark(markup, configuration, 13, 6, 4, "mark");
  }
  writeName(markup, all.configurations[configuration].label);
}

std::string rootc::report::percentText(const std::optional<Spread> &spread) {
  if (!spread)
    return "–";
  if (spread->count < 2)
    return percent(spread->mean);
  return percent(spread->mean) + " ± " + percent(spread->deviation);
}

void rootc::report::writeMissing(Markup &markup, const std::string &title,
                                 const std::string &reason,
                                 const std::string &command) {
  auto box = markup.in("div", {{"class", "card missing"}});
  markup.leaf("strong", title);
  markup.leaf("p", reason);
  if (!command.empty())
    markup.leaf("code", command);
}

static void writeHead(Markup &markup, const std::string &title) {
  auto head = markup.in("head");
  markup.empty("meta", {{"charset", "utf-8"}});
  markup.empty("meta", {{"name", "viewport"},
                        {"content", "width=device-width, initial-scale=1"}});
  // Nothing is loaded, whatever a name may try.
  markup.empty("meta",
               {{"http-equiv", "Content-Security-Policy"},
                {"content", "default-src 'none'; style-src 'unsafe-inline'; "
                            "script-src 'unsafe-inline'; img-src data:"}});
  markup.leaf("title", title);
  auto style = markup.in("style");
  markup.raw(pageStyle);
}

static void writeNotes(Markup &markup, const Comparison &all) {
  if (all.warnings.empty() && all.remarks.empty())
    return;
  auto box = markup.in("div", {{"class", "notes"}, {"role", "note"}});
  markup.leaf("strong", "Before you compare");
  auto list = markup.in("ul");
  for (const auto *texts : {&all.warnings, &all.remarks})
    for (const std::string &text : *texts)
      markup.leaf("li", text);
}

static void writeFooter(Markup &markup, const std::string &made) {
  auto footer = markup.in("footer");
  markup.leaf("p",
              "Parameters are weights and biases of convolutions and linear "
              "layers; multiply-adds are their weights times output positions, "
              "plus one a bias, for one image. Errors are those after the last "
              "epoch; ± is one sample standard deviation over the runs of a "
              "configuration.");
  auto line = markup.in("p");
  markup.text("Made by ");
  markup.leaf("code", "rootrun report");
  markup.text(" on ");
  markup.leaf("time", {{"datetime", made}}, made);
  markup.text(".");
}

/// Links to the sections that the page has.
static void writeNavigation(Markup &markup, const Comparison &all) {
  auto any = [&](auto has) {
    return std::any_of(all.runs.begin(), all.runs.end(), has);
  };
  const std::tuple<const char *, const char *, bool> sections[] = {
      {"#summary", "Summary", true},
      {"#costs", "Error against cost", all.configurations.size() > 1},
      {"#layers", "Cost per layer", true},
      {"#curves", "Training curves", true},
      {"#mistakes", "What is taken for what",
       any([](const Run &run) { return run.test.has_value(); })},
      {"#filters", "Filters",
       any([](const Run &run) { return run.filters.has_value(); })},
      {"#runs", "Runs", true},
      {"#options", "Options", true},
      {"#covariance", "Covariance",
       any([](const Run &run) { return !run.covariances.empty(); })}};
  auto nav = markup.in("nav", {{"aria-label", "Sections"}});
  for (auto [place, text, shown] : sections)
    if (shown)
      markup.leaf("a", {{"href", place}}, text);
}

std::string rootc::report::makePage(const Comparison &all,
                                    const std::string &made) {
  std::string title = all.runs.size() == 1
                          ? all.runs.front().name
                          : fmt::format("{} runs compared", all.runs.size());
  std::set<std::string> networks;
  for (const Run &run : all.runs)
    if (!run.model.name.empty())
      networks.insert(run.model.name);
  std::string subtitle =
      plural(int64_t(all.configurations.size()), "configuration") + " from " +
      plural(int64_t(all.runs.size()), "run");
  std::string separator = " of ";
  for (const std::string &network : networks) {
    subtitle += separator + network;
    separator = ", ";
  }
  Markup markup;
  markup.raw("<!DOCTYPE html>\n");
  {
    auto html = markup.in("html", {{"lang", "en"}});
    writeHead(markup, title);
    auto body = markup.in("body");
    {
      auto header = markup.in("header");
      markup.leaf("h1", title);
      markup.leaf("p", {{"class", "soft"}}, subtitle);
      writeNavigation(markup, all);
    }
    {
      auto main = markup.in("main");
      writeNotes(markup, all);
      writeSummary(markup, all);
      writeCosts(markup, all);
      writeLayers(markup, all);
      writeCurves(markup, all);
      writeMistakes(markup, all);
      writeFilters(markup, all);
      writeRuns(markup, all);
      writeOptions(markup, all);
      writeCovariances(markup, all);
    }
    writeFooter(markup, made);
    auto script = markup.in("script");
    markup.raw(pageScript);
  }
  return markup.take();
}
