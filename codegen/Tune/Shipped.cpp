//===- Shipped.cpp - Records that come with rootc -------------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/Tune/Shipped.h"
#include "codegen/Emit/Target.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/LineIterator.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/xxhash.h"

#include <stdexcept>

using namespace llvm;

namespace rootc::codegen {

static const char header[] =
    "vector_bits,registers,batch,problem,generator,relative,point,label";

static std::string hashOf(const TuneProblem &problem) {
  return utohexstr(xxh3_64bits(problem.kernel), /*LowerCase=*/true,
                   /*Width=*/16);
}

ShippedRecords::ShippedRecords(StringRef text) {
  auto buffer = MemoryBuffer::getMemBufferCopy(text);
  for (line_iterator line(*buffer); !line.is_at_end(); ++line) {
    if (*line == header)
      continue;
    const unsigned columns = 8;
    SmallVector<StringRef, columns> cells;
    line->split(cells, ',', columns - 1);
    Key key;
    Entry entry;
    entry.record.trial = line.line_number();
    bool isRead = cells.size() == columns &&
                  !cells[0].getAsInteger(10, key.vectorBits) &&
                  !cells[1].getAsInteger(10, key.registers) &&
                  !cells[2].getAsInteger(10, key.batch) &&
                  !cells[5].getAsDouble(entry.record.relative);
    if (!isRead)
      throw std::runtime_error(
          formatv("records, line {0}: not '{1}'", line.line_number(), header)
              .str());
    key.problem = cells[3].str();
    entry.generator = cells[4].str();
    entry.record.schedule = scheduleFromText(cells[6].str());
    entry.record.batch = key.batch;
    entry.label = cells[7].str();
    records[key] = std::move(entry);
  }
}

const ShippedRecords &ShippedRecords::builtIn() {
  static const ShippedRecords all(shippedText());
  return all;
}

std::optional<TuneRecord> ShippedRecords::find(const TuneProblem &problem,
                                               const TargetInfo &target,
                                               int64_t batch) const {
  // The records of a kernel are neighbours, by rising batches.
  Key key{target.vectorBits, target.registers, hashOf(problem),
          batch ? batchClass(batch) : INT64_MAX};
  auto found = records.upper_bound(key);
  while (found != records.begin()) {
    --found;
    if (found->first.vectorBits != key.vectorBits ||
        found->first.registers != key.registers ||
        found->first.problem != key.problem ||
        (batch && found->first.batch != key.batch))
      break;
    if (found->second.generator == problem.generator)
      return found->second.record;
  }
  return std::nullopt;
}

void ShippedRecords::take(const TuneDatabase &database) {
  for (const TuneDatabase::Found &found : database.found()) {
    Expected<TargetInfo> target = parseTarget(found.machine.target);
    if (!target)
      throw std::runtime_error(toString(target.takeError()));
    records[{target->vectorBits, target->registers, hashOf(found.problem),
             found.record.batch}] = {found.problem.generator, found.label,
                                     found.record};
  }
}

std::string ShippedRecords::text() const {
  std::string text = std::string(header) + "\n";
  raw_string_ostream stream(text);
  for (const auto &[key, entry] : records)
    stream << formatv("{0},{1},{2},{3},{4},{5:F3},{6},{7}\n", key.vectorBits,
                      key.registers, key.batch, key.problem, entry.generator,
                      entry.record.relative,
                      scheduleText(entry.record.schedule), entry.label);
  return text;
}

} // namespace rootc::codegen
