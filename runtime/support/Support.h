//===- Support.h - What a generated library is linked with ------*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The seam between the generated host code and the support code. Every
// generated library holds its own copy of both, all hidden, so nothing here is
// an ABI. No C++ library, exceptions or run-time type information: a generated
// library needs libc and libm alone.
//
// Host code defines `rootc_host`; codegen/Emit mirrors the structs below.
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_SUPPORT_H
#define ROOTC_SUPPORT_H

#include "rootc/model.h"

extern "C" {

/// Indices into the table of arena addresses that a program's code receives:
/// codegen::Arena's order.
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
  ROOTC_ARENA_SCALARS,
  ROOTC_ARENA_LOGITS,
  ROOTC_ARENA_LOSS,
  ROOTC_ARENA_INPUT_GRADIENT,
  ROOTC_ARENA_WORKSPACE_BATCH,
  ROOTC_ARENA_WORKSPACE_FIXED,
  ROOTC_ARENA_COUNT
};

/// One program. `run` calls the kernels in order; `n` is the batch, or the
/// parameter count of `update`.
typedef struct rootc_host_program {
  int (*run)(rootc_context *, char *const *arenas, int64_t n);
  int64_t batch_bytes;  ///< workspace per image
  int64_t fixed_bytes;  ///< workspace whatever the batch
  int64_t max_elements; ///< of any buffer, per unit of n
  int64_t uses_samples; ///< 1 if the program reads rootc_batch::samples
} rootc_host_program;

typedef struct rootc_host_table {
  const rootc_model *model;
  uint64_t cpu_features; ///< bits of rootc_cpu_feature
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
  ROOTC_CPU_AVX512_ZEN4 = 1 << 8, ///< VNNI, BF16, BITALG, VBMI2, VPOPCNTDQ
  ROOTC_CPU_AVX_VNNI = 1 << 9,
  ROOTC_CPU_AVX512_FP16 = 1 << 10,
};

#pragma GCC visibility push(hidden)

/// Defined by the host code.
extern const rootc_host_table rootc_host;

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
                         float weight_decay);
void *rootc_support_pool_create(int32_t threads);
void rootc_support_pool_destroy(void *pool);
int rootc_support_parallel_for(void *pool, rootc_task task, void *task_state,
                               int64_t count);

// Called by host code around each kernel call. `end` returns what `run` is to
// return; zero: go on.
void rootc_support_begin(rootc_context *, int32_t program, int32_t call);
int rootc_support_end(rootc_context *, int32_t program, int32_t call,
                      int32_t kernel_result);

// Within the support code.

/// Leaves the message in the context unless it already holds one. Any number
/// of threads may call this at once: the first wins.
void rootc_support_error(rootc_context *, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/// Scratch memory kept by a pool of ours, so that warm calls do not allocate:
/// null if the pool holds no block that fits.
void *rootc_support_scratch_take(void *pool, size_t bytes);
/// False: the pool is full, the caller frees the block.
bool rootc_support_scratch_give(void *pool, void *block, size_t bytes);

#pragma GCC visibility pop
}

#endif // ROOTC_SUPPORT_H
