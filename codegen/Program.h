//===- Program.h - Plain description of a model's programs ------*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The kernel calls of each program on planned buffers, from which the model's
// table is made. No MLIR, Halide or LLVM types.
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_CODEGEN_PROGRAM_H
#define ROOTC_CODEGEN_PROGRAM_H

#include "codegen/Kernel.h"

#include <optional>

namespace rootc::codegen {

/// Where a buffer lives. All but the workspace are arguments of the entry.
enum class Arena {
  Image,          ///< f32 [N,H,W,C]
  Labels,         ///< i64 [N]
  Samples,        ///< i64 [N]: index of each image in its data set
  Random,         ///< i64 [2]: seed, epoch
  Parameters,     ///< f32, flat
  Statistics,     ///< f32, flat; running mean and variance
  Prepared,       ///< bytes made by `prepare`
  Gradients,      ///< f32, flat, laid out as Parameters
  Velocity,       ///< f32, flat, laid out as Parameters; AdamW's mean
  Square,         ///< f32, flat, laid out as Parameters
  Average,        ///< f32, flat
  Scalars,        ///< f32: of an update, as its op has them
  Logits,         ///< f32 [N,classes]
  Loss,           ///< f32 [1]
  InputGradient,  ///< f32 [N,H,W,C]
  WorkspaceBatch, ///< offset is in bytes per image: address = base + N * offset
  WorkspaceFixed, ///< offset in bytes; lies behind the N * batchBytes part
};

/// One operand of a call: dense row-major `type` at `offset` in `arena`.
/// Offsets are bytes; in WorkspaceBatch, bytes per image.
struct BufferRef {
  Arena arena;
  int64_t offset = 0;
  TensorType type;
};

struct Call {
  int64_t kernel = 0;             ///< index into Model::kernels
  std::vector<BufferRef> buffers; ///< kernel inputs, then outputs
  std::string label;              ///< for profiles: "conv2a forward"
};

/// From Update on the dynamic dimension counts floats, not images.
enum class ProgramKind {
  Prepare,
  Infer,
  Train,
  Grad,
  Update,
  Adamw,
  Clip,
  Average
};

struct Program {
  ProgramKind kind;
  std::vector<Call> calls;
  int64_t batchBytes = 0; ///< workspace bytes per image, a multiple of 64
  int64_t fixedBytes = 0; ///< workspace bytes whatever the batch
};

/// A tensor of the parameter or the statistic arena.
struct TensorInfo {
  std::string name; ///< "conv2a.filter"
  std::string role; ///< filter, weight, bias, scale, offset, mean, variance
  std::vector<int64_t> shape;
  int64_t offset = 0; ///< floats from the start of its arena
  int64_t fanIn = 0;  ///< kh kw in/groups; 0 where initialised by a constant
  bool statistic = false;
};

/// Where the infer program writes what one layer computes: its own value, or
/// that after the elementwise ops which its kernel applies as well.
struct Response {
  std::string name;    ///< the layer's, "conv2c"
  std::string valueOf; ///< the layer of the last of these ops, "relu_6"
  int64_t call = 0;    ///< of the infer program: complete once it is done
  BufferRef buffer;    ///< f32 [N,H,W,C] in WorkspaceBatch or Logits
  int64_t order = 1;   ///< of its channels (codegen/Geometry/ConvShape.h)
};

/// Weights that a library holds.
struct ModelWeights {
  std::string prepared;     ///< what the prepare program makes of them
  std::vector<float> mean;  ///< of pixels, [H,W,C] or [C]
  std::vector<float> scale; ///< [C]
  std::vector<std::string> classNames; ///< empty: unknown
};

struct Model {
  std::string name; ///< the network's symbol
  /// Behind the name of its entry, where a library holds several variants of it
  /// and another function chooses among them; else empty.
  std::string variant;
  /// The symbol that gives the library's variant for the next kind of device;
  /// empty: there is none.
  std::string nextTarget;
  int64_t height = 0, width = 0, channels = 0, classes = 0;
  std::vector<TensorInfo> tensors;
  int64_t parameterCount = 0; ///< floats, padding included
  int64_t decayedCount = 0;   ///< weight decay applies to [0, decayedCount)
  int64_t statisticCount = 0;
  int64_t preparedBytes = 0;
  std::vector<Kernel> kernels; ///< one per signature
  std::vector<Program> programs;
  std::vector<Response> responses; ///< in the order of their calls
  std::optional<ModelWeights> weights;
  std::string description; ///< JSON for `rootrun info`: layers, cost, options
};

/// JSON of the whole model without the kernels' bodies, for tests and caches.
std::string toJson(const Model &model);

} // namespace rootc::codegen

#endif // ROOTC_CODEGEN_PROGRAM_H
