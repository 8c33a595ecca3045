// Shapes of real networks through all passes that make programs: a residual block
// with a projection, an inception module with an auxiliary classifier, a
// depthwise separable block.
// RUN: rootc-opt %s --root-infer-shapes --root-build-programs --root-fold-batch-norm --root-autodiff --root-pack-filters --root-hoist-prepare --split-input-file | FileCheck %s

// The block's input gets two gradients: of the first convolution, then of the
// projection.
// CHECK-LABEL: root.model @residual
// CHECK: root.program @infer
// CHECK-NOT: batch_norm
// CHECK: root.program @train
// CHECK: %[[DSUM:.*]] = root.prim.relu_backward {{.*}} {layer = "relu_3"}
// CHECK: root.prim.batch_norm_backward_reduce %[[DSUM]], {{.*}} layer = "bnp"
// CHECK: %[[DP:.*]] = root.prim.conv2d_backward_data {{.*}} layer = "proj"
// CHECK: root.prim.batch_norm_backward_reduce %[[DSUM]], {{.*}} layer = "bnb"
// CHECK: %[[DA:.*]] = root.prim.conv2d_backward_data {{.*}} layer = "a"
// CHECK: %[[DX:.*]] = root.prim.add %[[DP]], %[[DA]]
// CHECK: root.prim.relu_backward %[[DX]], {{.*}} {layer = "relu_1"}
root.network @residual(%image: !root.image<8x8x3>) classes(4) {
  %0 = root.conv2d "stem" %image filters(8) kernel(3x3) pad(1) no_bias
  %x = root.relu %0
  %1 = root.conv2d "a" %x filters(8) kernel(3x3) stride(2) pad(1) groups(4) no_bias
  %2 = root.batch_norm "bna" %1
  %3 = root.relu %2
  %4 = root.conv2d "b" %3 filters(16) kernel(1x1) no_bias
  %5 = root.batch_norm "bnb" %4
  %6 = root.conv2d "proj" %x filters(16) kernel(1x1) stride(2) no_bias
  %7 = root.batch_norm "bnp" %6
  %8 = root.add %5, %7
  %9 = root.relu %8
  %10 = root.global_average_pool %9
  %11 = root.linear "fc" %10 outputs(4)
  root.output %11
}

// -----

// Three branches and the auxiliary classifier meet in the module's result.
// CHECK-LABEL: root.model @inception
// CHECK: root.program @infer
// CHECK-NOT: layer = "aux"
// CHECK: root.program @train
// CHECK: %[[CAT:.*]] = root.prim.concat
// CHECK: root.prim.softmax_cross_entropy_backward {{.*}} weight = 3.000000e-01
// CHECK: %[[DFC:.*]] = root.prim.conv2d_backward_data {{.*}} layer = "fc"
// CHECK: %[[DMAIN:.*]] = root.prim.global_average_pool_backward {{.*}} layer = "global_average_pool_2"
// CHECK: %[[DAUX:.*]] = root.prim.global_average_pool_backward {{.*}} layer = "global_average_pool_1"
// CHECK: %[[DCAT:.*]] = root.prim.add %[[DMAIN]], %[[DAUX]]
// CHECK: root.prim.slice_channels %[[DCAT]] {begin = 0 : i64, end = 4 : i64
// CHECK: root.prim.slice_channels %[[DCAT]] {begin = 4 : i64, end = 10 : i64
// The image's part has no parameter before it.
// CHECK-NOT: root.prim.slice_channels %[[DCAT]] {begin = 10 : i64, end = 13 : i64
// CHECK-DAG: root.store gradient "aux.weight"
// CHECK-DAG: root.store gradient "one.filter"
root.network @inception(%image: !root.image<7x7x3>) classes(5) {
  %1 = root.conv2d "one" %image filters(4) kernel(1x1)
  %2 = root.conv2d "three" %image filters(6) kernel(3x3) pad(1) groups(3)
  %3 = root.max_pool %image kernel(3x3) pad(1)
  %4 = root.concat %1, %2, %3
  %5 = root.global_average_pool %4
  %6 = root.linear "aux" %5 outputs(5)
  root.auxiliary %6
  %7 = root.global_average_pool %4
  %8 = root.linear "fc" %7 outputs(5)
  root.output %8
}

// -----

// CHECK-LABEL: root.model @separable
// CHECK: root.program @infer
// CHECK: root.prim.conv2d {{.*}} groups = 6 : i64, {{.*}} layer = "depthwise"
// CHECK: root.program @train
// CHECK: root.prim.conv2d_backward_filter {{.*}} layer = "depthwise", {{.*}} -> tensor<12x3x3x1xf32>
root.network @separable(%image: !root.image<7x7x6>) classes(3) {
  %1 = root.conv2d "depthwise" %image filters(12) kernel(3x3) stride(2) pad(1) groups(6)
  %2 = root.batch_norm "bn" %1
  %3 = root.relu %2
  %4 = root.conv2d "pointwise" %3 filters(3) kernel(1x1)
  %5 = root.global_average_pool %4
  root.output %5
}
