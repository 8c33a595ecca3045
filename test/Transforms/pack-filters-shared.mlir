// Two convolutions of one filter share its packed copy; a depthwise one is packed too.
// RUN: rootc-opt %s --root-pack-filters | FileCheck %s
// RUN: rootc-opt %s --root-pack-filters="vector-bits=128 registers=16" | FileCheck %s --check-prefix=NARROW

// CHECK: %[[W:.*]] = root.parameter "w"
// CHECK: %[[P:.*]] = root.prim.pack_filter %[[W]]
// CHECK-NEXT: %[[A:.*]] = root.prim.conv2d %{{.*}}, %[[P]]
// CHECK-NEXT: %[[B:.*]] = root.prim.conv2d %[[A]], %[[P]]
// CHECK: %[[D:.*]] = root.parameter "depthwise"
// CHECK: root.prim.pack_filter %[[D]] {{.*}} : (tensor<16x3x3x1xf32>) -> tensor<1x3x3x1x16xf32>
// NARROW: root.prim.pack_filter {{.*}} : (tensor<16x1x1x16xf32>) -> tensor<2x1x1x16x8xf32>
root.model @shared image(4x4x16) classes(2) {
  root.program @infer kind(infer) {
    %x = root.argument image : tensor<?x4x4x16xf32>
    %w = root.parameter "w" : tensor<16x1x1x16xf32>
    %a = root.prim.conv2d %x, %w {block = 0 : i64, kernel = array<i64: 1, 1>, stride = array<i64: 1, 1>, pad = array<i64: 0, 0, 0, 0>, dilation = array<i64: 1, 1>, groups = 1 : i64, filters = 16 : i64, input = array<i64: 4, 4>} : (tensor<?x4x4x16xf32>, tensor<16x1x1x16xf32>) -> tensor<?x4x4x16xf32>
    %b = root.prim.conv2d %a, %w {block = 0 : i64, kernel = array<i64: 1, 1>, stride = array<i64: 2, 2>, pad = array<i64: 0, 0, 0, 0>, dilation = array<i64: 1, 1>, groups = 1 : i64, filters = 16 : i64, input = array<i64: 4, 4>} : (tensor<?x4x4x16xf32>, tensor<16x1x1x16xf32>) -> tensor<?x2x2x16xf32>
    %d = root.parameter "depthwise" : tensor<16x3x3x1xf32>
    %c = root.prim.conv2d %b, %d {block = 0 : i64, kernel = array<i64: 3, 3>, stride = array<i64: 1, 1>, pad = array<i64: 1, 1, 1, 1>, dilation = array<i64: 1, 1>, groups = 16 : i64, filters = 16 : i64, input = array<i64: 2, 2>} : (tensor<?x2x2x16xf32>, tensor<16x3x3x1xf32>) -> tensor<?x2x2x16xf32>
    root.store logits %c : tensor<?x2x2x16xf32>
  }
}
