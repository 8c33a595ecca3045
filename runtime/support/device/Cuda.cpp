//===- Cuda.cpp - GPUs of NVIDIA's, through their driver ------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The driver's interface, without its headers: no toolkit is needed to build
// this or to run it. A device's primary context is used, as the CUDA runtime
// does, so memory of other libraries in the process is in the same one.
//
//===----------------------------------------------------------------------===//

#include "runtime/support/device/Driver.h"

namespace {

/// Every function returns one of these; zero is success.
typedef int CudaResult;

struct CudaDriver {
  CudaResult (*init)(unsigned flags);
  CudaResult (*errorName)(CudaResult, const char **name);
  CudaResult (*deviceCount)(int *count);
  CudaResult (*deviceGet)(int *device, int index);
  CudaResult (*deviceName)(char *name, int bytes, int device);
  CudaResult (*deviceMemory)(size_t *bytes, int device);
  CudaResult (*deviceAttribute)(int *value, int attribute, int device);
  CudaResult (*contextRetain)(void **context, int device);
  CudaResult (*contextRelease)(int device);
  CudaResult (*contextPush)(void *context);
  CudaResult (*contextPop)(void **context);
  CudaResult (*streamCreate)(void **stream, unsigned flags);
  CudaResult (*streamDestroy)(void *stream);
  CudaResult (*streamSynchronize)(void *stream);
  CudaResult (*memoryInfo)(size_t *free, size_t *total);
  CudaResult (*memoryAllocate)(uint64_t *address, size_t bytes);
  CudaResult (*memoryFree)(uint64_t address);
  CudaResult (*hostRegister)(void *host, size_t bytes, unsigned flags);
  CudaResult (*hostUnregister)(void *host);
  CudaResult (*copyToDevice)(uint64_t to, const void *from, size_t bytes,
                             void *stream);
  CudaResult (*copyToHost)(void *to, uint64_t from, size_t bytes, void *stream);
  CudaResult (*moduleLoad)(void **module, const void *text, unsigned count,
                           int *options, void **values);
  CudaResult (*moduleUnload)(void *module);
  CudaResult (*moduleFunction)(void **function, void *module, const char *name);
  CudaResult (*functionAttribute)(void *function, int attribute, int value);
  CudaResult (*launch)(void *function, unsigned blocksX, unsigned blocksY,
                       unsigned blocksZ, unsigned threadsX, unsigned threadsY,
                       unsigned threadsZ, unsigned sharedBytes, void *stream,
                       void **arguments, void **extra);
};

CudaDriver cuda;
pthread_mutex_t cudaLock = PTHREAD_MUTEX_INITIALIZER;
bool cudaLoaded; // guarded by cudaLock

// Of the driver's enumerations.
const int outOfDevice = 2, noDevice = 100;
const int capabilityMajor = 75, capabilityMinor = 76; // of CUdevice_attribute
const int maxDynamicShared = 8;                       // of CUfunction_attribute
const unsigned nonBlocking = 1;                       // of CUstream_flags

/// What a block has without being asked for more.
const int usualShared = 48 << 10;

int cudaError(rootc_context *context, const char *what, CudaResult result) {
  if (!result)
    return ROOTC_OK;
  const char *name = nullptr;
  if (cuda.errorName(result, &name) || !name)
    name = "an unknown error";
  rootc_support_error(context, "CUDA: %s: %s (%d)", what, name, result);
  return result == outOfDevice ? ROOTC_ERROR_MEMORY : ROOTC_ERROR_DEVICE;
}

/// Loads the driver and starts it, once.
bool startCuda(rootc_context *context) {
  const char *remedy =
      "the model needs a GPU of NVIDIA's and its driver: install the driver, "
      "or compile the network for the CPU, with --target=host";
#define ROOTC_DRIVER_FUNCTION(member, name)                                    \
  {                                                                            \
    (void **)&cuda.member, name                                                \
  }
  const DriverFunction functions[] = {
      ROOTC_DRIVER_FUNCTION(init, "cuInit"),
      ROOTC_DRIVER_FUNCTION(errorName, "cuGetErrorName"),
      ROOTC_DRIVER_FUNCTION(deviceCount, "cuDeviceGetCount"),
      ROOTC_DRIVER_FUNCTION(deviceGet, "cuDeviceGet"),
      ROOTC_DRIVER_FUNCTION(deviceName, "cuDeviceGetName"),
      ROOTC_DRIVER_FUNCTION(deviceMemory, "cuDeviceTotalMem_v2"),
      ROOTC_DRIVER_FUNCTION(deviceAttribute, "cuDeviceGetAttribute"),
      ROOTC_DRIVER_FUNCTION(contextRetain, "cuDevicePrimaryCtxRetain"),
      ROOTC_DRIVER_FUNCTION(contextRelease, "cuDevicePrimaryCtxRelease_v2"),
      ROOTC_DRIVER_FUNCTION(contextPush, "cuCtxPushCurrent_v2"),
      ROOTC_DRIVER_FUNCTION(contextPop, "cuCtxPopCurrent_v2"),
      ROOTC_DRIVER_FUNCTION(streamCreate, "cuStreamCreate"),
      ROOTC_DRIVER_FUNCTION(streamDestroy, "cuStreamDestroy_v2"),
      ROOTC_DRIVER_FUNCTION(streamSynchronize, "cuStreamSynchronize"),
      ROOTC_DRIVER_FUNCTION(memoryInfo, "cuMemGetInfo_v2"),
      ROOTC_DRIVER_FUNCTION(memoryAllocate, "cuMemAlloc_v2"),
      ROOTC_DRIVER_FUNCTION(memoryFree, "cuMemFree_v2"),
      ROOTC_DRIVER_FUNCTION(hostRegister, "cuMemHostRegister_v2"),
      ROOTC_DRIVER_FUNCTION(hostUnregister, "cuMemHostUnregister"),
      ROOTC_DRIVER_FUNCTION(copyToDevice, "cuMemcpyHtoDAsync_v2"),
      ROOTC_DRIVER_FUNCTION(copyToHost, "cuMemcpyDtoHAsync_v2"),
      ROOTC_DRIVER_FUNCTION(moduleLoad, "cuModuleLoadDataEx"),
      ROOTC_DRIVER_FUNCTION(moduleUnload, "cuModuleUnload"),
      ROOTC_DRIVER_FUNCTION(moduleFunction, "cuModuleGetFunction"),
      ROOTC_DRIVER_FUNCTION(functionAttribute, "cuFuncSetAttribute"),
      ROOTC_DRIVER_FUNCTION(launch, "cuLaunchKernel")};
#undef ROOTC_DRIVER_FUNCTION
  pthread_mutex_lock(&cudaLock);
  if (!cudaLoaded &&
      loadDriver(context, "libcuda.so.1", "CUDA driver", remedy, functions,
                 sizeof functions / sizeof functions[0])) {
    CudaResult result = cuda.init(0);
    if (result == noDevice)
      rootc_support_error(context, "the CUDA driver finds no GPU; %s", remedy);
    else
      cudaLoaded = cudaError(context, "the driver cannot be started", result) ==
                   ROOTC_OK;
  }
  bool loaded = cudaLoaded;
  pthread_mutex_unlock(&cudaLock);
  return loaded;
}

struct CudaDevice {
  int device;
  void *context;
};

/// Makes a device's context the thread's.
class CudaScope {
public:
  explicit CudaScope(void *state) : device(*(CudaDevice *)state) {
    cuda.contextPush(device.context);
  }
  ~CudaScope() {
    void *old;
    cuda.contextPop(&old);
  }
  CudaScope(const CudaScope &) = delete;
  CudaDevice &device;
};

int32_t countCuda(rootc_context *context) {
  int count = 0;
  if (!startCuda(context) ||
      cudaError(context, "counting devices", cuda.deviceCount(&count)))
    return -1;
  return count;
}

/// Of the target's "cuda_capability_86": 86.
int targetCapability() {
  const char prefix[] = "cuda_capability_";
  const char *found = strstr(rootc_host.model->target, prefix);
  return found ? atoi(found + sizeof prefix - 1) : 0;
}

int describeCuda(rootc_context *context, int32_t index,
                 rootc_device_info *info) {
  *info = {};
  int device = 0, major = 0, minor = 0, needed = targetCapability();
  size_t bytes = 0;
  int status =
      cudaError(context, "finding a device", cuda.deviceGet(&device, index));
  if (status == ROOTC_OK)
    status = cudaError(context, "asking for a device's name",
                       cuda.deviceName(info->name, sizeof info->name, device));
  if (status == ROOTC_OK)
    status = cudaError(context, "asking for a device's memory",
                       cuda.deviceMemory(&bytes, device));
  const char *capability = "asking for a device's compute capability";
  if (status == ROOTC_OK)
    status = cudaError(context, capability,
                       cuda.deviceAttribute(&major, capabilityMajor, device));
  if (status == ROOTC_OK)
    status = cudaError(context, capability,
                       cuda.deviceAttribute(&minor, capabilityMinor, device));
  info->memory_bytes = int64_t(bytes);
  if (status == ROOTC_OK && 10 * major + minor < needed)
    snprintf(info->problem, sizeof info->problem,
             "is of compute capability %d.%d, and the model was compiled for "
             "%d.%d; compile the network with a --target of at most "
             "cuda_capability_%d%d",
             major, minor, needed / 10, needed % 10, major, minor);
  return status;
}

int openCuda(rootc_context *context, int32_t index, void **state) {
  auto *made = (CudaDevice *)calloc(1, sizeof(CudaDevice));
  if (!made) {
    rootc_support_error(context, "memory ran out");
    return ROOTC_ERROR_MEMORY;
  }
  int status = cudaError(context, "finding a device",
                         cuda.deviceGet(&made->device, index));
  if (status == ROOTC_OK)
    status = cudaError(context, "opening a device",
                       cuda.contextRetain(&made->context, made->device));
  if (status != ROOTC_OK)
    free(made);
  else
    *state = made;
  return status;
}

void closeCuda(void *state) {
  cuda.contextRelease(((CudaDevice *)state)->device);
  free(state);
}

int openCudaStream(rootc_context *context, void *state, void **stream) {
  CudaScope scope(state);
  return cudaError(context, "making a stream",
                   cuda.streamCreate(stream, nonBlocking));
}

void closeCudaStream(void *state, void *stream) {
  CudaScope scope(state);
  cuda.streamDestroy(stream);
}

int synchroniseCuda(rootc_context *context, void *state, void *stream) {
  CudaScope scope(state);
  return cudaError(context, "running kernels", cuda.streamSynchronize(stream));
}

int64_t freeCudaBytes(void *state, int64_t *largest) {
  CudaScope scope(state);
  size_t left = 0, total = 0;
  cuda.memoryInfo(&left, &total);
  *largest = int64_t(left);
  return *largest;
}

uint64_t allocateCuda(void *state, size_t bytes) {
  CudaScope scope(state);
  uint64_t address = 0;
  return cuda.memoryAllocate(&address, bytes) ? 0 : address;
}

void freeCuda(void *state, uint64_t address, size_t) {
  CudaScope scope(state);
  cuda.memoryFree(address);
}

int uploadCuda(rootc_context *context, void *state, void *stream, uint64_t to,
               const void *from, size_t bytes) {
  CudaScope scope(state);
  return cudaError(context, "copying to the device",
                   cuda.copyToDevice(to, from, bytes, stream));
}

int downloadCuda(rootc_context *context, void *state, void *stream, void *to,
                 uint64_t from, size_t bytes) {
  CudaScope scope(state);
  return cudaError(context, "copying to the host",
                   cuda.copyToHost(to, from, bytes, stream));
}

bool pinCuda(void *state, void *host, size_t bytes) {
  CudaScope scope(state);
  return cuda.hostRegister(host, bytes, 0) == 0;
}

void unpinCuda(void *state, void *host) {
  CudaScope scope(state);
  cuda.hostUnregister(host);
}

int loadCuda(rootc_context *context, void *state, const char *text,
             void **module) {
  CudaScope scope(state);
  // A limit of registers is taken for a wish: loops are unrolled until they are
  // all in use, and then spill.
  return cudaError(context, "assembling a kernel",
                   cuda.moduleLoad(module, text, 0, nullptr, nullptr));
}

void unloadCuda(void *state, void *module) {
  CudaScope scope(state);
  cuda.moduleUnload(module);
}

int findCuda(rootc_context *context, void *state, void *module,
             const char *name, void **function) {
  CudaScope scope(state);
  return cudaError(context, "finding a kernel",
                   cuda.moduleFunction(function, module, name));
}

void releaseCuda(void *, void *) {} // with its module

int launchCuda(rootc_context *context, void *state, void *stream,
               void *function, const rootc_launch *launch) {
  int count = 0;
  while (launch->sizes[count])
    ++count;
  auto *arguments = (void **)__builtin_alloca((count + 1) * sizeof(void *));
  for (int i = 0; i < count; ++i)
    arguments[i] = launch->isBuffer[i]
                       ? &((rootc_kernel_buffer *)launch->arguments[i])->device
                       : launch->arguments[i];
  CudaScope scope(state);
  if (launch->shared_bytes > usualShared) {
    int status = cudaError(context, "asking for shared memory",
                           cuda.functionAttribute(function, maxDynamicShared,
                                                  launch->shared_bytes));
    if (status != ROOTC_OK)
      return status;
  }
  return cudaError(context, "starting a kernel",
                   cuda.launch(function, launch->blocks[0], launch->blocks[1],
                               launch->blocks[2], launch->threads[0],
                               launch->threads[1], launch->threads[2],
                               launch->shared_bytes, stream, arguments,
                               nullptr));
}

} // namespace

const rootc_device_api *rootc_support_cuda(void) {
  static const rootc_device_api api = {
      "cuda",          false,         countCuda,      describeCuda,
      openCuda,        closeCuda,     openCudaStream, closeCudaStream,
      synchroniseCuda, freeCudaBytes, allocateCuda,   freeCuda,
      uploadCuda,      downloadCuda,  pinCuda,        unpinCuda,
      loadCuda,        unloadCuda,    findCuda,       releaseCuda,
      launchCuda};
  return &api;
}
