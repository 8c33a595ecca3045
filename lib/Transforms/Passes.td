//===- Passes.td - The passes of rootc ---------------------*- tablegen -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_TRANSFORMS_PASSES_TD
#define ROOTC_TRANSFORMS_PASSES_TD

include "mlir/Pass/PassBase.td"

//===----------------------------------------------------------------------===//
// From a network to programs
//===----------------------------------------------------------------------===//

def RootBuildPrograms : Pass<"root-build-programs", "::mlir::ModuleOp"> {
  let summary = "Make programs of primitive ops from a shaped network";
  let description = [{
    Replaces each `root.network`, which must be `shaped`, by a `root.model` with
    a `root.arena_tensor` for each parameter and statistic, in the network's
    order, and the programs

    * `@infer`: batch norm by its running statistics, no dropout, without the
      layers that only auxiliary classifiers need; stores the logits;
    * `@train`: the forward half of a training step, to the stored loss; batch
      norm by the batch's statistics, which also update the running ones;
    * `@update`: SGD on the whole parameter arena.

    Convolutions have plain filters and block 0 until `root-pack-filters`. A layer
    whose result nothing uses is left out, with a warning.
  }];
  let options = [
    Option<"inferOnly", "infer-only", "bool", "false",
           "Only @infer, and only the parameters that it needs">,
  ];
  let dependentDialects = ["::rootc::root::RootDialect"];
}

def RootAutodiff : Pass<"root-autodiff", "::rootc::root::ModelOp"> {
  let summary = "Append the backward network to the training program";
  let description = [{
    `@train` gets the gradient of its loss by every parameter, stored as
    `root.store gradient`. `@grad` is the same and stores the gradient of the
    image too. Only gradients that lead to one of these are computed.
  }];
}

def RootFoldBatchNorm : Pass<"root-fold-batch-norm", "::rootc::root::ModelOp"> {
  let summary = "Fold batch norm into the convolution before it, for inference";
  let description = [{
    In `@infer`, `batch_norm_normalize` of a convolution that nothing else reads
    becomes a convolution by a scaled filter with another bias. Other
    normalisations stay.
  }];
}

def RootPackFilters : Pass<"root-pack-filters", "::rootc::root::ModelOp"> {
  let summary = "Pack filters for the convolutions' kernels";
  let description = [{
    Inserts `pack_filter` before each `conv2d` and `conv2d_backward_data` that
    has a plain filter, and sets their `block`. Convolutions of one filter share
    a packed copy.
  }];
  let options = [
    Option<"vectorBits", "vector-bits", "int64_t", "512",
           "Width of the target's vectors">,
    Option<"registers", "registers", "int64_t", "32",
           "Number of the target's vector registers">,
  ];
}

def RootHoistPrepare : Pass<"root-hoist-prepare", "::rootc::root::ModelOp"> {
  let summary = "Move what depends on parameters only from @infer to @prepare";
  let description = [{
    Makes `@prepare`, which computes what `@infer` needs of parameters and
    statistics and stores it as prepared tensors; `@infer` then reads the image
    and prepared tensors only. A parameter that is used as it is gets copied.
  }];
}

#endif // ROOTC_TRANSFORMS_PASSES_TD
