// A frozen layer's weights are statistics that nothing stores: no gradient, no update. Its batch norm uses the running
// statistics, in its convolution where that is frozen too.
// RUN: rootc-opt %s '--root-freeze=layers=*,!b*,!fc' | FileCheck %s --check-prefix=MARK
// RUN: rootc-opt %s '--root-freeze=layers=*,!b*,!fc' --root-infer-shapes --root-build-programs --root-fold-batch-norm --root-autodiff | FileCheck %s
// RUN: rootc-opt %s --root-freeze=layers=bn_b --root-infer-shapes --root-build-programs --root-fold-batch-norm --root-autodiff | FileCheck %s --check-prefix=NORM

// MARK: root.conv2d "a" {{.*}} {root.frozen}
// MARK: root.batch_norm "norm_a" {{.*}} {root.frozen}
// MARK-NOT: root.frozen
root.network @net(%image: !root.image<8x8x3>) classes(4) {
  %0 = root.conv2d "a" %image filters(8) kernel(3x3)
  %1 = root.batch_norm "norm_a" %0
  %2 = root.max_pool %1 kernel(2x2) stride(2)
  %3 = root.conv2d "b" %2 filters(8) kernel(3x3)
  %4 = root.batch_norm "bn_b" %3
  %5 = root.linear "fc" %4 outputs(4)
  root.output %5
}

// CHECK-DAG: root.arena_tensor statistic "a.filter" role("filter") fan_in(27)
// CHECK-DAG: root.arena_tensor statistic "a.bias"
// CHECK-DAG: root.arena_tensor statistic "norm_a.scale"
// CHECK-DAG: root.arena_tensor parameter "b.filter"
// CHECK-DAG: root.arena_tensor parameter "bn_b.scale"
// CHECK: root.program @train
// CHECK: root.statistic "a.filter"
// CHECK: root.prim.scale_filter
// CHECK: root.prim.conv2d
// CHECK: root.prim.max_pool %
// CHECK: root.prim.batch_norm_statistics
// CHECK-NOT: root.store statistic "norm_a
// CHECK: root.prim.conv2d_backward_filter
// CHECK-NOT: root.prim.max_pool_backward
// CHECK-NOT: root.prim.conv2d_backward_data {{.*}}8x8x3
// CHECK-NOT: root.store gradient "a.
// CHECK: root.program @grad
// CHECK: root.prim.max_pool_backward
// CHECK: root.store d_image

// A norm by itself: its convolution learns, so it stays a norm of fixed vectors.
// NORM: root.program @train
// NORM: root.parameter "b.filter"
// NORM: root.prim.channel_affine
// NORM: root.prim.scale_channels
// NORM: root.store gradient "b.filter"
