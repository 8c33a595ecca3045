//===- Entry.cpp - The entries of a model: checks, then the program -------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Device.h"

namespace {

/// What a program does with an argument. Those that it writes in part alone are
/// read too: what lies between their tensors stays.
enum Access { Reads = 1, Writes = 2, ReadsAndWrites = Reads | Writes };

/// One call of an entry: collects the arenas, and the first complaint.
struct Entry {
  rootc_context *context;
  int32_t program;
  int64_t n;
  int status = ROOTC_OK;
  rootc_argument arguments[ROOTC_ARENA_COUNT] = {};

  const rootc_host_program &host() const {
    return rootc_host.programs[program];
  }

  Entry(rootc_context *context, int32_t program, int64_t n)
      : context(context), program(program), n(n) {
    if (!context) {
      status = ROOTC_ERROR_ARGUMENT;
      return;
    }
    context->error[0] = 0;
    if (const char *why = rootc_support_unsupported()) {
      status = ROOTC_ERROR_UNSUPPORTED;
      rootc_support_error(context, "%s", why);
    } else if (!host().present) {
      status = ROOTC_ERROR_UNSUPPORTED;
      rootc_support_error(context,
                          "%s: %s was compiled without it; compile the network "
                          "with --mode=train",
                          rootc_support_program_name(program),
                          rootc_host.model->name);
    } else if (n < 1) {
      bad("%s is %lld; it must be at least 1", nName(), (long long)n);
    } else if (host().max_elements &&
               n > ROOTC_MAX_ELEMENTS / host().max_elements) {
      bad("%s is %lld; at most %lld fit: a buffer may hold 2147483647 elements",
          nName(), (long long)n,
          (long long)(ROOTC_MAX_ELEMENTS / host().max_elements));
    }
  }

  /// Unsigned: `n` may be any number until that has been checked.
  static uint64_t imageElements() {
    const rootc_model *model = rootc_host.model;
    return uint64_t(model->height * model->width * model->channels);
  }

  const char *nName() const {
    return program >= ROOTC_UPDATE ? "the count" : "the batch size";
  }

  void bad(const char *format, ...) __attribute__((format(printf, 2, 3)));

  /// An argument of `elements` floats or, with `elementBytes`, others.
  void arena(rootc_arena index, const char *name, const void *address,
             bool needed, bool aligned, uint64_t elements, Access access,
             uint64_t elementBytes = sizeof(float)) {
    if (status != ROOTC_OK)
      return;
    if (needed && !address)
      bad("the pointer to the %s is null", name);
    else if (aligned && (uintptr_t)address % 64)
      bad("the %s must begin at a multiple of 64 bytes", name);
    arguments[index] = {(char *)address, elements * elementBytes,
                        (access & Reads) != 0, (access & Writes) != 0};
  }

  void batchArenas(const rootc_batch *batch, const int64_t *random) {
    const rootc_model *model = rootc_host.model;
    arena(ROOTC_ARENA_IMAGE, "image", batch->image, true, false,
          n * imageElements(), Reads);
    arena(ROOTC_ARENA_LABELS, "labels", batch->labels, true, false, n, Reads,
          sizeof(int64_t));
    arena(ROOTC_ARENA_SAMPLES, "samples (the key of dropout)", batch->samples,
          host().uses_samples, false, n, Reads, sizeof(int64_t));
    arena(ROOTC_ARENA_RANDOM, "random key", random, true, false, 2, Reads,
          sizeof(int64_t));
    for (int64_t i = 0; status == ROOTC_OK && i < n; ++i)
      if (!isLabel(batch->labels[i]))
        bad("the label of image %lld is %lld; labels are 0 to %lld, or mixed "
            "of two such",
            (long long)i, (long long)batch->labels[i],
            (long long)model->classes - 1);
  }

  /// Of one class, or mixed of two: ROOTC_MIXED_LABEL.
  static bool isLabel(int64_t packed) {
    int64_t classes = rootc_host.model->classes;
    int64_t mask = ((int64_t)1 << ROOTC_LABEL_BITS) - 1;
    // Without a share a partner is a label far out of range.
    bool mixed = packed >> 2 * ROOTC_LABEL_BITS > 0;
    return packed >= 0 && (packed & mask) < classes &&
           (packed >> ROOTC_LABEL_BITS & mask) < (mixed ? classes : 1);
  }

  int run() {
    if (!rootc_host.device_api()->shares_memory)
      return status == ROOTC_OK
                 ? rootc_support_run_on_device(context, program, n, arguments)
                 : status;
    if (status == ROOTC_OK) {
      int64_t bytes = rootc_support_workspace_bytes(program, n);
      if (bytes < 0) {
        bad("the workspace of %s %lld overflows", nName(), (long long)n);
      } else if (bytes > 0) {
        if (context->workspace_bytes < (size_t)bytes)
          bad("the workspace holds %llu bytes; %s needs %lld",
              (unsigned long long)context->workspace_bytes,
              rootc_support_program_name(program), (long long)bytes);
        arena(ROOTC_ARENA_WORKSPACE, "workspace", context->workspace, true,
              true, bytes, ReadsAndWrites, 1);
      }
    }
    if (status != ROOTC_OK)
      return status;
    char *arenas[ROOTC_ARENA_COUNT];
    for (int i = 0; i < ROOTC_ARENA_COUNT; ++i)
      arenas[i] = arguments[i].host;
    rootc_frame frame = {context, rootc_support_scratch_enter(context),
                         nullptr};
    int result = rootc_support_run(&frame, program, arenas, n);
    rootc_support_scratch_leave(context, frame.scratch);
    return result;
  }
};

} // namespace

#include <stdarg.h>
#include <stdio.h>

void Entry::bad(const char *format, ...) {
  if (status != ROOTC_OK)
    return;
  status = ROOTC_ERROR_ARGUMENT;
  char text[384];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  rootc_support_error(context, "%s: %s", rootc_support_program_name(program),
                      text);
}

int64_t rootc_support_workspace_bytes(int32_t program, int64_t batch) {
  if (program < 0 || program >= ROOTC_PROGRAM_COUNT || batch < 1)
    return -1;
  const rootc_host_program &host = rootc_host.programs[program];
  int64_t bytes;
  if (!host.present ||
      (host.max_elements && batch > ROOTC_MAX_ELEMENTS / host.max_elements) ||
      __builtin_mul_overflow(batch, host.batch_bytes, &bytes) ||
      __builtin_add_overflow(bytes, host.fixed_bytes, &bytes))
    return -1;
  return bytes;
}

int rootc_support_prepare(rootc_context *context, const float *parameters,
                          const float *statistics, void *prepared) {
  const rootc_model *model = rootc_host.model;
  Entry entry(context, ROOTC_PREPARE, 1);
  entry.arena(ROOTC_ARENA_PARAMETERS, "parameters", parameters,
              model->parameter_count > 0, true, model->parameter_count, Reads);
  entry.arena(ROOTC_ARENA_STATISTICS, "statistics", statistics,
              model->statistic_count > 0, true, model->statistic_count, Reads);
  entry.arena(ROOTC_ARENA_PREPARED, "prepared buffer", prepared,
              model->prepared_bytes > 0, true, model->prepared_bytes,
              ReadsAndWrites, 1);
  return entry.run();
}

int rootc_support_infer(rootc_context *context, int64_t batch,
                        const float *image, const void *prepared,
                        float *logits) {
  const rootc_model *model = rootc_host.model;
  Entry entry(context, ROOTC_INFER, batch);
  entry.arena(ROOTC_ARENA_IMAGE, "image", image, true, false,
              batch * Entry::imageElements(), Reads);
  entry.arena(ROOTC_ARENA_PREPARED, "prepared buffer", prepared,
              model->prepared_bytes > 0, true, model->prepared_bytes, Reads, 1);
  entry.arena(ROOTC_ARENA_LOGITS, "logits", logits, true, false,
              batch * uint64_t(model->classes), Writes);
  return entry.run();
}

static int trainOrGrad(rootc_context *context, int32_t program,
                       const rootc_batch *batch, const float *parameters,
                       float *statistics, float *gradients, float *loss,
                       float *dImage) {
  const rootc_model *model = rootc_host.model;
  Entry entry(context, program, batch ? batch->size : 1);
  int64_t random[2] = {0, 0};
  if (batch) {
    random[0] = batch->seed;
    random[1] = batch->epoch;
    entry.batchArenas(batch, random);
  } else if (context) {
    entry.bad("the pointer to the batch is null");
  }
  bool any = model->parameter_count > 0;
  entry.arena(ROOTC_ARENA_PARAMETERS, "parameters", parameters, any, true,
              model->parameter_count, Reads);
  entry.arena(ROOTC_ARENA_STATISTICS, "statistics", statistics,
              model->statistic_count > 0, true, model->statistic_count,
              ReadsAndWrites);
  entry.arena(ROOTC_ARENA_GRADIENTS, "gradients", gradients, any, true,
              model->parameter_count, ReadsAndWrites);
  entry.arena(ROOTC_ARENA_LOSS, "loss", loss, true, false, 1, Writes);
  if (program == ROOTC_GRAD)
    entry.arena(ROOTC_ARENA_INPUT_GRADIENT, "gradient of the image", dImage,
                true, false, entry.n * Entry::imageElements(), Writes);
  return entry.run();
}

int rootc_support_train(rootc_context *context, const rootc_batch *batch,
                        const float *parameters, float *statistics,
                        float *gradients, float *loss) {
  return trainOrGrad(context, ROOTC_TRAIN, batch, parameters, statistics,
                     gradients, loss, nullptr);
}

int rootc_support_grad(rootc_context *context, const rootc_batch *batch,
                       const float *parameters, float *statistics,
                       float *gradients, float *loss, float *d_image) {
  return trainOrGrad(context, ROOTC_GRAD, batch, parameters, statistics,
                     gradients, loss, d_image);
}

int64_t rootc_support_scalar_count(int32_t program) {
  switch (program) {
  case ROOTC_UPDATE:
    return 4;
  case ROOTC_ADAMW:
    return sizeof(rootc_adamw) / sizeof(float);
  case ROOTC_CLIP:
  case ROOTC_AVERAGE:
    return 1;
  default:
    return 0;
  }
}

namespace {
/// An update: flat arenas of `n` floats, and scalars.
struct Update : Entry {
  using Entry::Entry;

  void flat(rootc_arena index, const char *name, const float *values,
            Access access) {
    arena(index, name, values, true, true, uint64_t(n), access);
  }
  int runWith(const float *scalars) {
    arena(ROOTC_ARENA_SCALARS, "step", scalars, true, false,
          uint64_t(rootc_support_scalar_count(program)), Reads);
    return run();
  }
};
} // namespace

int rootc_support_update(rootc_context *context, int64_t count,
                         float *parameters, const float *gradients,
                         float *velocity, float learning_rate, float momentum,
                         float weight_decay, int32_t nesterov) {
  Update update(context, ROOTC_UPDATE, count);
  float scalars[] = {learning_rate, momentum, weight_decay, nesterov ? 1.f : 0};
  update.flat(ROOTC_ARENA_PARAMETERS, "parameters", parameters, ReadsAndWrites);
  update.flat(ROOTC_ARENA_GRADIENTS, "gradients", gradients, Reads);
  update.flat(ROOTC_ARENA_VELOCITY, "velocity", velocity, ReadsAndWrites);
  return update.runWith(scalars);
}

int rootc_support_adamw(rootc_context *context, int64_t count,
                        float *parameters, const float *gradients, float *mean,
                        float *square, const rootc_adamw *step) {
  Update update(context, ROOTC_ADAMW, count);
  update.flat(ROOTC_ARENA_PARAMETERS, "parameters", parameters, ReadsAndWrites);
  update.flat(ROOTC_ARENA_GRADIENTS, "gradients", gradients, Reads);
  update.flat(ROOTC_ARENA_VELOCITY, "mean", mean, ReadsAndWrites);
  update.flat(ROOTC_ARENA_SQUARE, "square", square, ReadsAndWrites);
  return update.runWith(step ? &step->shrink : nullptr);
}

int rootc_support_clip(rootc_context *context, int64_t count, float *gradients,
                       float most) {
  Update update(context, ROOTC_CLIP, count);
  update.flat(ROOTC_ARENA_GRADIENTS, "gradients", gradients, ReadsAndWrites);
  return update.runWith(&most);
}

int rootc_support_average(rootc_context *context, int64_t count, float *average,
                          const float *values, float share) {
  Update update(context, ROOTC_AVERAGE, count);
  update.flat(ROOTC_ARENA_AVERAGE, "average", average, ReadsAndWrites);
  update.flat(ROOTC_ARENA_PARAMETERS, "values", values, Reads);
  return update.runWith(&share);
}
