//===- Player.cpp - Plays CUDA C++ on the CPU -----------------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "test/Cuda/Fragments.h"
#include "test/Cuda/include/cuda_runtime.h"

#include <algorithm>
#include <csetjmp>
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <map>
#include <memory>
#include <sys/mman.h>
#include <ucontext.h>
#include <vector>

uint3 threadIdx, blockIdx;
dim3 blockDim, gridDim;

// The linker's: around all shared memory. Absent where a program has none.
extern "C" {
extern char __start_rootc_played_shared[] __attribute__((weak));
extern char __stop_rootc_played_shared[] __attribute__((weak));
}

namespace {

/// Who used four bytes last: phase << 16 | thread << 4 | bytes of the four. A
/// phase is an interval between barriers of one block of one launch.
struct Cell {
  uint64_t write, read;
};
const uint64_t outside = 0, unwritten = 1, byHost = 2; // below any phase
const uint64_t manyThreads = 0xfff;
/// In `read`: blocks other than the last did as well, in the same launch.
const uint64_t manyBlocks = uint64_t(1) << 63;

uint64_t phaseOf(uint64_t stamp) { return (stamp & ~manyBlocks) >> 16; }
uint64_t threadOf(uint64_t stamp) { return stamp >> 4 & 0xfff; }

const size_t deviceBytes = size_t(8) << 30;
const size_t warpSize = 32;

void *reserve(size_t bytes) {
  void *memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) {
    perror("the player has no memory");
    abort();
  }
  return memory;
}

enum class State { Ready, Waiting, Multiplying, Done };

/// A copy to shared memory that a thread has not waited for.
struct Copy {
  char *to;
  const char *from;
  size_t bytes;
  bool exists;
};

struct Fiber {
  ucontext_t begin;
  jmp_buf at;
  std::unique_ptr<char[]> stack;
  bool started = false;
  State state = State::Done;
  int line = 0; ///< of the barrier that it waits at
  rootc_played::Fragments fragments = {};
  std::vector<Copy> copies;
};

struct Write {
  char *address = nullptr;
  size_t bytes = 0;
  char before[16];
  const char *what = nullptr;
};

class Player {
public:
  // The device.
  char *device = static_cast<char *>(reserve(deviceBytes));
  Cell *deviceCells =
      static_cast<Cell *>(reserve(deviceBytes / 4 * sizeof(Cell)));
  char *shared = __start_rootc_played_shared;
  size_t sharedBytes = static_cast<size_t>(__stop_rootc_played_shared -
                                           __start_rootc_played_shared);
  std::vector<Cell> sharedCells = std::vector<Cell>(sharedBytes / 4 + 2);
  std::string problem;

  cudaError_t allocate(void **address, size_t bytes) {
    size_t size = (bytes + 255) / 256 * 256 + 256; // a gap behind each
    size_t at = 0;
    for (const auto &[begin, length] : blocks) {
      if (begin - at >= size)
        break;
      at = begin + length;
    }
    if (bytes == 0 || at + size > deviceBytes)
      return cudaErrorMemoryAllocation;
    blocks[at] = size;
    *address = device + at;
    memset(device + at, 0xff, bytes);
    mark(at, bytes, unwritten);
    return cudaSuccess;
  }

  cudaError_t release(void *address) {
    auto found = blocks.find(static_cast<size_t>((char *)address - device));
    if (found == blocks.end())
      return cudaErrorInvalidValue;
    mark(found->first, found->second, outside);
    blocks.erase(found);
    return cudaSuccess;
  }

  bool isOnDevice(const void *address) const {
    return static_cast<size_t>((const char *)address - device) < deviceBytes;
  }

  /// All of [address, + bytes) is allocated and, to be read, written.
  bool isGood(const void *address, size_t bytes, bool toRead) {
    if (!isOnDevice(address))
      return false;
    auto begin = static_cast<size_t>((const char *)address - device);
    return std::all_of(
        deviceCells + begin / 4, deviceCells + (begin + bytes + 3) / 4,
        [&](const Cell &cell) {
          return cell.write != outside && !(toRead && cell.write == unwritten);
        });
  }

  void markByHost(void *address, size_t bytes) {
    mark(static_cast<size_t>((char *)address - device), bytes, byHost);
  }

  // Kernels.
  cudaError_t launch(const std::function<void()> &thread, dim3 grid,
                     dim3 block) {
    size_t count = size_t(block.x) * block.y * block.z;
    if (count == 0 || count > 1024 || !grid.x || !grid.y || !grid.z)
      return cudaErrorInvalidValue;
    run = &thread;
    gridDim = grid;
    blockDim = block;
    launchBegin = ++phase;
    while (fibers.size() < count)
      fibers.push_back(std::make_unique<Fiber>());
    for (unsigned z = 0; z < grid.z && problem.empty(); ++z)
      for (unsigned y = 0; y < grid.y && problem.empty(); ++y)
        for (unsigned x = 0; x < grid.x && problem.empty(); ++x) {
          blockIdx = {x, y, z};
          playBlock(count);
        }
    return problem.empty() ? cudaSuccess : cudaErrorLaunchFailure;
  }

  void wait(int line) {
    Fiber &fiber = *fibers[current];
    fiber.state = State::Waiting;
    fiber.line = line;
    leave(fiber);
  }

  void multiply(const rootc_played::Fragments &fragments) {
    Fiber &fiber = *fibers[current];
    fiber.fragments = fragments;
    fiber.state = State::Multiplying;
    leave(fiber);
  }

  void beginCopy(char *to, const char *from, size_t bytes, bool exists) {
    if (uintptr_t(to) % bytes || uintptr_t(from) % bytes)
      complain("a copy of %zu bytes from or to no multiple of as many", bytes);
    if (exists)
      access(const_cast<char *>(from), bytes, false);
    access(to, bytes, true);
    memset(to, 0xff, bytes);
    fibers[current]->copies.push_back({to, from, bytes, exists});
  }

  void endCopies() {
    for (const Copy &copy : fibers[current]->copies) {
      access(copy.to, copy.bytes, true);
      if (copy.exists)
        memcpy(copy.to, copy.from, copy.bytes);
      else
        memset(copy.to, 0, copy.bytes);
    }
    fibers[current]->copies.clear();
  }

  void access(void *address, size_t bytes, bool write) {
    if (!inKernel)
      return;
    settle();
    auto at = static_cast<size_t>((char *)address - device);
    bool isShared = at >= deviceBytes;
    if (isShared) {
      at = static_cast<size_t>((char *)address - shared);
      if (at >= sharedBytes)
        return; // a thread's own
      if (write)
        sharedUsed = {std::min(sharedUsed.first, at),
                      std::max(sharedUsed.second, at + bytes)};
    }
    Cell *cells = isShared ? sharedCells.data() : deviceCells;
    for (size_t cell = at / 4; cell * 4 < at + bytes; ++cell) {
      size_t first = std::max(at, cell * 4) - cell * 4,
             last = std::min(at + bytes, cell * 4 + 4) - cell * 4;
      uint64_t mask = (uint64_t(1) << last) - (uint64_t(1) << first);
      if (write)
        stored(cells[cell], mask, isShared, address, bytes);
      else
        loaded(cells[cell], mask, isShared);
    }
  }

private:
  std::map<size_t, size_t> blocks; ///< of the device's memory
  const std::function<void()> *run = nullptr;
  std::vector<std::unique_ptr<Fiber>> fibers;
  size_t current = 0;
  jmp_buf scheduler;
  bool inKernel = false;
  /// What blocks since the last poisoning have written: begin, end.
  std::pair<size_t, size_t> sharedUsed = {0, sharedBytes};
  uint64_t phase = 16, launchBegin = 0, blockBegin = 0;
  Write pending;

  void mark(size_t begin, size_t bytes, uint64_t stamp) {
    std::fill(deviceCells + begin / 4, deviceCells + (begin + bytes + 3) / 4,
              Cell{stamp, 0});
  }

  void complain(const char *format, ...) {
    if (!problem.empty())
      return;
    char text[256];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    char where[128];
    snprintf(where, sizeof where, ", block %u %u %u, thread %u %u %u",
             blockIdx.x, blockIdx.y, blockIdx.z, threadIdx.x, threadIdx.y,
             threadIdx.z);
    problem = std::string(text) + where;
  }

  static void enter(unsigned low, unsigned high) {
    auto *player =
        reinterpret_cast<Player *>(uintptr_t(low) | uintptr_t(high) << 32);
    for (;;) {
      (*player->run)();
      Fiber &fiber = *player->fibers[player->current];
      fiber.state = State::Done;
      player->leave(fiber);
    }
  }

  void leave(Fiber &fiber) {
    if (!_setjmp(fiber.at))
      _longjmp(scheduler, 1);
  }

  void resume(Fiber &fiber) {
    fiber.state = State::Ready;
    if (_setjmp(scheduler))
      return;
    if (fiber.started)
      _longjmp(fiber.at, 1);
    fiber.started = true;
    const size_t bytes = 256 << 10;
    if (!fiber.stack)
      fiber.stack = std::make_unique<char[]>(bytes);
    getcontext(&fiber.begin);
    fiber.begin.uc_stack.ss_sp = fiber.stack.get();
    fiber.begin.uc_stack.ss_size = bytes;
    fiber.begin.uc_link = nullptr;
    auto self = reinterpret_cast<uintptr_t>(this);
    makecontext(&fiber.begin, reinterpret_cast<void (*)()>(enter), 2,
                static_cast<unsigned>(self), static_cast<unsigned>(self >> 32));
    setcontext(&fiber.begin);
  }

  void choose(size_t thread) {
    current = thread;
    threadIdx = {unsigned(thread % blockDim.x),
                 unsigned(thread / blockDim.x % blockDim.y),
                 unsigned(thread / blockDim.x / blockDim.y)};
  }

  /// Up to the next barrier, or the end.
  void playWarp(size_t begin, size_t end) {
    do
      for (size_t t = begin; t < end && problem.empty(); ++t) {
        if (fibers[t]->state != State::Ready)
          continue;
        choose(t);
        inKernel = true;
        resume(*fibers[t]);
        settle();
        inKernel = false;
      }
    while (problem.empty() && multiplyWarp(begin, end));
  }

  /// The product that the threads of a warp have come to, if they have.
  bool multiplyWarp(size_t begin, size_t end) {
    rootc_played::Fragments *warp[warpSize];
    size_t count = 0;
    for (size_t t = begin; t < end; ++t)
      if (fibers[t]->state == State::Multiplying)
        warp[count++] = &fibers[t]->fragments;
    if (count == 0)
      return false;
    if (count < warpSize)
      complain("the product of line %d is reached by %zu of %zu threads of a "
               "warp",
               warp[0]->line, count, warpSize);
    for (size_t i = 1; i < count; ++i)
      if (warp[i]->line != warp[0]->line)
        complain("threads of a warp are at products of the lines %d and %d",
                 warp[0]->line, warp[i]->line);
    if (!problem.empty())
      return false;
    rootc_played::multiplyFragments(warp);
    for (size_t t = begin; t < end; ++t)
      fibers[t]->state = State::Ready;
    return true;
  }

  void playBlock(size_t count) {
    blockBegin = ++phase;
    if (sharedUsed.first < sharedUsed.second)
      memset(shared + sharedUsed.first, 0xff,
             sharedUsed.second - sharedUsed.first);
    sharedUsed = {sharedBytes, 0};
    for (size_t t = 0; t < count; ++t) {
      fibers[t]->state = State::Ready;
      fibers[t]->copies.clear();
    }
    for (;; ++phase) {
      size_t waiting = 0, done = 0;
      int line = 0;
      for (size_t warp = 0; warp < count && problem.empty(); warp += warpSize)
        playWarp(warp, std::min(warp + warpSize, count));
      for (size_t t = 0; t < count && problem.empty(); ++t) {
        Fiber &fiber = *fibers[t];
        choose(t);
        if (fiber.state == State::Done) {
          ++done;
          continue;
        }
        if (waiting++ && fiber.line != line)
          complain("threads wait at different barriers, of the lines %d and %d",
                   line, fiber.line);
        line = fiber.line;
        fiber.state = State::Ready;
      }
      if (problem.empty() && waiting && done)
        complain("the barrier of line %d is reached by %zu of %zu threads",
                 line, waiting, count);
      if (!problem.empty()) {
        for (auto &fiber : fibers)
          fiber->started = false; // whatever they were at
        return;
      }
      if (!waiting)
        return;
    }
  }

  uint64_t stamp(uint64_t mask) const {
    return phase << 16 | uint64_t(current) << 4 | mask;
  }
  bool ofOtherBlock(uint64_t stamp) const {
    return phaseOf(stamp) >= launchBegin && phaseOf(stamp) < blockBegin;
  }
  bool ofOtherThread(uint64_t stamp) const {
    return phaseOf(stamp) == phase && threadOf(stamp) != current;
  }

  void loaded(Cell &cell, uint64_t mask, bool isShared) {
    if (!isShared && cell.write == unwritten)
      complain("memory is read that nobody has written");
    else if (!isShared && cell.write == outside)
      complain("memory is read that is not allocated");
    else if (ofOtherThread(cell.write) && (cell.write & mask))
      complain("a race: thread %u has written what is read, without a barrier",
               unsigned(threadOf(cell.write)));
    else if (!isShared && ofOtherBlock(cell.write))
      complain("a race: another block has written what is read");
    uint64_t now = stamp(mask | (cell.read & 15));
    if (phaseOf(cell.read) < launchBegin)
      now = stamp(mask);
    else if (ofOtherBlock(cell.read) || (cell.read & manyBlocks))
      now |= manyBlocks;
    if (ofOtherThread(cell.read))
      now |= manyThreads << 4;
    cell.read = now;
  }

  void stored(Cell &cell, uint64_t mask, bool isShared, void *address,
              size_t bytes) {
    if (!isShared && cell.write == outside)
      complain("memory is written that is not allocated");
    bool both = (cell.read & mask) != 0;
    if (both && ofOtherThread(cell.read))
      complain("a race: what is written is read by another thread, without a "
               "barrier");
    else if (both && !isShared && phaseOf(cell.read) >= launchBegin &&
             (ofOtherBlock(cell.read) || (cell.read & manyBlocks)))
      complain("a race: what is written is read by another block");
    // Two may write the same value; what this one writes is known afterwards.
    if (ofOtherThread(cell.write) && (cell.write & mask))
      expect(address, bytes, "a race: two threads write different values");
    else if (!isShared && ofOtherBlock(cell.write) && (cell.write & mask))
      expect(address, bytes, "a race: two blocks write different values");
    cell.write =
        stamp(phaseOf(cell.write) == phase ? mask | (cell.write & 15) : mask);
  }

  void expect(void *address, size_t bytes, const char *what) {
    pending = {
        static_cast<char *>(address), std::min(bytes, size_t(16)), {}, what};
    memcpy(pending.before, address, pending.bytes);
  }

  void settle() {
    // Before anything that is played itself, as the standard library's
    // templates are.
    const Write before = std::exchange(pending, Write());
    if (before.address &&
        memcmp(before.before, before.address, before.bytes) != 0)
      complain("%s", before.what);
  }
};

Player &player() {
  static Player *the = new Player;
  return *the;
}

} // namespace

void rootc_played::barrier(int line) { player().wait(line); }

void rootc_played::multiply(float *d, const uint32_t *a, const uint32_t *b,
                            bool bf16, int line) {
  player().multiply({d, a, b, bf16, line});
}

void rootc_played::copy(void *to, const void *from, size_t bytes, bool exists) {
  player().beginCopy(static_cast<char *>(to), static_cast<const char *>(from),
                     bytes, exists);
}

void rootc_wait_for_copies() { player().endCopies(); }

static uint32_t bitsOf(float value) {
  uint32_t bits;
  memcpy(&bits, &value, sizeof bits);
  return bits;
}

uint32_t rootc_tf32(float value) {
  // Half of what is lost is added to the magnitude; NaN stays.
  uint32_t bits = bitsOf(value);
  return value == value ? (bits + 0x1000) & ~uint32_t(0x1fff) : bits;
}

uint32_t rootc_bf16_pair(float low, float high) {
  auto round = [](float value) {
    uint32_t bits = bitsOf(value);
    return value == value ? (bits + 0x7fff + (bits >> 16 & 1)) >> 16
                          : uint32_t(0x7fff);
  };
  return round(low) | round(high) << 16;
}

cudaError_t rootc_played::launch(const std::function<void()> &thread, dim3 grid,
                                 dim3 block) {
  return player().launch(thread, grid, block);
}

cudaError_t cudaGetDeviceCount(int *count) {
  *count = 1;
  return cudaSuccess;
}
cudaError_t cudaGetLastError() { return cudaSuccess; }

const char *cudaGetErrorString(cudaError_t error) {
  static std::string told;
  switch (error) {
  case cudaSuccess:
    return "no error";
  case cudaErrorMemoryAllocation:
    return "out of memory";
  case cudaErrorLaunchFailure:
    // The next launch begins anew.
    told = std::exchange(player().problem, "");
    return told.c_str();
  default:
    return "invalid argument";
  }
}

cudaError_t cudaMemGetInfo(size_t *unused, size_t *all) {
  *unused = *all = deviceBytes;
  return cudaSuccess;
}

cudaError_t cudaPointerGetAttributes(cudaPointerAttributes *of,
                                     const void *address) {
  of->type = player().isOnDevice(address) ? cudaMemoryTypeDevice
                                          : cudaMemoryTypeUnregistered;
  return cudaSuccess;
}

cudaError_t cudaStreamCreateWithFlags(cudaStream_t *stream, unsigned) {
  *stream = nullptr;
  return cudaSuccess;
}
cudaError_t cudaStreamSynchronize(cudaStream_t) { return cudaSuccess; }
cudaError_t cudaStreamDestroy(cudaStream_t) { return cudaSuccess; }

cudaError_t cudaMallocAsync(void **address, size_t bytes, cudaStream_t) {
  return player().allocate(address, bytes);
}
cudaError_t cudaFreeAsync(void *address, cudaStream_t) {
  return player().release(address);
}

cudaError_t cudaMemcpyAsync(void *to, const void *from, size_t bytes,
                            cudaMemcpyKind kind, cudaStream_t) {
  bool down = kind == cudaMemcpyDeviceToHost;
  if (!player().isGood(down ? from : to, bytes, down)) {
    player().problem = down ? "memory is copied to the host that nobody has "
                              "written, or that is not allocated"
                            : "memory is written by the host that is not "
                              "allocated";
    return cudaErrorLaunchFailure;
  }
  memcpy(to, from, bytes);
  if (!down)
    player().markByHost(to, bytes);
  return cudaSuccess;
}

cudaError_t cudaMemsetAsync(void *to, int value, size_t bytes, cudaStream_t) {
  if (!player().isGood(to, bytes, false))
    return cudaErrorInvalidValue;
  memset(to, value, bytes);
  player().markByHost(to, bytes);
  return cudaSuccess;
}

// What -fsanitize=thread calls.
#define ROOTC_ACCESS(bytes)                                                    \
  void __tsan_read##bytes(void *address) {                                     \
    player().access(address, bytes, false);                                    \
  }                                                                            \
  void __tsan_write##bytes(void *address) {                                    \
    player().access(address, bytes, true);                                     \
  }                                                                            \
  void __tsan_unaligned_read##bytes(void *address) {                           \
    player().access(address, bytes, false);                                    \
  }                                                                            \
  void __tsan_unaligned_write##bytes(void *address) {                          \
    player().access(address, bytes, true);                                     \
  }

#define ROOTC_ATOMIC(bits, type)                                               \
  type __tsan_atomic##bits##_load(const volatile type *at, int) {              \
    return __atomic_load_n(at, __ATOMIC_SEQ_CST);                              \
  }                                                                            \
  void __tsan_atomic##bits##_store(volatile type *at, type value, int) {       \
    __atomic_store_n(at, value, __ATOMIC_SEQ_CST);                             \
  }                                                                            \
  type __tsan_atomic##bits##_exchange(volatile type *at, type value, int) {    \
    return __atomic_exchange_n(at, value, __ATOMIC_SEQ_CST);                   \
  }                                                                            \
  type __tsan_atomic##bits##_fetch_add(volatile type *at, type value, int) {   \
    return __atomic_fetch_add(at, value, __ATOMIC_SEQ_CST);                    \
  }                                                                            \
  type __tsan_atomic##bits##_fetch_sub(volatile type *at, type value, int) {   \
    return __atomic_fetch_sub(at, value, __ATOMIC_SEQ_CST);                    \
  }                                                                            \
  int __tsan_atomic##bits##_compare_exchange_strong(                           \
      volatile type *at, type *expected, type value, int, int) {               \
    return __atomic_compare_exchange_n(at, expected, value, false,             \
                                       __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);    \
  }                                                                            \
  int __tsan_atomic##bits##_compare_exchange_weak(                             \
      volatile type *at, type *expected, type value, int, int) {               \
    return __atomic_compare_exchange_n(at, expected, value, false,             \
                                       __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);    \
  }

extern "C" {
void __tsan_init() {}
void __tsan_func_entry(void *) {}
void __tsan_func_exit() {}
ROOTC_ACCESS(1)
ROOTC_ACCESS(2)
ROOTC_ACCESS(4)
ROOTC_ACCESS(8)
ROOTC_ACCESS(16)
void __tsan_read_range(void *address, size_t bytes) {
  player().access(address, bytes, false);
}
void __tsan_write_range(void *address, size_t bytes) {
  player().access(address, bytes, true);
}
void __tsan_vptr_update(void **, void *) {}
ROOTC_ATOMIC(8, char)
ROOTC_ATOMIC(32, int)
ROOTC_ATOMIC(64, long)
void __tsan_atomic_thread_fence(int) {
  __atomic_thread_fence(__ATOMIC_SEQ_CST);
}
}
