//===- MalformedTensorsTest.cpp - Damaged .npy and safetensors files ------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "MalformedFiles.h"
#include "runtime/src/Npy.h"
#include "runtime/src/Safetensors.h"

#include <cstring>
#include <random>

using namespace rootc;
using namespace rootc::test;

namespace {
/// Files of tensors. They are made longer than what is written by a hole, which
/// takes no disk; that it is not read shows in the memory.
struct MalformedTensors : MalformedFiles {
  TemporaryFolder folder;
  std::string path = folder.file("x");

  template <typename Read>
  std::string error(const std::string &bytes, int64_t size, const Read &read) {
    writeBytes(path, bytes);
    std::filesystem::resize_file(path, uintmax_t(size));
    return errorOfReading([&] { read(path); });
  }
  std::string npy(const std::string &bytes, int64_t size = -1) {
    return error(bytes, size < 0 ? int64_t(bytes.size()) : size,
                 [](const std::string &path) {
                   NpyArray array = NpyArray::read(path);
                   if (array.dtype == "<i8")
                     array.integers();
                   else
                     array.floats(true);
                 });
  }
  static std::string npyHeader(const std::string &descr,
                               const std::string &shape, size_t data = 0,
                               const std::string &order = "False") {
    std::string text = "{'descr': " + descr + ", 'fortran_order': " + order +
                       ", 'shape': " + shape + ", }\n";
    return std::string("\x93NUMPY\x01\x00", 8) + char(text.size()) + '\0' +
           text + std::string(data, '\0');
  }
  std::string tensors(const std::string &bytes, int64_t size = -1) {
    return error(bytes, size < 0 ? int64_t(bytes.size()) : size,
                 [](const std::string &path) { Safetensors::read(path); });
  }
  static std::string withSize(uint64_t size, const std::string &text) {
    return std::string(reinterpret_cast<const char *>(&size), 8) + text;
  }
  static std::string tensor(const std::string &dtype, const std::string &shape,
                            const std::string &range, size_t data = 0) {
    std::string text = R"({"a":{"dtype":)" + dtype + R"(,"shape":)" + shape +
                       R"(,"data_offsets":)" + range + "}}";
    return withSize(text.size(), text) + std::string(data, '\0');
  }
};
constexpr int64_t terabyte = int64_t(1) << 40;
const std::string png = "\x89PNG\r\n\x1a\n" + std::string(40, '\1');
} // namespace

TEST_F(MalformedTensors, NpyClaims) {
  std::string good = npyHeader("'<f4'", "(2, 3)", 24);
  EXPECT_EQ(npy(good), "");
  EXPECT_CONTAINS(npy(good, terabyte), "bytes behind");
  std::string bad = good;
  bad[8] = bad[9] = '\xff';
  EXPECT_CONTAINS(npy(bad, terabyte), "damaged");
  std::string version2 = good;
  version2[6] = 2;
  version2.replace(8, 2, "\xff\xff\xff\x7f");
  EXPECT_CONTAINS(npy(version2, terabyte), "header of 2147483647 bytes");
  EXPECT_CONTAINS(npy(version2), "header of 2147483647 bytes");
  for (int version : {0, 4, 127, 255}) {
    bad = good;
    bad[6] = char(version);
    EXPECT_CONTAINS(npy(bad), "unknown version");
  }
  for (const char *shape :
       {"(1099511627776, 3)", "(4611686018427387904, 4)", "(2, 3", "(2; 3)",
        "(2.0, 3)", "[2, 3]", "('2', 3)", "(-2, -3)", "2", "(2, 3, 1, 2)",
        "(9223372036854775808,)", "(0, 3)", "()", "(1e3,)", "(,)", "None"})
    EXPECT_NE(npy(npyHeader("'<f4'", shape, 24)), "") << shape;
  for (const char *descr : {"'<f'",
                            "''",
                            "'<f-4'",
                            "'|O8'",
                            "'<c0'",
                            "'|V0'",
                            "'<U0'",
                            "'|S24'",
                            "'<V99999'",
                            "'f4'",
                            "'<f18446744073709551615'",
                            "'",
                            "None",
                            "4",
                            "[('a', '<f4')]",
                            "'<f8'",
                            "'>f4'",
                            "'<u4'",
                            "'<c8'",
                            "'<f2'"})
    EXPECT_NE(npy(npyHeader(descr, "(2, 3)", 24)), "") << descr;
  // Elements of no bytes: as many as one likes fit into any file.
  for (const char *descr : {"'<c0'", "'|V0'", "'<f0'", "'|u0'", "'<i00'"})
    EXPECT_CONTAINS(npy(npyHeader(descr, "(1099511627776,)")), "empty type");
  EXPECT_NE(npy(npyHeader("'<f4'", "(2, 3)", 24, "True")), "");
  EXPECT_NE(npy(npyHeader("'<f4'", "(2, 3)", 24, "0")), "");
  EXPECT_NE(npy(npyHeader("'<f4'", "(2, 3), 'more': 1", 24)), "");
  EXPECT_NE(npy(png), "");
}

TEST_F(MalformedTensors, NpyTruncatedAndMutated) {
  for (const std::string &good :
       {npyHeader("'<f4'", "(2, 3)", 24), npyHeader("'|u1'", "(6,)", 6),
        npyHeader("'<i8'", "(3,)", 24)}) {
    EXPECT_EQ(npy(good), "");
    for (size_t size = 0; size < good.size(); ++size)
      EXPECT_NE(npy(good.substr(0, size)), "") << size;
    std::mt19937 random(3);
    for (int i = 0; i < 300; ++i) {
      std::string bad = good;
      bad[random() % (good.size() - 6)] = char(random());
      npy(bad, i % 3 ? -1 : terabyte);
    }
  }
  EXPECT_GT(refused, tried / 2);
}

TEST_F(MalformedTensors, SafetensorsClaims) {
  std::string good = tensor(R"("F32")", "[2]", "[0,8]", 8);
  EXPECT_EQ(tensors(good), "");
  EXPECT_CONTAINS(tensors(good, terabyte), "its tensors end at byte 8");
  for (uint64_t size : {uint64_t(1), uint64_t(1) << 20, uint64_t(100) << 20,
                        uint64_t(1) << 30, uint64_t(1) << 62, ~uint64_t(0)})
    EXPECT_NE(tensors(withSize(size, good.substr(8))), "") << size;
  EXPECT_CONTAINS(tensors(withSize(~uint64_t(0), good.substr(8)), terabyte),
                  "no header size");
  // A header of 200,000 brackets, and arrays in a shape.
  std::string deep = R"({"a":)" + std::string(200'000, '[');
  EXPECT_NE(tensors(withSize(deep.size(), deep)), "");
  deep += std::string(200'000, ']') + "}";
  EXPECT_CONTAINS(tensors(withSize(deep.size(), deep)), "nested too deeply");
  EXPECT_NE(tensors(tensor(R"("F32")", "[[7],2]", "[0,8]", 8)), "");
  for (const char *shape :
       {"[1099511627776]", "[4611686018427387904,4]", "[-2]", "[2.0]",
        "[\"2\"]", "[null]", "2", "{}", "[2,3]", "[]", "[0]", "[1e1]",
        "[18446744073709551616]", "[true]"})
    EXPECT_NE(tensors(tensor(R"("F32")", shape, "[0,8]", 8)), "") << shape;
  for (const char *range :
       {"[0,9]", "[8,0]", "[0,1099511627776]", "[-8,0]", "[0]", "[0,8,16]",
        "[0.0,8.0]", "{}", "null", "[4,12]", "[0,18446744073709551615]"})
    EXPECT_NE(tensors(tensor(R"("F32")", "[2]", range, 8)), "") << range;
  for (const char *dtype : {R"("F16")", R"("f32")", R"("")", "32", "null", "[]",
                            R"("F32 ")", R"("F64")"})
    EXPECT_NE(tensors(tensor(dtype, "[2]", "[0,8]", 8)), "") << dtype;
  for (const char *text :
       {"", "{", "[]", "null", "1", "{\"a\":{}}", "{\"a\":[]}", "{} {}",
        "{\"__metadata__\":[]}", "{\"__metadata__\":{\"a\":[]}}", "\xff\xfe",
        "{\"\xff\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[0,4]}}"})
    EXPECT_NE(tensors(withSize(std::strlen(text), text) + "\1\2\3\4"), "")
        << text;
  EXPECT_NE(tensors(png), "");
}

TEST_F(MalformedTensors, SafetensorsTruncatedAndMutated) {
  float values[] = {1, 2, 3, 4};
  SafetensorsWriter writer;
  writer.add("conv.filter", {2, 2}, values);
  writer.add("conv.bias", {1}, values);
  writer.note("rootc.model", "net");
  writer.write(path);
  for (const std::string &good :
       {readBytes(path), tensor(R"("F32")", "[2]", "[0,8]", 8)}) {
    EXPECT_EQ(tensors(good), "");
    for (size_t size = 0; size < good.size(); ++size)
      EXPECT_NE(tensors(good.substr(0, size)), "") << size;
    std::mt19937 random(4);
    for (int i = 0; i < 300; ++i) {
      std::string bad = good;
      for (int j = 0; j < 1 + i % 3; ++j)
        bad[random() % good.size()] = char(random());
      tensors(bad, i % 3 ? -1 : terabyte);
    }
  }
  EXPECT_GT(refused, tried / 2);
}
