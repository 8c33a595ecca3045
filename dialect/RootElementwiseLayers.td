//===- RootElementwiseLayers.td - Layers that map points to points -*- tablegen -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_DIALECT_ROOTELEMENTWISELAYERS_TD
#define ROOTC_DIALECT_ROOTELEMENTWISELAYERS_TD

include "dialect/RootLayerBase.td"

//===----------------------------------------------------------------------===//
// Activations
//===----------------------------------------------------------------------===//

def Root_ReluOp : Root_LayerOp<"relu"> {
  let summary = "max(x, 0)";
  let description = "`%2 = root.relu %1`";
  let arguments = (ins Root_ImageType:$input);
  let hasVerifier = 0;
}

def Root_ClipOp : Root_LayerOp<"clip"> {
  let summary = "max(min(x, max), min)";
  let description = [{
    `%2 = root.clip %1 min(0) max(6)`

    A bound that is left out does not bind; `min(0) max(6)` is ReLU6. The
    gradient passes where x is strictly between the bounds, and is 0 elsewhere,
    on a bound too.

    Rules:

    * (T1) min and max are finite in 32-bit floating point;
    * (T2) min is at most max.
  }];
  let arguments = (ins Root_ImageType:$input, OptionalAttr<F64Attr>:$min,
                       OptionalAttr<F64Attr>:$max);
}

def Root_SigmoidOp : Root_LayerOp<"sigmoid"> {
  let summary = "1 / (1 + exp(-x))";
  let description = [{
    `%2 = root.sigmoid %1`

    SiLU, a value times its sigmoid, is `root.silu`.
  }];
  let arguments = (ins Root_ImageType:$input);
  let hasVerifier = 0;
}

def Root_HardSigmoidOp : Root_LayerOp<"hard_sigmoid"> {
  let summary = "max(0, min(1, alpha x + beta))";
  let description = [{
    `%2 = root.hard_sigmoid %1 alpha(0.16666667) beta(0.5)`

    The defaults are ONNX's, alpha 0.2 and beta 0.5; PyTorch's alpha is 1/6. The
    gradient is alpha where the result is strictly between 0 and 1, and 0
    elsewhere.

    Rules:

    * (H1) alpha and beta are finite in 32-bit floating point.
  }];
  let arguments = (ins Root_ImageType:$input,
      DefaultValuedAttr<F64Attr, "0.2">:$alpha,
      DefaultValuedAttr<F64Attr, "0.5">:$beta);
}

def Root_HardSwishOp : Root_LayerOp<"hard_swish"> {
  let summary = "x max(0, min(1, x / 6 + 0.5))";
  let description = [{
    `%2 = root.hard_swish %1`

    The gradient is 0 from -3 down, 1 from 3 up, and x / 3 + 0.5 between them.
  }];
  let arguments = (ins Root_ImageType:$input);
  let hasVerifier = 0;
}

def Root_LeakyReluOp : Root_LayerOp<"leaky_relu"> {
  let summary = "x where x > 0, else alpha x";
  let description = [{
    `%2 = root.leaky_relu %1 alpha(0.1)`

    The default alpha is 0.01. The gradient is 1 where x > 0, and alpha
    elsewhere.

    Rules:

    * (LR1) alpha is finite in 32-bit floating point, and not negative.
  }];
  let arguments = (ins Root_ImageType:$input,
      DefaultValuedAttr<F64Attr, "0.01">:$alpha);
}

def Root_PReluOp : Root_LayerOp<"prelu"> {
  let summary = "x where x > 0, else a learnt slope times x";
  let description = [{
    `%2 = root.prelu "act1" %1`

    Parameter `NAME.slope`, one value a channel, or one for all channels with
    the clause `shared`; 0.25 in an untrained network. The gradient is 1 where
    x > 0, and the slope elsewhere.

    Rules:

    * (PR1) the name is made of letters, digits and `_ . - /`, at most 200.
  }];
  let arguments = (ins Root_ImageType:$input, StrAttr:$layer, UnitAttr:$shared);
}

def Root_EluOp : Root_LayerOp<"elu"> {
  let summary = "scale x where x > 0, else scale alpha (exp(x input_scale) - 1)";
  let description = [{
    `%2 = root.elu %1 alpha(1) scale(1) input_scale(1)`

    All are 1 unless given. SELU is `alpha(1.67326324) scale(1.05070099)`, CELU
    of a is `alpha(a) input_scale(1/a)`.

    Rules:

    * (EL1) alpha, scale and input_scale are finite in 32-bit floating point;
    * (EL2) alpha is not negative, scale and input_scale are positive.
  }];
  let arguments = (ins Root_ImageType:$input,
      DefaultValuedAttr<F64Attr, "1.0">:$alpha,
      DefaultValuedAttr<F64Attr, "1.0">:$scale,
      DefaultValuedAttr<F64Attr, "1.0">:$input_scale);
}

def Root_GeluOp : Root_LayerOp<"gelu"> {
  let summary = "x Phi(x), Phi being the normal distribution's";
  let description = [{
    `%2 = root.gelu %1`

    x / 2 (1 + erf(x / sqrt(2))); with the clause `tanh` its approximation,
    x / 2 (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))).
  }];
  let arguments = (ins Root_ImageType:$input, UnitAttr:$tanh);
  let hasVerifier = 0;
}

def Root_SiluOp : Root_LayerOp<"silu"> {
  let summary = "x / (1 + exp(-x)), also called swish";
  let description = "`%2 = root.silu %1`";
  let arguments = (ins Root_ImageType:$input);
  let hasVerifier = 0;
}

def Root_SoftplusOp : Root_LayerOp<"softplus"> {
  let summary = "log(1 + exp(x))";
  let description = "`%2 = root.softplus %1`";
  let arguments = (ins Root_ImageType:$input);
  let hasVerifier = 0;
}

def Root_MishOp : Root_LayerOp<"mish"> {
  let summary = "x tanh(log(1 + exp(x)))";
  let description = "`%2 = root.mish %1`";
  let arguments = (ins Root_ImageType:$input);
  let hasVerifier = 0;
}

//===----------------------------------------------------------------------===//
// Of branches
//===----------------------------------------------------------------------===//

def Root_LayerScaleOp : Root_LayerOp<"layer_scale"> {
  let summary = "Each channel times a learnt number";
  let description = [{
    `%2 = root.layer_scale "ls1" %1`

    Parameter `NAME.scale`, one value a channel; 1 in an untrained network.

    Rules:

    * (LS1) the name is made of letters, digits and `_ . - /`, at most 200.
  }];
  let arguments = (ins Root_ImageType:$input, StrAttr:$layer);
}

def Root_DropPathOp : Root_LayerOp<"drop_path"> {
  let summary = "In training, sets whole images' maps to zero at random";
  let description = [{
    `%2 = root.drop_path %1 rate(0.1)`

    Stochastic depth, on a branch that is added to another. What is kept is
    divided by (1 - rate); in inference, nothing happens.

    Rules:

    * (DP1) rate is at least 0 and less than 1.
  }];
  let arguments = (ins Root_ImageType:$input, F64Attr:$rate);
}

//===----------------------------------------------------------------------===//
// Joins
//===----------------------------------------------------------------------===//

def Root_AddOp : Root_LayerOp<"add"> {
  let summary = "Sum of two maps of one shape";
  let description = [{
    `%3 = root.add %1, %2`

    Rules:

    * (A1) both maps have the same shape.
  }];
  let arguments = (ins Root_ImageType:$lhs, Root_ImageType:$rhs);
  let hasVerifier = 0;
}

def Root_MultiplyOp : Root_LayerOp<"multiply"> {
  let summary = "Product of two maps, the second one broadcast";
  let description = [{
    `%3 = root.multiply %1, %2`

    The second map is as large as the first, height x width x channels, or has
    one value for each channel, 1 x 1 x channels (the gate of squeeze and
    excitation), for each position, height x width x 1, or for the whole image,
    1 x 1 x 1. Both may be the same value.

    Rules:

    * (M1) the second map has one of these shapes.
  }];
  let arguments = (ins Root_ImageType:$lhs, Root_ImageType:$rhs);
  let hasVerifier = 0;
}

#endif // ROOTC_DIALECT_ROOTELEMENTWISELAYERS_TD
