//===- Cuda.cpp - Runs the calls of a model's table on a GPU --------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Takes the place of Program.cpp, Cpu.cpp and Halide.cpp in what --emit=cuda
// writes. A program runs on the current device of its thread, in one stream:
// arguments that lie in the host's memory are copied there, its kernels are
// launched in order, and what they wrote is copied back. Arguments may lie in
// the device's memory (cudaMalloc), labels excepted, which the host checks;
// then nothing is copied. So may the workspace, of which the device has one of
// its own otherwise.
//
//===----------------------------------------------------------------------===//

#include "CudaFunctions.h"
#include "Support.h"

namespace {

/// One run of a program: what its kernels are launched with.
struct rootc_cuda_device {
  rootc_context *context;
  cudaStream_t stream;
  int n;      ///< the batch, or an update's count of floats
  int status; ///< ROOTC_OK until something fails

  void fail(cudaError_t error, const char *what) {
    if (status != ROOTC_OK)
      return;
    status = error == cudaErrorMemoryAllocation ? ROOTC_ERROR_MEMORY
                                                : ROOTC_ERROR_KERNEL;
    rootc_support_error(context, "%s: %s", what, cudaGetErrorString(error));
  }

  void *allocate(int64_t bytes) {
    void *memory = nullptr;
    if (status != ROOTC_OK)
      return nullptr;
    cudaError_t error = cudaMallocAsync(&memory, (size_t)bytes, stream);
    if (error == cudaSuccess)
      return memory;
    (void)cudaGetLastError(); // which would be told again
    size_t unused = 0, all = 0;
    cudaMemGetInfo(&unused, &all);
    status = ROOTC_ERROR_MEMORY;
    rootc_support_error(context,
                        "%lld bytes of the device's memory are needed at once, "
                        "of %llu, of which %llu are free: %s; use a smaller "
                        "batch",
                        (long long)bytes, (unsigned long long)all,
                        (unsigned long long)unused, cudaGetErrorString(error));
    return nullptr;
  }

  void copy(void *to, const void *from, int64_t bytes, cudaMemcpyKind kind) {
    if (status != ROOTC_OK)
      return;
    cudaError_t error = cudaMemcpyAsync(to, from, (size_t)bytes, kind, stream);
    if (error != cudaSuccess)
      fail(error, "copying to or from the device");
  }

  template <typename... Parameters, typename... Arguments>
  void launch(void (*kernel)(Parameters...), dim3 grid, dim3 block,
              const Arguments &...given) {
    if (status == ROOTC_OK && (int)grid.x > 0)
      start<Parameters...>(kernel, grid, block, given...);
  }

private:
  template <typename... Parameters>
  void start(void (*kernel)(Parameters...), dim3 grid, dim3 block,
             Parameters... given) {
    void *arguments[] = {(void *)&given...};
    cudaError_t error =
        cudaLaunchKernel(kernel, grid, block, arguments, 0, stream);
    if (error != cudaSuccess)
      fail(error, "launching it");
  }
};

/// Device memory between two kernels of a call, whose order the stream keeps.
template <typename T> class rootc_cuda_temporary {
public:
  rootc_cuda_temporary(rootc_cuda_device &device, int64_t count)
      : device(device) {
    // What kernels' indices reach.
    if (count > ROOTC_MAX_ELEMENTS && device.status == ROOTC_OK) {
      device.status = ROOTC_ERROR_MEMORY;
      rootc_support_error(device.context,
                          "an intermediate result has %lld elements; at most "
                          "%d fit; use a smaller batch",
                          (long long)count, ROOTC_MAX_ELEMENTS);
    }
    if (count > 0)
      memory = (T *)device.allocate(count * (int64_t)sizeof(T));
  }
  ~rootc_cuda_temporary() { free(); }
  rootc_cuda_temporary(const rootc_cuda_temporary &) = delete;

  operator T *() const { return memory; }
  void free() {
    if (memory)
      cudaFreeAsync(memory, device.stream);
    memory = nullptr;
  }

private:
  rootc_cuda_device &device;
  T *memory = nullptr;
};

enum rootc_transfer { ROOTC_NONE = 0, ROOTC_UP = 1, ROOTC_DOWN = 2 };

/// What an arena is to a program.
int transferOf(int32_t program, int32_t arena) {
  switch (arena) {
  case ROOTC_ARENA_PARAMETERS:
    return program == ROOTC_UPDATE || program == ROOTC_ADAMW
               ? ROOTC_UP | ROOTC_DOWN
               : ROOTC_UP;
  case ROOTC_ARENA_VELOCITY:
  case ROOTC_ARENA_SQUARE:
  case ROOTC_ARENA_AVERAGE:
    return ROOTC_UP | ROOTC_DOWN;
  case ROOTC_ARENA_STATISTICS:
    return program == ROOTC_PREPARE ? ROOTC_UP : ROOTC_UP | ROOTC_DOWN;
  case ROOTC_ARENA_PREPARED:
    return program == ROOTC_PREPARE ? ROOTC_DOWN : ROOTC_UP;
  case ROOTC_ARENA_GRADIENTS:
    return program == ROOTC_CLIP    ? ROOTC_UP | ROOTC_DOWN
           : program < ROOTC_UPDATE ? ROOTC_DOWN
                                    : ROOTC_UP;
  case ROOTC_ARENA_LOGITS:
  case ROOTC_ARENA_LOSS:
  case ROOTC_ARENA_INPUT_GRADIENT:
    return ROOTC_DOWN;
  case ROOTC_ARENA_WORKSPACE:
    return ROOTC_NONE;
  default:
    return ROOTC_UP;
  }
}

int64_t bytesOf(int32_t program, int32_t arena, int64_t n) {
  const rootc_model &model = *rootc_host.model;
  const int64_t word = sizeof(float);
  switch (arena) {
  case ROOTC_ARENA_IMAGE:
  case ROOTC_ARENA_INPUT_GRADIENT:
    return n * model.height * model.width * model.channels * word;
  case ROOTC_ARENA_LABELS:
  case ROOTC_ARENA_SAMPLES:
    return n * (int64_t)sizeof(int64_t);
  case ROOTC_ARENA_RANDOM:
    return 2 * sizeof(int64_t);
  case ROOTC_ARENA_PARAMETERS:
  case ROOTC_ARENA_GRADIENTS:
    return (program < ROOTC_UPDATE ? model.parameter_count : n) * word;
  case ROOTC_ARENA_VELOCITY:
  case ROOTC_ARENA_SQUARE:
  case ROOTC_ARENA_AVERAGE:
    return n * word;
  case ROOTC_ARENA_STATISTICS:
    return model.statistic_count * word;
  case ROOTC_ARENA_PREPARED:
    return model.prepared_bytes;
  case ROOTC_ARENA_SCALARS:
    return rootc_support_scalar_count(program) * word;
  case ROOTC_ARENA_LOGITS:
    return n * model.classes * word;
  case ROOTC_ARENA_LOSS:
    return word;
  default:
    return rootc_support_workspace_bytes(program, n);
  }
}

bool isOnDevice(const void *address) {
  cudaPointerAttributes of;
  if (cudaPointerGetAttributes(&of, address) != cudaSuccess) {
    (void)cudaGetLastError();
    return false;
  }
  return of.type == cudaMemoryTypeDevice || of.type == cudaMemoryTypeManaged;
}

/// The arenas of one run where its kernels reach them.
class Arenas {
public:
  Arenas(rootc_cuda_device &device, int32_t program, char *const *given)
      : device(device), program(program), given(given) {
    for (int32_t i = 0; i < ROOTC_ARENA_COUNT; ++i)
      if (given[i])
        bring(i);
  }
  ~Arenas() {
    for (int32_t i = 0; i < ROOTC_ARENA_COUNT; ++i)
      if (own[i])
        cudaFreeAsync(own[i], device.stream);
  }
  Arenas(const Arenas &) = delete;

  void takeBack() {
    for (int32_t i = 0; i < ROOTC_ARENA_COUNT; ++i)
      if (own[i] && (transferOf(program, i) & ROOTC_DOWN))
        device.copy(given[i], own[i], bytesOf(program, i, device.n),
                    cudaMemcpyDeviceToHost);
  }

  char *addresses[ROOTC_ARENA_COUNT] = {};

private:
  void bring(int32_t i) {
    int64_t bytes = bytesOf(program, i, device.n);
    addresses[i] = given[i];
    if (bytes <= 0 || isOnDevice(given[i]))
      return;
    own[i] = addresses[i] = (char *)device.allocate(bytes);
    int transfer = transferOf(program, i);
    if (transfer & ROOTC_UP)
      device.copy(own[i], given[i], bytes, cudaMemcpyHostToDevice);
    else if ((i == ROOTC_ARENA_GRADIENTS || i == ROOTC_ARENA_PREPARED) &&
             own[i])
      // No kernel writes what lies between tensors.
      cudaMemsetAsync(own[i], 0, (size_t)bytes, device.stream);
  }

  rootc_cuda_device &device;
  int32_t program;
  char *const *given;
  char *own[ROOTC_ARENA_COUNT] = {};
};

/// A kernel left its reason, or CUDA has one; says where it happened.
void say(rootc_cuda_device &device, int32_t program, const char *label) {
  rootc_context *context = device.context;
  char reason[sizeof context->error];
  __builtin_memcpy(reason, context->error, sizeof reason);
  context->error[0] = 0;
  rootc_support_error(context, "%s, %s%s%s: %s",
                      rootc_support_program_name(program),
                      label ? "kernel '" : "", label ? label : "the device",
                      label ? "'" : "", reason);
}

void runCalls(rootc_cuda_device &device, int32_t program,
              const Arenas &arenas) {
  const rootc_host_program &host = rootc_host.programs[program];
  rootc_context *context = device.context;
  void **arguments =
      (void **)__builtin_alloca((host.most_operands + 1) * sizeof(void *));
  arguments[0] = &device;
  for (int32_t i = 0; i < rootc_host.model->call_count[program]; ++i) {
    const rootc_call &call = rootc_host.calls[host.first_call + i];
    for (int32_t j = 0; j < call.operand_count; ++j) {
      const rootc_buffer &buffer =
          rootc_host.buffers[rootc_host.operands[call.first_operand + j]];
      arguments[j + 1] = arenas.addresses[buffer.arena] + buffer.offset +
                         device.n * buffer.per_image;
    }
    if (context->call_hook)
      context->call_hook(context->call_hook_state, program, i, 0);
    rootc_host.kernels[call.kernel](arguments);
    if (context->call_hook) { // who may look at its results, or at the clock
      cudaError_t error = cudaStreamSynchronize(device.stream);
      if (error != cudaSuccess)
        device.fail(error, "it failed");
      context->call_hook(context->call_hook_state, program, i, 1);
    }
    if (device.status != ROOTC_OK)
      return say(device, program, rootc_host.model->call_labels[program][i]);
  }
}

} // namespace

const char *rootc_support_unsupported(void) {
  int count = 0;
  cudaError_t error = cudaGetDeviceCount(&count);
  if (error == cudaSuccess && count > 0)
    return nullptr;
  (void)cudaGetLastError();
  if (error == cudaErrorInsufficientDriver)
    return "this machine has no driver for NVIDIA's GPUs, or one that is older "
           "than the CUDA that the model was compiled with; install a newer "
           "one (nvidia-smi says which there is), or compile the network for "
           "the CPU";
  return "no GPU of NVIDIA's is to be had here; nvidia-smi and "
         "CUDA_VISIBLE_DEVICES say which there are; or compile the network "
         "for the CPU";
}

int rootc_support_run(rootc_frame *frame, int32_t program, char *const *given,
                      int64_t n) {
  rootc_cuda_device device = {frame->context, nullptr, (int)n, ROOTC_OK};
  cudaError_t error =
      cudaStreamCreateWithFlags(&device.stream, cudaStreamNonBlocking);
  if (error != cudaSuccess) {
    device.fail(error, "a stream cannot be made");
    return device.status;
  }
  {
    Arenas arenas(device, program, given);
    if (device.status == ROOTC_OK)
      runCalls(device, program, arenas);
    else
      say(device, program, nullptr);
    if (device.status == ROOTC_OK) {
      arenas.takeBack();
      error = cudaStreamSynchronize(device.stream);
      if (error != cudaSuccess)
        device.fail(error, "a kernel failed");
      if (device.status != ROOTC_OK)
        say(device, program, nullptr);
    }
  }
  cudaStreamSynchronize(device.stream);
  cudaStreamDestroy(device.stream);
  return device.status;
}
