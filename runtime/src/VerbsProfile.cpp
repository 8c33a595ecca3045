//===- VerbsProfile.cpp - profile -----------------------------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "MachinePeak.h"
#include "Support.h"
#include "Workload.h"

#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>

using namespace rootc;
using Json = nlohmann::ordered_json;

namespace {

/// A kernel call, or all of them.
struct Row {
  std::string label;
  double ms = 0, boundMs = 0; ///< of one run
  double flops = 0, read = 0, written = 0;

  double share(double totalMs) const { return totalMs > 0 ? ms / totalMs : 0; }
  double ofBound() const { return ms > 0 ? boundMs / ms : 0; }
  double perSecond(double amount) const {
    return ms > 0 ? amount / ms * 1e3 : 0;
  }
};

Json toJson(const Row &row) {
  return {{"multiply_adds", int64_t(row.flops / 2)},
          {"read_bytes", int64_t(row.read)},
          {"written_bytes", int64_t(row.written)},
          {"gflop_per_s", row.perSecond(row.flops) / 1e9},
          {"gb_per_s", row.perSecond(row.read + row.written) / 1e9},
          {"bound_ms", row.boundMs},
          {"of_peak", row.ofBound()}};
}

Json toJson(const MachinePeak &peak) {
  Json bandwidth = Json::array();
  for (const MachinePeak::Bandwidth &level : peak.bandwidth)
    bandwidth.push_back({{"bytes", int64_t(level.bytes)},
                         {"read_gb_per_s", level.read / 1e9},
                         {"written_gb_per_s", level.written / 1e9}});
  return {{"gflop_per_s", peak.flops / 1e9}, {"bandwidth", bandwidth}};
}

void print(const Row &row, double totalMs) {
  std::string flops =
      row.flops > 0 ? fmt::format("{:.1f}", row.perSecond(row.flops) / 1e9)
                    : "";
  fmt::print("{:>10.3f}  {:>5.1f}%  {:>8}  {:>7.1f}  {:>6.1f}%  {}\n", row.ms,
             100 * row.share(totalMs), flops,
             row.perSecond(row.read + row.written) / 1e9, 100 * row.ofBound(),
             row.label);
}

/// The widest vectors of a library's kernels.
int vectorBitsOf(const char *target) {
  if (std::strstr(target, "avx512"))
    return 512;
  return std::strstr(target, "avx2") ? 256 : 128;
}

/// The events that chrome://tracing and Perfetto show: one a call of each run,
/// and one a run around them.
void writeTrace(const std::string &path, const CallProfile &profile,
                const std::vector<Row> &rows, const char *program) {
  auto event = [](const std::string &name, const CallProfile::Interval &time) {
    return Json{{"name", name},     {"ph", "X"},
                {"ts", time.begin}, {"dur", time.end - time.begin},
                {"pid", 1},         {"tid", 1}};
  };
  Json events = Json::array();
  for (size_t run = 0; run < profile.runs().size(); ++run)
    events.push_back(
        event(fmt::format("{} {}", program, run + 1), profile.runs()[run]));
  for (const CallProfile::Event &call : profile.events()) {
    const Row &row = rows[call.call];
    double seconds = (call.time.end - call.time.begin) / 1e6;
    Json of = event(row.label, call.time);
    of["args"] = {{"GFLOP/s", row.flops / seconds / 1e9},
                  {"GB/s", (row.read + row.written) / seconds / 1e9},
                  {"of peak", row.boundMs / 1e3 / seconds},
                  {"multiply-adds", int64_t(row.flops / 2)},
                  {"bytes", int64_t(row.read + row.written)}};
    events.push_back(std::move(of));
  }
  std::ofstream file(path);
  file << Json{{"traceEvents", events}, {"displayTimeUnit", "ms"}} << "\n";
  file.close();
  if (!file)
    fail("{}: cannot be written", path);
}

} // namespace

void rootc::profileModel(const VerbOptions &options) {
  const char *program = options.train ? "train" : "infer";
  Workload work(options, options.train, !options.train);
  work.run(options.train); // warms up
  CallProfile profile(work, options.train, !options.trace.empty());
  for (int64_t i = 0; i < options.runs; ++i)
    profile.run();
  // Behind the runs, in which it would be among what the process holds.
  MachinePeak peak =
      measurePeak(work.pool->threads(), vectorBitsOf(work.model->target));
  Row all{"all"};
  std::vector<Row> rows;
  for (size_t i = 0; i < profile.calls(); ++i) {
    CallProfile::Work does = profile.work(i);
    Row row{profile.label(i),
            profile.sums()[i] / double(options.runs),
            0,
            2 * does.multiplyAdds,
            does.read,
            does.written};
    row.boundMs = 1e3 * peak.seconds(row.flops, row.read, row.written);
    all.ms += row.ms;
    all.boundMs += row.boundMs;
    all.flops += row.flops;
    all.read += row.read;
    all.written += row.written;
    rows.push_back(std::move(row));
  }
  if (!options.trace.empty())
    writeTrace(options.trace, profile, rows, program);
  if (options.json) {
    Json report = {{"model", work.model->name},
                   {"program", program},
                   {"batch", work.batchSize()},
                   {"threads", work.pool->threads()},
                   {"total_ms", all.ms}};
    report.update(toJson(all));
    report["machine"] = toJson(peak);
    report["calls"] = Json::array();
    for (const Row &row : rows) {
      Json call = {
          {"label", row.label}, {"ms", row.ms}, {"share", row.share(all.ms)}};
      call.update(toJson(row));
      report["calls"].push_back(std::move(call));
    }
    fmt::print("{}\n", report.dump());
    return;
  }
  fmt::print("{:>10}  {:>6}  {:>8}  {:>7}  {:>7}  kernel\n", "ms", "share",
             "GFLOP/s", "GB/s", "of peak");
  for (const Row &row : rows)
    print(row, all.ms);
  all.label = fmt::format("all (batch {}, {} threads, mean of {} runs; bound "
                          "{:.3f} ms)",
                          work.batchSize(), work.pool->threads(), options.runs,
                          all.boundMs);
  print(all, all.ms);
  const MachinePeak::Bandwidth &near = peak.bandwidth.front(),
                               &far = peak.bandwidth.back();
  fmt::print("peak: {:.0f} GFLOP/s; reading {:.0f} GB/s ({:.0f} KiB) to {:.0f} "
             "GB/s ({:.0f} MiB)\n",
             peak.flops / 1e9, near.read / 1e9, near.bytes / 1024,
             far.read / 1e9, far.bytes / (1 << 20));
}
