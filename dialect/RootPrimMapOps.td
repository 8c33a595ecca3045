//===- RootPrimMapOps.td - Primitive ops on maps of two sizes  -*- tablegen -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_DIALECT_ROOTPRIMMAPOPS_TD
#define ROOTC_DIALECT_ROOTPRIMMAPOPS_TD

include "dialect/RootPrimBase.td"

//===----------------------------------------------------------------------===//
// Rows and columns as weighted sums of others
//===----------------------------------------------------------------------===//

defvar resampleAttributes = (ins
  Root_IntsAttr<2>:$input,  // H, W
  Root_IntsAttr<2>:$output, // OH, OW
  StrAttr:$mode,            // "nearest", "bilinear" or "average"
  StrAttr:$coordinates,     // of the first two, as root.resize has them
  StrAttr:$round            // of "nearest"
);

def Root_PrimResampleOp : Root_PrimOp<"resample", (ins Root_Map:$x),
    resampleAttributes, (outs Root_Map:$y), [Root_PrimTakesEpilogue]> {
  let summary = "A map in another size: nearest, bilinear, or means of windows";
  let hasVerifier = 1;
}

def Root_PrimResampleBackwardOp : Root_PrimOp<"resample_backward",
    (ins Root_Map:$dy), resampleAttributes, (outs Root_Map:$dx),
    [Root_PrimTakesEpilogue]> {
  let summary = "Gradient of resample's input";
  let hasVerifier = 1;
}

//===----------------------------------------------------------------------===//
// One value a position
//===----------------------------------------------------------------------===//

def Root_PrimChannelMeanOp : Root_PrimOp<"channel_mean", (ins Root_Map:$x), (ins),
    (outs Root_Map:$y), [Root_PrimTakesPrologue]> {
  let summary = "Mean of each position's channels, as [N,H,W,1]";
  let hasVerifier = 1;
}

def Root_PrimChannelMeanBackwardOp : Root_PrimOp<"channel_mean_backward",
    (ins Root_Map:$dy), (ins Root_IntAttr:$channels), (outs Root_Map:$dx),
    [Root_PrimTakesEpilogue]> {
  let summary = "Gradient of channel_mean's input";
  let hasVerifier = 1;
}

def Root_PrimChannelMaxOp : Root_PrimOp<"channel_max", (ins Root_Map:$x), (ins),
    (outs Root_Map:$y), [Root_PrimTakesPrologue]> {
  let summary = "Largest of each position's channels, as [N,H,W,1]";
  let hasVerifier = 1;
}

def Root_PrimChannelMaxBackwardOp : Root_PrimOp<"channel_max_backward",
    (ins Root_Map:$dy, Root_Map:$x, Root_Map:$y), (ins), (outs Root_Map:$dx),
    [Root_PrimTakesEpilogue]> {
  let summary = "dy, shared by the channels where x is y, else 0";
  let hasVerifier = 1;
}

//===----------------------------------------------------------------------===//
// Channels
//===----------------------------------------------------------------------===//

def Root_PrimChannelOffsetOp : Root_PrimOp<"channel_offset",
    (ins Root_Map:$x, Root_Vector:$offset), (ins), (outs Root_Map:$y),
    [AllTypesMatch<["x", "y"]>, Root_PrimElementwise, Root_PrimCheap]> {
  let summary = "x + offset: the bias of a transposed convolution";
  let hasVerifier = 1;
}

def Root_PrimBranchSoftmaxOp : Root_PrimOp<"branch_softmax", (ins Root_Map:$x),
    (ins Root_IntAttr:$branches), (outs Root_Map:$y),
    [SameOperandsAndResultType]> {
  let summary = "Softmax over channels that lie C / branches apart";
  let hasVerifier = 1;
}

def Root_PrimBranchSoftmaxBackwardOp : Root_PrimOp<"branch_softmax_backward",
    (ins Root_Map:$dy, Root_Map:$y), (ins Root_IntAttr:$branches),
    (outs Root_Map:$dx), [SameOperandsAndResultType]> {
  let summary = "y (dy - sum over the branches of dy y)";
  let hasVerifier = 1;
}

#endif // ROOTC_DIALECT_ROOTPRIMMAPOPS_TD
