//===- TileConvolution.cpp - Dense convolutions of bf16 maps --------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The sums of a dense convolution whose filter lies in pairs of in channels
// (codegen/Geometry/FilterLayout.h), as a stage of a Halide pipeline.
//
//===----------------------------------------------------------------------===//

#include "TileProducts.h"

namespace {

/// What the caller knows of the convolution; map and filter beside it.
struct Convolution {
  int32_t rows, columns; ///< of the kernel
  int32_t stride[2], dilation[2], before[2];
  int32_t ins; ///< of a group, or of a row of taps, with zeros among them
  int32_t blocksPerGroup, blocks, block, batch;
};

/// Where the map's values lie, in values.
struct Map {
  const uint16_t *host;
  int64_t min[4], stride[4];

  const uint16_t *at(int64_t c, int64_t x, int64_t y, int64_t n) const {
    return host + (c - min[0]) * stride[0] + (x - min[1]) * stride[1] +
           (y - min[2]) * stride[2] + (n - min[3]) * stride[3];
  }
};

/// A few images of sums, blocks of out channels among them.
void sumRegion(const Convolution &conv, const Map &map,
               const rootc_kernel_buffer *filter,
               const rootc_kernel_buffer *sums, int32_t images,
               Products &products, Part part) {
  const rootc_kernel_dimension *out = sums->dim;
  const int64_t *in = map.stride;
  Taps taps = {};
  taps.rows = conv.rows;
  taps.columns = conv.columns;
  taps.chunks = conv.ins / tileTerms;
  taps.rowStep = conv.dilation[0] * in[2];
  taps.columnStep = conv.dilation[1] * in[1];
  taps.block = conv.block;
  // Rows, and images, that follow each other alike in both are one run.
  int64_t columnStep = in[1] * conv.stride[1], rowStep = in[2] * conv.stride[0];
  bool joinsRows = rowStep == columnStep * out[1].extent &&
                   out[2].stride == out[1].stride * out[1].extent;
  bool joinsImages = joinsRows && in[3] == rowStep * out[2].extent &&
                     out[3].stride == out[2].stride * out[2].extent;
  int64_t runRows = int64_t(out[1].extent) * (joinsRows ? out[2].extent : 1) *
                    (joinsImages ? images : 1);
  for (int32_t b = 0; b < out[4].extent; ++b) {
    int32_t index = out[4].min + b;
    taps.filter =
        (const uint16_t *)filter->host + int64_t(index) * filter->dim[4].stride;
    for (int32_t n = 0; n < (joinsImages ? 1 : images); ++n)
      for (int32_t y = 0; y < (joinsRows ? 1 : out[2].extent); ++y) {
        Run run = {map.at(index / conv.blocksPerGroup * conv.ins,
                          int64_t(out[1].min) * conv.stride[1],
                          int64_t(out[2].min + y) * conv.stride[0],
                          out[3].min + n),
                   (float *)sums->host + int64_t(y) * out[2].stride +
                       int64_t(n) * out[3].stride + int64_t(b) * out[4].stride,
                   runRows, columnStep, out[1].stride};
        products.sum(taps, run, part);
      }
  }
}

/// The same of a map of floats whose rows of taps are products' terms: its
/// rows become bf16, zeros around them.
void sumFloats(const Convolution &conv, const rootc_kernel_buffer *floats,
               const rootc_kernel_buffer *filter,
               const rootc_kernel_buffer *sums, int32_t images,
               Products &products) {
  const rootc_kernel_dimension *out = sums->dim, *in = floats->dim;
  int64_t channels = in[0].extent, width = in[1].extent, height = in[2].extent,
          rows = int64_t(out[2].extent - 1) * conv.stride[0] +
                 int64_t(conv.rows - 1) * conv.dilation[0] + 1,
          left = conv.before[1] * channels,
          // Beyond the last pixel's first tap lie the terms of one product.
      row = int64_t(out[1].extent - 1) * conv.stride[1] * channels + conv.ins;
  if (row < left + width * channels)
    row = left + width * channels;
  auto *copy = (uint16_t *)__builtin_alloca(rows * row * sizeof(uint16_t));
  Map map = {copy,
             {0, 0, int64_t(out[2].min) * conv.stride[0], 0},
             {1, channels, row, 0}};
  for (int32_t n = 0; n < images; ++n) {
    map.min[3] = out[3].min + n;
    for (int64_t y = 0; y < rows; ++y) {
      uint16_t *to = copy + y * row;
      int64_t from = map.min[2] + y - conv.before[0];
      bool inside = from >= 0 && from < height;
      int64_t end = inside ? left + width * channels : 0;
      __builtin_memset(to, 0, (inside ? left : row) * sizeof(uint16_t));
      if (!inside)
        continue;
      products.convert((const float *)floats->host + from * in[2].stride +
                           map.min[3] * in[3].stride,
                       to + left, width * channels);
      __builtin_memset(to + end, 0, (row - end) * sizeof(uint16_t));
    }
    rootc_kernel_dimension one[5];
    for (int d = 0; d < 5; ++d)
      one[d] = out[d];
    one[3].min += n;
    one[3].extent = 1;
    rootc_kernel_buffer image = *sums;
    image.host += int64_t(n) * out[3].stride * sizeof(float);
    image.dim = one;
    for (Part part : allParts)
      sumRegion(conv, map, filter, &image, 1, products, part);
  }
}

} // namespace

#pragma GCC visibility push(hidden)
extern "C" int
rootc_support_tiles(rootc_kernel_buffer *map, rootc_kernel_buffer *filter,
                    int32_t rows, int32_t columns, int32_t strideY,
                    int32_t strideX, int32_t dilationY, int32_t dilationX,
                    int32_t beforeY, int32_t beforeX, int32_t mapIns,
                    int32_t ins, int32_t blocksPerGroup, int32_t blocks,
                    int32_t block, int32_t batch, rootc_kernel_buffer *sums) {
  Convolution conv = {rows,
                      columns,
                      {strideY, strideX},
                      {dilationY, dilationX},
                      {beforeY, beforeX},
                      ins,
                      blocksPerGroup,
                      blocks,
                      block,
                      batch};
  const rootc_kernel_dimension *out = sums->dim; // lane, x, y, n, block
  int32_t images = out[3].extent;
  if (out[3].min + images > batch)
    images = batch - out[3].min; // none, where a tile lies beyond them
  if (!map->host || !filter->host || !sums->host) {
    // Halide asks what is read of buffers that are not there yet. A row of taps
    // that is one product reads columns up to its last term.
    int32_t firstGroup = out[4].min / blocksPerGroup,
            lastGroup = (out[4].min + out[4].extent - 1) / blocksPerGroup;
    bool rowTaps = mapIns != ins;
    auto reads = [](rootc_kernel_buffer *buffer, int32_t dimension, int32_t min,
                    int32_t extent) {
      if (buffer->host)
        return;
      buffer->dim[dimension].min = min;
      buffer->dim[dimension].extent = extent;
    };
    reads(map, 0, firstGroup * mapIns, (lastGroup - firstGroup + 1) * mapIns);
    reads(map, 1, out[1].min * strideX,
          (out[1].extent - 1) * strideX +
              (rowTaps ? (ins + mapIns - 1) / mapIns
                       : (columns - 1) * dilationX + 1));
    reads(map, 2, out[2].min * strideY,
          (out[2].extent - 1) * strideY + (rows - 1) * dilationY + 1);
    reads(map, 3, images > 0 ? out[3].min : batch - 1, images > 0 ? images : 1);
    const int32_t shape[] = {2 * block, ins / 2, columns, rows, blocks};
    for (int32_t d = 0; d < 5; ++d)
      reads(filter, d, 0, shape[d]);
    return 0;
  }
  if (images <= 0)
    return 0;
  Products products;
  const uint32_t bits = map->type >> 8 & 0xff;
  if (bits == 32) {
    sumFloats(conv, map, filter, sums, images, products);
  } else {
    Map narrow = {(const uint16_t *)map->host, {}, {}};
    for (int d = 0; d < 4; ++d) {
      narrow.min[d] = map->dim[d].min;
      narrow.stride[d] = map->dim[d].stride;
    }
    for (Part part : allParts)
      sumRegion(conv, narrow, filter, sums, images, products, part);
  }
  return 0;
}
#pragma GCC visibility pop
