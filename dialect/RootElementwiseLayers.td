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

    SiLU, or swish, is `root.multiply %1, %2` of a value and its sigmoid.
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
