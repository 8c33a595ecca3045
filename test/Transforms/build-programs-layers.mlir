// The layers that build-programs.mlir does not have, and two networks in one file.
// RUN: rootc-opt %s --root-infer-shapes --root-build-programs | FileCheck %s

// CHECK-LABEL: root.model @layers
// CHECK: root.program @infer
// CHECK: %[[CONV:.*]] = root.prim.conv2d {{.*}} dilation = array<i64: 2, 2>, filters = 6 : i64, groups = 3 : i64, {{.*}} : (tensor<?x9x9x6xf32>, tensor<6x3x3x2xf32>) -> tensor<?x9x9x6xf32>
// CHECK: %[[LRN:.*]] = root.prim.local_response_norm %[[CONV]] {alpha = 2.000000e-04 : f64, beta = 7.500000e-01 : f64, k = 1.000000e+00 : f64, layer = "local_response_norm_1", size = 3 : i64}
// CHECK: %[[ADD:.*]] = root.prim.add %[[LRN]], %[[IMAGE:.*]] {layer = "add_1"}
// CHECK: %[[CAT:.*]] = root.prim.concat %[[ADD]], %[[CONV]], %[[CONV]] {layer = "concat_1"} : {{.*}} -> tensor<?x9x9x18xf32>
// CHECK: %[[A:.*]] = root.prim.average_pool %[[CAT]] {exclude_pad = 1 : i64, input = array<i64: 9, 9>, kernel = array<i64: 3, 3>, layer = "average_pool_1", output = array<i64: 5, 5>, pad = array<i64: 1, 1, 1, 1>, stride = array<i64: 2, 2>}
// CHECK: %[[B:.*]] = root.prim.average_pool %[[A]] {exclude_pad = 0 : i64
// CHECK: root.prim.global_average_pool %[[B]] {input = array<i64: 3, 3>, layer = "global_average_pool_1"}
// CHECK: root.program @train
// CHECK-NOT: root.prim.weighted_sum
// CHECK-NOT: root.argument samples
// CHECK: %[[LOSS:.*]] = root.prim.softmax_cross_entropy
// CHECK-NEXT: root.store loss %[[LOSS]]
root.network @layers(%image: !root.image<9x9x6>) classes(18) {
  %1 = root.conv2d "grouped" %image filters(6) kernel(3x3) pad(2) dilation(2) groups(3) no_bias
  %2 = root.local_response_norm %1 size(3) alpha(2e-4)
  %3 = root.add %2, %image
  %4 = root.concat %3, %1, %1
  %5 = root.average_pool %4 kernel(3x3) stride(2) pad(1) exclude_pad
  %6 = root.average_pool %5 kernel(3x3)
  %7 = root.global_average_pool %6
  %8 = root.dropout %7 rate(0.0)
  root.output %8
}

// CHECK-LABEL: root.model @second
root.network @second(%image: !root.image<1x1x2>) classes(2) {
  root.output %image
}
