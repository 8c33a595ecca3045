/*===- rootc/model.h - The C interface of a generated model -------*- C -*-===*\
|*
|* Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
|* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
|*
|*===----------------------------------------------------------------------===*|
|*
|* A generated library exports `const rootc_model *NAME_model(void)`, NAME being
|* the network's symbol, and, if it holds weights, NAME_classify;
|* everything else in it is hidden. The table it returns is constant, and the
|* library has no mutable state but open devices: parameters may be shared by
|* any number of threads, each thread brings its own rootc_context. No function
|* throws, aborts or writes to a stream; each returns ROOTC_OK or an error code
|* and leaves a message in the context. (What drivers of devices do is theirs.)
|*
|* Layouts: images and feature maps NHWC float32, dense; labels int64; filters
|* [out, kernel height, kernel width, in / groups].
|*
\*===----------------------------------------------------------------------===*/

#ifndef ROOTC_MODEL_H
#define ROOTC_MODEL_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Raised whenever a struct or the meaning of a field below changes. */
#define ROOTC_ABI_VERSION 9

enum rootc_status {
  ROOTC_OK = 0,
  ROOTC_ERROR_ARGUMENT = 1,    /* null pointer, batch < 1, small workspace */
  ROOTC_ERROR_UNSUPPORTED = 2, /* this CPU lacks what the code was built for,
                                  or the model was compiled without training */
  ROOTC_ERROR_MEMORY = 3,
  ROOTC_ERROR_KERNEL = 4, /* a kernel failed; the message says which */
  ROOTC_ERROR_DEVICE = 5  /* no driver, no such device, or one that fails */
};

/* A task of a parallel loop; returns ROOTC_OK or an error. */
typedef int (*rootc_task)(void *task_state, int64_t index);

/* Runs task(task_state, i) for i in [0, count), on any threads, in any order;
   returns once all have ended, with the first error or ROOTC_OK. May be called
   from inside a task. */
typedef int (*rootc_parallel_for)(void *pool, rootc_task task, void *task_state,
                                  int64_t count);

/* Called before (phase 0) and after (phase 1) each kernel call. */
typedef void (*rootc_call_hook)(void *state, int32_t program, int32_t call,
                                int32_t phase);

/* Where a model's programs run: the CPU, or a device of the machine's. */
typedef struct rootc_device rootc_device;

typedef struct rootc_device_info {
  char name[128];
  int64_t memory_bytes; /* 0: not told */
  char problem[256];    /* why it cannot run the model, "" if it can */
} rootc_device_info;

/* What one caller needs to run a model. Zero-initialise it, then set what you
   want. One thread at a time may use a context; contexts may share a pool. */
typedef struct rootc_context {
  void *workspace; /* 64-byte aligned; large ones are faster in huge pages:
                      aligned to 2 MiB, madvise(..., MADV_HUGEPAGE). A device
                      has its own: then null, or what a call_hook reads */
  size_t workspace_bytes;
  rootc_parallel_for parallel_for; /* null: run on the calling thread */
  void *pool;
  rootc_call_hook call_hook; /* null: none */
  void *call_hook_state;
  /* Of device_open. Null: the CPU, or, of a model for another device, the first
     such device, opened at the first call and kept as long as the process. */
  rootc_device *device;
  char error[512]; /* the last error's message, "" if none */
} rootc_context;

/* One tensor of the parameter arena, or of the statistic arena. */
typedef struct rootc_tensor {
  const char *name; /* "conv2a.filter" */
  const char *role; /* filter weight bias scale offset | mean variance */
  int32_t rank;
  int32_t statistic; /* 1: lives in the statistic arena */
  int64_t shape[4];
  int64_t offset; /* floats from the start of its arena */
  int64_t fan_in; /* for He initialisation; 0: constant (scale and variance 1,
                     others 0) */
} rootc_tensor;

/* What one layer computes in `infer`, and where to read it: in a call_hook,
   after call `call` of ROOTC_INFER, from that call's phase 1 until the next
   call's phase 0 (later kernels may reuse the memory). Values are float32
   [batch, height, width, channels]. They are what the next layer reads: batch
   norm folded in, ReLU applied, another layer's response added, where the
   layer's kernel does that as well. A layer that is computed within another's
   kernel, and so never stored, has no entry. Inference pays nothing for this
   table. */
typedef struct rootc_response {
  const char *name; /* of the layer, "conv2c"; one without a name is called by
                       its kind and number, "max_pool_1" */
  const char *value_of; /* the last layer that its kernel applies, "relu_6";
                           name, if it goes no further */
  int32_t call;         /* of ROOTC_INFER */
  int32_t arena;        /* rootc_response_arena */
  int64_t shape[3];     /* height, width, channels */
  int64_t offset;       /* bytes for each image: the values lie at the arena's
                           address + batch x offset */
  int64_t order;        /* of the channels, which it divides: position
                           i order + g holds channel g channels / order + i */
} rootc_response;

enum rootc_response_arena {
  ROOTC_RESPONSE_WORKSPACE = 0, /* rootc_context::workspace */
  ROOTC_RESPONSE_LOGITS = 1     /* the argument `logits` */
};

/* What a kernel call has to do, whatever its schedule, for profiles. Bytes of a
   batch of n: fixed + n x per_image; from ROOTC_UPDATE on, n is the number of
   floats that are updated. */
typedef struct rootc_work {
  int64_t multiply_adds; /* of convolutions, for each image: weights by output
                            positions, in the backward pass as well */
  int64_t read_fixed, read_per_image;       /* bytes of the operands */
  int64_t written_fixed, written_per_image; /* bytes of the results */
} rootc_work;

enum rootc_program {
  ROOTC_PREPARE = 0,
  ROOTC_INFER = 1,
  ROOTC_TRAIN = 2,
  ROOTC_GRAD = 3,
  ROOTC_UPDATE = 4,
  ROOTC_ADAMW = 5,
  ROOTC_CLIP = 6,
  ROOTC_AVERAGE = 7,
  ROOTC_PROGRAM_COUNT = 8
};

/* A step of AdamW (Loshchilov and Hutter, Decoupled Weight Decay
   Regularization, ICLR 2019, algorithm 2), the t-th with learning rate r and
   weight decay d. */
typedef struct rootc_adamw {
  float shrink;        /* 1 - r d */
  float learning_rate; /* r / (1 - beta1^t) */
  float mean_gain;     /* 1 - beta1 */
  float square_gain;   /* 1 - beta2 */
  float root;          /* 1 / sqrt(1 - beta2^t) */
  float epsilon;
} rootc_adamw;

/* The label of an image that is a mixture of two (mixup): its loss is 1 - w
   times the loss of `label` plus w times that of `partner`, w being
   share / 2^ROOTC_LABEL_BITS. label and partner are in [0, classes), share in
   (0, 2^ROOTC_LABEL_BITS): without a share an image has one label. */
#define ROOTC_LABEL_BITS 21
#define ROOTC_MIXED_LABEL(label, partner, share)                               \
  ((int64_t)(label) | (int64_t)(partner) << ROOTC_LABEL_BITS |                 \
   (int64_t)(share) << 2 * ROOTC_LABEL_BITS)

/* Everything a training step reads and writes. */
typedef struct rootc_batch {
  int64_t size;
  const float *image;     /* [size, height, width, channels], normalised */
  const int64_t *labels;  /* [size], each in [0, classes), or what
                             ROOTC_MIXED_LABEL makes of two such */
  const int64_t *samples; /* [size]: key of dropout; null: 0, 1, 2, ... is not
                             assumed, it is an error if the model drops out */
  int64_t seed, epoch;    /* key of dropout */
} rootc_batch;

/* Weights that `rootc --weights` put into the library, ready for `infer`. */
typedef struct rootc_weights {
  const void *prepared; /* [prepared_bytes], what `prepare` makes of them */
  const float *mean;    /* of pixels from 0 to 255; pixel i of [height, width,
                           channels] has mean[i % mean_count] */
  int64_t mean_count;
  const float *scale;             /* [channels]: standard deviations */
  const char *const *class_names; /* [classes]; null: unknown */
} rootc_weights;

/* Classifies one image with the library's own weights: resizes it in proportion
   to 256/224 of the model's size, cuts the centre out (an image of just the
   model's size is taken as it is), normalises, infers, and takes the softmax,
   as `rootrun predict` does.
     pixels: [height, width, channels] bytes from 0 to 255, channels being the
       model's: 3 are red, green, blue, 1 is grey. Row y begins `stride` bytes
       behind row y - 1; `stride` is at least width x channels.
     probabilities: [classes] floats, written; their sum is 1.
     context: null, or whose threads are used (pool, parallel_for), and its
       workspace, if that holds workspace_bytes(ROOTC_INFER, 1); it gets the
       error's message. A missing workspace is allocated for the call, and so
       is memory for the resized image (malloc).
   Returns ROOTC_OK or an error. Any number of threads may call it at once, each
   with a context of its own, or none. A library with weights exports it as
   NAME_classify too. */
typedef int (*rootc_classify)(const uint8_t *pixels, int64_t height,
                              int64_t width, int64_t stride,
                              float *probabilities, rootc_context *context);

typedef struct rootc_model {
  uint32_t abi_version; /* ROOTC_ABI_VERSION of the compiler */
  uint32_t struct_size; /* sizeof(rootc_model) of the compiler */
  const char *name;
  const char *target;      /* Halide target string of the kernels */
  const char *device_kind; /* what they run on: "cpu", "cuda" or "opencl" */
  const char *description; /* JSON: layers, cost, options, compiler version */
  int64_t height, width, channels, classes;
  const rootc_tensor *tensors;
  int64_t tensor_count;
  const rootc_response *responses; /* in the order of their calls */
  int64_t response_count;
  int64_t parameter_count; /* floats in the parameter arena, padding included */
  int64_t decayed_count;   /* weight decay applies to the first so many */
  int64_t statistic_count; /* floats in the statistic arena */
  int64_t prepared_bytes;  /* size of the buffer that `prepare` fills */
  int32_t has_training;
  int32_t reserved;
  /* Names and work of the kernel calls of each program, for profiles. */
  const char *const *call_labels[ROOTC_PROGRAM_COUNT];
  const rootc_work *call_work[ROOTC_PROGRAM_COUNT];
  int32_t call_count[ROOTC_PROGRAM_COUNT];

  /* null if this CPU can run the model, else why not (static text). */
  const char *(*unsupported)(void);
  /* Workspace bytes of a program at a batch size; -1 if the program is absent
     or the size overflows. */
  int64_t (*workspace_bytes)(int32_t program, int64_t batch);
  /* Folds and packs weights once, before any number of `infer`. All arenas are
     64-byte aligned. */
  int (*prepare)(rootc_context *, const float *parameters,
                 const float *statistics, void *prepared);
  /* logits [batch, classes]. Allocates nothing from the second call with a
     batch size on, if the context has a pool of the model's, be it of one
     thread: that keeps scratch memory. Where contexts share a pool: once as
     many calls have run at a time as will. */
  int (*infer)(rootc_context *, int64_t batch, const float *image,
               const void *prepared, float *logits);
  /* One training-mode forward and backward. Overwrites gradients
     [parameter_count], updates statistics in place, writes the batch's mean
     loss. */
  int (*train)(rootc_context *, const rootc_batch *, const float *parameters,
               float *statistics, float *gradients, float *loss);
  /* As train, and the gradient of the image. */
  int (*grad)(rootc_context *, const rootc_batch *, const float *parameters,
              float *statistics, float *gradients, float *loss, float *d_image);
  /* Updates are of `count` floats of arenas, from a multiple of 64 bytes on.
     SGD: v = momentum v + (g + decay w), w = w - lr v; if `nesterov` is not 0,
     w = w - lr (g + decay w + momentum v), with the new v. */
  int (*update)(rootc_context *, int64_t count, float *parameters,
                const float *gradients, float *velocity, float learning_rate,
                float momentum, float weight_decay, int32_t nesterov);
  /* AdamW: m = m + mean_gain (g - m), v = v + square_gain (g g - v),
     w = shrink w - lr m / (root sqrt(v) + epsilon); m is `mean`, v `square`. */
  int (*adamw)(rootc_context *, int64_t count, float *parameters,
               const float *gradients, float *mean, float *square,
               const rootc_adamw *step);
  /* g = g min(1, most / (|g| + 1e-6)), |g| being the square root of the sum of
     all squares, as PyTorch's clip_grad_norm_; where |g| is not a number, g
     stays as it is. */
  int (*clip)(rootc_context *, int64_t count, float *gradients, float most);
  /* average = average + share (values - average): exact where both are equal.
   */
  int (*average)(rootc_context *, int64_t count, float *average,
                 const float *values, float share);
  /* A pool of threads (the caller is one of them) for rootc_context::pool, with
     `parallel_for` below; null if it cannot be made. Threads are joined by
     pool_destroy. */
  void *(*pool_create)(int32_t threads);
  void (*pool_destroy)(void *pool);
  rootc_parallel_for parallel_for;
  /* Null unless the library holds weights. */
  const rootc_weights *weights;
  rootc_classify classify;

  /* The same network for the next target that the library was compiled for;
     null: there is none. It shares nothing but parameters and statistics with
     this one, which lie alike in both. */
  const struct rootc_model *(*next_target)(void);

  /* Devices of device_kind that the machine has; -1 and a message if it has no
     driver for them. */
  int32_t (*device_count)(rootc_context *);
  int (*device_info)(rootc_context *, int32_t index, rootc_device_info *);
  /* Sets context->device. Any number of contexts, on any threads, may use a
     device until it is closed. */
  int (*device_open)(rootc_context *, int32_t index);
  void (*device_close)(rootc_device *);
  /* Arguments of the functions above are host memory in any case. What lies in
     a range that was given to device_keep has a copy in the memory of
     context->device, made by it: the functions above then use that copy, and
     neither read nor write the host's. What lies in none goes up and comes down
     with each call. On the CPU, which has one memory, all of these do nothing.
     A range may not overlap another; it is dropped by its address. */
  int (*device_keep)(rootc_context *, void *host, size_t bytes);
  void (*device_drop)(rootc_device *, void *host);
  /* As device_keep, but the copy is memory that the caller has on the device,
     at a CUdeviceptr of its primary context: nothing is copied, and it stays
     the caller's. Each function works on it in a stream of its own, and has
     ended when it returns. */
  int (*device_adopt)(rootc_context *, void *host, uint64_t address,
                      size_t bytes);
  /* An image that goes up ahead of its call, while the device works on another.
     It has to lie in a range that was given to device_pin, which the device can
     read without the host (locked pages, where the driver can lock them);
     before that memory is freed comes device_unpin, which waits until it is not
     read any more. device_ahead begins to copy `bytes` of it and returns; the
     next infer, train or grad with this `image` finds it there. Until that has
     returned the memory may not change. Where the device has no room for it,
     the call copies it, as ever. */
  int (*device_pin)(rootc_context *, void *host, size_t bytes);
  void (*device_unpin)(rootc_device *, void *host);
  int (*device_ahead)(rootc_context *, const float *image, size_t bytes);
  /* Between the host's memory and the device's copy of it. */
  int (*device_upload)(rootc_context *, const void *host, size_t bytes);
  int (*device_download)(rootc_context *, void *host, size_t bytes);
} rootc_model;

/* The ELF note that marks a model: owner "rootc", type ROOTC_NOTE_TYPE,
   descriptor = struct rootc_note. Read it before dlopen, and compare the hash:
   code of a file that a download broke may do anything. */
#define ROOTC_NOTE_OWNER "rootc"
#define ROOTC_NOTE_TYPE 0x524f4f54
typedef struct rootc_note {
  uint32_t abi_version;
  char entry[252]; /* the exported symbol, "nin_model" */
  char hash[32];   /* of the shared library that rootc wrote, with zeros here:
                      XXH3 of 128 bits, hexadecimal digits; zeros in objects,
                      static libraries, and what is linked of them */
} rootc_note;

#ifdef __cplusplus
}
#endif

#endif /* ROOTC_MODEL_H */
