//===- Safetensors.cpp - Files of named tensors ---------------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Safetensors.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>

using namespace rootc;
using nlohmann::json;

namespace {
constexpr size_t maximumHeader = 100 << 20;
constexpr size_t hashDigits = 32;
constexpr const char *hashKey = "rootc.hash";
constexpr const char *formatKey = "rootc.format"; ///< promises a hash
} // namespace

static std::optional<int64_t> elementSize(const std::string &dtype) {
  static const std::map<std::string, int64_t> sizes = {
      {"F64", 8}, {"I64", 8}, {"U64", 8},  {"F32", 4},     {"I32", 4},
      {"U32", 4}, {"F16", 2}, {"I16", 2},  {"U16", 2},     {"BF16", 2},
      {"I8", 1},  {"U8", 1},  {"BOOL", 1}, {"F8_E4M3", 1}, {"F8_E5M2", 1}};
  auto found = sizes.find(dtype);
  return found == sizes.end() ? std::nullopt : std::optional(found->second);
}

/// XXH3 (128 bits) of the header, with zeros for the hash itself, and the data.
static std::string computeHash(std::string header,
                               const std::vector<std::string_view> &data,
                               size_t hashPosition) {
  header.replace(hashPosition, hashDigits, hashDigits, '0');
  std::vector<std::string_view> pieces = {header};
  pieces.insert(pieces.end(), data.begin(), data.end());
  return hashOfBytes(pieces);
}

static json parseHeader(const std::string &path, const std::string &text) {
  std::set<std::string> names;
  std::string repeated;
  bool tooDeep = false;
  json header = json::parse(
      text,
      [&](int depth, json::parse_event_t event, json &value) {
        if (event == json::parse_event_t::key && depth == 1 &&
            !names.insert(value.get<std::string>()).second)
          repeated = value.get<std::string>();
        // What lies deeper than a tensor's shape takes no memory.
        if (depth <= 2 || (event != json::parse_event_t::array_start &&
                           event != json::parse_event_t::object_start))
          return true;
        tooDeep = true;
        return false;
      },
      /*allow_exceptions=*/false);
  // The parser takes a zero byte for the end, whatever comes behind it.
  if (header.is_discarded() || !header.is_object() ||
      text.find('\0') != std::string::npos)
    fail("{}: is not a safetensors file: its header is not a JSON object",
         path);
  if (tooDeep)
    fail("{}: is not a safetensors file: its header is nested too deeply",
         path);
  if (!repeated.empty())
    fail("{}: is not a safetensors file: '{}' occurs twice", path, repeated);
  return header;
}

static TensorEntry parseEntry(const std::string &path, const std::string &name,
                              const json &value, size_t dataSize,
                              int64_t &begin) {
  TensorEntry entry;
  auto damaged = [&](const char *what) {
    fail("{}: is a damaged safetensors file: tensor '{}' {}", path, name, what);
  };
  if (!value.is_object() || !value.contains("dtype") ||
      !value["dtype"].is_string() || !value.contains("shape") ||
      !value["shape"].is_array() || !value.contains("data_offsets") ||
      !value["data_offsets"].is_array() || value["data_offsets"].size() != 2)
    damaged("has no dtype, shape or data_offsets");
  auto size = [&](const json &number) -> int64_t {
    if (!number.is_number_unsigned() ||
        number.get<uint64_t>() > uint64_t(INT64_MAX))
      damaged("has a size that is not a number");
    return number.get<int64_t>();
  };
  entry.dtype = value["dtype"].get<std::string>();
  for (const json &dimension : value["shape"])
    entry.shape.push_back(size(dimension));
  begin = size(value["data_offsets"][0]);
  int64_t end = size(value["data_offsets"][1]);
  auto element = elementSize(entry.dtype);
  if (!element)
    fail("{}: tensor '{}' has the unknown type '{}'", path, name, entry.dtype);
  if (begin > end || uint64_t(end) > dataSize)
    damaged("lies outside of the data: the file is truncated");
  auto count = elementCount(entry.shape);
  auto bytes = count ? multiply(*count, *element) : std::nullopt;
  if (!bytes || *bytes != end - begin)
    damaged("does not have as many bytes as its shape says");
  entry.bytes = size_t(end - begin);
  return entry;
}

/// The header's text; `dataSize` is what the file has behind it.
static std::string readHeader(const std::string &path, size_t &dataSize) {
  uint64_t headerSize = 0;
  FileBegin begin = readBegin(path, sizeof(headerSize));
  if (begin.bytes.size() < sizeof(headerSize))
    fail("{}: is not a safetensors file: it has {} bytes", path, begin.size);
  std::memcpy(&headerSize, begin.bytes.data(), sizeof(headerSize));
  if (headerSize > maximumHeader)
    fail("{}: is not a safetensors file: it begins with no header size", path);
  size_t rest = size_t(begin.size) - sizeof(headerSize);
  if (headerSize > rest)
    fail("{}: is truncated, or not a safetensors file: its header has {} "
         "bytes, the file {}",
         path, headerSize, begin.size);
  dataSize = rest - headerSize;
  size_t before = sizeof(headerSize) + headerSize;
  begin = readBegin(path, int64_t(before));
  if (begin.size != int64_t(before + dataSize))
    fail("{}: changed while it was read", path);
  return {begin.bytes.begin() + sizeof(headerSize), begin.bytes.end()};
}

Safetensors Safetensors::read(const std::string &path) {
  Safetensors file;
  file.file = path;
  // The data are read once their size is what the header claims.
  size_t dataSize = 0;
  std::string headerText = readHeader(path, dataSize);
  size_t dataBegin = sizeof(uint64_t) + headerText.size();
  json header = parseHeader(path, headerText);

  std::map<std::string, int64_t> begins;
  std::vector<std::pair<int64_t, int64_t>> ranges;
  for (const auto &[name, value] : header.items()) {
    if (name == "__metadata__") {
      if (!value.is_object())
        fail("{}: is a damaged safetensors file: __metadata__ is no object",
             path);
      for (const auto &[key, text] : value.items()) {
        if (!text.is_string())
          fail("{}: is a damaged safetensors file: metadata '{}' is no string",
               path, key);
        file.notes[key] = text.get<std::string>();
      }
      continue;
    }
    int64_t begin = 0;
    TensorEntry entry = parseEntry(path, name, value, dataSize, begin);
    ranges.push_back({begin, begin + int64_t(entry.bytes)});
    begins[name] = begin;
    file.entries[name] = std::move(entry);
  }
  std::sort(ranges.begin(), ranges.end());
  int64_t position = 0;
  for (auto [begin, end] : ranges) {
    if (begin != position)
      fail("{}: is a damaged safetensors file: its tensors overlap or leave "
           "gaps",
           path);
    position = end;
  }
  if (uint64_t(position) != dataSize)
    fail("{}: is truncated or damaged: its tensors end at byte {} of {}", path,
         position, dataSize);

  file.bytes = readFile(path);
  if (file.bytes.size() != dataBegin + dataSize ||
      !std::equal(headerText.begin(), headerText.end(),
                  file.bytes.begin() + sizeof(uint64_t)))
    fail("{}: changed while it was read", path);
  const char *data = file.bytes.data() + dataBegin;
  for (auto &[name, entry] : file.entries)
    entry.data = data + begins[name];

  if (file.notes.count(formatKey) && !file.hashed())
    fail("{}: is damaged: its hash is missing", path);
  if (file.hashed()) {
    const std::string &hash = file.notes[hashKey];
    size_t position = headerText.find(hash);
    if (hash.size() != hashDigits || position == std::string::npos ||
        computeHash(headerText, {{data, dataSize}}, position) != hash)
      fail("{}: is damaged: its contents do not have the hash it was written "
           "with",
           path);
  }
  return file;
}

Safetensors Safetensors::of(std::string name,
                            std::map<std::string, TensorEntry> tensors) {
  Safetensors file;
  file.file = std::move(name);
  file.entries = std::move(tensors);
  return file;
}

void Safetensors::copy(const std::string &name,
                       const std::vector<int64_t> &shape,
                       float *destination) const {
  auto found = entries.find(name);
  if (found == entries.end())
    fail("{}: has no tensor '{}'", file, name);
  const TensorEntry &entry = found->second;
  if (entry.dtype != "F32")
    fail("{}: tensor '{}' has type {}; save it as F32", file, name,
         entry.dtype);
  if (entry.shape != shape)
    fail("{}: tensor '{}' has shape {}, and {} is needed", file, name,
         toString(entry.shape), toString(shape));
  if (entry.bytes)
    std::memcpy(destination, entry.data, entry.bytes);
}

void SafetensorsWriter::add(const std::string &name,
                            const std::vector<int64_t> &shape,
                            const float *data) {
  items[name] = {shape,
                 {reinterpret_cast<const char *>(data),
                  size_t(*elementCount(shape)) * sizeof(float)}};
}

void SafetensorsWriter::note(const std::string &key, const std::string &value) {
  notes[key] = value;
}

void SafetensorsWriter::write(const std::string &path,
                              const std::function<void()> &beforeRename) const {
  json header = json::object();
  std::vector<std::string_view> data;
  size_t position = 0;
  for (const auto &[name, item] : items) {
    header[name] = {{"dtype", "F32"},
                    {"shape", item.shape},
                    {"data_offsets", {position, position + item.data.size()}}};
    position += item.data.size();
    data.push_back(item.data);
  }
  header["__metadata__"] = notes;
  header["__metadata__"][formatKey] = "1";
  // Digits that nothing else in the header holds, so that it can be found.
  const std::string marker = "rootc_content_hash_goes_here____";
  header["__metadata__"][hashKey] = marker;
  std::string text =
      header.dump(-1, ' ', false, json::error_handler_t::replace);
  text.resize((text.size() + 7) / 8 * 8, ' ');
  size_t hashPosition = text.find(marker);
  text.replace(hashPosition, hashDigits, computeHash(text, data, hashPosition));
  uint64_t size = text.size();
  std::vector<std::string_view> pieces = {
      {reinterpret_cast<const char *>(&size), sizeof(size)}, text};
  pieces.insert(pieces.end(), data.begin(), data.end());
  writeFile(path, pieces, beforeRename);
}
