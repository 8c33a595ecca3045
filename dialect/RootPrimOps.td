//===- RootPrimOps.td - Primitive ops with explicit operands -*- tablegen -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// One op per row of the table in docs/architecture.md, with its names.
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_DIALECT_ROOTPRIMOPS_TD
#define ROOTC_DIALECT_ROOTPRIMOPS_TD

include "dialect/RootPrimBase.td"
include "dialect/RootPrimElementwiseOps.td"
include "dialect/RootPrimMapOps.td"
include "dialect/RootPrimNormOps.td"

defvar convAttributes = (ins
  Root_IntsAttr<2>:$kernel,   // kh, kw
  Root_IntsAttr<2>:$stride,   // sh, sw
  Root_IntsAttr<4>:$pad,      // top, left, bottom, right
  Root_IntsAttr<2>:$dilation, // dh, dw
  Root_IntAttr:$groups,
  Root_IntAttr:$filters,
  Root_IntsAttr<2>:$input,    // H, W of the forward input
  // How the channels of the forward input, of the forward output are ordered;
  // absent: 1, the standard order.
  OptionalAttr<Root_IntAttr>:$in_order,
  OptionalAttr<Root_IntAttr>:$out_order
);

defvar windowAttributes = (ins
  Root_IntsAttr<2>:$kernel,
  Root_IntsAttr<2>:$stride,
  Root_IntsAttr<4>:$pad,
  Root_IntsAttr<2>:$output    // OH, OW of the forward result
);

//===----------------------------------------------------------------------===//
// Convolution
//===----------------------------------------------------------------------===//

def Root_PrimPackFilterOp : Root_PrimOp<"pack_filter",
    (ins Root_Filter:$filter),
    !con(convAttributes,
         (ins StrAttr:$direction, // "forward" or "backward_data"
              Root_IntAttr:$block, OptionalAttr<Root_IntAttr>:$winograd)),
    (outs Root_Packed:$packed)> {
  let summary = "Reorders a filter for the kernels of one direction";
  let hasVerifier = 1;
}

def Root_PrimConv2dOp : Root_PrimOp<"conv2d",
    (ins Root_Map:$x, Root_Packed:$filter, Optional<Root_Vector>:$bias),
    !con(convAttributes,
         (ins Root_IntAttr:$block, OptionalAttr<Root_IntAttr>:$winograd)),
    (outs Root_Map:$y), [Root_PrimTakesPrologue, Root_PrimTakesEpilogue]> {
  let summary = "Grouped 2-D convolution by a packed filter, plus a bias";
  let hasVerifier = 1;
}

def Root_PrimConv2dBackwardDataOp : Root_PrimOp<"conv2d_backward_data",
    (ins Root_Map:$dy, Root_Packed:$filter),
    !con(convAttributes,
         (ins Root_IntAttr:$block, OptionalAttr<Root_IntAttr>:$winograd)),
    (outs Root_Map:$dx), [Root_PrimTakesPrologue, Root_PrimTakesEpilogue]> {
  let summary = "Gradient of a convolution's input";
  let hasVerifier = 1;
}

def Root_PrimConv2dBackwardFilterOp : Root_PrimOp<"conv2d_backward_filter",
    (ins Root_Map:$x, Root_Map:$dy),
    !con(convAttributes,
         // How many parts of the batch's rows are summed apart; absent: as many
         // as suit a CPU.
         (ins OptionalAttr<Root_IntAttr>:$chunks)),
    (outs Root_Filter:$dfilter), [Root_PrimTakesPrologue]> {
  let summary = "Gradient of a convolution's filter";
  let hasVerifier = 1;
}

def Root_PrimChannelSumOp : Root_PrimOp<"channel_sum",
    (ins Root_Map:$x), (ins), (outs Root_Vector:$sum),
    [Root_PrimTakesPrologue]> {
  let summary = "Sum over batch and map: gradient of a bias";
  let hasVerifier = 1;
}

//===----------------------------------------------------------------------===//
// Pools
//===----------------------------------------------------------------------===//

def Root_PrimMaxPoolOp : Root_PrimOp<"max_pool", (ins Root_Map:$x),
    windowAttributes, (outs Root_Map:$y), [Root_PrimTakesPrologue, Root_PrimTakesEpilogue]> {
  let summary = "Largest of each window";
  let hasVerifier = 1;
}

def Root_PrimMaxPoolWithIndexOp : Root_PrimOp<"max_pool_with_index",
    (ins Root_Map:$x), windowAttributes,
    (outs Root_Map:$y, Root_IndexMap:$index), [Root_PrimTakesPrologue]> {
  let summary = "Largest of each window, and where: ky * kw + kx of the first";
  let hasVerifier = 1;
}

def Root_PrimMaxPoolBackwardOp : Root_PrimOp<"max_pool_backward",
    (ins Root_Map:$dy, Root_IndexMap:$index),
    !con(windowAttributes, (ins Root_IntsAttr<2>:$input)), (outs Root_Map:$dx),
    [Root_PrimTakesEpilogue]> {
  let summary = "Gradient of max_pool's input";
  let hasVerifier = 1;
}

def Root_PrimAveragePoolOp : Root_PrimOp<"average_pool", (ins Root_Map:$x),
    !con(windowAttributes, (ins Root_IntAttr:$exclude_pad, Root_IntsAttr<2>:$input)),
    (outs Root_Map:$y), [Root_PrimTakesPrologue, Root_PrimTakesEpilogue]> {
  let summary = "Mean of each window";
  let hasVerifier = 1;
}

def Root_PrimAveragePoolBackwardOp : Root_PrimOp<"average_pool_backward",
    (ins Root_Map:$dy),
    !con(windowAttributes, (ins Root_IntAttr:$exclude_pad, Root_IntsAttr<2>:$input)),
    (outs Root_Map:$dx), [Root_PrimTakesEpilogue]> {
  let summary = "Gradient of average_pool's input";
  let hasVerifier = 1;
}

def Root_PrimGlobalAveragePoolOp : Root_PrimOp<"global_average_pool",
    (ins Root_Map:$x), (ins Root_IntsAttr<2>:$input), (outs Root_Map:$y),
    [Root_PrimTakesPrologue]> {
  let summary = "Mean of each channel's map, as [N,1,1,C]";
  let hasVerifier = 1;
}

def Root_PrimGlobalAveragePoolBackwardOp
    : Root_PrimOp<"global_average_pool_backward", (ins Root_Map:$dy),
                  (ins Root_IntsAttr<2>:$input), (outs Root_Map:$dx),
                  [Root_PrimTakesEpilogue]> {
  let summary = "Gradient of global_average_pool's input";
  let hasVerifier = 1;
}

//===----------------------------------------------------------------------===//
// Channels
//===----------------------------------------------------------------------===//

def Root_PrimConcatOp : Root_PrimOp<"concat", (ins Variadic<Root_Map>:$inputs),
    (ins), (outs Root_Map:$y)> {
  let summary = "Channels one after another";
  let hasVerifier = 1;
}

def Root_PrimSliceChannelsOp : Root_PrimOp<"slice_channels", (ins Root_Map:$x),
    (ins Root_IntAttr:$begin, Root_IntAttr:$end), (outs Root_Map:$y),
    [Root_PrimCheap]> {
  let summary = "Channels [begin, end)";
  let hasVerifier = 1;
}

def Root_PrimPadChannelsOp : Root_PrimOp<"pad_channels",
    (ins Variadic<Root_Map>:$inputs), (ins DenseI64ArrayAttr:$begins),
    (outs Root_Map:$y)> {
  let summary = "Each map's channels from its begin on, zeros between them";
  let hasVerifier = 1;
}

def Root_PrimChannelShuffleOp : Root_PrimOp<"channel_shuffle",
    (ins Root_MapOrVector:$x), (ins Root_IntAttr:$groups),
    (outs Root_MapOrVector:$y), [SameOperandsAndResultType]> {
  let summary = "Channel i C / groups + j becomes j groups + i";
  let hasVerifier = 1;
}

//===----------------------------------------------------------------------===//
// Borders and blocks
//===----------------------------------------------------------------------===//

def Root_PrimPadOp : Root_PrimOp<"pad", (ins Root_Map:$x),
    (ins Root_IntsAttr<4>:$pad), (outs Root_Map:$y), [Root_PrimTakesPrologue]> {
  let summary = "Zeros around a map; a negative pad takes rows or columns away";
  let hasVerifier = 1;
}

def Root_PrimReflectPadOp : Root_PrimOp<"reflect_pad", (ins Root_Map:$x),
    (ins Root_IntsAttr<4>:$pad), (outs Root_Map:$y), [Root_PrimTakesPrologue]> {
  let summary = "The map mirrored at its edges around it";
  let hasVerifier = 1;
}

def Root_PrimReflectPadBackwardOp : Root_PrimOp<"reflect_pad_backward",
    (ins Root_Map:$dy), (ins Root_IntsAttr<4>:$pad), (outs Root_Map:$dx)> {
  let summary = "Gradient of reflect_pad's input";
  let hasVerifier = 1;
}

class Root_PrimBlockOp<string mnemonic> : Root_PrimOp<mnemonic,
    (ins Root_Map:$x), (ins Root_IntAttr:$block, StrAttr:$mode),
    (outs Root_Map:$y), [Root_PrimTakesPrologue]> {
  let hasVerifier = 1;
}

def Root_PrimSpaceToDepthOp : Root_PrimBlockOp<"space_to_depth"> {
  let summary = "Each block of pixels as channels of one; mode \"dcr\" or \"crd\"";
}

def Root_PrimDepthToSpaceOp : Root_PrimBlockOp<"depth_to_space"> {
  let summary = "Channels of each pixel as a block of pixels; mode as above";
}

//===----------------------------------------------------------------------===//
// Loss and update
//===----------------------------------------------------------------------===//

def Root_PrimSoftmaxCrossEntropyOp : Root_PrimOp<"softmax_cross_entropy",
    (ins Root_Map:$logits, Root_Integers:$labels), (ins),
    (outs Root_Vector:$loss)> {
  let summary = "Batch mean of the cross entropy of softmax(logits)";
  let hasVerifier = 1;
}

def Root_PrimSoftmaxCrossEntropyBackwardOp
    : Root_PrimOp<"softmax_cross_entropy_backward",
                  (ins Root_Map:$logits, Root_Integers:$labels),
                  (ins F64Attr:$weight), (outs Root_Map:$dlogits),
                  [AllTypesMatch<["logits", "dlogits"]>]> {
  let summary = "(softmax - onehot) weight / N";
  let hasVerifier = 1;
}

def Root_PrimWeightedSumOp : Root_PrimOp<"weighted_sum",
    (ins Variadic<Root_Vector>:$losses), (ins DenseF64ArrayAttr:$weights),
    (outs Root_Vector:$sum)> {
  let summary = "Sum of losses, each times its weight";
  let hasVerifier = 1;
}

def Root_PrimSgdOp : Root_PrimOp<"sgd",
    (ins Root_Vector:$parameters, Root_Vector:$gradients, Root_Vector:$velocity,
         Root_Vector:$scalars),
    (ins), (outs Root_Vector:$new_parameters, Root_Vector:$new_velocity),
    [AllTypesMatch<["parameters", "gradients", "velocity", "new_parameters",
                    "new_velocity"]>]> {
  let summary = "v = momentum v + (g + decay w), w = w - lr v";
  let description = [{
    `scalars` is (lr, momentum, decay, nesterov). Where nesterov is not 0:
    w = w - lr (g + decay w + momentum v), with the new v.
  }];
  let hasVerifier = 1;
}

def Root_PrimAdamwOp : Root_PrimOp<"adamw",
    (ins Root_Vector:$parameters, Root_Vector:$gradients, Root_Vector:$mean,
         Root_Vector:$square, Root_Vector:$scalars),
    (ins), (outs Root_Vector:$new_parameters, Root_Vector:$new_mean,
                 Root_Vector:$new_square),
    [AllTypesMatch<["parameters", "gradients", "mean", "square",
                    "new_parameters", "new_mean", "new_square"]>]> {
  let summary = "Adam's step with the decay beside it";
  let description = [{
    m = m + mean_gain (g - m), v = v + square_gain (g g - v),
    w = shrink w - lr m / (root sqrt(v) + epsilon); `scalars` is (shrink, lr,
    mean_gain, square_gain, root, epsilon). In the t-th update shrink is
    1 - rate decay, lr is rate / (1 - beta1^t), the gains are 1 - beta1 and
    1 - beta2, and root is 1 / sqrt(1 - beta2^t). Loshchilov and Hutter, Decoupled Weight Decay
    Regularization, ICLR 2019, algorithm 2.
  }];
  let hasVerifier = 1;
}

def Root_PrimClipNormOp : Root_PrimOp<"clip_norm",
    (ins Root_Vector:$gradients, Root_Vector:$scalars), (ins),
    (outs Root_Vector:$clipped),
    [AllTypesMatch<["gradients", "clipped"]>]> {
  let summary = "g = g min(1, most / (|g| + 1e-6))";
  let description = [{
    `scalars` is (most). |g| is the square root of the sum of all squares. As
    PyTorch's clip_grad_norm_, but that a norm which is not a number changes
    nothing.
  }];
  let hasVerifier = 1;
}

def Root_PrimMovingAverageOp : Root_PrimOp<"moving_average",
    (ins Root_Vector:$average, Root_Vector:$values, Root_Vector:$scalars),
    (ins), (outs Root_Vector:$updated),
    [AllTypesMatch<["average", "values", "updated"]>]> {
  let summary = "a = a + share (x - a)";
  let description = [{ `scalars` is (share). }];
  let hasVerifier = 1;
}

#endif // ROOTC_DIALECT_ROOTPRIMOPS_TD
