//===- RootNetworkOps.td - Layers of a network, as a user writes them -*- tablegen -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_DIALECT_ROOTNETWORKOPS_TD
#define ROOTC_DIALECT_ROOTNETWORKOPS_TD

include "dialect/RootElementwiseLayers.td"
include "dialect/RootLayerBase.td"
include "dialect/RootMapLayers.td"
include "dialect/RootNormLayers.td"
include "mlir/IR/OpAsmInterface.td"
include "mlir/IR/SymbolInterfaces.td"

//===----------------------------------------------------------------------===//
// The network
//===----------------------------------------------------------------------===//

def Root_NetworkOp : Root_Op<"network", [
    Symbol, IsolatedFromAbove, NoTerminator, SingleBlock,
    DeclareOpInterfaceMethods<OpAsmOpInterface, ["getAsmBlockArgumentNames"]>]> {
  let summary = "A convolutional network";
  let description = [{
    ```mlir
    root.network @lenet(%image: !root.image<32x32x3>) classes(10) {
      %1 = root.conv2d "conv1" %image filters(16) kernel(5x5) pad(2)
      %2 = root.relu %1
      %3 = root.linear "fc" %2 outputs(10)
      root.output %3
    }
    ```

    The argument is the image, height x width x channels; the batch is implied,
    and so are the parameters, which belong to the layers' names: `conv1.filter`,
    `conv1.bias`. Values have no written types: until `root-infer-shapes` has
    run, each is a `!root.image`. After it the network carries the keyword
    `shaped`, and every layer its types, `: (!root.image<32x32x3>) ->
    !root.image<32x32x16>`.

    Rules:

    * (N1) the name is a C identifier of at most 200 characters: the library's
      functions are named after it;
    * (N2) `classes` is from 1 to 2147483647;
    * (N3) the image has three sizes, each at least 1, and at most 2147483647
      elements;
    * (N4) the body has one argument, a `!root.image`;
    * (N5) the body holds nothing but layers, `root.auxiliary` and
      `root.output`;
    * (N6) there is exactly one `root.output`;
    * (N7) no two layers have one name;
    * (N8) a layer reads values made before it;
    * (N9) in a `shaped` network every value has the shape that the layers give
      it; otherwise none has a shape;
    * (N10) the name is not `rootc`: `rootc_model` is a type of the library's
      header.
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, Root_SizeAttr:$classes,
                       DenseI64ArrayAttr:$image, UnitAttr:$shaped);
  let regions = (region SizedRegion<1>:$body);
  let hasCustomAssemblyFormat = 1;
  let hasVerifier = 1;
  let hasRegionVerifier = 1;
  let extraClassDeclaration = [{
    /// The argument of the body.
    ::mlir::BlockArgument getImageArgument() {
      return getBody().front().getArgument(0);
    }
    /// The declared image. Valid once verified, as all below.
    MapShape getImageShape() {
      return {getImage()[0], getImage()[1], getImage()[2]};
    }
    /// The one root.output.
    OutputOp getOutput();
    /// Computes the shape of every value, in order, into `shapes`; on failure
    /// an error was reported at the op. `image` replaces the declared image.
    ::llvm::LogicalResult
    inferShapes(MapShape image,
                ::llvm::DenseMap<::mlir::Value, MapShape> &shapes);
  }];
}

//===----------------------------------------------------------------------===//
// Layers
//===----------------------------------------------------------------------===//

def Root_Conv2dOp : Root_LayerOp<"conv2d"> {
  let summary = "A convolution, grouped if need be";
  let description = [{
    ```mlir
    %2 = root.conv2d "conv2a" %1 filters(192) kernel(5x5) pad(2) groups(8)
    ```

    Filters are `[filters, kernel height, kernel width, channels / groups]`,
    parameters `NAME.filter` and `NAME.bias`. Clauses, in any order:

    | clause | meaning | default |
    |---|---|---|
    | `filters(192)` | output channels | required |
    | `kernel(5x5)`, `kernel(5)` | height x width | required |
    | `stride(2)`, `stride(2x1)` | vertical x horizontal | 1 |
    | `pad(2)`, `pad(2x1)`, `pad(0,0,1,1)` | zeros around; vertical x horizontal; or top, left, bottom, right | 0 |
    | `dilation(2)` | spacing of the taps | 1 |
    | `groups(8)` | filter groups | 1 |
    | `no_bias` | there is no bias | bias |
    | `standardize(1e-6)` | filters are standardised, with this epsilon | as they are |
    | `stage(1)` | its stage in a root topology | from the map's size |
    | `ungrouped` | never grouped by a topology | |

    A standardised filter, of n weights w, is `NAME.gain` (w - mean) /
    sqrt(n (variance + epsilon)), as NFNet has it; the gain is one value a
    filter, 1 in an untrained network.

    Rules:

    * (C1) the name is made of letters, digits and `_ . - /`, at most 200;
    * (C2) filters, kernel, stride, dilation and groups are from 1 to 2147483647
      and pad from 0; kernel, stride and dilation have two values, pad has four;
    * (C3) groups divides filters;
    * (C4) groups divides the input's channels;
    * (C5) the kernel, dilated, fits into the padded input;
    * (C6) the filters have at most 2147483647 elements;
    * (C7) stage is from 0 to 62;
    * (C8) the result has at most 2147483647 elements an image;
    * (C9) so has the padded input, whose sides are at most 536870911 long;
    * (C10) the epsilon of `standardize` is positive and finite.
  }];
  let arguments = (ins Root_ImageType:$input, StrAttr:$layer, Root_SizeAttr:$filters,
      DenseI64ArrayAttr:$kernel, DenseI64ArrayAttr:$stride,
      DenseI64ArrayAttr:$pad, DenseI64ArrayAttr:$dilation,
      DefaultValuedAttr<Root_SizeAttr, "1">:$groups,
      DefaultValuedAttr<BoolAttr, "true">:$bias, OptionalAttr<F64Attr>:$standardize,
      OptionalAttr<Root_SizeAttr>:$stage, UnitAttr:$ungrouped);
  let extraClassDeclaration = [{
    bool isSpatial() { return getKernel()[0] > 1 || getKernel()[1] > 1; }
  }];
}

class Root_PoolOp<string mnemonic, dag extra>
    : Root_LayerOp<mnemonic> {
  let arguments = !con((ins Root_ImageType:$input, DenseI64ArrayAttr:$kernel,
      DenseI64ArrayAttr:$stride, DenseI64ArrayAttr:$pad, UnitAttr:$ceil), extra);
}

defvar Root_PoolRules = [{
    | clause | meaning | default |
    |---|---|---|
    | `kernel(3x3)`, `kernel(3)` | height x width | required |
    | `stride(2)`, `stride(2x1)` | vertical x horizontal | 1 |
    | `pad(1)`, `pad(2x1)`, `pad(0,0,1,1)` | around; vertical x horizontal; or top, left, bottom, right | 0 |
    | `rounding(ceil)` | output size is the floor or the ceiling of (size + pads - kernel) / stride, plus 1; a window that would start beyond size + pad is dropped | floor |

    Rules:

    * (P1) kernel and stride are two values from 1 to 2147483647, pad is four
      values from 0;
    * (P2) pad is smaller than the kernel, so that no window lies outside the map;
    * (P3) the kernel fits into the padded input;
    * (P4) the result has at most 2147483647 elements an image;
    * (P6) so has the padded input, whose sides are at most 536870911 long.
  }];

def Root_MaxPoolOp : Root_PoolOp<"max_pool", (ins)> {
  let summary = "Largest value of each window";
  let description = !strconcat([{
    ```mlir
    %2 = root.max_pool %1 kernel(3x3) stride(2) rounding(ceil)
    ```

    The padding never wins.

  }], Root_PoolRules, [{
    * (P5) a kernel has at most 2147483647 elements: training keeps the place of
      the largest, in one byte up to 256 elements, else in four.
  }]);
}

def Root_AveragePoolOp : Root_PoolOp<"average_pool", (ins UnitAttr:$exclude_pad)> {
  let summary = "Mean of each window";
  let description = !strconcat([{
    ```mlir
    %2 = root.average_pool %1 kernel(3x3) stride(2) rounding(ceil)
    ```

    Divides by the size of the window clipped to the padded map, or with the
    clause `exclude_pad` to the map itself.

  }], Root_PoolRules);
}

def Root_GlobalAveragePoolOp : Root_LayerOp<"global_average_pool"> {
  let summary = "Mean of each channel's whole map";
  let description = "`%2 = root.global_average_pool %1`";
  let arguments = (ins Root_ImageType:$input);
  let hasVerifier = 0;
}

def Root_LinearOp : Root_LayerOp<"linear"> {
  let summary = "A fully connected layer";
  let description = [{
    ```mlir
    %2 = root.linear "fc" %1 outputs(1000)
    ```

    Flattens its input as (height, width, channels). Parameters `NAME.weight`,
    `[outputs, inputs]`, and `NAME.bias` unless the clause `no_bias` is given.
    The result is 1 x 1 x outputs.

    Rules:

    * (L1) the name is made of letters, digits and `_ . - /`, at most 200;
    * (L2) outputs is from 1 to 2147483647;
    * (L3) the weights have at most 2147483647 elements.
  }];
  let arguments = (ins Root_ImageType:$input, StrAttr:$layer, Root_SizeAttr:$outputs,
      DefaultValuedAttr<BoolAttr, "true">:$bias);
}

def Root_ConcatOp : Root_LayerOp<"concat"> {
  let summary = "Channels of several maps, one after another";
  let description = [{
    `%4 = root.concat %1, %2, %3`

    Rules:

    * (K1) there is at least one map;
    * (K2) all maps have one height and width;
    * (K3) the result has at most 2147483647 elements an image.
  }];
  let arguments = (ins Variadic<Root_ImageType>:$inputs);
}

def Root_SliceChannelsOp : Root_LayerOp<"slice_channels"> {
  let summary = "Some channels that follow one another";
  let description = [{
    `%2 = root.slice_channels %1 begin(0) end(58)`

    Channels `begin` to `end` - 1, counted from 0. Slices that share no channel
    get their gradients side by side; a channel that no slice takes gets 0.

    Rules:

    * (S1) begin is from 0 and end from 1 to 2147483647, and begin is less than
      end;
    * (S2) end is at most the number of channels.
  }];
  let arguments = (ins Root_ImageType:$input, Root_SizeAttr:$begin,
                       Root_SizeAttr:$end);
}

def Root_ChannelShuffleOp : Root_LayerOp<"channel_shuffle"> {
  let summary = "Channels in another order, so that groups mix";
  let description = [{
    `%2 = root.channel_shuffle %1 groups(3)`

    Channels as a matrix of `groups` rows, transposed: of C channels, number
    i C / groups + j becomes number j groups + i. A shuffle in C / groups undoes
    it.

    Rules:

    * (G1) groups is from 1 to 2147483647;
    * (G2) groups divides the channels.
  }];
  let arguments = (ins Root_ImageType:$input, Root_SizeAttr:$groups);
}

def Root_PadOp : Root_LayerOp<"pad"> {
  let summary = "A map with a border, or without some of its own";
  let description = [{
    `%2 = root.pad %1 pad(0,0,1,1) crop(1,1,0,0)`

    Zeros around the map, or with the clause `reflect` what lies as far on the
    other side of its edge, the edge itself not repeated. `crop` takes rows and
    columns away first. Convolutions and pools pad by themselves.

    | clause | meaning | default |
    |---|---|---|
    | `pad(2)`, `pad(2x1)`, `pad(0,0,1,1)` | rows and columns that are added; vertical x horizontal; or top, left, bottom, right | 0 |
    | `crop(2)`, `crop(2x1)`, `crop(0,0,1,1)` | those that are taken away | 0 |
    | `reflect` | the border mirrors the map | zeros |

    Rules:

    * (PD1) pad and crop are four values from 0 to 2147483647;
    * (PD2) a side is padded or cropped, not both;
    * (PD3) something is left of the map;
    * (PD4) what is reflected is smaller than the map;
    * (PD5) the result has at most 2147483647 elements an image, and sides of at
      most 536870911.
  }];
  let arguments = (ins Root_ImageType:$input, DenseI64ArrayAttr:$pad,
                       DenseI64ArrayAttr:$crop, UnitAttr:$reflect);
}

defvar Root_BlockRules = [{

    Channels are (row in the block, column in the block, channel), ONNX's DCR;
    with the clause `crd` (channel, row, column), PyTorch's pixel shuffle.

    Rules:

    * (SD1) block is from 1 to 32768;
  }];

def Root_SpaceToDepthOp : Root_LayerOp<"space_to_depth"> {
  let summary = "Each block of pixels as channels of one";
  let description = !strconcat([{
    `%2 = root.space_to_depth %1 block(2)`
  }], Root_BlockRules, [{
    * (SD2) block divides height and width.
  }]);
  let arguments = (ins Root_ImageType:$input, Root_SizeAttr:$block, UnitAttr:$crd);
}

def Root_DepthToSpaceOp : Root_LayerOp<"depth_to_space"> {
  let summary = "Channels of each pixel as a block of pixels";
  let description = !strconcat([{
    `%2 = root.depth_to_space %1 block(2) crd`
  }], Root_BlockRules, [{
    * (SD3) the square of block divides the channels.
  }]);
  let arguments = (ins Root_ImageType:$input, Root_SizeAttr:$block, UnitAttr:$crd);
}

def Root_DropoutOp : Root_LayerOp<"dropout"> {
  let summary = "In training, sets values to zero at random";
  let description = [{
    `%2 = root.dropout %1 rate(0.5)`

    What is kept is divided by (1 - rate); in inference, nothing happens. The
    default rate is 0.5.

    Rules:

    * (D1) rate is at least 0 and less than 1.
  }];
  let arguments = (ins Root_ImageType:$input,
      DefaultValuedAttr<F64Attr, "0.5">:$rate);
}

//===----------------------------------------------------------------------===//
// What the network is for
//===----------------------------------------------------------------------===//

class Root_LogitsOp<string mnemonic> : Root_Op<mnemonic, [HasParent<"NetworkOp">]> {
  let hasCustomAssemblyFormat = 1;
}

def Root_OutputOp : Root_LogitsOp<"output"> {
  let summary = "The logits of the network";
  let description = [{
    `root.output %30`

    The loss is the mean over the batch of softmax cross entropy.

    Rules:

    * (O1) the logits are 1 x 1 x classes.
  }];
  let arguments = (ins Root_ImageType:$logits);
}

def Root_AuxiliaryOp : Root_LogitsOp<"auxiliary"> {
  let summary = "The logits of a second classifier";
  let description = [{
    `root.auxiliary %12 weight(0.3)`

    Its loss is added, times the weight (0.3 unless given), in training; it is
    absent from inference.

    Rules:

    * (X1) the logits are 1 x 1 x classes;
    * (X2) weight is finite and not negative.
  }];
  let arguments = (ins Root_ImageType:$logits,
      DefaultValuedAttr<F64Attr, "0.3">:$weight);
  let hasVerifier = 1;
}

#endif // ROOTC_DIALECT_ROOTNETWORKOPS_TD
