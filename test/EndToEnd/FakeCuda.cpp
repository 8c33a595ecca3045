//===- FakeCuda.cpp - A CUDA driver that computes nothing -----------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Stands in for libcuda.so.1 where there is no GPU: memory of a "device" that
// only copies reach, and kernels that do nothing but whose arguments are
// checked: every pointer has to lie in memory that was allocated, every launch
// to be one that a GPU takes. Copies from pinned memory are made as late as the
// order of their stream allows: no other stream's kernel may touch where they
// go to, nor may the memory be unpinned meanwhile. FAKE_CUDA_DEVICES,
// FAKE_CUDA_CAPABILITY and FAKE_CUDA_MIB say what is there.
//
//===----------------------------------------------------------------------===//

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>
#include <string>
#include <vector>

namespace {

enum Result {
  Success,
  InvalidValue,
  OutOfMemory,
  NoDevice = 100,
  InvalidImage = 200,
  InvalidContext = 201,
  NotFound = 500,
  IllegalAddress = 700,
  AlreadyRegistered = 712,
  NotRegistered = 713
};

/// Where a kernel's parameter has addresses: what has 64 bits is one, and a
/// struct has them behind its first eight bytes.
struct Parameter {
  size_t begin, end;
};
/// A kernel, by what its PTX declares.
struct Kernel {
  std::vector<Parameter> parameters;
};
Parameter parameterOf(const std::string &text, size_t at) {
  const std::string structure = "align 8 .b8 ";
  if (text.compare(at, structure.size(), structure) == 0)
    return {8, size_t(std::atoll(&text[text.find('[', at) + 1]))};
  bool wide =
      text.compare(at, 3, "u64") == 0 || text.compare(at, 3, "b64") == 0;
  return {0, wide ? sizeof(uint64_t) : 0};
}
using Module = std::map<std::string, Kernel>;

std::mutex lock;
std::map<uint64_t, std::string> blocks; // by the address on the "device"
uint64_t nextAddress = uint64_t(1) << 40;
size_t used;
std::map<const char *, size_t> pinned; // bytes
int copiesAhead;                       // that were made late
size_t bytesCopied;                    // up and down

/// What a stream has to do before its next operation.
struct Copy {
  uint64_t to;
  const void *from;
  size_t bytes;
};
std::map<void *, std::vector<Copy>> waiting; // by stream
thread_local int contexts;                   // pushed
int launches;

int64_t setting(const char *name, int64_t usual) {
  const char *text = std::getenv(name);
  return text ? std::atoll(text) : usual;
}

int64_t memory() { return setting("FAKE_CUDA_MIB", 1024) << 20; }

/// The bytes at an address; null unless there are so many.
char *at(uint64_t address, size_t bytes) {
  auto block = blocks.upper_bound(address);
  if (block == blocks.begin())
    return nullptr;
  --block;
  uint64_t offset = address - block->first;
  return offset + bytes <= block->second.size() ? &block->second[offset]
                                                : nullptr;
}

bool isWithin(uint64_t address, uint64_t begin, size_t bytes) {
  return address >= begin && address < begin + bytes;
}

/// Of an address that is not null, the pinned range it lies in.
std::map<const char *, size_t>::iterator pinnedOf(const void *host) {
  auto range = pinned.upper_bound(static_cast<const char *>(host));
  if (range == pinned.begin())
    return pinned.end();
  --range;
  return static_cast<const char *>(host) < range->first + range->second
             ? range
             : pinned.end();
}

/// Makes the copies that a stream has to make first.
Result catchUp(void *stream) {
  for (const Copy &copy : waiting[stream]) {
    char *target = at(copy.to, copy.bytes);
    if (!target)
      return IllegalAddress;
    std::memcpy(target, copy.from, copy.bytes);
  }
  waiting[stream].clear();
  return Success;
}

/// Whether a copy to the address is still to be made.
bool isAwaited(uint64_t address) {
  for (const auto &[stream, copies] : waiting)
    for (const Copy &copy : copies)
      if (isWithin(address, copy.to, copy.bytes))
        return true;
  return false;
}

} // namespace

extern "C" {

int cuInit(unsigned) { return Success; }
int cuGetErrorName(int, const char **name) {
  *name = "FAKE_ERROR";
  return Success;
}
int cuDeviceGetCount(int *count) {
  *count = int(setting("FAKE_CUDA_DEVICES", 1));
  return Success;
}
int cuDeviceGet(int *device, int index) {
  *device = index;
  return Success;
}
int cuDeviceGetName(char *name, int bytes, int device) {
  std::snprintf(name, size_t(bytes), "Fake GPU %d", device);
  return Success;
}
int cuDeviceTotalMem_v2(size_t *bytes, int) {
  *bytes = size_t(memory());
  return Success;
}
int cuDeviceGetAttribute(int *value, int attribute, int) {
  int capability = int(setting("FAKE_CUDA_CAPABILITY", 86));
  *value = attribute == 75   ? capability / 10
           : attribute == 76 ? capability % 10
                             : 0;
  return attribute == 75 || attribute == 76 ? Success : InvalidValue;
}
int cuDevicePrimaryCtxRetain(void **context, int) {
  static int only;
  *context = &only;
  return Success;
}
int cuDevicePrimaryCtxRelease_v2(int) {
  if (std::getenv("FAKE_CUDA_REPORT"))
    std::fprintf(stderr,
                 "fake CUDA: %d launches, %zu blocks left, %d copies ahead, "
                 "%zu ranges pinned, %zu bytes copied\n",
                 launches, blocks.size(), copiesAhead, pinned.size(),
                 bytesCopied);
  return Success;
}
int cuCtxPushCurrent_v2(void *) {
  ++contexts;
  return Success;
}
int cuCtxPopCurrent_v2(void **) {
  --contexts;
  return Success;
}
int cuStreamCreate(void **stream, unsigned) {
  *stream = new int;
  return contexts ? Success : InvalidContext;
}
int cuStreamDestroy_v2(void *stream) {
  std::lock_guard guard(lock);
  waiting.erase(stream);
  delete static_cast<int *>(stream);
  return Success;
}
int cuStreamSynchronize(void *stream) {
  std::lock_guard guard(lock);
  return contexts ? catchUp(stream) : InvalidContext;
}
int cuMemHostRegister_v2(void *host, size_t bytes, unsigned) {
  std::lock_guard guard(lock);
  if (!contexts)
    return InvalidContext;
  // Either may lie in the other.
  auto *begin = static_cast<char *>(host);
  auto next = pinned.lower_bound(begin);
  if (pinnedOf(host) != pinned.end() ||
      (next != pinned.end() && next->first < begin + bytes))
    return AlreadyRegistered;
  pinned[begin] = bytes;
  return Success;
}
int cuMemHostUnregister(void *host) {
  std::lock_guard guard(lock);
  auto range = pinned.find(static_cast<char *>(host));
  if (!contexts || range == pinned.end())
    return NotRegistered;
  for (const auto &[stream, copies] : waiting)
    for (const Copy &copy : copies)
      if (pinnedOf(copy.from) == range) {
        std::fprintf(stderr, "fake CUDA: memory is unpinned that is copied\n");
        std::abort();
      }
  pinned.erase(range);
  return Success;
}
int cuMemGetInfo_v2(size_t *free, size_t *total) {
  std::lock_guard guard(lock);
  *total = size_t(memory());
  *free = *total - used;
  return contexts ? Success : InvalidContext;
}
int cuMemAlloc_v2(uint64_t *address, size_t bytes) {
  std::lock_guard guard(lock);
  if (!contexts)
    return InvalidContext;
  if (bytes == 0 || used + bytes > size_t(memory()))
    return OutOfMemory;
  *address = nextAddress;
  blocks[nextAddress].resize(bytes);
  nextAddress += (bytes + (1 << 20)) & ~uint64_t(0xff);
  used += bytes;
  return Success;
}
int cuMemFree_v2(uint64_t address) {
  std::lock_guard guard(lock);
  auto block = blocks.find(address);
  if (!contexts || block == blocks.end())
    return InvalidValue;
  if (isAwaited(address))
    return IllegalAddress;
  used -= block->second.size();
  blocks.erase(block);
  return Success;
}
int cuMemcpyHtoDAsync_v2(uint64_t to, const void *from, size_t bytes,
                         void *stream) {
  std::lock_guard guard(lock);
  if (!contexts || !at(to, bytes))
    return IllegalAddress;
  bytesCopied += bytes;
  waiting[stream].push_back({to, from, bytes});
  if (pinnedOf(from) == pinned.end())
    return catchUp(stream);
  ++copiesAhead;
  return Success;
}
int cuMemcpyDtoHAsync_v2(void *to, uint64_t from, size_t bytes, void *stream) {
  std::lock_guard guard(lock);
  catchUp(stream);
  const char *source = at(from, bytes);
  if (!contexts || !source || isAwaited(from))
    return IllegalAddress;
  bytesCopied += bytes;
  std::memcpy(to, source, bytes);
  return Success;
}
int cuModuleLoadDataEx(void **module, const void *data, unsigned, int *,
                       void **) {
  std::string text = static_cast<const char *>(data);
  auto made = new Module;
  const std::string entry = ".visible .entry ", parameter = ".param .";
  for (size_t begin = text.find(entry); begin != std::string::npos;
       begin = text.find(entry, begin)) {
    begin += entry.size();
    size_t open = text.find('(', begin), close = text.find(')', begin);
    Kernel &kernel = (*made)[text.substr(begin, open - begin)];
    for (size_t i = text.find(parameter, open); i < close;
         i = text.find(parameter, i + 1))
      kernel.parameters.push_back(parameterOf(text, i + parameter.size()));
  }
  *module = made;
  return made->empty() ? InvalidImage : Success;
}
int cuModuleUnload(void *module) {
  delete static_cast<Module *>(module);
  return Success;
}
int cuModuleGetFunction(void **function, void *module, const char *name) {
  auto &kernels = *static_cast<Module *>(module);
  auto found = kernels.find(name);
  if (found == kernels.end())
    return NotFound;
  *function = &found->second;
  return Success;
}
int cuFuncSetAttribute(void *, int, int) { return Success; }
int cuLaunchKernel(void *function, unsigned blocksX, unsigned blocksY,
                   unsigned blocksZ, unsigned threadsX, unsigned threadsY,
                   unsigned threadsZ, unsigned shared, void *stream,
                   void **arguments, void **) {
  std::lock_guard guard(lock);
  if (!contexts)
    return InvalidContext;
  catchUp(stream);
  uint64_t threads = uint64_t(threadsX) * threadsY * threadsZ;
  if (!blocksX || blocksX > 0x7fffffffu || !blocksY || blocksY > 65535 ||
      !blocksZ || blocksZ > 65535 || !threads || threads > 1024 ||
      threadsZ > 64 || shared > 48 << 10)
    return InvalidValue;
  const Kernel &kernel = *static_cast<Kernel *>(function);
  for (size_t i = 0; i < kernel.parameters.size(); ++i)
    for (size_t place = kernel.parameters[i].begin;
         place < kernel.parameters[i].end; place += sizeof(uint64_t)) {
      uint64_t address;
      std::memcpy(&address, static_cast<char *>(arguments[i]) + place,
                  sizeof address);
      if (!at(address, 1) || isAwaited(address))
        return IllegalAddress;
    }
  ++launches;
  return Success;
}
}
