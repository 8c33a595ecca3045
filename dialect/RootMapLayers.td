//===- RootMapLayers.td - Layers that make maps of other sizes  -*- tablegen -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_DIALECT_ROOTMAPLAYERS_TD
#define ROOTC_DIALECT_ROOTMAPLAYERS_TD

include "dialect/RootLayerBase.td"

def Root_Conv2dTransposeOp : Root_LayerOp<"conv2d_transpose"> {
  let summary = "A transposed convolution, which makes maps larger";
  let description = [{
    ```mlir
    %2 = root.conv2d_transpose "up1" %1 filters(64) kernel(4x4) stride(2) pad(1)
    ```

    What the gradient of a convolution with these clauses does to a map: each
    value times the kernel is added around `stride` times its place. The result
    is (size - 1) stride + dilation (kernel - 1) + 1 + output_pad, less what pad
    cuts off around it. Filters are `[channels, kernel height, kernel width,
    filters / groups]`, parameters `NAME.filter` and `NAME.bias`. A root topology
    leaves it as it is. Clauses, in any order:

    | clause | meaning | default |
    |---|---|---|
    | `filters(64)` | output channels | required |
    | `kernel(4x4)`, `kernel(4)` | height x width | required |
    | `stride(2)`, `stride(2x1)` | vertical x horizontal | 1 |
    | `pad(1)`, `pad(2x1)`, `pad(0,0,1,1)` | cut off around; vertical x horizontal; or top, left, bottom, right | 0 |
    | `output_pad(1)`, `output_pad(1x0)` | more rows and columns at the end | 0 |
    | `dilation(2)` | spacing of the taps | 1 |
    | `groups(8)` | filter groups | 1 |
    | `no_bias` | there is no bias | bias |

    Rules:

    * (CT1) the name is made of letters, digits and `_ . - /`, at most 200;
    * (CT2) filters and groups are from 1 to 2147483647, kernel, stride and
      dilation are two such values, pad is four and output_pad two from 0;
    * (CT3) groups divides filters;
    * (CT4) groups divides the input's channels;
    * (CT5) output_pad is smaller than the stride;
    * (CT6) the result has a row and a column, its sides are at most 536870911
      long with what is cut off, and it has at most 2147483647 elements;
    * (CT7) the filters have at most 2147483647 elements.
  }];
  let arguments = (ins Root_ImageType:$input, StrAttr:$layer,
      Root_SizeAttr:$filters, DenseI64ArrayAttr:$kernel,
      DenseI64ArrayAttr:$stride, DenseI64ArrayAttr:$pad,
      DenseI64ArrayAttr:$output_pad, DenseI64ArrayAttr:$dilation,
      DefaultValuedAttr<Root_SizeAttr, "1">:$groups,
      DefaultValuedAttr<BoolAttr, "true">:$bias);
}

def Root_ResizeOp : Root_LayerOp<"resize"> {
  let summary = "A map in another height and width";
  let description = [{
    ```mlir
    %2 = root.resize %1 size(28x28) mode(bilinear)
    %3 = root.resize %1 size(28) coordinates(asymmetric) round(floor)
    ```

    Each row and column of the result has a place in the input, by
    `coordinates`; with n of the input and m of the result, place o is at

    | coordinates | place |
    |---|---|
    | `half_pixel` (default) | (o + 0.5) n / m - 0.5 |
    | `pytorch_half_pixel` | the same, but 0 where m is 1 |
    | `align_corners` | o (n - 1) / (m - 1), 0 where m is 1 |
    | `asymmetric` | o n / m |

    `mode(nearest)`, the default, takes the value that `round` finds:
    `round_prefer_floor` (default), `round_prefer_ceil`, `floor` or `ceil`.
    `mode(bilinear)` weighs the two nearest rows and columns. What lies outside
    is what is at the border. PyTorch's nearest is `coordinates(asymmetric)
    round(floor)`.

    Rules:

    * (RS1) size is two values from 1 to 2147483647;
    * (RS2) twice the product of both heights, and of both widths, is at most
      2147483647, so that places are fractions of 32 bits;
    * (RS3) the result has at most 2147483647 elements an image;
    * (RS4) mode is `nearest` or `bilinear`, coordinates and round are words of
      the table and the list above.
  }];
  let arguments = (ins Root_ImageType:$input, DenseI64ArrayAttr:$size,
      DefaultValuedAttr<StrAttr, "\"nearest\"">:$mode,
      DefaultValuedAttr<StrAttr, "\"half_pixel\"">:$coordinates,
      DefaultValuedAttr<StrAttr, "\"round_prefer_floor\"">:$round);
}

def Root_AdaptiveAveragePoolOp : Root_LayerOp<"adaptive_average_pool"> {
  let summary = "Means of windows that make a map of a given size";
  let description = [{
    `%2 = root.adaptive_average_pool %1 size(7x7)`

    As PyTorch has it: of n rows, row o of m is the mean of those from
    floor(o n / m) to ceil((o + 1) n / m) - 1, and so for columns.

    Rules:

    * (AP1) size is two values from 1 to 2147483647;
    * (AP2) twice the product of both heights, and of both widths, is at most
      2147483647;
    * (AP3) the result has at most 2147483647 elements an image.
  }];
  let arguments = (ins Root_ImageType:$input, DenseI64ArrayAttr:$size);
}

def Root_ChannelMeanOp : Root_LayerOp<"channel_mean"> {
  let summary = "Mean of each position's channels";
  let description = "`%2 = root.channel_mean %1`: height x width x 1.";
  let arguments = (ins Root_ImageType:$input);
  let hasVerifier = 0;
}

def Root_ChannelMaxOp : Root_LayerOp<"channel_max"> {
  let summary = "Largest of each position's channels";
  let description = [{
    `%2 = root.channel_max %1`: height x width x 1.

    Channels that are equally large share the gradient.
  }];
  let arguments = (ins Root_ImageType:$input);
  let hasVerifier = 0;
}

def Root_BranchSoftmaxOp : Root_LayerOp<"branch_softmax"> {
  let summary = "Softmax over branches that lie one after another";
  let description = [{
    `%2 = root.branch_softmax %1 branches(2)`

    Of C channels, i and i + C / branches and so on, up to the last branch, are
    one softmax: the weights of split attention.

    Rules:

    * (SB1) branches is from 1 to 2147483647;
    * (SB2) branches divides the channels.
  }];
  let arguments = (ins Root_ImageType:$input, Root_SizeAttr:$branches);
}

#endif // ROOTC_DIALECT_ROOTMAPLAYERS_TD
