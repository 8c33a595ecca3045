//===- Shipped.h - Records that come with rootc -----------------*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What rootc-tune found for the networks of models/ is compiled in from
// models/records.csv, a line a record:
//
//   vector_bits,registers,batch,problem,generator,relative,point,label
//
// where `problem` is a hash of TuneProblem::kernel. They hold for any CPU of
// these vectors and registers, and for the generator that they were measured
// with.
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_CODEGEN_TUNE_SHIPPED_H
#define ROOTC_CODEGEN_TUNE_SHIPPED_H

#include "codegen/Tune/Database.h"
#include "llvm/ADT/StringRef.h"

#include <compare>
#include <map>

namespace rootc::codegen {

/// models/records.csv
llvm::StringRef shippedText();

/// That its records were measured with.
inline constexpr int64_t shippedThreads = 2;

class ShippedRecords {
public:
  /// Throws std::runtime_error, which names the line at fault.
  explicit ShippedRecords(llvm::StringRef text);
  static const ShippedRecords &builtIn();

  /// Of `batch` or, if that is 0, of the largest batch that has one. The number
  /// of the record is its line's.
  std::optional<TuneRecord> find(const TuneProblem &problem,
                                 const TargetInfo &target, int64_t batch) const;
  size_t count() const { return records.size(); }

  /// Adds what a database found faster than the rules, in the place of what
  /// there is of the same kernels, batches and vectors. Throws
  /// std::runtime_error.
  void take(const TuneDatabase &database);
  std::string text() const;

private:
  struct Key {
    int64_t vectorBits, registers;
    std::string problem;
    int64_t batch;
    auto operator<=>(const Key &) const = default;
  };
  struct Entry {
    std::string generator, label;
    TuneRecord record;
  };
  std::map<Key, Entry> records;
};

} // namespace rootc::codegen

#endif // ROOTC_CODEGEN_TUNE_SHIPPED_H
