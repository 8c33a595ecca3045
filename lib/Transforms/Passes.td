//===- Passes.td - The passes of rootc ---------------------*- tablegen -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_TRANSFORMS_PASSES_TD
#define ROOTC_TRANSFORMS_PASSES_TD

include "mlir/Pass/PassBase.td"

def InferShapes : Pass<"root-infer-shapes", "::rootc::root::NetworkOp"> {
  let summary = "Gives every value of a network its shape";
  let description = [{
    Computes height, width and channels of every layer's result from the
    declared image, and marks the network `shaped`. Running it again does no
    harm.
  }];
  let options = [
    Option<"image", "image", "std::string", "",
           "HEIGHTxWIDTH: replaces the declared image size">,
  ];
}

def Topology : Pass<"root-topology", "::rootc::root::NetworkOp"> {
  let summary = "Splits convolutions into filter groups";
  let description = [{
    A *spatial* convolution has a kernel larger than 1x1 and is reached from the
    image only through another convolution. The output sizes of the spatial
    convolutions, at the image size that the file declares, are the stages; the
    largest is stage 0. At stage s, `root=N` makes

    * max(1, N >> s) groups where `topology=root`,
    * N << s where `topology=tree`,
    * N where `topology=column`.

    The clause `stage(k)` gives a convolution (any, spatial or not) its stage,
    `ungrouped` leaves it alone. A convolution that has groups already is left
    alone, with a remark. It is an error if none can be changed, or if the
    groups do not divide the channels.

    `groups=NAME=G,...` sets groups by name, of any convolution, grouped or not;
    these are then left alone by `root=N`.

    A grouped convolution gets a remark if no ungrouped 1x1 convolution follows
    through pools, concat, normalisation and elementwise layers.
  }];
  let options = [
    Option<"root", "root", "int64_t", "0", "N: groups at stage 0; 0: none">,
    Option<"topology", "topology", "std::string", "\"root\"",
           "root, tree or column">,
    Option<"groups", "groups", "std::string", "", "NAME=GROUPS,...">,
  ];
}

def PrintCost : Pass<"root-print-cost", "::mlir::ModuleOp"> {
  let summary = "Prints parameters and multiply-adds of each network";
  let description = [{
    Counts weights and biases of convolutions and linear layers, and their
    multiply-adds for one image: weights x output positions, plus one per bias.
    Writes to standard output.
  }];
  let options = [
    Option<"format", "format", "std::string", "\"text\"", "text, json or csv">,
  ];
}

#endif // ROOTC_TRANSFORMS_PASSES_TD
