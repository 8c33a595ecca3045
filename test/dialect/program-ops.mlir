// RUN: rootc-opt %s | rootc-opt | FileCheck %s

// CHECK: root.model @net image(4x4x3) classes(10)
root.model @net image(4x4x3) classes(10) {
  // CHECK-NEXT: root.arena_tensor parameter "conv.filter" role("filter") fan_in(27) : tensor<8x3x3x3xf32>
  root.arena_tensor parameter "conv.filter" role("filter") fan_in(27) : tensor<8x3x3x3xf32>
  // CHECK-NEXT: root.arena_tensor statistic "bn.mean" role("mean") offset(16) : tensor<8xf32>
  root.arena_tensor statistic "bn.mean" role("mean") offset(16) : tensor<8xf32>
  // CHECK-NEXT: root.program @infer kind(infer)
  root.program @infer kind(infer) {
    // CHECK-NEXT: root.argument image : tensor<?x4x4x3xf32>
    %x = root.argument image : tensor<?x4x4x3xf32>
    // CHECK-NEXT: root.prepared "conv.filter.packed" : tensor<1x3x3x3x8xf32>
    %f = root.prepared "conv.filter.packed" : tensor<1x3x3x3x8xf32>
    // CHECK-NEXT: root.kernel (%{{.*}} = %{{.*}}, %{{.*}} = %{{.*}}) schedule({lanes = 8 : i64}) slots([#root.slot<batch, 64>]) : (tensor<?x4x4x3xf32>, tensor<1x3x3x3x8xf32>) -> tensor<?x4x4x8xf32> {
    %y = root.kernel (%a = %x, %b = %f) schedule({lanes = 8}) slots([#root.slot<batch, 64>]) : (tensor<?x4x4x3xf32>, tensor<1x3x3x3x8xf32>) -> tensor<?x4x4x8xf32> {
      // CHECK-NEXT: root.prim.conv2d
      %c = root.prim.conv2d %a, %b {block = 8, dilation = array<i64: 1, 1>, filters = 8, groups = 1, input = array<i64: 4, 4>, kernel = array<i64: 3, 3>, layer = "conv", pad = array<i64: 1, 1, 1, 1>, stride = array<i64: 1, 1>} : (tensor<?x4x4x3xf32>, tensor<1x3x3x3x8xf32>) -> tensor<?x4x4x8xf32>
      // CHECK-NEXT: root.yield
      root.yield %c : tensor<?x4x4x8xf32>
    }
    // CHECK: root.store logits %{{.*}} : tensor<?x4x4x8xf32>
    root.store logits %y : tensor<?x4x4x8xf32>
  }
  root.program @train kind(train) {
    %m = root.statistic "bn.mean" : tensor<8xf32>
    // CHECK: root.store statistic "bn.mean" %{{.*}} : tensor<8xf32>
    root.store statistic "bn.mean" %m : tensor<8xf32>
  }
}
