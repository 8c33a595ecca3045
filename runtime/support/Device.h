//===- Device.h - What programs run on --------------------------*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A kind of device is a table of functions; the CPU's says that its memory is
// the host's, and needs few of them. A program runs in a lane of its device: a
// stream, in which everything happens in order, and memory that nobody else
// uses meanwhile. An entry takes an idle lane, so contexts that share a device
// do not wait for each other.
//
// The kinds other than the CPU, and what their kernels call, are in device/.
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_DEVICE_H
#define ROOTC_DEVICE_H

#include "Support.h"
#include <pthread.h>

extern "C" {

/// What a kernel of a device is started with.
typedef struct rootc_launch {
  int32_t blocks[3], threads[3];
  int32_t shared_bytes;
  size_t *sizes;          ///< of arguments, in bytes; 0 behind the last
  void **arguments;       ///< an address each, or a rootc_kernel_buffer
  const int8_t *isBuffer; ///< of each argument
} rootc_launch;

/// A convolution by tensor cores, how it is launched (TensorCoreLaunch,
/// codegen/Schedules/Families.h). Its operands are a struct: the batch, then
/// the addresses of the kernel's arguments.
typedef struct rootc_products {
  const char *text;     ///< the module
  const char *names[2]; ///< of its functions; the second one of a gradient
  int32_t operands;     ///< arguments of the kernel
  int32_t batched;      ///< one that has the batch
  int32_t pixels, tile;
  int32_t blocks[3], threads;
  int32_t split, stages, weights, sum_threads;
} rootc_products;

/// A kind of device. `state` is what `open` made of one. Functions that take a
/// context return ROOTC_OK, or an error and leave a message.
typedef struct rootc_device_api {
  const char *kind; ///< "cpu"
  /// Programs use the host's memory; everything behind `close` is null.
  bool shares_memory;
  int32_t (*count)(rootc_context *); ///< -1: no driver
  int (*describe)(rootc_context *, int32_t index, rootc_device_info *);
  int (*open)(rootc_context *, int32_t index, void **state);
  void (*close)(void *state);

  int (*open_stream)(rootc_context *, void *state, void **stream);
  void (*close_stream)(void *state, void *stream);
  int (*synchronise)(rootc_context *, void *state, void *stream);

  /// How much memory can be had, and how much in one block.
  int64_t (*free_bytes)(void *state, int64_t *largest);
  /// Of more than no bytes; 0: there is none.
  uint64_t (*allocate)(void *state, size_t bytes);
  void (*free)(void *state, uint64_t address, size_t bytes);
  /// In the stream; host memory is free for other use once that is synchronous.
  int (*upload)(rootc_context *, void *state, void *stream, uint64_t to,
                const void *from, size_t bytes);
  int (*download)(rootc_context *, void *state, void *stream, void *to,
                  uint64_t from, size_t bytes);

  /// Locks pages of the host, so that copies of them are the device's work
  /// alone; false where that cannot be: a copy may wait for the host then.
  bool (*pin)(void *state, void *host, size_t bytes);
  void (*unpin)(void *state, void *host);

  /// A module of kernels from its text, which ends with a zero.
  int (*load)(rootc_context *, void *state, const char *text, void **module);
  void (*unload)(void *state, void *module);
  int (*find)(rootc_context *, void *state, void *module, const char *name,
              void **function);
  void (*release)(void *state, void *function);
  /// The device's lock is held.
  int (*launch)(rootc_context *, void *state, void *stream, void *function,
                const rootc_launch *);
} rootc_device_api;

/// Memory of a device; zero-initialised: none.
typedef struct rootc_block {
  uint64_t address;
  size_t bytes;
} rootc_block;

/// A block that kernels have for their intermediate results.
typedef struct rootc_temporary {
  rootc_block block;
  bool used;
  struct rootc_temporary *next;
} rootc_temporary;

typedef struct rootc_lane {
  rootc_device *device;
  void *stream;
  rootc_block workspace;
  rootc_block staged[ROOTC_ARENA_COUNT]; ///< of arguments that are not kept
  rootc_temporary *temporaries;
  // While a program runs: its arenas on the device and on the host.
  char *const *arenas;
  const struct rootc_argument *arguments;
  struct rootc_lane *next;
} rootc_lane;

/// An argument of an entry.
typedef struct rootc_argument {
  char *host;
  size_t bytes;
  bool read, written;
} rootc_argument;

#pragma GCC visibility push(hidden)

/// Runs a program on the context's device: what `arguments` of the arenas are
/// not kept there go up, and come down when they are written.
int rootc_support_run_on_device(rootc_context *, int32_t program, int64_t n,
                                const rootc_argument *arguments);
/// The arenas that a call_hook may read are copied to the host: what the call
/// `call` of the program read and wrote of them.
int rootc_support_show(rootc_frame *, const rootc_call *call, int64_t n);

const rootc_device_api *rootc_support_api_of(const rootc_device *);
void *rootc_support_state_of(const rootc_device *);
pthread_mutex_t *rootc_support_lock_of(rootc_device *);
/// A function of a module by the address of its text and its name, loaded when
/// it is first asked for. The device's lock is held.
int rootc_support_function(rootc_context *, rootc_device *, const char *text,
                           const char *name, void **function);
/// For the intermediate results of a kernel. Zero: there is no memory.
uint64_t rootc_support_take_temporary(rootc_lane *, size_t bytes);
void rootc_support_give_temporary(rootc_lane *, uint64_t address);

#pragma GCC visibility pop
}

#endif // ROOTC_DEVICE_H
