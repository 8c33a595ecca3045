//===- EventFile.cpp - Scalars for TensorBoard ----------------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "EventFile.h"

#include <bit>
#include <string_view>

using namespace rootc;

/// CRC-32C (Castagnoli), bit by bit: a run writes some kilobytes.
static uint32_t checksum(std::string_view bytes) {
  uint32_t crc = ~0u;
  for (char byte : bytes) {
    crc ^= static_cast<unsigned char>(byte);
    for (int bit = 0; bit < 8; ++bit)
      crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78u : 0u);
  }
  return ~crc;
}

template <typename T> static std::string littleEndian(T value) {
  std::string bytes;
  for (size_t i = 0; i < sizeof(T); ++i)
    bytes += char(value >> (8 * i) & 0xff);
  return bytes;
}

static std::string record(const std::string &data) {
  auto masked = [](const std::string &bytes) {
    return littleEndian(std::rotr(checksum(bytes), 15) + 0xa282ead8u);
  };
  std::string length = littleEndian(uint64_t(data.size()));
  return length + masked(length) + data + masked(data);
}

// Fields of protocol buffers: a number and a kind, then the value.

static std::string varint(uint64_t value) {
  std::string bytes;
  for (; value >= 128; value >>= 7)
    bytes += char(value % 128 + 128);
  return bytes + char(value);
}

static std::string head(int field, int kind) {
  return varint(uint64_t(field * 8 + kind));
}

static std::string bytesField(int field, const std::string &bytes) {
  return head(field, 2) + varint(bytes.size()) + bytes;
}

std::string rootc::eventFile(const std::vector<ScalarEvent> &events) {
  auto begin = [](double time) {
    return head(1, 1) + littleEndian(std::bit_cast<uint64_t>(time));
  };
  double first = events.empty() ? 0 : events.front().time;
  std::string file = record(begin(first) + bytesField(3, "brain.Event:2"));
  for (const ScalarEvent &event : events) {
    std::string summary;
    for (const auto &[tag, value] : event.values)
      summary += bytesField(
          1, bytesField(1, tag) + head(2, 5) +
                 littleEndian(std::bit_cast<uint32_t>(float(value))));
    file += record(begin(event.time) + head(2, 0) +
                   varint(uint64_t(event.step)) + bytesField(5, summary));
  }
  return file;
}
