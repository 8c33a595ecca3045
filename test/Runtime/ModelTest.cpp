//===- ModelTest.cpp - Loading models -------------------------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "FakeModel.h"
#include "TestSupport.h"
#include "runtime/src/ElfNote.h"
#include "runtime/src/MemoryPlan.h"

#include <algorithm>
#include <cstring>
#include <elf.h>
#include <random>
#include <thread>

using namespace rootc;
using namespace rootc::test;

namespace {
struct ModelFile : testing::Test {
  TemporaryFolder folder;
  std::string good = readBytes(ROOTC_FAKE_MODEL);

  std::string open(const std::string &bytes) {
    std::string path = folder.file("model.so");
    writeBytes(path, bytes);
    std::string message = errorOf([&] { Model::open(path); });
    EXPECT_TRUE(message.empty() || message.starts_with(path)) << message;
    return message;
  }
  /// With the hash of these bytes in the note.
  static std::string sealed(const std::string &bytes) {
    std::vector<char> file(bytes.begin(), bytes.end());
    sealModel("model.so", file);
    return {file.begin(), file.end()};
  }
  size_t notePosition() const {
    static const char owner[] = "rootc\0\0";
    return good.find(std::string(owner, 8)) + 8;
  }
};
} // namespace

TEST_F(ModelFile, Loads) {
  Model model = Model::open(ROOTC_FAKE_MODEL);
  EXPECT_STREQ(model->name, "fake");
  EXPECT_EQ(model.imageSize(), 3072);
  EXPECT_EQ(open(good), "");
}

TEST_F(ModelFile, EmptyAndForeign) {
  EXPECT_CONTAINS(open(""), "is empty");
  EXPECT_CONTAINS(open("#!/bin/sh\n"), "is not a shared library");
  EXPECT_CONTAINS(open(std::string(4096, '\xff')), "is not a shared library");
  EXPECT_CONTAINS(errorOf([] { Model::open("/proc/self/exe.missing"); }),
                  "cannot be opened");
  EXPECT_CONTAINS(errorOf([&] { Model::open(folder.path); }), "regular file");
}

TEST_F(ModelFile, LibraryWithoutNote) {
  std::string other = good;
  other[notePosition() - 8] = 'R';
  EXPECT_CONTAINS(open(other), "not a model that rootc made");
}

TEST_F(ModelFile, OtherVersionAndMachine) {
  std::string other = good;
  other[notePosition()] = char(ROOTC_ABI_VERSION + 1);
  std::string message = open(other);
  EXPECT_CONTAINS(message,
                  "ABI version " + std::to_string(ROOTC_ABI_VERSION + 1));
  EXPECT_CONTAINS(message, "compile the network again");
  other = good;
  other[offsetof(Elf64_Ehdr, e_machine)] = char(EM_RISCV);
  EXPECT_CONTAINS(open(other), "another machine");
}

TEST_F(ModelFile, DamagedNote) {
  std::string other = good;
  size_t entry = notePosition() + offsetof(rootc_note, entry);
  std::memset(other.data() + entry, 'x', sizeof(rootc_note::entry));
  EXPECT_CONTAINS(open(other), "note is damaged");
  other = good;
  other[entry] = 'g';
  EXPECT_CONTAINS(open(other), "is damaged, or was changed");
  EXPECT_CONTAINS(open(sealed(other)), "has no function 'gake_model'");
}

TEST_F(ModelFile, LinkedByOthers) {
  EXPECT_EQ(sealed(good), good);
  std::string other = good;
  std::memset(other.data() + notePosition() + offsetof(rootc_note, hash), 0,
              sizeof(rootc_note::hash));
  EXPECT_CONTAINS(open(other), "was not written by rootc");
  EXPECT_EQ(open(sealed(other)), "");
}

/// Nothing of a damaged file is run, wherever it was damaged.
TEST_F(ModelFile, DamagedAnywhere) {
  std::mt19937 random(1);
  for (int i = 0; i < 800; ++i) {
    std::string other = good;
    size_t at = random() % good.size();
    switch (i % 4) {
    case 0: // one bit
      other[at] = char(other[at] ^ 1 << random() % 8);
      break;
    case 1: // a hole
      std::fill(other.begin() + std::ptrdiff_t(at),
                other.begin() + std::ptrdiff_t(std::min(at + 512, good.size())),
                '\0');
      break;
    case 2: // bytes of another place
      other.replace(at, 64, good.substr(random() % good.size(), 64));
      break;
    default: // bytes that got lost
      other.erase(at, 1 + random() % 100);
    }
    EXPECT_TRUE(other == good || !open(other).empty()) << "damage " << i;
  }
  EXPECT_NE(open(good + '\0'), "");
}

TEST_F(ModelFile, TruncatedAnywhere) {
  for (size_t size = 0; size < good.size(); size += 97)
    EXPECT_NE(open(good.substr(0, size)), "") << "at " << size;
  EXPECT_CONTAINS(open(good.substr(0, good.size() / 2)), "is truncated");
}

TEST_F(ModelFile, MutatedHeadersNeverCrash) {
  std::mt19937 random(1);
  int refused = 0;
  for (int i = 0; i < 20000; ++i) {
    std::vector<char> bytes(good.begin(), good.end());
    for (int j = 0; j < 4; ++j)
      bytes[random() % 1024] = char(random());
    refused += !errorOf([&] { readModelNote("m.so", bytes); }).empty();
  }
  EXPECT_GT(refused, 1000);
}

TEST(ModelTable, Checked) {
  rootc_model table = *fake_model();
  EXPECT_EQ(errorOf([&] { Model::adopt(&table); }), "");
  table.struct_size -= 8;
  EXPECT_CONTAINS(errorOf([&] { Model::adopt(&table); }), "ABI version");
  table = *fake_model();
  table.statistic_count = 8;
  EXPECT_CONTAINS(errorOf([&] { Model::adopt(&table); }), "outside");
  table = *fake_model();
  table.unsupported = [] { return "it wants AVX-9000"; };
  EXPECT_CONTAINS(errorOf([&] { Model::adopt(&table); }), "AVX-9000");
  table = *fake_model();
  table.has_training = 0;
  table.train = nullptr;
  Model model = Model::adopt(&table);
  EXPECT_CONTAINS(errorOf([&] { model.requireTraining(); }),
                  "without --mode=infer");
  EXPECT_FALSE(model.canTrain());
}

TEST(ModelTable, OneClassIsNotTrained) {
  rootc_model table = *fake_model();
  EXPECT_TRUE(Model::adopt(&table).canTrain());
  table.classes = 1;
  table.response_count = 0;
  Model model = Model::adopt(&table);
  EXPECT_FALSE(model.canTrain());
  Session session(model);
  Weights weights(model);
  std::vector<float> gradients(size_t(table.parameter_count));
  for (const std::string &message :
       {errorOf([&] { model.requireTraining(); }),
        errorOf([&] { session.train({}, weights, gradients.data()); }),
        errorOf([&] { planTraining(model, 1); })}) {
    EXPECT_CONTAINS(message, "fake: has one class");
    EXPECT_CONTAINS(message, "classes(2)");
  }
}

TEST(ModelTable, DescribedWithoutCode) {
  const rootc_model &fake = *fake_model();
  rootc_model table = {};
  table.name = fake.name;
  table.target = table.description = "";
  table.height = table.width = table.channels = table.classes = 1;
  EXPECT_CONTAINS(errorOf([&] { Model::adopt(&table); }), "ABI version");
  Weights none = Weights::initialise(Model::describe(&table), 7);
  EXPECT_TRUE(none.parameters.empty());

  table.tensors = fake.tensors;
  table.tensor_count = fake.tensor_count;
  table.parameter_count = fake.parameter_count;
  table.statistic_count = fake.statistic_count;
  Weights weights = Weights::initialise(Model::describe(&table), 7);
  Weights expected = Weights::initialise(Model::adopt(&fake), 7);
  ASSERT_EQ(weights.parameters.size(), expected.parameters.size());
  EXPECT_TRUE(std::equal(weights.parameters.begin(), weights.parameters.end(),
                         expected.parameters.begin()));

  table.tensors = nullptr;
  EXPECT_CONTAINS(errorOf([&] { Model::describe(&table); }), "damaged");
  table.tensors = fake.tensors;
  table.parameter_count = 16;
  EXPECT_CONTAINS(errorOf([&] { Model::describe(&table); }), "outside");
}

TEST(Threads, Environment) {
  setenv("ROOTC_THREADS", "3", 1);
  EXPECT_EQ(defaultThreads(), 3);
  for (const char *bad : {"", "0", "-1", "two", "2x", "99999999999999999999"}) {
    setenv("ROOTC_THREADS", bad, 1);
    EXPECT_CONTAINS(errorOf([] { defaultThreads(); }), "ROOTC_THREADS");
  }
  unsetenv("ROOTC_THREADS");
  EXPECT_GE(defaultThreads(), 1);
}

TEST(Session, EightThreadsInferAsOne) {
  Model model = Model::open(ROOTC_FAKE_MODEL);
  Weights weights = Weights::initialise(model, 7);
  Prepared prepared(model, weights);
  auto pool = std::make_shared<ThreadPool>(model, 2);
  std::vector<float> images(8 * 5 * 3072);
  for (size_t i = 0; i < images.size(); ++i)
    images[i] = float(i % 251) / 251;
  std::vector<float> serial(8 * 50), parallel(8 * 50, -1e30f);
  auto infer = [&](Session &session, int part, std::vector<float> &logits) {
    session.infer(prepared, 5, images.data() + part * 5 * 3072,
                  logits.data() + part * 50);
  };
  Session session(model);
  for (int part = 0; part < 8; ++part)
    infer(session, part, serial);
  std::vector<std::thread> threads;
  for (int part = 0; part < 8; ++part)
    threads.emplace_back([&, part] {
      Session own(model, pool);
      for (int repeat = 0; repeat < 10; ++repeat)
        infer(own, part, parallel);
    });
  for (std::thread &thread : threads)
    thread.join();
  EXPECT_EQ(serial, parallel);
  EXPECT_NE(serial[0], 0);
}

TEST(Session, SaysWhyItFailed) {
  Model model = Model::open(ROOTC_FAKE_MODEL);
  Weights weights(model);
  Prepared prepared(model, weights);
  Session session(model);
  float logits[10];
  EXPECT_CONTAINS(errorOf([&] { session.infer(prepared, 0, logits, logits); }),
                  "the batch size must be at least 1");
  rootc_batch batch = {};
  batch.size = int64_t(1) << 62;
  EXPECT_CONTAINS(errorOf([&] { session.train(batch, weights, logits); }),
                  "smaller --batch");
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  // Sanitizers end the process where operator new throws.
  batch.size = int64_t(1) << 55;
  EXPECT_CONTAINS(errorOf([&] { session.train(batch, weights, logits); }),
                  "which cannot be had");
#endif
}

TEST(Responses, AreReadWhileTheBatchRuns) {
  Model model = Model::adopt(fake_model());
  Prepared prepared(model, Weights::initialise(model, 1));
  Session session(model);
  std::vector<float> images(3 * 3072), logits(3 * 10);
  for (size_t i = 0; i < images.size(); ++i)
    images[i] = float(i % 251) / 64;
  const rootc_response &cells = model.response("cells"),
                       &fc = model.response("fc");
  std::vector<int> calls;
  session.context().call_hook_state = &calls;
  session.context().call_hook = [](void *state, int32_t, int32_t call,
                                   int32_t phase) {
    static_cast<std::vector<int> *>(state)->push_back(2 * call + phase);
  };
  for (int64_t batch : {1, 3}) {
    std::vector<std::string> names;
    calls.clear();
    session.infer(prepared, batch, images.data(), logits.data(), {&fc, &cells},
                  [&](const rootc_response &response, const float *values) {
                    names.push_back(response.name);
                    if (&response == &fc) {
                      EXPECT_EQ(values, logits.data());
                      return;
                    }
                    for (int64_t n = 0; n < batch; ++n) {
                      // Pixel (4, 8) of the image is cell (1, 2).
                      const float *pixel =
                          images.data() + n * 3072 + (4 * 32 + 8) * 3;
                      const float *cell = values + ((n * 8 + 1) * 8 + 2) * 4;
                      EXPECT_EQ(cell[0], pixel[0]);
                      EXPECT_EQ(cell[1], pixel[0] + pixel[1]);
                    }
                  });
    EXPECT_EQ(names, (std::vector<std::string>{"cells", "fc"}));
    EXPECT_EQ(calls, (std::vector<int>{0, 1, 2, 3}));
  }
  // Whatever order the channels lie in, the reader gets the standard one.
  rootc_response turned = cells;
  turned.order = 2;
  std::vector<float> lying;
  session.infer(prepared, 3, images.data(), logits.data(), {&cells, &turned},
                [&](const rootc_response &response, const float *values) {
                  if (&response == &cells)
                    lying.assign(values, values + size_t(3 * 8 * 8 * 4));
                  for (size_t i = 0; &response == &turned && i < lying.size();
                       i += 4) {
                    EXPECT_EQ(values[i + 1], lying[i + 2]);
                    EXPECT_EQ(values[i + 2], lying[i + 1]);
                    EXPECT_EQ(values[i + 3], lying[i + 3]);
                  }
                });
  // The reader's exception comes out; the hook stays as it was.
  int reads = 0;
  EXPECT_EQ(errorOf([&] {
              session.infer(prepared, 1, images.data(), logits.data(),
                            {&cells, &fc},
                            [&](const rootc_response &, const float *) {
                              ++reads;
                              throw Error("enough");
                            });
            }),
            "enough");
  EXPECT_EQ(reads, 1);
  EXPECT_EQ(session.context().call_hook_state, &calls);
}

TEST(Responses, SayWhatCanBeHad) {
  Model model = Model::adopt(fake_model());
  std::string message = errorOf([&] { model.response("none"); });
  EXPECT_CONTAINS(message, "'none'");
  EXPECT_CONTAINS(message, "has no layer of that name");
  EXPECT_CONTAINS(message, "those that can be read: cells, fc");
  message = errorOf([&] { model.response("lost"); });
  EXPECT_CONTAINS(message, "within another layer's kernel, which stores the "
                           "response of 'fc'");
}

TEST(Responses, TablesAreChecked) {
  rootc_model table = *fake_model();
  auto faultOf = [&](auto &&change) {
    rootc_response response = fake_model()->responses[0];
    change(response);
    table.responses = &response;
    table.response_count = 1;
    return errorOf([&] { Model::adopt(&table); });
  };
  EXPECT_EQ(faultOf([](rootc_response &) {}), "");
  const char *fault = "a response belongs to no kernel, or lies outside";
  EXPECT_CONTAINS(faultOf([](rootc_response &r) { r.name = nullptr; }), fault);
  EXPECT_CONTAINS(faultOf([](rootc_response &r) { r.value_of = nullptr; }),
                  fault);
  EXPECT_CONTAINS(faultOf([](rootc_response &r) { r.call = 2; }), fault);
  EXPECT_CONTAINS(faultOf([](rootc_response &r) { r.call = -1; }), fault);
  EXPECT_CONTAINS(faultOf([](rootc_response &r) { r.arena = 2; }), fault);
  EXPECT_CONTAINS(faultOf([](rootc_response &r) { r.offset = 68; }), fault);
  EXPECT_CONTAINS(faultOf([](rootc_response &r) { r.offset = -64; }), fault);
  EXPECT_CONTAINS(faultOf([](rootc_response &r) { r.shape[2] = 0; }), fault);
  EXPECT_CONTAINS(faultOf([](rootc_response &r) { r.order = 0; }), fault);
  EXPECT_CONTAINS(faultOf([](rootc_response &r) { r.order = 3; }), fault);
  EXPECT_CONTAINS(faultOf([](rootc_response &r) { r.shape[0] = INT64_MAX; }),
                  fault);
  table.responses = nullptr;
  EXPECT_CONTAINS(errorOf([&] { Model::adopt(&table); }),
                  "its responses are missing");
}

TEST(ThreadPool, ForEachRethrows) {
  Model model = Model::adopt(fake_model());
  ThreadPool pool(model, 3);
  std::vector<int> seen(100);
  pool.forEach(100, [&](int64_t i) { seen[size_t(i)] += int(i); });
  for (int i = 0; i < 100; ++i)
    EXPECT_EQ(seen[size_t(i)], i);
  EXPECT_EQ(errorOf([&] {
              pool.forEach(10, [](int64_t i) {
                if (i == 7)
                  throw Error("seven");
              });
            }),
            "seven");
}

TEST(ThreadPool, MayBeTheHostPrograms) {
  Model model = Model::open(ROOTC_FAKE_MODEL);
  Prepared prepared(model, Weights::initialise(model, 7));
  std::vector<float> image(3 * 3072, 0.25f), own(3 * 10), host(3 * 10);
  Session(model).infer(prepared, 3, image.data(), own.data());
  // Backwards, on the calling thread.
  int64_t tasks = 0;
  rootc_parallel_for run = [](void *pool, rootc_task task, void *state,
                              int64_t count) {
    *static_cast<int64_t *>(pool) += count;
    int status = ROOTC_OK;
    for (int64_t i = count; i-- > 0;)
      if (int failed = task(state, i))
        status = failed;
    return status;
  };
  auto pool = std::make_shared<ThreadPool>(model, run, &tasks, 2);
  EXPECT_EQ(pool->threads(), 2);
  Session(model, pool).infer(prepared, 3, image.data(), host.data());
  EXPECT_EQ(own, host);
  int64_t ofKernels = tasks;
  EXPECT_GT(ofKernels, 0);
  pool->forEach(5, [](int64_t) {});
  EXPECT_EQ(tasks, ofKernels + 5);
}

TEST(Arena, MayComeFromTheHostProgram) {
  struct Heap {
    size_t given = 0, taken = 0, alignment = 0;
    bool empty = false;
  } heap;
  setArenaAllocator(
      {[](void *state, size_t bytes, size_t alignment) -> void * {
         auto &heap = *static_cast<Heap *>(state);
         heap.given += bytes;
         heap.alignment = alignment;
         size_t whole = (bytes + alignment - 1) / alignment * alignment;
         return heap.empty ? nullptr : std::aligned_alloc(alignment, whole);
       },
       [](void *state, void *memory, size_t bytes) {
         static_cast<Heap *>(state)->taken += bytes;
         std::free(memory);
       },
       &heap});
  {
    FloatArray small(1000);
    EXPECT_EQ(heap.alignment, 64u);
    FloatArray large(1 << 20);
    EXPECT_EQ(heap.alignment, size_t(2) << 20);
    EXPECT_EQ(heap.given, sizeof(float) * (1000 + (1 << 20)));
    EXPECT_EQ(reinterpret_cast<uintptr_t>(large.data()) % 64, 0u);
  }
  EXPECT_EQ(heap.taken, heap.given);
  heap.empty = true;
  EXPECT_THROW(FloatArray(10), std::bad_alloc);
  setArenaAllocator({});
}
