//===- Support.h - What a generated library is linked with ------*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The seam between a model's table and the support code that runs it. Every
// generated library holds its own copy of both, all hidden, so nothing here is
// an ABI. No C++ library, exceptions or run-time type information: a generated
// library needs libc and libm alone.
//
// The model's programs are constant data: rootc writes `rootc_host`
// (codegen/Emit/HostTable.cpp), Program.cpp goes through its calls.
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_SUPPORT_H
#define ROOTC_SUPPORT_H

#include "rootc/model.h"

extern "C" {

/// Indices into the arena addresses that a program receives: codegen::Arena's
/// order. The workspace is one: both of its parts lie in it.
enum rootc_arena {
  ROOTC_ARENA_IMAGE,
  ROOTC_ARENA_LABELS,
  ROOTC_ARENA_SAMPLES,
  ROOTC_ARENA_RANDOM,
  ROOTC_ARENA_PARAMETERS,
  ROOTC_ARENA_STATISTICS,
  ROOTC_ARENA_PREPARED,
  ROOTC_ARENA_GRADIENTS,
  ROOTC_ARENA_VELOCITY,
  ROOTC_ARENA_SQUARE,
  ROOTC_ARENA_AVERAGE,
  ROOTC_ARENA_SCALARS,
  ROOTC_ARENA_LOGITS,
  ROOTC_ARENA_LOSS,
  ROOTC_ARENA_INPUT_GRADIENT,
  ROOTC_ARENA_WORKSPACE,
  ROOTC_ARENA_COUNT
};

/// codegen::ElementType's order.
enum rootc_element {
  ROOTC_ELEMENT_F32,
  ROOTC_ELEMENT_I64,
  ROOTC_ELEMENT_U8,
  ROOTC_ELEMENT_I32,
  ROOTC_ELEMENT_BF16,
  ROOTC_ELEMENT_COUNT
};

/// Scratch memory of one thread, or of one call of an entry. Zero-initialised
/// it is empty.
typedef struct rootc_scratch {
  char *memory;
  size_t capacity;                 ///< of memory
  size_t used;                     ///< where the next block goes
  size_t peak;                     ///< the most that was used
  struct rootc_scratch_block *top; ///< the last block
} rootc_scratch;

/// The user context of every kernel.
typedef struct rootc_frame {
  rootc_context *context;
  rootc_scratch *scratch;  ///< of this thread; null: the heap serves
  struct rootc_lane *lane; ///< Device.h; null: the CPU
} rootc_frame;

/// One of Halide's dimensions, and a buffer as its kernels take it: layouts of
/// halide_dimension_t and halide_buffer_t, which codegen/Compile.cpp asserts.
typedef struct rootc_kernel_dimension {
  int32_t min, extent, stride; ///< in elements
  uint32_t flags;
} rootc_kernel_dimension;

typedef struct rootc_kernel_buffer {
  uint64_t device;
  const void *device_interface;
  char *host;
  uint64_t flags;
  uint32_t type; ///< halide_type_t: code, bits << 8, lanes << 16
  int32_t dimensions;
  rootc_kernel_dimension *dim; ///< innermost first
  void *padding;
} rootc_kernel_buffer;

/// A kernel: arguments[0] is the address of a rootc_frame *, the others are
/// rootc_kernel_buffers. Zero, or Halide's error code.
typedef int (*rootc_kernel)(void **arguments);

#define ROOTC_MAX_RANK 5
/// Of one buffer: what a kernel's 32-bit indices reach. Halide asserts it too.
#define ROOTC_MAX_ELEMENTS 2147483647

/// A dense row-major buffer at arena + offset + n x per_image, in bytes.
typedef struct rootc_buffer {
  int64_t offset;
  int64_t per_image;
  int32_t arena;   ///< rootc_arena
  int32_t element; ///< rootc_element
  int32_t rank;
  int32_t extents[ROOTC_MAX_RANK]; ///< innermost first; -1, the last: n; then 0
} rootc_buffer;

/// One kernel call. Its label is the model's: rootc_model::call_labels.
typedef struct rootc_call {
  int32_t kernel;        ///< index into rootc_host_table::kernels
  int32_t first_operand; ///< index into rootc_host_table::operands
  int32_t operand_count; ///< the kernel's inputs, then its outputs
} rootc_call;

/// One program: rootc_model::call_count calls from first_call on. `n` is the
/// batch, or an update's count of floats.
typedef struct rootc_host_program {
  int64_t batch_bytes;   ///< workspace per image
  int64_t fixed_bytes;   ///< workspace whatever the batch
  int64_t max_elements;  ///< of any buffer, per unit of n
  int32_t present;       ///< 1 if the model was compiled with it
  int32_t uses_samples;  ///< 1 if it reads rootc_batch::samples
  int32_t first_call;    ///< index into rootc_host_table::calls
  int32_t most_operands; ///< of any call
} rootc_host_program;

typedef struct rootc_host_table {
  const rootc_model *model;
  uint64_t cpu_features; ///< bits of rootc_cpu_feature
  const rootc_kernel *kernels;
  const rootc_buffer *buffers; ///< each that differs once
  const int32_t *operands;     ///< indices into buffers
  const rootc_call *calls;
  /// Device.h: what the kernels run on.
  const struct rootc_device_api *(*device_api)(void);
  rootc_host_program programs[ROOTC_PROGRAM_COUNT];
} rootc_host_table;

/// What the kernels were compiled for, in the order of Cpu.cpp's table.
enum rootc_cpu_feature {
  ROOTC_CPU_SSE41 = 1 << 0,
  ROOTC_CPU_AVX = 1 << 1,
  ROOTC_CPU_F16C = 1 << 2,
  ROOTC_CPU_FMA = 1 << 3,
  ROOTC_CPU_AVX2 = 1 << 4,
  ROOTC_CPU_AVX512_FOUNDATION = 1 << 5, ///< F, CD
  ROOTC_CPU_AVX512_SKYLAKE = 1 << 6,    ///< BW, DQ, VL
  ROOTC_CPU_AVX512_CANNONLAKE = 1 << 7, ///< IFMA, VBMI
  /// VNNI, BF16, BITALG, VBMI2, VPOPCNTDQ, SSE4a
  ROOTC_CPU_AVX512_ZEN4 = 1 << 8,
  ROOTC_CPU_AVX_VNNI = 1 << 9,
  ROOTC_CPU_AVX512_FP16 = 1 << 10,
};

#pragma GCC visibility push(hidden)

/// The model's.
extern const rootc_host_table rootc_host;

/// Floats of the scalars that an update gets; 0 of other programs.
int64_t rootc_support_scalar_count(int32_t program);

// Entries of the model's table.
const char *rootc_support_unsupported(void);
int64_t rootc_support_workspace_bytes(int32_t program, int64_t batch);
int rootc_support_prepare(rootc_context *, const float *parameters,
                          const float *statistics, void *prepared);
int rootc_support_infer(rootc_context *, int64_t batch, const float *image,
                        const void *prepared, float *logits);
int rootc_support_train(rootc_context *, const rootc_batch *,
                        const float *parameters, float *statistics,
                        float *gradients, float *loss);
int rootc_support_grad(rootc_context *, const rootc_batch *,
                       const float *parameters, float *statistics,
                       float *gradients, float *loss, float *d_image);
int rootc_support_update(rootc_context *, int64_t count, float *parameters,
                         const float *gradients, float *velocity,
                         float learning_rate, float momentum,
                         float weight_decay, int32_t nesterov);
int rootc_support_adamw(rootc_context *, int64_t count, float *parameters,
                        const float *gradients, float *mean, float *square,
                        const rootc_adamw *step);
int rootc_support_clip(rootc_context *, int64_t count, float *gradients,
                       float most);
int rootc_support_average(rootc_context *, int64_t count, float *average,
                          const float *values, float share);
int rootc_support_classify(const uint8_t *pixels, int64_t height, int64_t width,
                           int64_t stride, float *probabilities,
                           rootc_context *context);
void *rootc_support_pool_create(int32_t threads);
void rootc_support_pool_destroy(void *pool);
int rootc_support_parallel_for(void *pool, rootc_task task, void *task_state,
                               int64_t count);
int32_t rootc_support_device_count(rootc_context *);
int rootc_support_device_info(rootc_context *, int32_t index,
                              rootc_device_info *);
int rootc_support_device_open(rootc_context *, int32_t index);
void rootc_support_device_close(rootc_device *);
int rootc_support_device_keep(rootc_context *, void *host, size_t bytes);
void rootc_support_device_drop(rootc_device *, void *host);
int rootc_support_device_adopt(rootc_context *, void *host, uint64_t address,
                               size_t bytes);
int rootc_support_device_pin(rootc_context *, void *host, size_t bytes);
void rootc_support_device_unpin(rootc_device *, void *host);
int rootc_support_device_ahead(rootc_context *, const float *image,
                               size_t bytes);
int rootc_support_device_upload(rootc_context *, const void *host,
                                size_t bytes);
int rootc_support_device_download(rootc_context *, void *host, size_t bytes);

// What kernels run on: the table's device_api is one of these.
const struct rootc_device_api *rootc_support_cpu(void);
const struct rootc_device_api *rootc_support_cuda(void);
const struct rootc_device_api *rootc_support_opencl(void);

// Within the support code.

/// "infer"
const char *rootc_support_program_name(int32_t program);
/// Runs the calls of a program in order, up to the first that fails. The stack
/// holds the operands of one call; nothing is allocated. Where the frame has a
/// lane, arenas are addresses in its device's memory.
int rootc_support_run(rootc_frame *, int32_t program, char *const *arenas,
                      int64_t n);
/// Leaves the message in the context unless it already holds one. Any number
/// of threads may call this at once: the first wins.
void rootc_support_error(rootc_context *, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/// A block of scratch memory; null if there is no memory. Without scratch, of
/// the heap. Given back to the same scratch.
void *rootc_support_scratch_take(rootc_scratch *, size_t bytes);
void rootc_support_scratch_give(rootc_scratch *, void *address);
/// Makes room, unless blocks are in use. Without memory for it, the heap
/// serves.
void rootc_support_scratch_reserve(rootc_scratch *, size_t bytes);

/// Whether the context has a pool of ours. Those keep scratch memory for each
/// thread, enough for all that was ever run on the pool: whichever thread a
/// task comes to, it allocates nothing from the second time on.
bool rootc_support_has_pool(const rootc_context *);
/// Scratch for one call of an entry; null without a pool of ours.
rootc_scratch *rootc_support_scratch_enter(const rootc_context *);
void rootc_support_scratch_leave(const rootc_context *, rootc_scratch *);
/// Runs task(state, i, scratch of the thread it is on) for i in [0, count) as
/// rootc_parallel_for does; the pool may be null. `scratch`: the caller's.
int rootc_support_run_loop(void *pool,
                           int (*task)(void *state, int64_t index,
                                       rootc_scratch *),
                           void *state, int64_t count, rootc_scratch *scratch);

#pragma GCC visibility pop
}

#endif // ROOTC_SUPPORT_H
