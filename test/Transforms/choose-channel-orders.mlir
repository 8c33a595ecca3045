// RUN: rootc-opt %s --root-infer-shapes --root-build-programs --root-autodiff --root-fold-batch-norm --root-choose-channel-orders | FileCheck %s
// RUN: rootc-opt %s --root-infer-shapes --root-build-programs --root-autodiff --root-fold-batch-norm --root-choose-channel-orders=vector-bits=4096 | FileCheck %s --check-prefix=WIDE

// Dense convolutions make and take the groups' order: no map is shuffled, forward or backward; vectors are, and in inference folded ones alone.
// CHECK-LABEL: root.model @module
// CHECK: root.program @infer
// CHECK-NOT: channel_shuffle {{.*}} -> tensor<?x
// CHECK: %[[BIAS:.*]] = root.prim.fold_bias
// CHECK: %[[TURNED:.*]] = root.prim.channel_shuffle %[[BIAS]] {groups = 16 : i64, layer = "reduce", root.order = 16 : i64} : (tensor<64xf32>) -> tensor<64xf32>
// CHECK-NEXT: %[[REDUCED:.*]] = root.prim.conv2d %{{.*}}, %{{.*}}, %[[TURNED]] {{{.*}}groups = 1 : i64, {{.*}}out_order = 16 : i64, {{.*}}root.order = 16 : i64
// CHECK-NEXT: root.prim.relu %[[REDUCED]] {layer = "relu_1", root.order = 16 : i64}
// CHECK: root.prim.conv2d {{.*}}groups = 16 : i64, in_order = 16 : i64, {{.*}}out_order = 16 : i64
// CHECK: root.prim.conv2d {{.*}}groups = 1 : i64, in_order = 16 : i64,
// CHECK-NOT: out_order
// CHECK: root.prim.global_average_pool %{{[0-9]+}} {input = array<i64: 8, 8>, layer = "global_average_pool_1"}
// CHECK: root.program @train
// CHECK-NOT: channel_shuffle {{.*}} -> tensor<?x
// Statistics are in the map's order, running ones are not.
// CHECK: %[[MEAN:mean.*]], %[[VARIANCE:variance.*]], %{{.*}} = root.prim.batch_norm_statistics {{.*}}layer = "reduce.bn", root.order = 16 : i64}
// CHECK-NEXT: %[[STANDARD:.*]] = root.prim.channel_shuffle %[[MEAN]] {groups = 4 : i64, layer = "reduce.bn"}
// CHECK-NEXT: %[[RUNNING:.*]] = root.prim.running_average %{{.*}}, %[[STANDARD]]
// CHECK-NEXT: root.store statistic "reduce.bn.mean" %[[RUNNING]]
// CHECK: %[[SCALE:.*]] = root.prim.channel_shuffle %{{.*}} {groups = 16 : i64
// CHECK-NEXT: %[[OFFSET:.*]] = root.prim.channel_shuffle
// CHECK-NEXT: root.prim.batch_norm_normalize %{{.*}}, %[[MEAN]], %[[VARIANCE]], %[[SCALE]], %[[OFFSET]] {{.*}}root.order = 16
// CHECK-NOT: channel_shuffle {{.*}} -> tensor<?x
// CHECK: root.prim.conv2d_backward_filter {{.*}}groups = 1 : i64, in_order = 16 : i64, {{.*}}layer = "expand"
// CHECK-NOT: root.order
// CHECK-SAME: -> tensor<32x1x1x64xf32>
// CHECK: root.prim.conv2d_backward_data {{.*}}groups = 1 : i64, in_order = 16 : i64, {{.*}}root.order = 16
// CHECK: root.prim.batch_norm_backward_reduce {{.*}}root.order = 16
// CHECK: root.prim.conv2d_backward_filter {{.*}}groups = 16 : i64, in_order = 16 : i64, {{.*}}out_order = 16
// CHECK: root.prim.conv2d_backward_data {{.*}}groups = 16 : i64, in_order = 16 : i64, {{.*}}out_order = 16
// CHECK: root.prim.conv2d_backward_filter {{.*}}out_order = 16 {{.*}}
// CHECK: %[[DSCALE:.*]] = root.prim.channel_shuffle %dscale{{.*}} {groups = 4 : i64
// CHECK-NEXT: root.store gradient "reduce.bn.scale" %[[DSCALE]]
// CHECK-NOT: channel_shuffle {{.*}} -> tensor<?x
// CHECK-LABEL: root.program @grad

// Sixteen groups do not fill a quarter of a vector of 128 lanes.
// WIDE-LABEL: root.model @module
// WIDE-NOT: order
// WIDE-LABEL: root.model @join
root.network @module(%image: !root.image<8x8x3>) classes(4) {
  %1 = root.conv2d "reduce" %image filters(64) kernel(1x1) no_bias
  %2 = root.batch_norm "reduce.bn" %1
  %3 = root.relu %2
  %4 = root.conv2d "spatial" %3 filters(64) kernel(3x3) pad(1) groups(16) no_bias
  %5 = root.batch_norm "spatial.bn" %4
  %6 = root.relu %5
  %7 = root.conv2d "expand" %6 filters(32) kernel(1x1) no_bias
  %8 = root.batch_norm "expand.bn" %7
  %9 = root.global_average_pool %8
  %10 = root.linear "fc" %9 outputs(4)
  root.output %10
}

// Two orders meet in a sum: one map is shuffled from one into the other.
// CHECK-LABEL: root.model @join
// CHECK: %[[LARGE:.*]] = root.prim.conv2d {{.*}}in_order = 32 : i64, {{.*}}layer = "large", out_order = 32
// CHECK: %[[SMALL:.*]] = root.prim.conv2d {{.*}}in_order = 16 : i64, {{.*}}layer = "small", out_order = 16
// CHECK-NEXT: %[[TURNED:.*]] = root.prim.channel_shuffle %[[LARGE]] {groups = 48 : i64, layer = "add_1", root.order = 16 : i64}
// CHECK-NEXT: root.prim.add %[[TURNED]], %[[SMALL]] {layer = "add_1", root.order = 16 : i64}
// CHECK: root.program @train
// CHECK: root.store loss
// CHECK: %[[DY:.*]] = root.prim.relu_backward {{.*}}root.order = 16
// CHECK: root.prim.conv2d_backward_filter %{{.*}}, %[[DY]] {{.*}}layer = "small"
// CHECK: %[[TURNED:.*]] = root.prim.channel_shuffle %[[DY]] {groups = 2 : i64, layer = "large", root.order = 32 : i64}
// CHECK-NEXT: root.prim.conv2d_backward_filter %{{.*}}, %[[TURNED]]
// CHECK: root.prim.conv2d_backward_data %[[TURNED]]
// CHECK-NOT: channel_shuffle
// CHECK: root.program @grad
root.network @join(%image: !root.image<16x16x3>) classes(64) {
  %1 = root.conv2d "a" %image filters(96) kernel(1x1) no_bias
  %2 = root.conv2d "large" %1 filters(96) kernel(5x5) pad(2) groups(32) no_bias
  %3 = root.conv2d "b" %image filters(96) kernel(1x1) no_bias
  %4 = root.conv2d "small" %3 filters(96) kernel(3x3) pad(1) groups(16) no_bias
  %5 = root.add %2, %4
  %6 = root.relu %5
  %7 = root.conv2d "c" %6 filters(64) kernel(1x1) no_bias
  %8 = root.global_average_pool %7
  root.output %8
}

// Two convolutions that like other orders read one map, and a concatenation is in the standard one.
// CHECK-LABEL: root.model @parts
// CHECK: %[[A:.*]] = root.prim.conv2d {{.*}}layer = "a", out_order = 16
// CHECK: %[[TURNED:.*]] = root.prim.channel_shuffle %[[A]] {groups = 2 : i64, layer = "left", root.order = 32 : i64}
// CHECK-NEXT: root.prim.conv2d %[[TURNED]]
// CHECK-NEXT: %[[LEFT:.*]] = root.prim.relu {{.*}}root.order = 32
// CHECK: %[[RIGHT:.*]] = root.prim.conv2d %[[A]], {{.*}}layer = "right", out_order = 16
// CHECK-NEXT: %[[L:.*]] = root.prim.channel_shuffle %[[LEFT]] {groups = 3 : i64, layer = "concat_1"}
// CHECK-NEXT: %[[R:.*]] = root.prim.channel_shuffle %[[RIGHT]] {groups = 3 : i64, layer = "concat_1"}
// CHECK-NEXT: root.prim.concat %[[L]], %[[R]] {layer = "concat_1"}
// CHECK: root.program @train
root.network @parts(%image: !root.image<16x16x3>) classes(64) {
  %1 = root.conv2d "a" %image filters(96) kernel(1x1) no_bias
  %2 = root.conv2d "left" %1 filters(96) kernel(3x3) pad(1) groups(32) no_bias
  %3 = root.relu %2
  %4 = root.conv2d "right" %1 filters(48) kernel(3x3) pad(1) groups(16) no_bias
  %5 = root.concat %3, %4
  %6 = root.relu %5
  %7 = root.conv2d "c" %6 filters(64) kernel(1x1) no_bias
  %8 = root.global_average_pool %7
  root.output %8
}

// A shuffle that only changes the order goes: the first makes the standard order that a depthwise convolution needs, the second is a dense convolution's matter.
// CHECK-LABEL: root.model @shuffled
// CHECK: root.program @infer
// CHECK: %[[RELU:.*]] = root.prim.relu {{.*}}root.order = 32
// CHECK-NEXT: %[[CLIP:.*]] = root.prim.clip %[[RELU]] {layer = "clip_1", {{[^o]*}}}
// CHECK: %[[DEPTHWISE:.*]] = root.prim.conv2d %[[CLIP]]
// CHECK-NEXT: %[[POOL:.*]] = root.prim.global_average_pool %[[DEPTHWISE]] {{.*}}root.order = 32
// CHECK: root.prim.conv2d %[[POOL]], {{.*}}in_order = 32
// CHECK-NOT: channel_shuffle
// CHECK: root.program @update
root.network @shuffled(%image: !root.image<16x16x3>) classes(96) {
  %1 = root.conv2d "a" %image filters(96) kernel(1x1) no_bias
  %2 = root.conv2d "grouped" %1 filters(96) kernel(3x3) pad(1) groups(32) no_bias
  %3 = root.relu %2
  %4 = root.channel_shuffle %3 groups(32)
  %5 = root.clip %4 min(0) max(6)
  %6 = root.conv2d "depthwise" %5 filters(96) kernel(3x3) pad(1) groups(96) no_bias
  %7 = root.channel_shuffle %6 groups(3)
  %8 = root.global_average_pool %7
  %9 = root.conv2d "c" %8 filters(96) kernel(1x1) no_bias
  root.output %9
}

// The image is shuffled for a convolution that is worth it, and its gradient; dropout keeps what it keeps in the standard order.
// CHECK-LABEL: root.model @first
// CHECK: root.program @grad
// CHECK: %[[IMAGE:.*]] = root.argument image
// CHECK: %[[TURNED:.*]] = root.prim.channel_shuffle %[[IMAGE]] {groups = 16 : i64, layer = "grouped", root.order = 16 : i64}
// CHECK-NEXT: root.prim.conv2d %[[TURNED]]
// CHECK-NEXT: %[[RELU:.*]] = root.prim.relu {{.*}}root.order = 16
// CHECK: %[[STANDARD:.*]] = root.prim.channel_shuffle %[[RELU]] {groups = 3 : i64, layer = "dropout_1"}
// CHECK-NEXT: root.prim.dropout %[[STANDARD]]
// CHECK: %[[DX:.*]] = root.prim.conv2d_backward_data
// CHECK: %[[DIMAGE:.*]] = root.prim.channel_shuffle %[[DX]] {groups = 3 : i64
// CHECK-NEXT: root.store d_image %[[DIMAGE]]
root.network @first(%image: !root.image<16x16x48>) classes(48) {
  %1 = root.conv2d "grouped" %image filters(48) kernel(5x5) pad(2) groups(16) no_bias
  %2 = root.relu %1
  %3 = root.dropout %2 rate(0.5)
  %4 = root.max_pool %3 kernel(16x16)
  root.output %4
}

// One that is not keeps the standard order.
// CHECK-LABEL: root.model @cheap
// CHECK-NOT: order
// CHECK-LABEL: root.model @auxiliary
root.network @cheap(%image: !root.image<16x16x48>) classes(48) {
  %1 = root.conv2d "grouped" %image filters(48) kernel(1x1) groups(16) no_bias
  %2 = root.local_response_norm %1
  %3 = root.max_pool %2 kernel(16x16)
  root.output %3
}

// Factors that are broadcast over a map go along, a linear layer takes any order.
// CHECK: root.program @train
// CHECK: %[[GATE:.*]] = root.prim.conv2d {{.*}}in_order = 16 : i64, {{.*}}layer = "gate", out_order = 16 : i64
// CHECK-NEXT: %[[GATED:.*]] = root.prim.multiply %{{.*}}, %[[GATE]] {layer = "multiply_1", root.order = 16 : i64}
// CHECK: %[[POOL:.*]] = root.prim.average_pool %[[GATED]] {{.*}}root.order = 16
// CHECK: root.prim.conv2d %[[POOL]], {{.*}}in_order = 16 : i64, {{.*}}layer = "aux"
// CHECK: root.prim.conv2d_backward_filter %[[POOL]], {{.*}} -> tensor<48x8x8x48xf32>
// CHECK: root.prim.reduce_sum {{.*}}over = "map", root.order = 16 : i64}
// CHECK: %[[SUM:.*]] = root.prim.channel_sum {{.*}}layer = "gate", root.order = 16 : i64}
// CHECK: %[[BIAS:.*]] = root.prim.channel_shuffle %[[SUM]] {groups = 3 : i64, layer = "gate"}
// CHECK-NEXT: root.store gradient "gate.bias" %[[BIAS]]
root.network @auxiliary(%image: !root.image<16x16x3>) classes(48) {
  %1 = root.conv2d "a" %image filters(48) kernel(1x1)
  %2 = root.conv2d "grouped" %1 filters(48) kernel(3x3) pad(1) groups(16)
  %3 = root.sigmoid %2
  %4 = root.global_average_pool %3
  %5 = root.conv2d "gate" %4 filters(48) kernel(1x1)
  %6 = root.multiply %3, %5
  %7 = root.average_pool %6 kernel(2x2) stride(2)
  %8 = root.linear "aux" %7 outputs(48)
  root.auxiliary %8 weight(0.3)
  %9 = root.conv2d "again" %6 filters(48) kernel(3x3) pad(1) groups(16)
  %10 = root.global_average_pool %9
  root.output %10
}
