//===- FormatsTest.cpp - safetensors and .npy files -----------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TestSupport.h"
#include "runtime/src/Npy.h"
#include "runtime/src/Safetensors.h"
#include "runtime/src/Support.h"

#include <cstring>
#include <random>

using namespace rootc;
using namespace rootc::test;

namespace {
struct Files : testing::Test {
  TemporaryFolder folder;
  std::string path = folder.file("f");

  /// The error of reading a safetensors file with this header and data size.
  std::string read(const std::string &header, size_t data) {
    uint64_t size = header.size();
    std::string bytes(reinterpret_cast<const char *>(&size), 8);
    writeBytes(path, bytes + header + std::string(data, '\0'));
    return errorOf([&] { Safetensors::read(path); });
  }
  std::string readNpy(const std::string &bytes) {
    writeBytes(path, bytes);
    return errorOf([&] { NpyArray::read(path).floats(); });
  }
  static std::string npy(const std::string &header, size_t data) {
    std::string bytes("\x93NUMPY\x01\x00", 8);
    bytes += char(header.size());
    bytes += '\0';
    return bytes + header + std::string(data, '\0');
  }
};
} // namespace

TEST_F(Files, SafetensorsRoundTrip) {
  float a[] = {1, 2, 3, 4, 5, 6}, b = -0.5f;
  SafetensorsWriter writer;
  writer.add("b", {}, &b);
  writer.add("a", {2, 3}, a);
  writer.add("nothing", {0, 4}, nullptr);
  writer.note("key", "a \"value\"");
  writer.write(path);
  Safetensors file = Safetensors::read(path);
  EXPECT_TRUE(file.hashed());
  EXPECT_EQ(file.metadata().at("key"), "a \"value\"");
  float out[6] = {}, scalar = 0;
  file.copy("a", {2, 3}, out);
  file.copy("b", {}, &scalar);
  EXPECT_EQ(std::memcmp(a, out, sizeof(a)), 0);
  EXPECT_EQ(scalar, b);
  EXPECT_CONTAINS(errorOf([&] { file.copy("a", {3, 2}, out); }),
                  "'a' has shape [2,3], and [3,2] is needed");
  EXPECT_CONTAINS(errorOf([&] { file.copy("c", {}, out); }),
                  "has no tensor 'c'");
}

TEST_F(Files, SafetensorsDamageIsSeen) {
  std::vector<float> data(50, 1.5f);
  SafetensorsWriter writer;
  writer.add("a", {50}, data.data());
  writer.write(path);
  std::string good = readBytes(path);
  for (size_t size = 0; size < good.size(); ++size) {
    writeBytes(path, good.substr(0, size));
    EXPECT_NE(errorOf([&] { Safetensors::read(path); }), "") << size;
  }
  // Any change of a byte is seen, by the format or by the hash; blanks that pad
  // the header included.
  for (size_t at = 0; at < good.size(); ++at) {
    std::string bad = good;
    bad[at] ^= 1;
    writeBytes(path, bad);
    EXPECT_NE(errorOf([&] { Safetensors::read(path); }), "") << at;
  }
  writeBytes(path, good);
  EXPECT_EQ(errorOf([&] { Safetensors::read(path); }), "");
}

TEST_F(Files, SafetensorsMalformed) {
  auto tensor = [](const std::string &dtype, const std::string &shape,
                   const std::string &range) {
    return R"({"a":{"dtype":")" + dtype + R"(","shape":)" + shape +
           R"(,"data_offsets":)" + range + "}}";
  };
  EXPECT_EQ(read(tensor("F32", "[2]", "[0,8]"), 8), "");
  EXPECT_CONTAINS(read(tensor("F32", "[2]", "[0,8]"), 7), "truncated");
  EXPECT_CONTAINS(read(tensor("F32", "[2]", "[0,8]"), 9), "damaged");
  EXPECT_CONTAINS(read(tensor("F32", "[3]", "[0,8]"), 8), "as its shape says");
  EXPECT_CONTAINS(read(tensor("X32", "[2]", "[0,8]"), 8), "unknown type 'X32'");
  EXPECT_CONTAINS(read(tensor("F32", "[-2]", "[0,8]"), 8), "not a number");
  EXPECT_CONTAINS(read(tensor("F32", "[2.0]", "[0,8]"), 8), "not a number");
  EXPECT_CONTAINS(read(tensor("F32", "[4294967296,4294967296]", "[0,8]"), 8),
                  "as its shape says");
  EXPECT_CONTAINS(read(tensor("F32", "[4611686018427387906]", "[0,8]"), 8),
                  "as its shape says");
  EXPECT_CONTAINS(read(tensor("F32", "[2]", "[8,0]"), 8), "lies outside");
  EXPECT_CONTAINS(read(tensor("F32", "[2]", "[0,18446744073709551615]"), 8),
                  "not a number");
  EXPECT_CONTAINS(read(R"({"a":1})", 0), "has no dtype");
  EXPECT_CONTAINS(read("[1]", 0), "not a JSON object");
  EXPECT_CONTAINS(read("{", 0), "not a JSON object");
  EXPECT_CONTAINS(read(R"({"__metadata__":{"a":1}})", 0), "no string");
  EXPECT_CONTAINS(read(std::string(100000, '['), 0), "not a JSON object");
  std::string one = R"("a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]})";
  EXPECT_CONTAINS(read("{" + one + "," + one + "}", 2), "occurs twice");
  std::string two = R"("b":{"dtype":"U8","shape":[2],"data_offsets":[1,3]})";
  EXPECT_CONTAINS(read("{" + one + "," + two + "}", 3), "overlap");
  writeBytes(path, std::string(64, '\xff'));
  EXPECT_CONTAINS(errorOf([&] { Safetensors::read(path); }),
                  "not a safetensors file");
}

TEST_F(Files, NpyRoundTrip) {
  float data[] = {1, 2, 3, 4, 5, 6};
  for (std::vector<int64_t> shape :
       {std::vector<int64_t>{6}, {2, 3}, {1, 2, 3, 1}}) {
    writeNpy(path, shape, data);
    EXPECT_EQ(readBytes(path).size() % 64, 24u);
    NpyArray array = NpyArray::read(path);
    EXPECT_EQ(array.shape, shape);
    FloatArray values = array.floats();
    EXPECT_EQ(std::memcmp(values.data(), data, sizeof(data)), 0);
  }
  std::string good = readBytes(path);
  for (size_t size = 0; size < good.size(); ++size)
    EXPECT_NE(readNpy(good.substr(0, size)), "") << size;
}

TEST_F(Files, NpyMalformed) {
  auto header = [](const std::string &descr, const std::string &order,
                   const std::string &shape) {
    return "{'descr': '" + descr + "', 'fortran_order': " + order +
           ", 'shape': " + shape + ", }\n";
  };
  EXPECT_EQ(readNpy(npy(header("<f4", "False", "(2,)"), 8)), "");
  EXPECT_EQ(readNpy(npy(header("<f4", "False", "()"), 4)), "");
  EXPECT_CONTAINS(readNpy(npy(header("<f4", "True", "(2,)"), 8)), "Fortran");
  EXPECT_CONTAINS(readNpy(npy(header(">f4", "False", "(2,)"), 8)),
                  "big endian");
  EXPECT_CONTAINS(readNpy(npy(header("<f8", "False", "(2,)"), 16)),
                  "type '<f8'; save it as float32");
  EXPECT_CONTAINS(readNpy(npy(header("<f4", "False", "(3,)"), 8)),
                  "is truncated");
  EXPECT_CONTAINS(readNpy(npy(header("<f4", "False", "(2,)"), 12)),
                  "4 bytes behind");
  EXPECT_CONTAINS(readNpy(npy(header("<f4", "False", "(-2,)"), 8)),
                  "header is damaged");
  EXPECT_CONTAINS(
      readNpy(npy(header("<f4", "False", "(4294967296, 4294967296)"), 8)),
      "is truncated");
  EXPECT_CONTAINS(
      readNpy(npy(header("<f4", "False", "(99999999999999999999,)"), 8)),
      "header is damaged");
  EXPECT_CONTAINS(readNpy(npy("{'shape': (2,)}", 8)), "header is damaged");
  EXPECT_CONTAINS(readNpy(npy(header("<f999999", "False", "(2,)"), 8)),
                  "unknown type");
  EXPECT_CONTAINS(readNpy("PK\x03\x04 an .npz file"), "not a .npy file");
}

TEST_F(Files, NpyMutatedNeverCrashes) {
  float data[] = {1, 2, 3, 4, 5, 6};
  writeNpy(path, {2, 3}, data);
  std::string good = readBytes(path);
  std::mt19937 random(1);
  int refused = 0;
  for (int i = 0; i < 3000; ++i) {
    std::string bad = good;
    for (int j = 0; j < 2; ++j)
      bad[random() % 80] = char(random());
    refused += !readNpy(bad).empty();
  }
  EXPECT_GT(refused, 1000);
}

TEST_F(Files, IntegerLabels) {
  writeBytes(path,
             npy("{'descr': '|u1', 'fortran_order': False, 'shape': (2,)}", 0) +
                 std::string("\x07\xff", 2));
  EXPECT_EQ(NpyArray::read(path).integers(), (std::vector<int64_t>{7, 255}));
  float one = 1;
  writeNpy(path, {1}, &one);
  EXPECT_CONTAINS(errorOf([&] { NpyArray::read(path).integers(); }),
                  "save labels as int64");
}

TEST_F(Files, UnwritableOutputs) {
  float one = 1;
  EXPECT_CONTAINS(errorOf([&] { writeNpy(folder.path, {1}, &one); }),
                  "is a folder");
  EXPECT_CONTAINS(
      errorOf([&] { writeNpy(folder.file("no/where.npy"), {1}, &one); }),
      "cannot be written: No such file");
}

TEST(Text, SpeedHasTwoDigits) {
  for (auto [speed, text] : {std::pair(0.0314, "0.031 images/s"),
                             {0.2, "0.2 images/s"},
                             {9.96, "10 images/s"},
                             {103.4, "103 images/s"},
                             {12345, "12345 images/s"}})
    EXPECT_EQ(speedText(speed), text);
}
