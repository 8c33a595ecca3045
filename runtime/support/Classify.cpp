//===- Classify.cpp - From pixels to probabilities ------------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// In libraries that hold weights. What it computes is what `rootrun predict`
// does with an image file, to the last bit but for how that decodes a JPEG.
//
//===----------------------------------------------------------------------===//

#include "Resample.h"
#include "Support.h"
#include <stdlib.h>

namespace {

/// Larger sides are refused, so that no size overflows.
const int64_t largestSide = 1 << 24;

/// What one call needs beside its arguments, in one block of the heap.
struct ClassifyMemory {
  char *block = nullptr;
  size_t bytes = 0;

  /// Where so many bytes will lie.
  size_t reserve(size_t count) {
    size_t at = bytes;
    bytes += (count + 63) / 64 * 64;
    return at;
  }
  bool allocate() {
    void *memory = nullptr;
    if (posix_memalign(&memory, 64, bytes))
      return false;
    block = (char *)memory;
    return true;
  }
  ~ClassifyMemory() { free(block); }
};

int refuse(rootc_context *context, const char *what, int64_t value) {
  rootc_support_error(context, "classify: %s (%lld)", what, (long long)value);
  return ROOTC_ERROR_ARGUMENT;
}

void softmax(float *values, int64_t count) {
  float largest = values[0];
  for (int64_t i = 1; i < count; ++i)
    largest = largest < values[i] ? values[i] : largest;
  double sum = 0;
  for (int64_t i = 0; i < count; ++i)
    sum += exp(double(values[i]) - double(largest));
  double logOfSum = log(sum);
  for (int64_t i = 0; i < count; ++i)
    values[i] = float(exp(double(values[i]) - double(largest) - logOfSum));
}

} // namespace

int rootc_support_classify(const uint8_t *pixels, int64_t height, int64_t width,
                           int64_t stride, float *probabilities,
                           rootc_context *context) {
  rootc_context own = {};
  if (!context)
    context = &own;
  context->error[0] = 0;
  const rootc_model *model = rootc_host.model;
  const rootc_weights *weights = model->weights;
  if (!pixels || !probabilities)
    return refuse(context, "a pointer is null", 0);
  if (height < 1 || height > largestSide)
    return refuse(context, "the height is not from 1 to 16777216", height);
  if (width < 1 || width > largestSide)
    return refuse(context, "the width is not from 1 to 16777216", width);
  if (stride < width * model->channels)
    return refuse(context, "the stride is less than the bytes of a row",
                  stride);

  rootc_size size = {model->height, model->width};
  rootc_pixels image = {pixels, {height, width}, stride, model->channels};
  rootc_size resized = rootc_resized_size(image.size, size);
  rootc_window window = rootc_centre(resized, size);
  int64_t values = model->height * model->width * model->channels;
  int64_t workspace = rootc_support_workspace_bytes(ROOTC_INFER, 1);
  bool bring = !context->workspace ||
               context->workspace_bytes < size_t(rootc_larger(workspace, 0));
  ClassifyMemory memory;
  size_t input = memory.reserve(size_t(values) * sizeof(float));
  size_t cut = memory.reserve(size_t(values));
  size_t scratch =
      memory.reserve(rootc_resample_bytes(&image, resized, &window));
  size_t room = memory.reserve(bring && workspace > 0 ? size_t(workspace) : 0);
  if (!memory.allocate()) {
    rootc_support_error(context, "classify: memory ran out (%llu bytes)",
                        (unsigned long long)memory.bytes);
    return ROOTC_ERROR_MEMORY;
  }
  uint8_t *bytes = (uint8_t *)memory.block + cut;
  float *normalised = (float *)(memory.block + input);
  rootc_resample(&image, resized, &window, bytes, memory.block + scratch);
  for (int64_t i = 0; i < values; ++i)
    normalised[i] = (float(bytes[i]) - weights->mean[i % weights->mean_count]) /
                    weights->scale[i % model->channels];

  void *before = context->workspace;
  size_t bytesBefore = context->workspace_bytes;
  if (bring) {
    context->workspace = memory.block + room;
    context->workspace_bytes = size_t(rootc_larger(workspace, 0));
  }
  int status = rootc_support_infer(context, 1, normalised, weights->prepared,
                                   probabilities);
  context->workspace = before;
  context->workspace_bytes = bytesBefore;
  if (status == ROOTC_OK)
    softmax(probabilities, model->classes);
  return status;
}
