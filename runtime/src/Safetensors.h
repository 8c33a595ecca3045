//===- Safetensors.h - Files of named tensors -------------------*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A safetensors file is the size of its header (8 bytes, little endian), the
// header (JSON: name -> dtype, shape, range of bytes), and the data. Files made
// here carry a hash of header and data in the metadata key "rootc.hash", which
// reading checks; files of other makers need none.
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_RUNTIME_SAFETENSORS_H
#define ROOTC_RUNTIME_SAFETENSORS_H

#include "Support.h"

#include <map>

namespace rootc {

struct TensorEntry {
  std::string dtype; ///< "F32", "I64", ...
  std::vector<int64_t> shape;
  const char *data = nullptr; ///< not aligned
  size_t bytes = 0;
};

/// A file's contents, checked: every tensor lies in the data, is as long as
/// its shape says, and none overlap.
class Safetensors {
public:
  static Safetensors read(const std::string &path);
  /// Tensors of the caller's memory, as if of a file; `name` is for messages.
  static Safetensors of(std::string name,
                        std::map<std::string, TensorEntry> tensors);

  const std::string &path() const { return file; }
  const std::map<std::string, TensorEntry> &tensors() const { return entries; }
  const std::map<std::string, std::string> &metadata() const { return notes; }
  /// Whether the file carries a hash (a wrong one is an error of `read`).
  bool hashed() const { return notes.count("rootc.hash"); }
  /// Copies a tensor; throws if it is missing, not F32, or of another shape.
  void copy(const std::string &name, const std::vector<int64_t> &shape,
            float *destination) const;

private:
  std::string file;
  std::vector<char> bytes;
  std::map<std::string, TensorEntry> entries;
  std::map<std::string, std::string> notes;
};

/// Collects float32 tensors, by reference, and writes them.
class SafetensorsWriter {
public:
  void add(const std::string &name, const std::vector<int64_t> &shape,
           const float *data);
  void note(const std::string &key, const std::string &value);
  /// See writeFile.
  void write(const std::string &path,
             const std::function<void()> &beforeRename = nullptr) const;

private:
  struct Item {
    std::vector<int64_t> shape;
    std::string_view data;
  };
  std::map<std::string, Item> items;
  std::map<std::string, std::string> notes;
};

} // namespace rootc

#endif // ROOTC_RUNTIME_SAFETENSORS_H
