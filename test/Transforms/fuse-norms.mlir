// RUN: rootc-opt %s --split-input-file --root-infer-shapes --root-build-programs --root-autodiff --root-fuse-kernels | FileCheck %s

// What stands behind a layer norm is its epilogue.
// CHECK-LABEL: root.model @layer
// CHECK: root.program @infer
// CHECK: root.prim.layer_norm
// CHECK-NEXT: root.prim.sigmoid
// CHECK-NEXT: root.prim.multiply
// CHECK-NEXT: root.yield
root.network @layer(%image: !root.image<5x5x6>) classes(6) {
  %1 = root.conv2d "a" %image filters(6) kernel(3) pad(1)
  %2 = root.layer_norm "norm" %1
  %3 = root.sigmoid %2
  %4 = root.multiply %2, %3
  %5 = root.global_average_pool %4
  root.output %5
}

// -----

// What a group norm makes of a map is not written in training: the convolution
// behind it computes it as it reads.
// CHECK-LABEL: root.model @group
// CHECK: root.program @train
// CHECK: root.prim.group_norm_statistics
// CHECK-NEXT: root.yield
// CHECK: root.prim.group_norm_normalize
// CHECK-NEXT: root.prim.relu
// CHECK-NEXT: root.prim.conv2d
root.network @group(%image: !root.image<5x5x6>) classes(6) {
  %1 = root.conv2d "a" %image filters(6) kernel(3) pad(1)
  %2 = root.group_norm "norm" %1 groups(2)
  %3 = root.relu %2
  %4 = root.conv2d "b" %3 filters(6) kernel(3) pad(1)
  %5 = root.global_average_pool %4
  root.output %5
}
