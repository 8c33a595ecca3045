// RUN: rootc-opt %s --root-fuse-kernels --root-plan-memory --root-check-memory-plan | FileCheck %s

// Decayed parameters come first, wherever they are declared; offsets count
// floats and are multiples of 16.
// CHECK: root.model @plan {{.*}}attributes {decayed_count = 32 : i64, parameter_count = 64 : i64, prepared_bytes = 128 : i64, statistic_count = 32 : i64}
// CHECK: parameter "a.bias" role("bias") offset(32) : tensor<3xf32>
// CHECK: parameter "a.filter" role("filter") fan_in(3) offset(0) : tensor<3x1x1x3xf32>
// CHECK: parameter "b.scale" role("scale") offset(48) : tensor<16xf32>
// CHECK: parameter "b.weight" role("weight") fan_in(3) offset(16) : tensor<1x3xf32>
// CHECK: statistic "s.mean" role("mean") offset(0)
// CHECK: statistic "s.variance" role("variance") offset(16)
// CHECK: prepared "p" role("packed") offset(0) : tensor<3xf32>
// CHECK: prepared "a.bias" role("packed") offset(16) : tensor<3xf32>
root.model @plan image(2x5x3) classes(3) {
  root.arena_tensor parameter "a.bias" role("bias") : tensor<3xf32>
  root.arena_tensor parameter "a.filter" role("filter") fan_in(3) : tensor<3x1x1x3xf32>
  root.arena_tensor parameter "b.scale" role("scale") : tensor<16xf32>
  root.arena_tensor parameter "b.weight" role("weight") fan_in(3) : tensor<1x3xf32>
  root.arena_tensor statistic "s.mean" role("mean") : tensor<3xf32>
  root.arena_tensor statistic "s.variance" role("variance") : tensor<3xf32>

  // CHECK: root.program @prepare {{.*}}{batch_bytes = 0 : i64, fixed_bytes = 64 : i64}
  // CHECK: slots([#root.slot<fixed, 0>])
  // CHECK: slots([#root.slot<prepared, 0>])
  // CHECK: slots([#root.slot<prepared, 64>])
  root.program @prepare kind(prepare) {
    %b = root.parameter "a.bias" : tensor<3xf32>
    %v = root.statistic "s.variance" : tensor<3xf32>
    %m = root.prim.fold_multiplier %b, %v {epsilon = 1.0e-5} : (tensor<3xf32>, tensor<3xf32>) -> tensor<3xf32>
    %f = root.prim.fold_bias %m, %m, %m, %b : (tensor<3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>) -> tensor<3xf32>
    root.store prepared "p" %f : tensor<3xf32>
    root.store prepared "a.bias" %b : tensor<3xf32>
  }

  // 2 x 5 x 3 floats are 120 bytes an image, 128 with padding. The concat's
  // result takes the place of what its operand was made from.
  // CHECK: root.program @infer {{.*}}{batch_bytes = 192 : i64, fixed_bytes = 0 : i64}
  // CHECK: slots([#root.slot<batch, 0>])
  // CHECK-NEXT: average_pool
  // CHECK: slots([#root.slot<batch, 128>])
  // CHECK-NEXT: average_pool
  // CHECK: slots([#root.slot<batch, 0>])
  // CHECK-NEXT: concat
  // CHECK: slots([#root.slot<batch, 128>])
  // CHECK-NEXT: slice_channels
  // CHECK: slots([#root.slot<logits, 0>])
  root.program @infer kind(infer) {
    %x = root.argument image : tensor<?x2x5x3xf32>
    %1 = root.prim.average_pool %x {exclude_pad = 0, input = array<i64: 2, 5>, kernel = array<i64: 1, 1>, output = array<i64: 2, 5>, pad = array<i64: 0, 0, 0, 0>, stride = array<i64: 1, 1>} : (tensor<?x2x5x3xf32>) -> tensor<?x2x5x3xf32>
    %2 = root.prim.average_pool %1 {exclude_pad = 0, input = array<i64: 2, 5>, kernel = array<i64: 1, 1>, output = array<i64: 1, 4>, pad = array<i64: 0, 0, 0, 0>, stride = array<i64: 1, 1>} : (tensor<?x2x5x3xf32>) -> tensor<?x1x4x3xf32>
    %3 = root.prim.concat %2, %2 : (tensor<?x1x4x3xf32>, tensor<?x1x4x3xf32>) -> tensor<?x1x4x6xf32>
    %4 = root.prim.slice_channels %3 {begin = 0, end = 3} : (tensor<?x1x4x6xf32>) -> tensor<?x1x4x3xf32>
    %5 = root.prim.concat %3, %4 : (tensor<?x1x4x6xf32>, tensor<?x1x4x3xf32>) -> tensor<?x1x4x9xf32>
    root.store logits %5 : tensor<?x1x4x9xf32>
  }

  // What training writes goes where callers find it, statistics in place.
  // CHECK: root.program @train {{.*}}{batch_bytes = 0 : i64, fixed_bytes = 192 : i64}
  // CHECK: slots([#root.slot<fixed, 0>, #root.slot<fixed, 64>, #root.slot<fixed, 128>])
  // CHECK: slots([#root.slot<statistics, 0>])
  // CHECK: slots([#root.slot<statistics, 64>])
  // CHECK: slots([#root.slot<gradients, 128>])
  // CHECK: slots([#root.slot<gradients, 0>])
  // CHECK: slots([#root.slot<gradients, 192>])
  // CHECK: slots([#root.slot<gradients, 64>])
  // CHECK: slots([#root.slot<d_image, 0>])
  root.program @train kind(train) {
    %x = root.argument image : tensor<?x2x5x3xf32>
    %s = root.parameter "b.scale" : tensor<16xf32>
    %l = root.parameter "b.weight" : tensor<3xf32>
    %m = root.statistic "s.mean" : tensor<3xf32>
    %v = root.statistic "s.variance" : tensor<3xf32>
    %b:3 = root.prim.batch_norm_statistics %x : (tensor<?x2x5x3xf32>) -> (tensor<3xf32>, tensor<3xf32>, tensor<3xf32>)
    %m2 = root.prim.running_average %m, %b#0 {momentum = 0.1} : (tensor<3xf32>, tensor<3xf32>) -> tensor<3xf32>
    %v2 = root.prim.running_average %v, %b#2 {momentum = 0.1} : (tensor<3xf32>, tensor<3xf32>) -> tensor<3xf32>
    %g = root.prim.channel_sum %x : (tensor<?x2x5x3xf32>) -> tensor<3xf32>
    %f = root.prim.conv2d_backward_filter %x, %x {dilation = array<i64: 1, 1>, filters = 3, groups = 3, input = array<i64: 2, 5>, kernel = array<i64: 1, 3>, pad = array<i64: 0, 1, 0, 1>, stride = array<i64: 1, 1>} : (tensor<?x2x5x3xf32>, tensor<?x2x5x3xf32>) -> tensor<3x1x3x1xf32>
    root.store statistic "s.mean" %m2 : tensor<3xf32>
    root.store statistic "s.variance" %v2 : tensor<3xf32>
    root.store gradient "a.bias" %g : tensor<3xf32>
    root.store gradient "a.filter" %f : tensor<3x1x3x1xf32>
    root.store gradient "b.scale" %s : tensor<16xf32>
    root.store gradient "b.weight" %l : tensor<3xf32>
    root.store d_image %x : tensor<?x2x5x3xf32>
  }

  // CHECK: root.program @update {{.*}}{batch_bytes = 0 : i64, fixed_bytes = 0 : i64}
  // CHECK: slots([#root.slot<parameters, 0>, #root.slot<velocity, 0>])
  root.program @update kind(update) {
    %p = root.argument parameters : tensor<?xf32>
    %g = root.argument gradients : tensor<?xf32>
    %v = root.argument velocity : tensor<?xf32>
    %s = root.argument scalars : tensor<4xf32>
    %r:2 = root.prim.sgd %p, %g, %v, %s : (tensor<?xf32>, tensor<?xf32>, tensor<?xf32>, tensor<4xf32>) -> (tensor<?xf32>, tensor<?xf32>)
    root.store parameters %r#0 : tensor<?xf32>
    root.store velocity %r#1 : tensor<?xf32>
  }
}
