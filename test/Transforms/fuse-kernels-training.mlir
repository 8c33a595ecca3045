// RUN: rootc-opt %s --root-infer-shapes --root-build-programs --root-autodiff --root-fuse-kernels --split-input-file | FileCheck %s

// In training, what batch norm and ReLU make of a map is computed by all that
// read it, forward and backward, and so is batch norm's gradient: neither is
// written.

// CHECK-LABEL: root.program @train
// CHECK: %[[A:.*]] = root.kernel
// CHECK-NEXT: root.prim.conv2d
// CHECK-NEXT: root.yield
// CHECK: root.prim.batch_norm_statistics
// CHECK: %[[B:.*]] = root.kernel (%[[X:[a-z0-9]+]] = %[[A]],
// CHECK-NEXT: %[[N:.*]] = root.prim.batch_norm_normalize %[[X]], {{.*}}layer = "bna"
// CHECK-NEXT: %[[R:.*]] = root.prim.relu %[[N]]
// CHECK-NEXT: root.prim.conv2d %[[R]], {{.*}}layer = "b"
// CHECK-NEXT: root.yield
// CHECK: root.prim.batch_norm_statistics
// CHECK: root.kernel (%[[X:[a-z0-9]+]] = %[[B]],
// CHECK-NEXT: root.prim.batch_norm_normalize %[[X]], {{.*}}layer = "bnb"
// CHECK-NEXT: root.prim.relu
// CHECK-NEXT: root.prim.max_pool_with_index
// CHECK-NEXT: root.yield
// CHECK: root.prim.softmax_cross_entropy_backward
// CHECK: %[[D:.*]] = root.kernel ({{.*}} = %[[B]],
// CHECK-NEXT: root.prim.max_pool_backward
// CHECK-NEXT: root.prim.batch_norm_normalize
// CHECK-NEXT: root.prim.relu
// CHECK-NEXT: root.prim.relu_backward
// CHECK-NEXT: root.yield
// CHECK: %[[S:.*]]:4 = root.kernel (%{{.*}} = %[[D]], %{{.*}} = %[[B]],
// CHECK-NEXT: root.prim.batch_norm_backward_reduce
// CHECK-NEXT: root.yield
// CHECK: root.kernel (%[[X:[a-z0-9]+]] = %[[A]], {{.*}}%[[DY:[a-z0-9]+]] = %[[D]], %[[Y:[a-z0-9]+]] = %[[B]],
// CHECK-NEXT: root.prim.batch_norm_normalize %[[X]], {{.*}}layer = "bna"
// CHECK-NEXT: %[[R:.*]] = root.prim.relu
// CHECK-NEXT: %[[G:.*]] = root.prim.batch_norm_backward_data %[[DY]], %[[Y]], {{.*}}layer = "bnb"
// CHECK-NEXT: root.prim.conv2d_backward_filter %[[R]], %[[G]]
// CHECK-NEXT: root.yield
// CHECK: root.kernel (%[[DY:[a-z0-9]+]] = %[[D]], %[[Y:[a-z0-9]+]] = %[[B]],
// CHECK-NEXT: %[[G:.*]] = root.prim.batch_norm_backward_data %[[DY]], %[[Y]], {{.*}}layer = "bnb"
// CHECK-NEXT: %[[C:.*]] = root.prim.conv2d_backward_data %[[G]]
// CHECK-NEXT: root.prim.batch_norm_normalize {{.*}}layer = "bna"
// CHECK-NEXT: %[[R:.*]] = root.prim.relu
// CHECK-NEXT: root.prim.relu_backward %[[C]], %[[R]]
// CHECK-NEXT: root.yield
// CHECK: root.program @grad
root.network @plain(%image: !root.image<8x8x8>) classes(4) {
  %1 = root.conv2d "a" %image filters(16) kernel(3x3) pad(1) no_bias
  %2 = root.batch_norm "bna" %1
  %3 = root.relu %2
  %4 = root.conv2d "b" %3 filters(16) kernel(1x1) no_bias
  %5 = root.batch_norm "bnb" %4
  %6 = root.relu %5
  %7 = root.max_pool %6 kernel(2x2) stride(2)
  %8 = root.global_average_pool %7
  %9 = root.linear "fc" %8 outputs(4)
  root.output %9
}

// -----

// A concatenation needs the map, so the convolution reads it too. The residual
// join is written: two maps would be read for it at each place.
// CHECK-LABEL: root.program @train
// CHECK-COUNT-2: root.store statistic "bna
// CHECK: %[[Y:.*]] = root.kernel
// CHECK-NEXT: root.prim.batch_norm_normalize
// CHECK-NEXT: root.prim.relu
// CHECK-NEXT: root.yield
// CHECK: root.kernel (%{{.*}} = %[[Y]],
// CHECK-NEXT: root.prim.conv2d {{.*}}layer = "b"
// CHECK-NEXT: root.yield
// CHECK-COUNT-2: root.store statistic "bnb
// CHECK: %[[Z:.*]] = root.kernel
// CHECK-NEXT: root.prim.batch_norm_normalize
// CHECK-NEXT: root.prim.add
// CHECK-NEXT: root.prim.relu
// CHECK-NEXT: root.yield
// CHECK: root.kernel (%{{.*}} = %[[Y]], %{{.*}} = %[[Z]])
// CHECK-NEXT: root.prim.concat
// CHECK-NEXT: root.yield
// CHECK: root.program @grad
root.network @joins(%image: !root.image<8x8x8>) classes(4) {
  %1 = root.conv2d "a" %image filters(16) kernel(3x3) pad(1) no_bias
  %2 = root.batch_norm "bna" %1
  %3 = root.relu %2
  %4 = root.conv2d "b" %3 filters(16) kernel(1x1) no_bias
  %5 = root.batch_norm "bnb" %4
  %6 = root.add %5, %3
  %7 = root.relu %6
  %8 = root.concat %3, %7
  %9 = root.global_average_pool %8
  %10 = root.linear "fc" %9 outputs(4)
  root.output %10
}

// -----

// Of a chain of residual joins every second one is kept for the backward half:
// the others are computed where they are read, the next join included.
// CHECK-LABEL: root.program @train
// CHECK-COUNT-2: root.store statistic "bnb
// CHECK: root.kernel
// CHECK-NEXT: root.prim.batch_norm_normalize {{.*}}layer = "bnb"
// CHECK-NEXT: root.prim.add
// CHECK-NEXT: root.prim.relu
// CHECK-NEXT: root.prim.conv2d {{.*}}layer = "c"
// CHECK-NEXT: root.yield
// CHECK-COUNT-2: root.store statistic "bnc
// CHECK: %[[Z:.*]] = root.kernel
// CHECK-NEXT: root.prim.batch_norm_normalize {{.*}}layer = "bnc"
// CHECK-NEXT: root.prim.batch_norm_normalize {{.*}}layer = "bnb"
// CHECK-NEXT: root.prim.add {{.*}}layer = "add_1"
// CHECK-NEXT: root.prim.relu
// CHECK-NEXT: root.prim.add {{.*}}layer = "add_2"
// CHECK-NEXT: root.prim.relu
// CHECK-NEXT: root.yield
// CHECK: root.kernel (%{{.*}} = %[[Z]],
// CHECK-NEXT: root.prim.conv2d {{.*}}layer = "d"
// CHECK: root.program @grad
root.network @chain(%image: !root.image<8x8x8>) classes(4) {
  %1 = root.conv2d "a" %image filters(16) kernel(3x3) pad(1)
  %2 = root.relu %1
  %3 = root.conv2d "b" %2 filters(16) kernel(1x1) no_bias
  %4 = root.batch_norm "bnb" %3
  %5 = root.add %4, %2
  %6 = root.relu %5
  %7 = root.conv2d "c" %6 filters(16) kernel(1x1) no_bias
  %8 = root.batch_norm "bnc" %7
  %9 = root.add %8, %6
  %10 = root.relu %9
  %11 = root.conv2d "d" %10 filters(16) kernel(1x1)
  %12 = root.add %11, %10
  %13 = root.global_average_pool %12
  %14 = root.linear "fc" %13 outputs(4)
  root.output %14
}

// -----

// A concatenation's gradient is cut up by what reads the parts.
// CHECK-LABEL: root.program @train
// CHECK: root.prim.softmax_cross_entropy_backward
// CHECK: root.prim.slice_channels
// CHECK-NEXT: root.prim.relu_backward
// CHECK: root.prim.slice_channels
// CHECK-NEXT: root.prim.relu_backward
// CHECK: root.program @grad
root.network @branches(%image: !root.image<8x8x8>) classes(4) {
  %1 = root.conv2d "a" %image filters(16) kernel(3x3) pad(1)
  %2 = root.relu %1
  %3 = root.conv2d "b" %image filters(16) kernel(1x1)
  %4 = root.relu %3
  %5 = root.concat %2, %4
  %6 = root.global_average_pool %5
  %7 = root.linear "fc" %6 outputs(4)
  root.output %7
}
