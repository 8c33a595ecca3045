//===- RootPrimElementwiseOps.td - Primitive ops that map points to points -*- tablegen -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_DIALECT_ROOTPRIMELEMENTWISEOPS_TD
#define ROOTC_DIALECT_ROOTPRIMELEMENTWISEOPS_TD

include "dialect/RootPrimBase.td"

class Root_PrimUnaryOp<string mnemonic, dag attributes = (ins),
                       list<Trait> traits = [Root_PrimCheap]>
    : Root_PrimOp<mnemonic, (ins Root_Map:$x), attributes, (outs Root_Map:$y),
                  !listconcat([SameOperandsAndResultType, Root_PrimElementwise],
                              traits)>;

/// The gradient of an activation's input, from that of its result and from the
/// result itself.
class Root_PrimBackwardFromResultOp<string mnemonic, dag attributes = (ins),
                                    list<Trait> traits = [Root_PrimCheap]>
    : Root_PrimOp<mnemonic, (ins Root_Map:$dy, Root_Map:$y), attributes,
                  (outs Root_Map:$dx),
                  !listconcat([SameOperandsAndResultType, Root_PrimElementwise],
                              traits)>;

/// The same from the input.
class Root_PrimBackwardFromInputOp<string mnemonic, dag attributes = (ins),
                                   list<Trait> traits = []>
    : Root_PrimOp<mnemonic, (ins Root_Map:$dy, Root_Map:$x), attributes,
                  (outs Root_Map:$dx),
                  !listconcat([SameOperandsAndResultType, Root_PrimElementwise],
                              traits)>;

//===----------------------------------------------------------------------===//
// Copies, sums, products
//===----------------------------------------------------------------------===//

def Root_PrimCopyOp : Root_PrimOp<"copy", (ins AnyRankedTensor:$x), (ins),
    (outs AnyRankedTensor:$y), [SameOperandsAndResultType]> {
  let summary = "The same values in another buffer";
}

def Root_PrimZerosLikeOp : Root_PrimOp<"zeros_like", (ins Root_Vector:$x), (ins),
    (outs Root_Vector:$y), [SameOperandsAndResultType]> {
  let summary = "Zeros: the gradient of a bias that batch norm takes out";
}

def Root_PrimAddOp : Root_PrimOp<"add", (ins Root_Map:$a, Root_Map:$b), (ins),
    (outs Root_Map:$y),
    [SameOperandsAndResultType, Root_PrimElementwise, Root_PrimCheap]> {
  let summary = "Sum of two maps";
}

def Root_PrimMultiplyOp : Root_PrimOp<"multiply", (ins Root_Map:$a, Root_Map:$b),
    (ins), (outs Root_Map:$y),
    [AllTypesMatch<["a", "y"]>, Root_PrimElementwise, Root_PrimCheap]> {
  let summary = "Product of two maps; b may have one row and column, one channel, or both";
  let hasVerifier = 1;
}

def Root_PrimReduceSumOp : Root_PrimOp<"reduce_sum", (ins Root_Map:$x),
    (ins StrAttr:$over), // "map", "channels" or "image", which is both
    (outs Root_Map:$y), [Root_PrimTakesPrologue]> {
  let summary = "Sums within each image: gradient of what multiply broadcasts";
  let hasVerifier = 1;
}

def Root_PrimChannelAffineOp : Root_PrimOp<"channel_affine",
    (ins Root_Map:$x, Root_Vector:$multiplier, Root_Vector:$offset), (ins),
    (outs Root_Map:$y),
    [AllTypesMatch<["x", "y"]>, Root_PrimElementwise, Root_PrimCheap]> {
  let summary = "x multiplier + offset: batch norm in inference";
  let hasVerifier = 1;
}

def Root_PrimScaleChannelsOp : Root_PrimOp<"scale_channels",
    (ins Root_Map:$x, Root_Vector:$multiplier), (ins), (outs Root_Map:$y),
    [AllTypesMatch<["x", "y"]>, Root_PrimElementwise, Root_PrimCheap]> {
  let summary = "x multiplier, one a channel";
  let hasVerifier = 1;
}

def Root_PrimSampleMaskOp : Root_PrimOp<"sample_mask",
    (ins Root_Integers:$random, Root_Integers:$samples),
    (ins F64Attr:$rate, Root_IntAttr:$ordinal), (outs Root_Map:$mask)> {
  let summary = "1 / (1 - rate) for images that are kept, 0 for others: [N,1,1,1]";
  let description = "`random` and `samples` are dropout's.";
  let hasVerifier = 1;
}

def Root_PrimDropoutOp : Root_PrimOp<"dropout",
    (ins Root_Map:$x, Root_Integers:$random, Root_Integers:$samples),
    (ins F64Attr:$rate, Root_IntAttr:$ordinal), (outs Root_Map:$y),
    [AllTypesMatch<["x", "y"]>, Root_PrimElementwise]> {
  let summary = "x mask / (1 - rate); its own backward op, on dy";
  let description = [{
    `random` is (seed, epoch); `samples` keys each image of the batch. The mask
    is counter-based: the same whenever it is computed.
  }];
  let hasVerifier = 1;
}

//===----------------------------------------------------------------------===//
// Activations
//===----------------------------------------------------------------------===//

def Root_PrimReluOp : Root_PrimUnaryOp<"relu"> {
  let summary = "max(x, 0)";
}

def Root_PrimReluBackwardOp : Root_PrimBackwardFromResultOp<"relu_backward"> {
  let summary = "dy where y > 0, else 0";
}

defvar clipAttributes = (ins OptionalAttr<F64Attr>:$min,
                             OptionalAttr<F64Attr>:$max);

def Root_PrimClipOp : Root_PrimUnaryOp<"clip", clipAttributes> {
  let summary = "max(min(x, max), min); a bound that is absent does not bind";
}

def Root_PrimClipBackwardOp
    : Root_PrimBackwardFromResultOp<"clip_backward", clipAttributes> {
  let summary = "dy where min < y < max, else 0";
}

def Root_PrimSigmoidOp
    : Root_PrimUnaryOp<"sigmoid", (ins), /*traits=*/[]> { // exp() is not cheap
  let summary = "1 / (1 + exp(-x))";
}

def Root_PrimSigmoidBackwardOp
    : Root_PrimBackwardFromResultOp<"sigmoid_backward"> {
  let summary = "dy y (1 - y)";
}

defvar hardSigmoidAttributes = (ins F64Attr:$alpha, F64Attr:$beta);

def Root_PrimHardSigmoidOp
    : Root_PrimUnaryOp<"hard_sigmoid", hardSigmoidAttributes> {
  let summary = "max(0, min(1, alpha x + beta))";
}

def Root_PrimHardSigmoidBackwardOp
    : Root_PrimBackwardFromResultOp<"hard_sigmoid_backward",
                                    hardSigmoidAttributes> {
  let summary = "alpha dy where 0 < y < 1, else 0";
}

def Root_PrimHardSwishOp : Root_PrimUnaryOp<"hard_swish"> {
  let summary = "x max(0, min(1, x / 6 + 0.5))";
}

def Root_PrimHardSwishBackwardOp
    : Root_PrimBackwardFromInputOp<"hard_swish_backward", (ins),
                                   [Root_PrimCheap]> {
  let summary = "dy times 0 from -3 down, 1 from 3 up, else x / 3 + 0.5";
}

def Root_PrimLeakyReluOp : Root_PrimUnaryOp<"leaky_relu", (ins F64Attr:$alpha)> {
  let summary = "x where x > 0, else alpha x; alpha is not negative";
}

def Root_PrimLeakyReluBackwardOp
    : Root_PrimBackwardFromResultOp<"leaky_relu_backward",
                                    (ins F64Attr:$alpha)> {
  let summary = "dy where y > 0, else alpha dy";
}

def Root_PrimPReluOp : Root_PrimOp<"prelu",
    (ins Root_Map:$x, Root_Vector:$slope), (ins), (outs Root_Map:$y),
    [AllTypesMatch<["x", "y"]>, Root_PrimElementwise, Root_PrimCheap]> {
  let summary = "x where x > 0, else slope x; slope is [C] or [1]";
  let hasVerifier = 1;
}

def Root_PrimPReluBackwardOp : Root_PrimOp<"prelu_backward",
    (ins Root_Map:$dy, Root_Map:$x, Root_Vector:$slope), (ins),
    (outs Root_Map:$dx),
    [AllTypesMatch<["dy", "x", "dx"]>, Root_PrimElementwise, Root_PrimCheap]> {
  let summary = "dy where x > 0, else slope dy";
  let hasVerifier = 1;
}

defvar eluAttributes = (ins F64Attr:$alpha, F64Attr:$scale,
                            F64Attr:$input_scale);

def Root_PrimEluOp : Root_PrimUnaryOp<"elu", eluAttributes, /*traits=*/[]> {
  let summary = "scale x where x > 0, else scale alpha (exp(input_scale x) - 1)";
}

def Root_PrimEluBackwardOp
    : Root_PrimBackwardFromResultOp<"elu_backward", eluAttributes> {
  let summary = "scale dy where y > 0, else input_scale (y + scale alpha) dy";
}

def Root_PrimGeluOp
    : Root_PrimUnaryOp<"gelu", (ins StrAttr:$form), /*traits=*/[]> {
  let summary = "x / 2 (1 + erf(x / sqrt(2))), or its form with tanh";
  let hasVerifier = 1;
}

def Root_PrimGeluBackwardOp
    : Root_PrimBackwardFromInputOp<"gelu_backward", (ins StrAttr:$form)> {
  let summary = "Gradient of gelu's input";
  let hasVerifier = 1;
}

def Root_PrimSiluOp : Root_PrimUnaryOp<"silu", (ins), /*traits=*/[]> {
  let summary = "x / (1 + exp(-x))";
}

def Root_PrimSiluBackwardOp : Root_PrimBackwardFromInputOp<"silu_backward"> {
  let summary = "dy s (1 + x (1 - s)) with s = 1 / (1 + exp(-x))";
}

def Root_PrimSoftplusOp : Root_PrimUnaryOp<"softplus", (ins), /*traits=*/[]> {
  let summary = "log(1 + exp(x))";
}

def Root_PrimSoftplusBackwardOp
    : Root_PrimBackwardFromResultOp<"softplus_backward", (ins), /*traits=*/[]> {
  let summary = "dy (1 - exp(-y))";
}

def Root_PrimMishOp : Root_PrimUnaryOp<"mish", (ins), /*traits=*/[]> {
  let summary = "x tanh(log(1 + exp(x)))";
}

def Root_PrimMishBackwardOp : Root_PrimBackwardFromInputOp<"mish_backward"> {
  let summary = "Gradient of mish's input";
}

#endif // ROOTC_DIALECT_ROOTPRIMELEMENTWISEOPS_TD
