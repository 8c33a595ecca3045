// RUN: rootc-opt %s --root-infer-shapes --root-build-programs | FileCheck %s
// RUN: rootc-opt %s --root-infer-shapes --root-build-programs=infer-only | FileCheck %s --check-prefix=INFER

root.network @tiny(%image: !root.image<8x6x3>) classes(4) {
  %1 = root.conv2d "conv1" %image filters(8) kernel(3x1) stride(1x2) pad(1,0,1,2)
  %2 = root.batch_norm "bn1" %1 momentum(0.2) epsilon(1e-3)
  %3 = root.relu %2
  %4 = root.max_pool %3 kernel(2x2) stride(2)
  %5 = root.dropout %4 rate(0.25)
  %6 = root.linear "aux" %5 outputs(4) no_bias
  root.auxiliary %6 weight(0.3)
  %7 = root.dropout %5 rate(0.5)
  %8 = root.linear "fc" %7 outputs(4)
  root.output %8
}

// The arena is in the network's order; a linear layer's weight is [out, in].
// CHECK-LABEL: root.model @tiny image(8x6x3) classes(4)
// CHECK-NEXT: root.arena_tensor parameter "conv1.filter" role("filter") fan_in(9) : tensor<8x3x1x3xf32>
// CHECK-NEXT: root.arena_tensor parameter "conv1.bias" role("bias") : tensor<8xf32>
// CHECK-NEXT: root.arena_tensor parameter "bn1.scale" role("scale") : tensor<8xf32>
// CHECK-NEXT: root.arena_tensor parameter "bn1.offset" role("offset") : tensor<8xf32>
// CHECK-NEXT: root.arena_tensor statistic "bn1.mean" role("mean") : tensor<8xf32>
// CHECK-NEXT: root.arena_tensor statistic "bn1.variance" role("variance") : tensor<8xf32>
// CHECK-NEXT: root.arena_tensor parameter "aux.weight" role("weight") fan_in(64) : tensor<4x64xf32>
// CHECK-NEXT: root.arena_tensor parameter "fc.weight" role("weight") fan_in(64) : tensor<4x64xf32>
// CHECK-NEXT: root.arena_tensor parameter "fc.bias" role("bias") : tensor<4xf32>

// Inference: running statistics, no dropout, no auxiliary classifier.
// CHECK-NEXT: root.program @infer kind(infer)
// CHECK-NEXT: %[[IMAGE:.*]] = root.argument image : tensor<?x8x6x3xf32>
// CHECK-NEXT: %[[FILTER:.*]] = root.parameter "conv1.filter" : tensor<8x3x1x3xf32>
// CHECK-NEXT: %[[BIAS:.*]] = root.parameter "conv1.bias"
// CHECK-NEXT: %[[CONV:.*]] = root.prim.conv2d %[[IMAGE]], %[[FILTER]], %[[BIAS]] {block = 0 : i64, dilation = array<i64: 1, 1>, filters = 8 : i64, groups = 1 : i64, input = array<i64: 8, 6>, kernel = array<i64: 3, 1>, layer = "conv1", pad = array<i64: 1, 0, 1, 2>, stride = array<i64: 1, 2>} : {{.*}} -> tensor<?x8x4x8xf32>
// CHECK: %[[MEAN:.*]] = root.statistic "bn1.mean"
// CHECK: %[[VARIANCE:.*]] = root.statistic "bn1.variance"
// CHECK: root.prim.batch_norm_normalize %[[CONV]], %[[MEAN]], %[[VARIANCE]], %{{.*}}, %{{.*}} {epsilon = 1.000000e-03 : f64, layer = "bn1"}
// CHECK: root.prim.relu {{.*}} {layer = "relu_1"}
// CHECK: %[[POOL:.*]] = root.prim.max_pool %{{.*}} {kernel = array<i64: 2, 2>, layer = "max_pool_1", output = array<i64: 4, 2>, pad = array<i64: 0, 0, 0, 0>, stride = array<i64: 2, 2>}
// CHECK-NEXT: %[[WEIGHT:.*]] = root.parameter "fc.weight" : tensor<4x4x2x8xf32>
// CHECK: %[[LOGITS:.*]] = root.prim.conv2d %[[POOL]], %[[WEIGHT]], %{{.*}} {block = 0 : i64, dilation = array<i64: 1, 1>, filters = 4 : i64, groups = 1 : i64, input = array<i64: 4, 2>, kernel = array<i64: 4, 2>, layer = "fc"
// CHECK-NEXT: root.store logits %[[LOGITS]]
// CHECK-NEXT: }

// Training: the batch's statistics, which update the running ones.
// CHECK-NEXT: root.program @train kind(train)
// CHECK: %[[CONV:.*]] = root.prim.conv2d
// CHECK: %[[MEAN:.*]], %[[VARIANCE:.*]], %[[UNBIASED:.*]] = root.prim.batch_norm_statistics %[[CONV]]
// CHECK: %[[NEW:.*]] = root.prim.running_average %{{.*}}, %[[MEAN]] {layer = "bn1", momentum = 2.000000e-01 : f64}
// CHECK: root.store statistic "bn1.mean" %[[NEW]]
// CHECK: %[[NEW:.*]] = root.prim.running_average %{{.*}}, %[[UNBIASED]]
// CHECK: root.store statistic "bn1.variance" %[[NEW]]
// CHECK: root.prim.batch_norm_normalize %[[CONV]], %[[MEAN]], %[[VARIANCE]]
// CHECK: %[[Y:.*]], %{{.*}} = root.prim.max_pool_with_index {{.*}} -> (tensor<?x4x2x8xf32>, tensor<?x4x2x8xui8>)
// CHECK: %[[RANDOM:.*]] = root.argument random : tensor<2xi64>
// CHECK: %[[SAMPLES:.*]] = root.argument samples : tensor<?xi64>
// CHECK: %[[DROP:.*]] = root.prim.dropout %[[Y]], %[[RANDOM]], %[[SAMPLES]] {layer = "dropout_1", ordinal = 0 : i64, rate = 2.500000e-01 : f64}
// CHECK: %[[AUX:.*]] = root.prim.conv2d %[[DROP]], %{{[0-9]+}} {
// CHECK: root.prim.dropout %[[DROP]], %[[RANDOM]], %[[SAMPLES]] {layer = "dropout_2", ordinal = 1 : i64
// CHECK: %[[LOGITS:.*]] = root.prim.conv2d
// CHECK: %[[LABELS:.*]] = root.argument labels : tensor<?xi64>
// CHECK: %[[A:.*]] = root.prim.softmax_cross_entropy %[[LOGITS]], %[[LABELS]] {layer = "loss"}
// CHECK: %[[B:.*]] = root.prim.softmax_cross_entropy %[[AUX]], %[[LABELS]] {layer = "auxiliary_1"}
// CHECK: %[[LOSS:.*]] = root.prim.weighted_sum %[[A]], %[[B]] {layer = "loss", weights = array<f64: 1.000000e+00, 3.000000e-01>}
// CHECK-NEXT: root.store loss %[[LOSS]]

// CHECK: root.program @update kind(update)
// CHECK-NEXT: %[[P:.*]] = root.argument parameters : tensor<?xf32>
// CHECK-NEXT: %[[G:.*]] = root.argument gradients : tensor<?xf32>
// CHECK-NEXT: %[[V:.*]] = root.argument velocity : tensor<?xf32>
// CHECK-NEXT: %[[S:.*]] = root.argument scalars : tensor<4xf32>
// CHECK-NEXT: %[[NP:.*]], %[[NV:.*]] = root.prim.sgd %[[P]], %[[G]], %[[V]], %[[S]]
// CHECK-NEXT: root.store parameters %[[NP]]
// CHECK-NEXT: root.store velocity %[[NV]]
// CHECK: root.program @adamw kind(adamw)
// CHECK: %[[Q:.*]] = root.argument square : tensor<?xf32>
// CHECK: %{{.*}}, %{{.*}}, %[[NQ:.*]] = root.prim.adamw %{{.*}}, %{{.*}}, %{{.*}}, %[[Q]], %{{.*}}
// CHECK: root.store square %[[NQ]]
// CHECK: root.program @clip kind(clip)
// CHECK: %[[C:.*]] = root.prim.clip_norm
// CHECK-NEXT: root.store gradients %[[C]]
// CHECK: root.program @average kind(average)
// CHECK: %[[A:.*]] = root.prim.moving_average
// CHECK-NEXT: root.store average %[[A]]

// INFER-NOT: "aux.weight"
// INFER: root.arena_tensor parameter "fc.weight"
// INFER: root.program @infer
// INFER-NOT: root.program
