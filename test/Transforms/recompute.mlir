// RUN: rootc-opt %S/Inputs/efficient.mlir --root-infer-shapes --root-build-programs --root-autodiff --root-pack-filters --root-fuse-kernels --root-recompute --root-plan-memory --root-check-memory-plan | FileCheck %s --check-prefix=EFFICIENT
// RUN: rootc-opt %S/Inputs/efficient.mlir --root-infer-shapes --root-build-programs --root-autodiff --root-pack-filters --root-fuse-kernels --root-plan-memory | FileCheck %s --check-prefix=EFFICIENT-KEPT

// What the backward half reads is computed again where that lowers the peak.
// RUN: rootc-opt %s --root-infer-shapes --root-build-programs --root-autodiff --root-pack-filters --root-fuse-kernels --root-recompute --root-plan-memory --root-check-memory-plan --split-input-file | FileCheck %s
// RUN: rootc-opt %s --root-infer-shapes --root-build-programs --root-autodiff --root-pack-filters --root-fuse-kernels --root-plan-memory --split-input-file | FileCheck %s --check-prefix=KEPT

// Batch norm and sigmoid of a and b run again, of c not: its result is needed
// again while most is live. Statistics are not computed again, nor is @infer longer.
// KEPT-LABEL: root.model @chain
// KEPT: root.program @train {{.*}}{batch_bytes = 28736 : i64
// CHECK-LABEL: root.model @chain
// CHECK: root.program @infer
// CHECK-COUNT-3: root.prim.batch_norm_normalize
// CHECK-NOT: root.prim.batch_norm_normalize
// CHECK: root.program @train {{.*}}{batch_bytes = 24576 : i64
// CHECK: root.prim.pack_filter {{.*}} layer = "a"
// CHECK-NEXT: root.yield
// CHECK-NEXT: }
// CHECK-NEXT: %[[A:[a-z0-9]+]] = root.kernel
// CHECK-NEXT: root.prim.conv2d {{.*}} layer = "a"
// CHECK: %[[MOMENTS:[a-z0-9]+]]:3 = root.kernel (%{{.*}} = %[[A]])
// CHECK-NEXT: root.prim.batch_norm_statistics
// CHECK: %[[YA:[a-z0-9]+]] = root.kernel (%{{.*}} = %[[A]], %{{.*}} = %[[MOMENTS]]#0, %{{.*}} = %[[MOMENTS]]#1, %{{.*}} = %[[SCALE:[a-z0-9]+]], %{{.*}} = %[[OFFSET:[a-z0-9]+]])
// CHECK-NEXT: root.prim.batch_norm_normalize {{.*}} layer = "bna"
// CHECK-NEXT: root.prim.sigmoid
// CHECK: root.kernel (%{{.*}} = %[[YA]],
// CHECK-NEXT: root.prim.conv2d {{.*}} layer = "b"
// CHECK: root.prim.softmax_cross_entropy_backward
// CHECK-NOT: root.prim.batch_norm_statistics
// CHECK-NOT: root.prim.batch_norm_normalize {{.*}} layer = "bnc"
// CHECK: root.prim.batch_norm_normalize {{.*}} layer = "bnb"
// CHECK: %[[AGAIN:[a-z0-9]+]] = root.kernel (%{{.*}} = %[[A]], %{{.*}} = %[[MOMENTS]]#0, %{{.*}} = %[[MOMENTS]]#1, %{{.*}} = %[[SCALE]], %{{.*}} = %[[OFFSET]])
// CHECK-NEXT: root.prim.batch_norm_normalize {{.*}} layer = "bna"
// CHECK-NEXT: root.prim.sigmoid
// CHECK: root.kernel (%{{.*}} = %[[AGAIN]],
// CHECK-NEXT: root.prim.batch_norm_backward_data
// CHECK-NEXT: root.prim.conv2d_backward_filter {{.*}} layer = "b"
// CHECK: root.kernel ({{.*}} = %[[AGAIN]])
// CHECK-NEXT: root.prim.batch_norm_backward_data
// CHECK-NEXT: root.prim.conv2d_backward_data {{.*}} layer = "b"
// CHECK-NEXT: root.prim.sigmoid_backward
// CHECK: root.program @grad
// CHECK: root.prim.softmax_cross_entropy_backward
// CHECK: root.prim.batch_norm_normalize {{.*}} layer = "bna"
root.network @chain(%image: !root.image<8x8x8>) classes(4) {
  %1 = root.conv2d "a" %image filters(16) kernel(1x1) no_bias
  %2 = root.batch_norm "bna" %1
  %3 = root.sigmoid %2
  %4 = root.conv2d "b" %3 filters(16) kernel(1x1) no_bias
  %5 = root.batch_norm "bnb" %4
  %6 = root.sigmoid %5
  %7 = root.conv2d "c" %6 filters(16) kernel(1x1) no_bias
  %8 = root.batch_norm "bnc" %7
  %9 = root.sigmoid %8
  %10 = root.global_average_pool %9
  %11 = root.linear "fc" %10 outputs(4)
  root.output %11
}

// -----

// A clone reads another clone, which serves all backward readers. The pool's
// index and result are kept: they are small.
// KEPT-LABEL: root.model @residual
// KEPT: root.program @train {{.*}}{batch_bytes = 43520 : i64
// CHECK-LABEL: root.model @residual
// CHECK: root.program @train {{.*}}{batch_bytes = 36864 : i64
// CHECK: root.prim.softmax_cross_entropy_backward
// CHECK-NOT: root.prim.max_pool_with_index
// CHECK: root.prim.batch_norm_backward_reduce {{.*}} layer = "bnc"
// CHECK-NEXT: root.yield
// CHECK-NEXT: }
// CHECK-NEXT: %[[X:[a-z0-9]+]] = root.kernel
// CHECK-NEXT: root.prim.batch_norm_normalize {{.*}} layer = "bna"
// CHECK-NEXT: root.prim.sigmoid
// CHECK: %[[Y:[a-z0-9]+]] = root.kernel ({{.*}} = %[[X]])
// CHECK-NEXT: root.prim.batch_norm_normalize {{.*}} layer = "bnb"
// CHECK-NEXT: root.prim.add
// CHECK-NEXT: root.prim.sigmoid
// CHECK: root.kernel (%{{.*}} = %[[Y]],
// CHECK-NEXT: root.prim.batch_norm_backward_data
// CHECK-NEXT: root.prim.conv2d_backward_filter {{.*}} layer = "c"
// CHECK: root.kernel (%{{.*}} = %[[X]],
// CHECK-NEXT: root.prim.batch_norm_backward_data
// CHECK-NEXT: root.prim.conv2d_backward_filter {{.*}} layer = "b"
// CHECK-NOT: root.prim.batch_norm_normalize
// CHECK: root.program @grad
root.network @residual(%image: !root.image<8x8x8>) classes(4) {
  %1 = root.conv2d "a" %image filters(16) kernel(1x1) no_bias
  %2 = root.batch_norm "bna" %1
  %x = root.sigmoid %2
  %3 = root.conv2d "b" %x filters(16) kernel(1x1) no_bias
  %4 = root.batch_norm "bnb" %3
  %5 = root.add %4, %x
  %y = root.sigmoid %5
  %6 = root.conv2d "c" %y filters(32) kernel(1x1) no_bias
  %7 = root.batch_norm "bnc" %6
  %8 = root.sigmoid %7
  %9 = root.max_pool %8 kernel(2x2) stride(2)
  %10 = root.conv2d "d" %9 filters(8) kernel(1x1) no_bias
  %11 = root.global_average_pool %10
  %12 = root.linear "fc" %11 outputs(4)
  root.output %12
}

// The layers of other efficient networks. A sigmoid is computed again, and what
// squeeze and excitation pools.
// EFFICIENT-KEPT: root.program @train {{.*}}{batch_bytes = 116864 : i64
// EFFICIENT: root.program @train {{.*}}{batch_bytes = 105792 : i64
// EFFICIENT: root.prim.softmax_cross_entropy_backward
// EFFICIENT: root.prim.sigmoid {{.*}}layer = "sigmoid_1"
// EFFICIENT-NEXT: root.yield
// EFFICIENT: root.prim.sigmoid_backward
// EFFICIENT: root.prim.global_average_pool {{.*}}layer = "global_average_pool_1"
// EFFICIENT-NEXT: root.yield
// EFFICIENT: root.prim.conv2d_backward_filter {{.*}}layer = "squeeze"
// EFFICIENT: root.program @grad
