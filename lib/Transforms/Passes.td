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
    alone, with a remark. It is an error if none can be changed, if N is more than
    1 and none gets groups, or if the groups do not divide the channels.

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

def ReplaceClassifier : Pass<"root-classes", "::rootc::root::NetworkOp"> {
  let summary = "Gives a network another number of classes";
  let description = [{
    The classifier is the linear layer or convolution that makes the logits,
    with nothing but pools, activations and normalisations behind it, as in
    ResNet and in NIN. It gets as many outputs as there are classes, and so does
    each auxiliary one. Its name stays, so that everything else of a file of
    weights still loads.
  }];
  let options = [
    Option<"classes", "classes", "int64_t", "0", "Number of classes">,
  ];
}

def FreezeLayers : Pass<"root-freeze", "::rootc::root::NetworkOp"> {
  let summary = "Marks the layers that training leaves as they are";
  let description = [{
    `layers=PATTERN,...` are patterns of names (`*`, `?`, `[ab]`); one with `!`
    in front takes back what those before it froze. Weights of a layer that is
    marked lie with the statistics, which the update does not touch; nothing is
    differentiated for them, and batch norm uses its running statistics.
  }];
  let options = [
    Option<"layers", "layers", "std::string", "", "PATTERN,...">,
  ];
}

def PrintCost : Pass<"root-print-cost", "::mlir::ModuleOp"> {
  let summary = "Prints parameters and multiply-adds of each network";
  let description = [{
    Counts weights and biases of convolutions and linear layers, and their
    multiply-adds for one image: weights x output positions, plus one per bias.
    A layer on which no output depends is left out, with a warning. Writes to
    standard output.
  }];
  let options = [
    Option<"format", "format", "std::string", "\"text\"", "text, json or csv">,
  ];
}

//===----------------------------------------------------------------------===//
// From a network to programs
//===----------------------------------------------------------------------===//

def BuildPrograms : Pass<"root-build-programs", "::mlir::ModuleOp"> {
  let summary = "Make programs of primitive ops from a shaped network";
  let description = [{
    Replaces each `root.network`, which must be `shaped`, by a `root.model` with
    a `root.arena_tensor` for each parameter and statistic, in the network's
    order, and the programs

    * `@infer`: batch norm by its running statistics, no dropout, without the
      layers that only auxiliary classifiers need; stores the logits;
    * `@train`: the forward half of a training step, to the stored loss; batch
      norm by the batch's statistics, which also update the running ones;
    * `@update`, `@adamw`, `@clip`, `@average`: what an optimizer does to whole
      arenas.

    Convolutions have plain filters and block 0 until `root-pack-filters`. A layer
    whose result nothing uses is left out, with a warning.
  }];
  let options = [
    Option<"inferOnly", "infer-only", "bool", "false",
           "Only @infer, and only the parameters that it needs">,
  ];
  let dependentDialects = ["::rootc::root::RootDialect"];
}

def Autodiff : Pass<"root-autodiff", "::rootc::root::ModelOp"> {
  let summary = "Append the backward network to the training program";
  let description = [{
    `@train` gets the gradient of its loss by every parameter, stored as
    `root.store gradient`. `@grad` is the same and stores the gradient of the
    image too. Only gradients that lead to one of these are computed; a max pool
    that none goes through keeps no index.
  }];
}

def FoldBatchNorm : Pass<"root-fold-batch-norm", "::rootc::root::ModelOp"> {
  let summary = "Fold batch norm of known statistics into the convolution before it";
  let description = [{
    In `@infer`, and in `@train` where both layers are frozen,
    `batch_norm_normalize` by running statistics of a convolution that nothing
    else reads becomes a convolution by a scaled filter with another bias. Other
    such normalisations become a multiplication and an addition. By the
    batch's statistics they stay.
  }];
}

def ChooseChannelOrders
    : Pass<"root-choose-channel-orders", "::rootc::root::ModelOp"> {
  let summary = "Let grouped convolutions have their groups innermost";
  let description = [{
    Small groups are fast where lanes run across them, channel i of each group
    lying beside channel i of the next. Every map gets a channel order: those of
    dense convolutions are free, what works point by point or channel by channel
    takes its operands', all else needs the standard one. Orders are chosen for
    the least cost of a program; a `channel_shuffle` is inserted where a value
    is read in another order than it is made in, and one that only changes the
    order goes. Sets `in_order` and `out_order` of convolutions; every op whose
    results are in another order than the standard one has it as `root.order`.
    Parameters, gradients, statistics, images and logits keep the standard
    order.
  }];
  let options = [
    Option<"vectorBits", "vector-bits", "int64_t", "512",
           "Width of the target's vectors">,
    Option<"registers", "registers", "int64_t", "32",
           "Number of the target's vector registers">,
    Option<"pairs", "pairs", "bool", "false",
           "In inference, groups that products of bf16 matrices suit are better "
           "in the standard order">,
  ];
}

def PackFilters : Pass<"root-pack-filters", "::rootc::root::ModelOp"> {
  let summary = "Pack filters for the convolutions' kernels";
  let description = [{
    Inserts `pack_filter` before each `conv2d` and `conv2d_backward_data` that
    has a plain filter, and sets their `block`. Convolutions of one filter share
    a packed copy. In `@infer`, where Winograd's convolution is faster, the
    filter is transformed for it, and `winograd` says the edge of its tiles.
    With `pairs`, filters of dense convolutions of enough channels have two in
    channels beside each other, and `pairs` says so. For a device the sums of
    `conv2d_backward_filter` are cut into more `chunks` than a CPU's.
  }];
  let options = [
    Option<"vectorBits", "vector-bits", "int64_t", "512",
           "Width of the target's vectors">,
    Option<"registers", "registers", "int64_t", "32",
           "Number of the target's vector registers">,
    Option<"winograd", "winograd", "bool", "true",
           "Winograd's convolution where it is faster">,
    Option<"target", "target", "std::string", "",
           "Halide's target string; empty: a CPU's">,
    Option<"pairs", "pairs", "bool", "false",
           "Filters in pairs, for products of bf16 matrices, where they suit">,
    Option<"batch", "batch", "int64_t", "0",
           "Images that a call is expected to have; 0: any">,
    Option<"threads", "threads", "int64_t", "0",
           "Threads that are expected to run it; 0: any">,
  ];
}

def HoistPrepare : Pass<"root-hoist-prepare", "::rootc::root::ModelOp"> {
  let summary = "Move what depends on parameters only from @infer to @prepare";
  let description = [{
    Makes `@prepare`, which computes what `@infer` needs of parameters and
    statistics and stores it as prepared tensors; `@infer` then reads the image
    and prepared tensors only. A parameter that is used as it is gets copied.
  }];
}

//===----------------------------------------------------------------------===//
// From programs to kernels on planned memory
//===----------------------------------------------------------------------===//

def FuseKernels : Pass<"root-fuse-kernels", "::rootc::root::ModelOp"> {
  let summary = "Group primitive ops into kernels";
  let description = [{
    Each primitive op ends in one `root.kernel`, alone or with elementwise ops
    that save a trip through memory: epilogues of convolutions and pools, chains,
    and in training cheap ops, as normalising and ReLU, which every reader computes
    for itself where all can and less is read and written so.
    Long chains are cut. A value that is stored twice, or that no kernel computes, is copied.
  }];
}

def JoinKernels : Pass<"root-join-kernels", "::rootc::root::ModelOp"> {
  let summary = "Compute a map within the kernel that reads it";
  let description = [{
    In `@infer`: a convolution whose map one max pool or 1x1 convolution reads joins
    its kernel, which then has two anchors, where that saves more time at memory
    than it costs: a first convolution and its pool, a grouped convolution and the
    1x1 behind it (a root module). The map has no buffer, and the layer no response.
  }];
}

def Recompute : Pass<"root-recompute", "::rootc::root::ModelOp"> {
  let summary = "Compute results again for the backward half, to save memory";
  let description = [{
    In programs that store a loss: the results of a forward kernel without a
    convolution (batch norm and ReLU, pools, sums, concatenations) that backward
    kernels read are not kept: a clone of the kernel runs just before the first
    of these. Only where that lowers the most bytes that are live at once. The
    results are the same, bit for bit.
  }];
  let statistics = [
    Statistic<"recomputed", "recomputed", "Kernels that run twice">,
  ];
}

def NarrowStorage : Pass<"root-narrow-storage", "::rootc::root::ModelOp"> {
  let summary = "Store maps and packed filters as bf16";
  let description = [{
    Results of kernels that are maps or packed filters become bf16 in memory,
    unless they are stored where the caller reads them (logits, d_image); the
    kernels' bodies compute in f32 as before. Images, parameters, statistics,
    gradients of parameters, vectors and losses stay f32.
  }];
}

def ChooseSchedules : Pass<"root-choose-schedules", "::rootc::root::ModelOp"> {
  let summary = "Give each kernel without a schedule its default one";
  let description = [{
    What the kernel's schedule family says for its shapes and the target. A
    kernel that has a schedule keeps it; a key that its family does not know,
    or a value that the kernel cannot have, is an error. Keys left out take
    their default.
  }];
  let options = [
    Option<"target", "target", "std::string", "\"x86-64-linux\"",
           "Halide target string">,
    Option<"vectorBits", "vector-bits", "int64_t", "512",
           "Width of the target's vectors">,
    Option<"registers", "registers", "int64_t", "32",
           "Number of the target's vector registers">,
    Option<"batch", "batch", "int64_t", "0",
           "Images that a call is expected to have; 0: any">,
    Option<"threads", "threads", "int64_t", "0",
           "Threads that are expected to run it; 0: any">,
  ];
}

def PlanMemory : Pass<"root-plan-memory", "::rootc::root::ModelOp"> {
  let summary = "Place every tensor in an arena";
  let description = [{
    Sets `offset` of each `root.arena_tensor`, `slots` of each kernel, and the
    sizes of arenas and workspaces. The workspace is `N * batch_bytes +
    fixed_bytes`; buffers that are not needed at the same time share bytes.
  }];
  let statistics = [
    Statistic<"peakBatchBytes", "peak-batch-bytes",
              "Largest workspace of a program, in bytes per image">,
    Statistic<"peakFixedBytes", "peak-fixed-bytes",
              "Largest workspace of a program that no image needs, in bytes">,
  ];
}

def CheckMemoryPlan : Pass<"root-check-memory-plan", "::rootc::root::ModelOp"> {
  let summary = "Refuse a memory plan in which buffers overwrite each other";
  let description = [{
    Goes through each program's calls: live workspace buffers must not overlap,
    nor may a statistic or parameter be read after its update.
  }];
}

#endif // ROOTC_TRANSFORMS_PASSES_TD
