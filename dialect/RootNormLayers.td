//===- RootNormLayers.td - Layers that normalise  ------------ -*- tablegen -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_DIALECT_ROOTNORMLAYERS_TD
#define ROOTC_DIALECT_ROOTNORMLAYERS_TD

include "dialect/RootLayerBase.td"

def Root_BatchNormOp : Root_LayerOp<"batch_norm"> {
  let summary = "Batch normalisation";
  let description = [{
    ```mlir
    %2 = root.batch_norm "bn1a" %1 epsilon(1e-5) momentum(0.1)
    ```

    Parameters `NAME.scale` and `NAME.offset`, statistics `NAME.mean` and
    `NAME.variance`. In training, normalises by the batch's mean and biased
    variance, and `running = (1 - momentum) running + momentum batch`, with the
    unbiased variance. Defaults: epsilon 1e-5, momentum 0.1.

    Rules:

    * (B1) the name is made of letters, digits and `_ . - /`, at most 200;
    * (B2) epsilon is positive and finite; momentum is from 0 to 1;
    * (B3) the name is not `input`: in files of weights `input.mean` and
      `input.scale` are how images are normalised.
  }];
  let arguments = (ins Root_ImageType:$input, StrAttr:$layer,
      DefaultValuedAttr<F64Attr, "1e-5">:$epsilon,
      DefaultValuedAttr<F64Attr, "0.1">:$momentum);
}

def Root_LayerNormOp : Root_LayerOp<"layer_norm"> {
  let summary = "Normalisation of each position over its channels";
  let description = [{
    ```mlir
    %2 = root.layer_norm "norm1" %1 epsilon(1e-6)
    ```

    scale (x - mean) / sqrt(variance + epsilon) + offset, the mean and the biased
    variance of the channels of one position, in training as in inference.
    Parameters `NAME.scale` and `NAME.offset`, one value a channel. The default
    epsilon is 1e-5.

    Rules:

    * (LN1) the name is made of letters, digits and `_ . - /`, at most 200;
    * (LN2) epsilon is positive and finite;
    * (LN3) the name is not `input`: in files of weights `input.scale` is how
      images are normalised.
  }];
  let arguments = (ins Root_ImageType:$input, StrAttr:$layer,
      DefaultValuedAttr<F64Attr, "1e-5">:$epsilon);
}

def Root_GroupNormOp : Root_LayerOp<"group_norm"> {
  let summary = "Normalisation of each image by groups of channels";
  let description = [{
    ```mlir
    %2 = root.group_norm "norm1" %1 groups(32) epsilon(1e-6)
    ```

    scale (x - mean) / sqrt(variance + epsilon) + offset, the mean and the biased
    variance of one image's positions and of the channels of one group, in
    training as in inference. Groups are of channels that follow one another.
    Parameters `NAME.scale` and `NAME.offset`, one value a channel. One group is
    a layer norm over the image; as many groups as channels are an instance
    norm. The default epsilon is 1e-5.

    Rules:

    * (GN1) the name is made of letters, digits and `_ . - /`, at most 200;
    * (GN2) epsilon is positive and finite;
    * (GN3) the name is not `input`: in files of weights `input.scale` is how
      images are normalised;
    * (GN4) groups is from 1 to 2147483647;
    * (GN5) groups divides the channels.
  }];
  let arguments = (ins Root_ImageType:$input, StrAttr:$layer, Root_SizeAttr:$groups,
      DefaultValuedAttr<F64Attr, "1e-5">:$epsilon);
}

def Root_LocalResponseNormOp : Root_LayerOp<"local_response_norm"> {
  let summary = "Local response normalisation across channels";
  let description = [{
    `%2 = root.local_response_norm %1 size(5) alpha(1e-4) beta(0.75) k(1.0)`

    x / (k + alpha / size * (sum of squares of the `size` channels around))^beta,
    as Caffe has it. The defaults are those above.

    Rules:

    * (R1) size is odd, from 1 to 2147483647;
    * (R2) alpha and beta are finite and not negative, k is finite and positive.
  }];
  let arguments = (ins Root_ImageType:$input,
      DefaultValuedAttr<Root_SizeAttr, "5">:$size,
      DefaultValuedAttr<F64Attr, "1e-4">:$alpha,
      DefaultValuedAttr<F64Attr, "0.75">:$beta,
      DefaultValuedAttr<F64Attr, "1.0">:$k);
}

#endif // ROOTC_DIALECT_ROOTNORMLAYERS_TD
