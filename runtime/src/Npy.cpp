//===- Npy.cpp - NumPy's array files --------------------------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Npy.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <fmt/ranges.h>

using namespace rootc;

namespace {
constexpr std::string_view magic("\x93NUMPY", 6);
constexpr int64_t longestHeader = 1 << 16; ///< NumPy's own is below 10,000

/// Reads the header, a Python dict such as
/// {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }
class HeaderParser {
public:
  HeaderParser(const std::string &path, std::string_view text)
      : path(path), text(text) {}

  void parse(NpyArray &array) {
    bool descr = false, order = false, shape = false;
    expect('{');
    while (!accept('}')) {
      std::string key = string();
      expect(':');
      if (key == "descr") {
        if (next() == '[')
          fail("{}: holds a structured array; save plain numbers", path);
        array.dtype = string();
        descr = true;
      } else if (key == "fortran_order") {
        if (word() != "False")
          fail("{}: is in Fortran order; save numpy.ascontiguousarray of it",
               path);
        order = true;
      } else if (key == "shape") {
        expect('(');
        while (!accept(')')) {
          array.shape.push_back(number());
          if (!accept(',')) {
            expect(')');
            break;
          }
        }
        shape = true;
      } else {
        damaged();
      }
      if (!accept(',')) {
        expect('}');
        break;
      }
    }
    if (!descr || !order || !shape || next())
      damaged();
  }

private:
  [[noreturn]] void damaged() {
    fail("{}: is not a .npy file: its header is damaged", path);
  }
  char next() {
    while (position < text.size() && std::strchr(" \n\t\r", text[position]))
      ++position;
    return position < text.size() ? text[position] : 0;
  }
  bool accept(char c) {
    if (next() != c)
      return false;
    ++position;
    return true;
  }
  void expect(char c) {
    if (!accept(c))
      damaged();
  }
  std::string string() {
    char quote = next();
    if (quote != '\'' && quote != '"')
      damaged();
    size_t end = text.find(quote, position + 1);
    if (end == std::string_view::npos)
      damaged();
    std::string result(text.substr(position + 1, end - position - 1));
    position = end + 1;
    return result;
  }
  std::string word() {
    next();
    size_t begin = position;
    while (position < text.size() &&
           std::isalpha((unsigned char)text[position]))
      ++position;
    return std::string(text.substr(begin, position - begin));
  }
  int64_t number() {
    next();
    int64_t value = 0;
    auto [end, error] = std::from_chars(text.data() + position,
                                        text.data() + text.size(), value);
    if (error != std::errc() || value < 0)
      damaged();
    position = end - text.data();
    return value;
  }

  const std::string &path;
  std::string_view text;
  size_t position = 0;
};
} // namespace

static size_t itemSize(const std::string &path, const std::string &dtype) {
  if (dtype.size() < 3 || dtype.size() > 5 ||
      !std::all_of(dtype.begin() + 2, dtype.end(),
                   [](char c) { return c >= '0' && c <= '9'; }))
    fail("{}: has elements of the unknown type '{}'; save float32", path,
         dtype);
  if (dtype[0] == '>')
    fail("{}: is big endian ('{}'); save little-endian numbers", path, dtype);
  size_t size = std::stoul(dtype.substr(2));
  // Any number of elements of no bytes would fit into any file.
  if (size == 0)
    fail("{}: has elements of the empty type '{}'; save float32", path, dtype);
  return size;
}

NpyArray NpyArray::read(const std::string &path) {
  NpyArray array;
  array.path = path;
  // The whole file is read once its size is what the header claims.
  FileBegin begin = readBegin(path, longestHeader);
  std::string_view text(begin.bytes.data(), begin.bytes.size());
  if (text.size() < 10 || text.substr(0, 6) != magic)
    fail("{}: is not a .npy file; write it with numpy.save", path);
  int version = uint8_t(text[6]);
  if (version < 1 || version > 3)
    fail("{}: is a .npy file of the unknown version {}", path, version);
  size_t prefix = version == 1 ? 10 : 12;
  uint32_t headerSize = 0;
  if (text.size() >= prefix)
    std::memcpy(&headerSize, text.data() + 8, version == 1 ? 2 : 4);
  if (text.size() < prefix || headerSize > text.size() - prefix) {
    if (headerSize <= longestHeader - prefix)
      fail("{}: is truncated in its header", path);
    fail("{}: claims a header of {} bytes; it is damaged", path, headerSize);
  }
  HeaderParser(path, text.substr(prefix, headerSize)).parse(array);
  array.offset = prefix + headerSize;
  auto count = elementCount(array.shape);
  auto bytes =
      count ? multiply(*count, int64_t(itemSize(path, array.dtype))) : count;
  size_t present = size_t(begin.size) - array.offset;
  if (!bytes || uint64_t(*bytes) > present)
    fail("{}: is truncated: shape {} of type '{}' does not fit into its {} "
         "bytes",
         path, toString(array.shape), array.dtype, present);
  if (uint64_t(*bytes) != present)
    fail("{}: has {} bytes behind its array; it is damaged", path,
         present - *bytes);
  array.file = readFile(path);
  if (int64_t(array.file.size()) != begin.size)
    fail("{}: changed while it was read", path);
  return array;
}

FloatArray NpyArray::floats(bool allowBytes) const {
  bool bytes = dtype == "|u1" && allowBytes;
  if (dtype != "<f4" && !bytes)
    fail("{}: has elements of type '{}'; save it as {}", path, dtype,
         allowBytes ? "uint8 or float32" : "float32");
  FloatArray result(size_t(*elementCount(shape)));
  if (bytes)
    for (size_t i = 0; i < result.size(); ++i)
      result[i] = float(static_cast<unsigned char>(file[offset + i]));
  else if (!result.empty())
    std::memcpy(result.data(), file.data() + offset,
                result.size() * sizeof(float));
  return result;
}

std::vector<int64_t> NpyArray::integers() const {
  if (dtype != "<i8" && dtype != "<i4" && dtype != "|u1")
    fail("{}: has elements of type '{}'; save labels as int64", path, dtype);
  std::vector<int64_t> result(size_t(*elementCount(shape)));
  const char *data = file.data() + offset;
  for (size_t i = 0; i < result.size(); ++i) {
    if (dtype == "<i8") {
      std::memcpy(&result[i], data + i * 8, 8);
    } else if (dtype == "<i4") {
      int32_t value;
      std::memcpy(&value, data + i * 4, 4);
      result[i] = value;
    } else {
      result[i] = static_cast<unsigned char>(data[i]);
    }
  }
  return result;
}

void rootc::writeNpy(const std::string &path, const std::vector<int64_t> &shape,
                     const float *data) {
  // A tuple of one element needs its comma.
  std::string header = fmt::format(
      "{{'descr': '<f4', 'fortran_order': False, 'shape': ({}{}), }}",
      fmt::join(shape, ", "), shape.size() == 1 ? "," : "");
  size_t total = (10 + header.size() + 1 + 63) / 64 * 64;
  header.resize(total - 10 - 1, ' ');
  header += '\n';
  uint16_t size = uint16_t(header.size());
  std::string prefix(magic);
  prefix += '\x01';
  prefix += '\x00';
  prefix.append(reinterpret_cast<const char *>(&size), sizeof(size));
  writeFile(path, {prefix,
                   header,
                   {reinterpret_cast<const char *>(data),
                    size_t(*elementCount(shape)) * sizeof(float)}});
}
