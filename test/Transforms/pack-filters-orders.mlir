// Groups that are innermost are packed in one block, dense filters in the orders of their maps; kernels of dense ones do not depend on these.
// RUN: rootc-opt %s --root-pack-filters | FileCheck %s

// CHECK: %[[W:.*]] = root.parameter "w"
// CHECK: %[[A:.*]] = root.prim.pack_filter %[[W]] {{{.*}}in_order = 4 : i64, {{.*}}} : (tensor<32x1x1x32xf32>) -> tensor<1x1x1x32x32xf32>
// CHECK: root.prim.conv2d %{{.*}}, %[[A]] {
// CHECK-NOT: order
// CHECK-SAME: ->
// CHECK: %[[B:.*]] = root.prim.pack_filter %[[W]] {{{.*}}out_order = 8 : i64, {{.*}}}
// CHECK: root.prim.conv2d %{{.*}}, %[[B]] {
// CHECK-NOT: order
// CHECK-SAME: ->
// CHECK: %[[P:.*]] = root.prim.pack_filter %{{.*}} {{{.*}}in_order = 8 : i64, {{.*}}out_order = 8 : i64, {{.*}}} : (tensor<32x3x3x4xf32>) -> tensor<1x3x3x4x32xf32>
// CHECK: root.prim.conv2d %{{.*}}, %[[P]] {block = 32 : i64, {{.*}}in_order = 8 : i64, {{.*}}out_order = 8 : i64, {{.*}}}
root.model @ordered image(4x4x32) classes(2) {
  root.program @infer kind(infer) {
    %x = root.argument image : tensor<?x4x4x32xf32>
    %w = root.parameter "w" : tensor<32x1x1x32xf32>
    %a = root.prim.conv2d %x, %w {block = 0 : i64, in_order = 4 : i64, kernel = array<i64: 1, 1>, stride = array<i64: 1, 1>, pad = array<i64: 0, 0, 0, 0>, dilation = array<i64: 1, 1>, groups = 1 : i64, filters = 32 : i64, input = array<i64: 4, 4>} : (tensor<?x4x4x32xf32>, tensor<32x1x1x32xf32>) -> tensor<?x4x4x32xf32>
    %b = root.prim.conv2d %a, %w {block = 0 : i64, out_order = 8 : i64, kernel = array<i64: 1, 1>, stride = array<i64: 1, 1>, pad = array<i64: 0, 0, 0, 0>, dilation = array<i64: 1, 1>, groups = 1 : i64, filters = 32 : i64, input = array<i64: 4, 4>} : (tensor<?x4x4x32xf32>, tensor<32x1x1x32xf32>) -> tensor<?x4x4x32xf32>
    %g = root.parameter "g" : tensor<32x3x3x4xf32>
    %c = root.prim.conv2d %b, %g {block = 0 : i64, in_order = 8 : i64, out_order = 8 : i64, kernel = array<i64: 3, 3>, stride = array<i64: 1, 1>, pad = array<i64: 1, 1, 1, 1>, dilation = array<i64: 1, 1>, groups = 8 : i64, filters = 32 : i64, input = array<i64: 4, 4>} : (tensor<?x4x4x32xf32>, tensor<32x3x3x4xf32>) -> tensor<?x4x4x32xf32>
    root.store logits %c : tensor<?x4x4x32xf32>
  }
}
