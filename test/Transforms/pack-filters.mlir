// RUN: rootc-opt %s --root-infer-shapes --root-build-programs --root-autodiff --root-pack-filters | FileCheck %s
// RUN: rootc-opt %s --root-infer-shapes --root-build-programs --root-autodiff --root-pack-filters --root-pack-filters | FileCheck %s

// Each direction has its own layout, and a filter is packed where it is read.
// CHECK-LABEL: root.program @train
// CHECK: %[[W:.*]] = root.parameter "conv2.filter" : tensor<48x3x3x16xf32>
// CHECK: %[[F:.*]] = root.prim.pack_filter %[[W]] {block = 48 : i64, {{.*}}direction = "forward", filters = 48 : i64, groups = 1 : i64, {{.*}} layer = "conv2", {{.*}} : (tensor<48x3x3x16xf32>) -> tensor<1x3x3x16x48xf32>
// CHECK-NEXT: root.prim.conv2d %{{[0-9]+}}, %[[F]] {block = 48 : i64
// CHECK: root.store loss
// CHECK: root.prim.conv2d_backward_filter {{.*}} -> tensor<48x3x3x16xf32>
// CHECK: %[[P:.*]] = root.prim.pack_filter %[[W]] {block = 16 : i64, {{.*}}direction = "backward_data", {{.*}} -> tensor<1x3x3x48x16xf32>
// CHECK-NEXT: root.prim.conv2d_backward_data %{{[0-9]+}}, %[[P]] {block = 16 : i64
// CHECK-NOT: block = 0
root.network @pack(%image: !root.image<4x4x3>) classes(48) {
  %1 = root.conv2d "conv1" %image filters(16) kernel(3x3) pad(1) no_bias
  %2 = root.conv2d "conv2" %1 filters(48) kernel(3x3) pad(1) no_bias
  %3 = root.global_average_pool %2
  root.output %3
}
