//===- RootPrimNormOps.td - Primitive ops of norms -- -*- tablegen -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_DIALECT_ROOTPRIMNORMOPS_TD
#define ROOTC_DIALECT_ROOTPRIMNORMOPS_TD

include "dialect/RootPrimBase.td"

//===----------------------------------------------------------------------===//
// Batch norm
//===----------------------------------------------------------------------===//

def Root_PrimBatchNormStatisticsOp : Root_PrimOp<"batch_norm_statistics",
    (ins Root_Map:$x), (ins),
    (outs Root_Vector:$mean, Root_Vector:$variance, Root_Vector:$unbiased),
    [Root_PrimTakesPrologue]> {
  let summary = "Mean, biased and unbiased variance of each channel";
  let hasVerifier = 1;
}

def Root_PrimRunningAverageOp : Root_PrimOp<"running_average",
    (ins Root_Vector:$running, Root_Vector:$batch), (ins F64Attr:$momentum),
    (outs Root_Vector:$updated), [SameOperandsAndResultType]> {
  let summary = "(1 - momentum) running + momentum batch";
}

def Root_PrimBatchNormNormalizeOp : Root_PrimOp<"batch_norm_normalize",
    (ins Root_Map:$x, Root_Vector:$mean, Root_Vector:$variance,
         Root_Vector:$scale, Root_Vector:$offset),
    (ins F64Attr:$epsilon), (outs Root_Map:$y),
    [AllTypesMatch<["x", "y"]>, Root_PrimElementwise, Root_PrimCheap]> {
  let summary = "scale (x - mean) / sqrt(variance + epsilon) + offset";
  let hasVerifier = 1;
}

def Root_PrimBatchNormBackwardReduceOp : Root_PrimOp<"batch_norm_backward_reduce",
    (ins Root_Map:$dy, Root_Map:$x, Root_Vector:$mean, Root_Vector:$variance),
    (ins F64Attr:$epsilon),
    (outs Root_Vector:$dscale, Root_Vector:$doffset, Root_Vector:$mean_dscale,
          Root_Vector:$mean_doffset),
    [AllTypesMatch<["dy", "x"]>, Root_PrimTakesPrologue]> {
  let summary = "Gradients of scale and offset, and both over N H W";
  let hasVerifier = 1;
}

def Root_PrimBatchNormBackwardDataOp : Root_PrimOp<"batch_norm_backward_data",
    (ins Root_Map:$dy, Root_Map:$x, Root_Vector:$mean, Root_Vector:$variance,
         Root_Vector:$scale, Root_Vector:$mean_dscale, Root_Vector:$mean_doffset),
    (ins F64Attr:$epsilon), (outs Root_Map:$dx),
    [AllTypesMatch<["dy", "x", "dx"]>, Root_PrimElementwise, Root_PrimCheap]> {
  let summary = "Gradient of batch norm's input";
  let hasVerifier = 1;
}

def Root_PrimFoldMultiplierOp : Root_PrimOp<"fold_multiplier",
    (ins Root_Vector:$scale, Root_Vector:$variance), (ins F64Attr:$epsilon),
    (outs Root_Vector:$multiplier), [SameOperandsAndResultType]> {
  let summary = "scale / sqrt(variance + epsilon)";
}

def Root_PrimFoldBiasOp : Root_PrimOp<"fold_bias",
    (ins Root_Vector:$mean, Root_Vector:$multiplier, Root_Vector:$offset,
         Optional<Root_Vector>:$bias), (ins),
    (outs Root_Vector:$folded), [SameOperandsAndResultType]> {
  let summary = "(bias - mean) multiplier + offset; no bias counts as 0";
}

def Root_PrimScaleFilterOp : Root_PrimOp<"scale_filter",
    (ins Root_Filter:$filter, Root_Vector:$multiplier), (ins),
    (outs Root_Filter:$scaled), [AllTypesMatch<["filter", "scaled"]>]> {
  let summary = "A filter with each output channel multiplied";
  let hasVerifier = 1;
}

//===----------------------------------------------------------------------===//
// Standardised filters
//===----------------------------------------------------------------------===//

def Root_PrimStandardizeFilterOp : Root_PrimOp<"standardize_filter",
    (ins Root_Filter:$filter, Root_Vector:$gain), (ins F64Attr:$epsilon),
    (outs Root_Filter:$standard), [AllTypesMatch<["filter", "standard"]>]> {
  let summary = "gain (w - mean) / sqrt(n (variance + epsilon)), by out channel";
  let hasVerifier = 1;
}

def Root_PrimStandardizeFilterBackwardOp
    : Root_PrimOp<"standardize_filter_backward",
                  (ins Root_Filter:$dstandard, Root_Filter:$filter,
                       Root_Vector:$gain),
                  (ins F64Attr:$epsilon), (outs Root_Filter:$dfilter),
                  [AllTypesMatch<["dstandard", "filter", "dfilter"]>]> {
  let summary = "Gradient of standardize_filter's filter";
  let hasVerifier = 1;
}

def Root_PrimStandardizeGainBackwardOp
    : Root_PrimOp<"standardize_gain_backward",
                  (ins Root_Filter:$dstandard, Root_Filter:$filter),
                  (ins F64Attr:$epsilon), (outs Root_Vector:$dgain),
                  [AllTypesMatch<["dstandard", "filter"]>]> {
  let summary = "Gradient of standardize_filter's gain";
  let hasVerifier = 1;
}

//===----------------------------------------------------------------------===//
// Layer norm: over the channels of each position
//===----------------------------------------------------------------------===//

def Root_PrimLayerNormOp : Root_PrimOp<"layer_norm",
    (ins Root_Map:$x, Root_Vector:$scale, Root_Vector:$offset),
    (ins F64Attr:$epsilon), (outs Root_Map:$y),
    [AllTypesMatch<["x", "y"]>, Root_PrimTakesPrologue, Root_PrimTakesEpilogue]> {
  let summary = "scale (x - mean) / sqrt(variance + epsilon) + offset, by positions";
  let hasVerifier = 1;
}

def Root_PrimLayerNormBackwardDataOp : Root_PrimOp<"layer_norm_backward_data",
    (ins Root_Map:$dy, Root_Map:$x, Root_Vector:$scale),
    (ins F64Attr:$epsilon), (outs Root_Map:$dx),
    [AllTypesMatch<["dy", "x", "dx"]>, Root_PrimTakesPrologue,
     Root_PrimTakesEpilogue]> {
  let summary = "Gradient of layer_norm's input";
  let hasVerifier = 1;
}

def Root_PrimLayerNormBackwardReduceOp : Root_PrimOp<"layer_norm_backward_reduce",
    (ins Root_Map:$dy, Root_Map:$x), (ins F64Attr:$epsilon),
    (outs Root_Vector:$dscale, Root_Vector:$doffset),
    [AllTypesMatch<["dy", "x"]>, Root_PrimTakesPrologue]> {
  let summary = "Gradients of layer_norm's scale and offset";
  let hasVerifier = 1;
}

//===----------------------------------------------------------------------===//
// Group norm: over an image's positions and the channels of a group
//===----------------------------------------------------------------------===//

def Root_PrimGroupNormStatisticsOp : Root_PrimOp<"group_norm_statistics",
    (ins Root_Map:$x), (ins Root_IntAttr:$groups, F64Attr:$epsilon),
    (outs Root_Map:$mean, Root_Map:$inverse), [Root_PrimTakesPrologue]> {
  let summary = "Mean and 1 / sqrt(variance + epsilon) of each channel's group, as [N,1,1,C]";
  let hasVerifier = 1;
}

def Root_PrimGroupNormNormalizeOp : Root_PrimOp<"group_norm_normalize",
    (ins Root_Map:$x, Root_Map:$mean, Root_Map:$inverse, Root_Vector:$scale,
         Root_Vector:$offset),
    (ins), (outs Root_Map:$y),
    [AllTypesMatch<["x", "y"]>, Root_PrimElementwise, Root_PrimCheap]> {
  let summary = "scale (x - mean) inverse + offset";
  let hasVerifier = 1;
}

def Root_PrimGroupNormBackwardReduceOp : Root_PrimOp<"group_norm_backward_reduce",
    (ins Root_Map:$dy, Root_Map:$x, Root_Map:$mean, Root_Map:$inverse,
         Root_Vector:$scale),
    (ins Root_IntAttr:$groups),
    (outs Root_Map:$dscale, Root_Map:$doffset, Root_Map:$mean_dscale,
          Root_Map:$mean_doffset),
    [AllTypesMatch<["dy", "x"]>, Root_PrimTakesPrologue]> {
  let summary = "Gradients of scale and offset by images, and the means over each channel's group of both times scale, as [N,1,1,C]";
  let hasVerifier = 1;
}

def Root_PrimGroupNormBackwardDataOp : Root_PrimOp<"group_norm_backward_data",
    (ins Root_Map:$dy, Root_Map:$x, Root_Map:$mean, Root_Map:$inverse,
         Root_Vector:$scale, Root_Map:$mean_dscale, Root_Map:$mean_doffset),
    (ins), (outs Root_Map:$dx),
    [AllTypesMatch<["dy", "x", "dx"]>, Root_PrimElementwise, Root_PrimCheap]> {
  let summary = "Gradient of group norm's input";
  let hasVerifier = 1;
}

//===----------------------------------------------------------------------===//
// Local response norm: over neighbouring channels
//===----------------------------------------------------------------------===//

defvar lrnAttributes = (ins Root_IntAttr:$size, F64Attr:$alpha, F64Attr:$beta,
                            F64Attr:$k);

def Root_PrimLocalResponseNormOp : Root_PrimOp<"local_response_norm",
    (ins Root_Map:$x), lrnAttributes, (outs Root_Map:$y),
    [SameOperandsAndResultType]> {
  let summary = "x / (k + alpha / size * sum of squares of near channels)^beta";
}

def Root_PrimLocalResponseNormBackwardOp
    : Root_PrimOp<"local_response_norm_backward",
                  (ins Root_Map:$dy, Root_Map:$x), lrnAttributes,
                  (outs Root_Map:$dx),
                  [SameOperandsAndResultType, Root_PrimTakesEpilogue]> {
  let summary = "Gradient of local_response_norm's input";
}

#endif // ROOTC_DIALECT_ROOTPRIMNORMOPS_TD
