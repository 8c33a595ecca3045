//===- Resample.h - Resize and crop an image, without a library -*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// An image that has the model's size is taken as it is. Any other is resized,
// in proportion, to 256/224 of the model's size: so that neither side is
// smaller than that, and one is equal to it. The model's size is then cut out.
//
// The runtime and the classifiers within generated libraries share this, so
// that both see the same pixels. Memory is the caller's.
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_SUPPORT_RESAMPLE_H
#define ROOTC_SUPPORT_RESAMPLE_H

#include <math.h>
#include <stddef.h>
#include <stdint.h>

typedef struct rootc_size {
  int64_t height, width;
} rootc_size;

/// Bytes of pixels [height, width, channels]; a row every `stride` bytes.
typedef struct rootc_pixels {
  const uint8_t *data;
  rootc_size size;
  int64_t stride, channels;
} rootc_pixels;

/// A part of an image.
typedef struct rootc_window {
  int64_t top, left;
  rootc_size size;
} rootc_window;

static inline int64_t rootc_larger(int64_t a, int64_t b) {
  return a > b ? a : b;
}
static inline int64_t rootc_within(int64_t value, int64_t low, int64_t high) {
  return value < low ? low : value > high ? high : value;
}

/// The size that an image is resized to, for a model of size `model`.
static inline rootc_size rootc_resized_size(rootc_size image,
                                            rootc_size model) {
  if (image.height == model.height && image.width == model.width)
    return image;
  double down = double(model.height) / double(image.height);
  double across = double(model.width) / double(image.width);
  double factor = (down > across ? down : across) * 256 / 224;
  rootc_size resized = {
      rootc_larger(model.height, llround(double(image.height) * factor)),
      rootc_larger(model.width, llround(double(image.width) * factor))};
  return resized;
}

/// The model's size in the centre, rounded up and to the left.
static inline rootc_window rootc_centre(rootc_size resized, rootc_size model) {
  rootc_window window = {(resized.height - model.height) / 2,
                         (resized.width - model.width) / 2, model};
  return window;
}

/// The pixels of a line that make one pixel of a resized one.
typedef struct rootc_pixel_range {
  int64_t first, count;
} rootc_pixel_range;

/// At most so many pixels make one, where `from` are resized to `to`.
static inline int64_t rootc_most_pixels(int64_t from, int64_t to) {
  return from > to ? 2 * (from / to) + 4 : 4;
}

/// What makes pixel `i`, with its weights, of which the sum is one: a triangle
/// of the width of two pixels of the coarser grid.
static inline rootc_pixel_range rootc_pixels_of(int64_t from, int64_t to,
                                                int64_t i, float *weights) {
  double scale = double(from) / double(to), width = scale > 1 ? scale : 1;
  double centre = (double(i) + 0.5) * scale;
  int64_t low = rootc_within(llround(centre - width), 0, from - 1);
  int64_t high = rootc_within(llround(centre + width), low + 1, from);
  double sum = 0;
  for (int pass = 0; pass < 2; ++pass)
    for (int64_t x = low; x < high; ++x) {
      double weight = 1 - fabs((double(x) + 0.5 - centre) / width);
      weight = weight > 0 ? weight : 0;
      if (pass == 0)
        sum += weight;
      else
        weights[x - low] = float(weight / sum);
    }
  rootc_pixel_range range = {low, high - low};
  return range;
}

/// Bytes of memory that rootc_resample needs.
static inline size_t rootc_resample_bytes(const rootc_pixels *image,
                                          rootc_size resized,
                                          const rootc_window *window) {
  int64_t columns = window->size.width;
  int64_t floats =
      columns * rootc_most_pixels(image->size.width, resized.width) +
      rootc_most_pixels(image->size.height, resized.height) +
      image->size.width * image->channels;
  return size_t(columns) * sizeof(rootc_pixel_range) +
         size_t(floats) * sizeof(float);
}

/// out[i] = sum over a column's pixels of row[i], rounded.
static inline void rootc_combine_columns(const rootc_pixel_range *ranges,
                                         int64_t columns, const float *weights,
                                         int64_t most, const float *row,
                                         int64_t channels, uint8_t *out) {
  for (int64_t i = 0; i < columns; ++i, weights += most)
    for (int64_t first = 0; first < channels; first += 4) {
      int64_t count = channels - first < 4 ? channels - first : 4;
      const float *in = row + ranges[i].first * channels + first;
      float sums[4] = {0, 0, 0, 0};
      for (int64_t k = 0; k < ranges[i].count; ++k)
        for (int64_t c = 0; c < count; ++c)
          sums[c] += weights[k] * in[k * channels + c];
      for (int64_t c = 0; c < count; ++c)
        *out++ = uint8_t(sums[c] + 0.5f < 255.f ? sums[c] + 0.5f : 255.f);
    }
}

/// Writes the window of `image` as resized to `resized`, to `out`
/// [window.size.height, window.size.width, channels]. Shrinking averages
/// (Pillow's BILINEAR, torchvision's antialias); the edge is renormalised.
/// Where the size stays, so does every value. `memory`, rootc_resample_bytes of
/// it, is aligned for int64_t.
static inline void rootc_resample(const rootc_pixels *image, rootc_size resized,
                                  const rootc_window *window, uint8_t *out,
                                  void *memory) {
  int64_t columns = window->size.width, channels = image->channels;
  int64_t most = rootc_most_pixels(image->size.width, resized.width);
  rootc_pixel_range *ranges = (rootc_pixel_range *)memory;
  float *across = (float *)(ranges + columns);
  float *down = across + columns * most;
  float *row = down + rootc_most_pixels(image->size.height, resized.height);
  int64_t begin = image->size.width, end = 0;
  for (int64_t i = 0; i < columns; ++i) {
    ranges[i] = rootc_pixels_of(image->size.width, resized.width,
                                window->left + i, across + i * most);
    begin = rootc_within(ranges[i].first, 0, begin);
    end = rootc_larger(end, ranges[i].first + ranges[i].count);
  }
  for (int64_t y = 0; y < window->size.height; ++y) {
    rootc_pixel_range range = rootc_pixels_of(
        image->size.height, resized.height, window->top + y, down);
    for (int64_t i = begin * channels; i < end * channels; ++i)
      row[i] = 0;
    for (int64_t k = 0; k < range.count; ++k) {
      const uint8_t *from = image->data + (range.first + k) * image->stride;
      float weight = down[k];
      for (int64_t i = begin * channels; i < end * channels; ++i)
        row[i] += weight * float(from[i]);
    }
    // A constant number of channels is computed faster.
    if (channels == 3)
      rootc_combine_columns(ranges, columns, across, most, row, 3, out);
    else if (channels == 1)
      rootc_combine_columns(ranges, columns, across, most, row, 1, out);
    else
      rootc_combine_columns(ranges, columns, across, most, row, channels, out);
    out += columns * channels;
  }
}

#endif // ROOTC_SUPPORT_RESAMPLE_H
