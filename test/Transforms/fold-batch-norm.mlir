// RUN: rootc-opt %s --root-infer-shapes --root-build-programs=infer-only --root-fold-batch-norm --split-input-file | FileCheck %s

// CHECK-LABEL: root.model @fold
// CHECK: %[[X:.*]] = root.argument image
// CHECK-DAG: %[[W:.*]] = root.parameter "conv.filter"
// CHECK-DAG: %[[B:.*]] = root.parameter "conv.bias"
// CHECK-DAG: %[[S:.*]] = root.parameter "bn.scale"
// CHECK-DAG: %[[O:.*]] = root.parameter "bn.offset"
// CHECK-DAG: %[[MEAN:.*]] = root.statistic "bn.mean"
// CHECK-DAG: %[[V:.*]] = root.statistic "bn.variance"
// CHECK: %[[M:.*]] = root.prim.fold_multiplier %[[S]], %[[V]] {epsilon = 1.000000e-05 : f64, layer = "conv"}
// CHECK-NEXT: %[[FB:.*]] = root.prim.fold_bias %[[MEAN]], %[[M]], %[[O]], %[[B]]
// CHECK-NEXT: %[[FW:.*]] = root.prim.scale_filter %[[W]], %[[M]]
// CHECK-NEXT: %[[Y:.*]] = root.prim.conv2d %[[X]], %[[FW]], %[[FB]] {block = 0 : i64, {{.*}} groups = 2 : i64, {{.*}} layer = "conv"
// CHECK-NEXT: root.prim.relu %[[Y]]
// CHECK-NOT: batch_norm
root.network @fold(%image: !root.image<1x1x2>) classes(2) {
  %1 = root.conv2d "conv" %image filters(2) kernel(1x1) groups(2)
  %2 = root.batch_norm "bn" %1
  %3 = root.relu %2
  root.output %3
}

// -----

// No bias; a linear layer; and a second normalisation, folded again.
// CHECK-LABEL: root.model @linear
// CHECK: %[[W:.*]] = root.parameter "fc.weight"
// CHECK: %[[M1:.*]] = root.prim.fold_multiplier
// CHECK: %[[B1:.*]] = root.prim.fold_bias %{{[0-9]+}}, %[[M1]], %{{[0-9]+}} {
// CHECK: %[[W1:.*]] = root.prim.scale_filter %[[W]], %[[M1]]
// CHECK: %[[M2:.*]] = root.prim.fold_multiplier
// CHECK: %[[B2:.*]] = root.prim.fold_bias %{{[0-9]+}}, %[[M2]], %{{[0-9]+}}, %[[B1]]
// CHECK: %[[W2:.*]] = root.prim.scale_filter %[[W1]], %[[M2]]
// CHECK: %[[Y:.*]] = root.prim.conv2d %{{[0-9]+}}, %[[W2]], %[[B2]]
// CHECK-NEXT: root.store logits %[[Y]]
root.network @linear(%image: !root.image<3x3x2>) classes(2) {
  %1 = root.linear "fc" %image outputs(2) no_bias
  %2 = root.batch_norm "bn1" %1
  %3 = root.batch_norm "bn2" %2
  root.output %3
}

// -----

// Somebody else reads the convolution; the input is no convolution. Two vectors
// are left of it.
// CHECK-LABEL: root.model @two_vectors
// CHECK: %[[Y:.*]] = root.prim.conv2d
// CHECK: %[[S:.*]] = root.parameter "bn1.scale"
// CHECK: %[[O:.*]] = root.parameter "bn1.offset"
// CHECK: %[[MEAN:.*]] = root.statistic "bn1.mean"
// CHECK: %[[V:.*]] = root.statistic "bn1.variance"
// CHECK: %[[M:.*]] = root.prim.fold_multiplier %[[S]], %[[V]] {epsilon = 1.000000e-03 : f64, layer = "bn1"}
// CHECK-NEXT: %[[B:.*]] = root.prim.fold_bias %[[MEAN]], %[[M]], %[[O]] {layer = "bn1"}
// CHECK-NEXT: %[[N1:.*]] = root.prim.channel_affine %[[Y]], %[[M]], %[[B]] {layer = "bn1"}
// CHECK: %[[SUM:.*]] = root.prim.add %[[Y]], %[[N1]]
// CHECK: root.prim.channel_affine %[[SUM]]
// CHECK-NOT: batch_norm
root.network @two_vectors(%image: !root.image<1x1x2>) classes(2) {
  %1 = root.conv2d "conv" %image filters(2) kernel(1x1)
  %2 = root.batch_norm "bn1" %1 epsilon(1e-3)
  %3 = root.add %1, %2
  %4 = root.batch_norm "bn2" %3
  root.output %4
}
