//===- MalformedFiles.h - What reading a damaged file may cost ---*- C++ -*===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A damaged file is read or refused with one line: no crash, no hang, and no
// memory beyond what the file's own size allows. Under the address sanitizer an
// allocation of more than 64 MB ends the process. Included by one file of a
// test.
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_TEST_RUNTIME_MALFORMEDFILES_H
#define ROOTC_TEST_RUNTIME_MALFORMEDFILES_H

#include "TestSupport.h"

#include <chrono>
#include <sys/resource.h>

extern "C" const char *__asan_default_options();
extern "C" const char *__asan_default_options() {
  return "max_allocation_size_mb=64:quarantine_size_mb=8";
}

namespace rootc::test {

/// Reads damaged files, within 64 MiB and a minute a test.
class MalformedFiles : public testing::Test {
public:
  ~MalformedFiles() override {
    EXPECT_LT(peak() - memory, 64 << 10) << "KiB";
    EXPECT_LT(Clock::now() - begin, std::chrono::seconds(60));
  }

protected:
  int tried = 0, refused = 0;

  /// The error of reading a file; "" if it is read.
  template <typename Read> std::string errorOfReading(const Read &read) {
    ++tried;
    std::string message = errorOf(read);
    refused += !message.empty();
    EXPECT_EQ(message.find('\n'), std::string::npos) << message;
    return message;
  }

private:
  using Clock = std::chrono::steady_clock;
  Clock::time_point begin = Clock::now();
  int64_t memory = peak();

  static int64_t peak() {
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss;
  }
};

} // namespace rootc::test

#endif // ROOTC_TEST_RUNTIME_MALFORMEDFILES_H
