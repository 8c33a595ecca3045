//===- Support.h - Errors and files -----------------------------*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_RUNTIME_SUPPORT_H
#define ROOTC_RUNTIME_SUPPORT_H

#include "rootc/runtime.h"

#include <fmt/format.h>
#include <optional>
#include <string_view>

namespace rootc {

/// Throws an Error with a formatted message.
template <typename... Args>
[[noreturn]] void fail(fmt::format_string<Args...> format, Args &&...args) {
  throw Error(fmt::format(format, std::forward<Args>(args)...));
}

/// The text of errno.
std::string systemError();

/// The text of errno where a file could not be written, and what helps if its
/// disk is full or it became too large.
std::string writeError();

/// What a program does first. Opens /dev/null in the place of a standard stream
/// that is closed, lest a file take it and get what is printed; and lets a
/// write past the limit of a file's size (`ulimit -f`) fail like one to a full
/// disk, instead of ending the process.
void prepareProcess();

/// A whole regular file. Throws if it cannot be read, or has more than `limit`
/// bytes.
std::vector<char> readFile(const std::string &path, int64_t limit = INT64_MAX);

/// The first bytes of a regular file, at most `count`, and how many it has.
struct FileBegin {
  std::vector<char> bytes;
  int64_t size;
};
FileBegin readBegin(const std::string &path, int64_t count);

/// Bytes [offset, offset + length) of a regular file. Throws if it ends before.
std::vector<char> readFileRange(const std::string &path, int64_t offset,
                                int64_t length);

/// The size of a regular file in bytes. Throws if it cannot be opened.
int64_t fileSize(const std::string &path);

/// The name beside `path` under which a process writes the file at first.
std::string partialName(const std::string &path, int64_t process);

/// Writes the pieces, one after another, to a file of another name beside
/// `path`, syncs it, calls `beforeRename`, renames, and syncs the folder: a
/// reader sees the old file or the new one, whenever the power goes.
void writeFile(const std::string &path,
               const std::vector<std::string_view> &pieces,
               const std::function<void()> &beforeRename = nullptr);

/// XXH3 of 128 bits of the pieces, one after another: 32 hexadecimal digits.
std::string hashOfBytes(const std::vector<std::string_view> &pieces);

/// Appends bytes to a regular file that was opened with O_APPEND. If not all
/// can be written, cuts the file back and returns false, with errno set.
bool appendWhole(int descriptor, std::string_view bytes);

/// a * b for sizes that are not negative; nothing if it overflows.
std::optional<int64_t> multiply(int64_t a, int64_t b);

/// The number of elements of a shape; nothing if a dimension is negative or
/// the product overflows.
std::optional<int64_t> elementCount(const std::vector<int64_t> &shape);

/// "[192,5,5,3]"
std::string toString(const std::vector<int64_t> &shape);

/// "103 images/s", and "0.21 images/s" for large networks.
std::string speedText(double imagesPerSecond);

} // namespace rootc

#endif // ROOTC_RUNTIME_SUPPORT_H
