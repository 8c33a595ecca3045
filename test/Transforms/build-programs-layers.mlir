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

// Clips without a bound, slices of everything and shuffles of one row or of
// rows of one channel do nothing.
// CHECK-LABEL: root.model @elementwise
// CHECK: root.program @infer
// CHECK: %[[CLIP:.*]] = root.prim.clip %{{.*}} {layer = "clip_1", max = 6.000000e+00 : f64, min = 0.000000e+00 : f64}
// CHECK-NEXT: %[[BELOW:.*]] = root.prim.clip %[[CLIP]] {layer = "clip_2", max = 2.500000e-01 : f64} :
// CHECK-NEXT: %[[SIGMOID:.*]] = root.prim.sigmoid %[[BELOW]] {layer = "sigmoid_1"}
// CHECK-NEXT: %[[HARD:.*]] = root.prim.hard_sigmoid %[[SIGMOID]] {alpha = 2.000000e-01 : f64, beta = 5.000000e-01 : f64, layer = "hard_sigmoid_1"}
// CHECK-NEXT: %[[SWISH:.*]] = root.prim.hard_swish %[[HARD]] {layer = "hard_swish_1"}
// CHECK-NEXT: %[[MEAN:.*]] = root.prim.global_average_pool %[[SWISH]]
// CHECK-NEXT: %[[GATED:.*]] = root.prim.multiply %[[SWISH]], %[[MEAN]] {layer = "multiply_1"} : (tensor<?x4x4x6xf32>, tensor<?x1x1x6xf32>) -> tensor<?x4x4x6xf32>
// CHECK-NEXT: %[[SHUFFLED:.*]] = root.prim.channel_shuffle %[[GATED]] {groups = 3 : i64, layer = "channel_shuffle_1"}
// CHECK-NEXT: %[[SLICE:.*]] = root.prim.slice_channels %[[SHUFFLED]] {begin = 1 : i64, end = 3 : i64, layer = "slice_channels_1"} : (tensor<?x4x4x6xf32>) -> tensor<?x4x4x2xf32>
// CHECK-NEXT: root.prim.global_average_pool %[[SLICE]]
root.network @elementwise(%image: !root.image<4x4x6>) classes(2) {
  %1 = root.clip %image min(0) max(6)
  %2 = root.clip %1 max(0.25)
  %3 = root.sigmoid %2
  %4 = root.hard_sigmoid %3
  %5 = root.hard_swish %4
  %6 = root.global_average_pool %5
  %7 = root.multiply %5, %6
  %8 = root.channel_shuffle %7 groups(3)
  %9 = root.slice_channels %8 begin(1) end(3)
  %10 = root.clip %9
  %11 = root.slice_channels %10 begin(0) end(2)
  %12 = root.channel_shuffle %11 groups(1)
  %13 = root.channel_shuffle %12 groups(2)
  %14 = root.global_average_pool %13
  root.output %14
}

// A pad and a crop of zeros are one op; a reflection comes behind a crop; what changes nothing is left out, and so is a
// drop path in inference.
// CHECK-LABEL: root.model @borders
// CHECK: root.arena_tensor parameter "act.slope" role("slope") : tensor<1xf32>
// CHECK: root.arena_tensor parameter "ls.scale" role("scale") : tensor<3xf32>
// CHECK: root.arena_tensor parameter "conv.filter" role("filter") fan_in(108) : tensor<2x6x6x3xf32>
// CHECK: root.arena_tensor parameter "conv.gain" role("gain") : tensor<2xf32>
// CHECK: root.program @infer
// CHECK: %[[PAD:.*]] = root.prim.pad %{{.*}} {layer = "pad_1", pad = array<i64: 1, -1, 0, 0>} : {{.*}} -> tensor<?x5x3x3xf32>
// CHECK-NEXT: %[[CROP:.*]] = root.prim.pad %[[PAD]] {layer = "pad_2", pad = array<i64: -1, 0, 0, 0>} : {{.*}} -> tensor<?x4x3x3xf32>
// CHECK-NEXT: %[[MIRROR:.*]] = root.prim.reflect_pad %[[CROP]] {layer = "pad_2", pad = array<i64: 0, 1, 2, 2>} : {{.*}} -> tensor<?x6x6x3xf32>
// CHECK-NEXT: %[[SLOPE:.*]] = root.parameter "act.slope"
// CHECK-NEXT: %[[PRELU:.*]] = root.prim.prelu %[[MIRROR]], %[[SLOPE]] {layer = "act"}
// CHECK-NEXT: %[[GELU:.*]] = root.prim.gelu %[[PRELU]] {form = "tanh", layer = "gelu_1"}
// CHECK-NEXT: %[[SCALE:.*]] = root.parameter "ls.scale"
// CHECK-NEXT: %[[SCALED:.*]] = root.prim.scale_channels %[[GELU]], %[[SCALE]] {layer = "ls"}
// CHECK-NEXT: %[[F:.*]] = root.parameter "conv.filter"
// CHECK-NEXT: %[[G:.*]] = root.parameter "conv.gain"
// CHECK-NEXT: %[[S:.*]] = root.prim.standardize_filter %[[F]], %[[G]] {epsilon = {{.*}} : f64, layer = "conv"}
// CHECK-NEXT: root.prim.conv2d %[[SCALED]], %[[S]] {
// CHECK: root.program @train
// CHECK: %[[MASK:.*]] = root.prim.sample_mask %{{.*}}, %{{.*}} {layer = "drop_path_1", ordinal = 1 : i64, rate = 2.500000e-01 : f64} : {{.*}} -> tensor<?x1x1x1xf32>
// CHECK-NEXT: root.prim.multiply %{{.*}}, %[[MASK]] {layer = "drop_path_1"}
root.network @borders(%image: !root.image<4x4x3>) classes(2) {
  %1 = root.pad %image pad(1,0,0,0) crop(0,1,0,0)
  %2 = root.pad %1 pad(0,1,2,2) crop(1,0,0,0) reflect
  %3 = root.pad %2
  %4 = root.pad %3 reflect
  %5 = root.dropout %4 rate(0.1)
  %6 = root.prelu "act" %5 shared
  %7 = root.gelu %6 tanh
  %8 = root.layer_scale "ls" %7
  %9 = root.drop_path %8 rate(0.25)
  %10 = root.conv2d "conv" %9 filters(2) kernel(6) no_bias standardize(1e-6)
  root.output %10
}
