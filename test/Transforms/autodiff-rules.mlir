// The backward rule of each op.
// RUN: rootc-opt %s --root-infer-shapes --root-build-programs --root-autodiff --split-input-file | FileCheck %s

// Convolution: attributes carry over; the first one needs no d(input) in @train.
// CHECK-LABEL: root.model @conv
// CHECK: root.program @train
// CHECK: %[[X:.*]] = root.argument image
// CHECK: %[[Y1:.*]] = root.prim.conv2d %[[X]]
// CHECK: %[[W2:.*]] = root.parameter "conv2.filter"
// CHECK: %[[LOGITS:.*]] = root.prim.conv2d %[[Y1]], %[[W2]]
// CHECK: %[[LABELS:.*]] = root.argument labels
// CHECK: root.store loss
// CHECK-NEXT: %[[DY:.*]] = root.prim.softmax_cross_entropy_backward %[[LOGITS]], %[[LABELS]] {layer = "loss", weight = 1.000000e+00 : f64}
// CHECK-NEXT: %[[DW2:.*]] = root.prim.conv2d_backward_filter %[[Y1]], %[[DY]] {dilation = array<i64: 1, 1>, filters = 4 : i64, groups = 2 : i64, input = array<i64: 4, 3>, kernel = array<i64: 3, 1>, layer = "conv2", pad = array<i64: 0, 1, 0, 0>, stride = array<i64: 2, 4>} : {{.*}} -> tensor<4x3x1x2xf32>
// CHECK-NEXT: %[[DX:.*]] = root.prim.conv2d_backward_data %[[DY]], %[[W2]] {block = 0 : i64, dilation = array<i64: 1, 1>, filters = 4 : i64, groups = 2 : i64, input = array<i64: 4, 3>, kernel = array<i64: 3, 1>, layer = "conv2", pad = array<i64: 0, 1, 0, 0>, stride = array<i64: 2, 4>} : {{.*}} -> tensor<?x4x3x4xf32>
// CHECK-NEXT: %[[DW1:.*]] = root.prim.conv2d_backward_filter %[[X]], %[[DX]] {{.*}} -> tensor<4x1x1x2xf32>
// CHECK-NEXT: %[[DB1:.*]] = root.prim.channel_sum %[[DX]] {layer = "conv1"}
// CHECK-NEXT: root.store gradient "conv1.filter" %[[DW1]]
// CHECK-NEXT: root.store gradient "conv1.bias" %[[DB1]]
// CHECK-NEXT: root.store gradient "conv2.filter" %[[DW2]]
// CHECK-NEXT: }
// CHECK-NEXT: root.program @grad kind(grad)
// CHECK: root.store loss
// CHECK: root.prim.conv2d_backward_data {{.*}} layer = "conv2"
// CHECK: %[[DX:.*]] = root.prim.conv2d_backward_data {{.*}} layer = "conv1"
// CHECK: root.store gradient "conv2.filter"
// CHECK-NEXT: root.store d_image %[[DX]] : tensor<?x4x3x2xf32>
// CHECK: root.program @update
root.network @conv(%image: !root.image<4x3x2>) classes(4) {
  %1 = root.conv2d "conv1" %image filters(4) kernel(1x1)
  %2 = root.conv2d "conv2" %1 filters(4) kernel(3x1) groups(2) stride(2x4) pad(0,1,0,0) no_bias
  root.output %2
}

// -----

// Linear: a convolution whose kernel is the map.
// CHECK-LABEL: root.model @linear
// CHECK: root.program @grad
// CHECK: %[[DY:.*]] = root.prim.softmax_cross_entropy_backward
// CHECK: %[[DW:.*]] = root.prim.conv2d_backward_filter %{{.*}}, %[[DY]] {{.*}} -> tensor<2x3x3x4xf32>
// CHECK: %[[DB:.*]] = root.prim.channel_sum %[[DY]]
// CHECK: %[[DX:.*]] = root.prim.conv2d_backward_data %[[DY]], {{.*}} -> tensor<?x3x3x4xf32>
// CHECK: root.store gradient "fc.weight" %[[DW]]
// CHECK: root.store gradient "fc.bias" %[[DB]]
// CHECK: root.store d_image %[[DX]]
root.network @linear(%image: !root.image<3x3x4>) classes(2) {
  %1 = root.linear "fc" %image outputs(2)
  root.output %1
}

// -----

// Batch norm and ReLU: by the batch's statistics.
// CHECK-LABEL: root.model @norm
// CHECK: root.program @grad
// CHECK: %[[X:.*]] = root.argument image
// CHECK: %[[SCALE:.*]] = root.parameter "bn.scale"
// CHECK: %[[MEAN:.*]], %[[VARIANCE:.*]], %{{.*}} = root.prim.batch_norm_statistics %[[X]]
// CHECK: %[[Y:.*]] = root.prim.relu
// CHECK: %[[DY:.*]] = root.prim.global_average_pool_backward
// CHECK-NEXT: %[[DR:.*]] = root.prim.relu_backward %[[DY]], %[[Y]] {layer = "relu_1"}
// CHECK-NEXT: %[[DS:.*]], %[[DO:.*]], %[[MS:.*]], %[[MO:.*]] = root.prim.batch_norm_backward_reduce %[[DR]], %[[X]], %[[MEAN]], %[[VARIANCE]] {epsilon = 1.000000e-03 : f64, layer = "bn"}
// CHECK-NEXT: %[[DX:.*]] = root.prim.batch_norm_backward_data %[[DR]], %[[X]], %[[MEAN]], %[[VARIANCE]], %[[SCALE]], %[[MS]], %[[MO]] {epsilon = 1.000000e-03 : f64, layer = "bn"}
// CHECK-NEXT: root.store gradient "bn.scale" %[[DS]]
// CHECK-NEXT: root.store gradient "bn.offset" %[[DO]]
// CHECK-NEXT: root.store d_image %[[DX]]
root.network @norm(%image: !root.image<3x3x4>) classes(4) {
  %1 = root.batch_norm "bn" %image epsilon(1e-3)
  %2 = root.relu %1
  %3 = root.global_average_pool %2
  root.output %3
}

// -----

// Without a parameter upstream @train computes no gradient at all.
// CHECK-LABEL: root.model @pools
// CHECK: root.program @train
// CHECK-NOT: backward
// CHECK: root.program @grad
// CHECK: %{{.*}}, %[[INDEX:.*]] = root.prim.max_pool_with_index
// CHECK: %[[RANDOM:.*]] = root.argument random
// CHECK: %[[SAMPLES:.*]] = root.argument samples
// CHECK: %[[D0:.*]] = root.prim.softmax_cross_entropy_backward
// CHECK-NEXT: %[[D1:.*]] = root.prim.global_average_pool_backward %[[D0]] {input = array<i64: 3, 3>, layer = "global_average_pool_1"}
// CHECK-NEXT: %[[D2:.*]] = root.prim.dropout %[[D1]], %[[RANDOM]], %[[SAMPLES]] {layer = "dropout_1", ordinal = 0 : i64, rate = 5.000000e-01 : f64}
// CHECK-NEXT: %[[D3:.*]] = root.prim.average_pool_backward %[[D2]] {exclude_pad = 1 : i64, input = array<i64: 4, 4>, kernel = array<i64: 3, 3>, layer = "average_pool_1", output = array<i64: 3, 3>, pad = array<i64: 1, 1, 1, 1>, stride = array<i64: 2, 2>}
// CHECK-NEXT: %[[D4:.*]] = root.prim.max_pool_backward %[[D3]], %[[INDEX]] {input = array<i64: 9, 9>, kernel = array<i64: 3, 3>, layer = "max_pool_1", output = array<i64: 4, 4>, pad = array<i64: 0, 0, 0, 0>, stride = array<i64: 2, 2>}
// CHECK-NEXT: %[[D5:.*]] = root.prim.local_response_norm_backward %[[D4]], %{{.*}} {alpha = 1.000000e-04 : f64, beta = 7.500000e-01 : f64, k = 2.000000e+00 : f64, layer = "local_response_norm_1", size = 5 : i64}
// CHECK-NEXT: root.store d_image %[[D5]]
root.network @pools(%image: !root.image<9x9x6>) classes(6) {
  %1 = root.local_response_norm %image k(2.0)
  %2 = root.max_pool %1 kernel(3x3) stride(2)
  %3 = root.average_pool %2 kernel(3x3) stride(2) pad(1) rounding(ceil) exclude_pad
  %4 = root.dropout %3 rate(0.5)
  %5 = root.global_average_pool %4
  root.output %5
}

// -----

// Concat: each input takes its channels, in order; one read twice takes both.
// CHECK-LABEL: root.model @concat
// CHECK: root.program @grad
// CHECK: %[[D:.*]] = root.prim.softmax_cross_entropy_backward
// CHECK-NEXT: %[[A:.*]] = root.prim.slice_channels %[[D]] {begin = 0 : i64, end = 2 : i64, layer = "concat_1"}
// CHECK-NEXT: %[[B:.*]] = root.prim.slice_channels %[[D]] {begin = 2 : i64, end = 5 : i64, layer = "concat_1"}
// CHECK-NEXT: %[[C:.*]] = root.prim.slice_channels %[[D]] {begin = 5 : i64, end = 7 : i64, layer = "concat_1"}
// CHECK-NEXT: %[[AC:.*]] = root.prim.add %[[A]], %[[C]] {layer = "concat_1"}
// CHECK: root.prim.conv2d_backward_filter %{{.*}}, %[[B]]
// CHECK: %[[DX:.*]] = root.prim.conv2d_backward_data %[[B]]
// CHECK-NEXT: %[[SUM:.*]] = root.prim.add %[[AC]], %[[DX]]
// CHECK: root.store d_image %[[SUM]]
root.network @concat(%image: !root.image<1x1x2>) classes(7) {
  %1 = root.conv2d "conv" %image filters(3) kernel(1x1) no_bias
  %2 = root.concat %image, %1, %image
  root.output %2
}

// -----

// Add: the gradient goes to both sides, and x + x counts twice.
// CHECK-LABEL: root.model @add
// CHECK: root.program @train
// CHECK: root.store loss
// CHECK-NEXT: %[[D:.*]] = root.prim.softmax_cross_entropy_backward
// CHECK-NEXT: %[[TWICE:.*]] = root.prim.add %[[D]], %[[D]] {layer = "add_2"}
// CHECK-NEXT: root.prim.conv2d_backward_filter %{{.*}}, %[[TWICE]]
// CHECK-NOT: root.prim
// CHECK: root.program @grad
// CHECK: %[[D:.*]] = root.prim.softmax_cross_entropy_backward
// CHECK-NEXT: %[[TWICE:.*]] = root.prim.add %[[D]], %[[D]] {layer = "add_2"}
// CHECK: %[[DX:.*]] = root.prim.conv2d_backward_data %[[TWICE]]
// CHECK-NEXT: %[[SUM:.*]] = root.prim.add %[[TWICE]], %[[DX]] {layer = "conv"}
// CHECK: root.store d_image %[[SUM]]
root.network @add(%image: !root.image<1x1x2>) classes(2) {
  %1 = root.conv2d "conv" %image filters(2) kernel(1x1) no_bias
  %2 = root.add %1, %image
  %3 = root.add %2, %2
  root.output %3
}

// -----

// Auxiliary classifiers count by their weight.
// CHECK-LABEL: root.model @auxiliary
// CHECK: root.program @train
// CHECK: %[[A:.*]] = root.prim.conv2d {{.*}} layer = "a"
// CHECK: %[[B:.*]] = root.prim.conv2d {{.*}} layer = "b"
// CHECK: %[[C:.*]] = root.prim.conv2d {{.*}} layer = "c"
// CHECK: root.prim.weighted_sum {{.*}} weights = array<f64: 1.000000e+00, 3.000000e-01, 5.000000e-01>
// CHECK: root.prim.softmax_cross_entropy_backward %[[B]], %{{.*}} {layer = "auxiliary_2", weight = 5.000000e-01 : f64}
// CHECK: root.prim.softmax_cross_entropy_backward %[[A]], %{{.*}} {layer = "auxiliary_1", weight = 3.000000e-01 : f64}
// CHECK: root.prim.softmax_cross_entropy_backward %[[C]], %{{.*}} {layer = "loss", weight = 1.000000e+00 : f64}
root.network @auxiliary(%image: !root.image<1x1x2>) classes(2) {
  %1 = root.conv2d "a" %image filters(2) kernel(1x1)
  root.auxiliary %1
  %2 = root.conv2d "b" %image filters(2) kernel(1x1)
  root.auxiliary %2 weight(0.5)
  %3 = root.conv2d "c" %image filters(2) kernel(1x1)
  root.output %3
}

// -----

// A bias that only batch norms read has no gradient, also through sums and
// largest values; the sum over rounding errors is not computed. A ReLU between
// them ends that.
// CHECK-LABEL: root.model @bias_before_norm
// CHECK: root.program @grad
// CHECK: %[[B1:.*]] = root.parameter "conv1.bias"
// CHECK: %[[B2:.*]] = root.parameter "conv2.bias"
// CHECK-DAG: %[[SUM:.*]] = root.prim.channel_sum {{.*}} {layer = "conv1"}
// CHECK-DAG: %[[ZERO:.*]] = root.prim.zeros_like %[[B2]] {layer = "conv2"}
// CHECK-DAG: root.store gradient "conv1.bias" %[[SUM]]
// CHECK-DAG: root.store gradient "conv2.bias" %[[ZERO]]
root.network @bias_before_norm(%image: !root.image<4x4x2>) classes(2) {
  %1 = root.conv2d "conv1" %image filters(3) kernel(1)
  %2 = root.relu %1
  %3 = root.conv2d "conv2" %2 filters(3) kernel(1)
  %4 = root.add %3, %2
  %5 = root.max_pool %4 kernel(2) stride(2)
  %6 = root.batch_norm "bn" %5
  %7 = root.linear "fc" %6 outputs(2)
  root.output %7
}

// -----

// A channel's factor leaves a constant a constant.
// CHECK-LABEL: root.model @bias_before_layer_scale
// CHECK: root.program @grad
// CHECK-NOT: root.prim.channel_sum {{.*}} {layer = "conv2"}
// CHECK: root.prim.zeros_like {{.*}} {layer = "conv2"}
// CHECK: root.program @update
root.network @bias_before_layer_scale(%image: !root.image<4x4x2>) classes(2) {
  %1 = root.conv2d "conv1" %image filters(3) kernel(1)
  %2 = root.relu %1
  %3 = root.conv2d "conv2" %2 filters(3) kernel(1)
  %4 = root.layer_scale "scale" %3
  %5 = root.add %4, %2
  %6 = root.batch_norm "bn" %5
  %7 = root.linear "fc" %6 outputs(2)
  root.output %7
}

// -----

// A constant goes through a convolution as a constant, unless a border of zeros joins it.
// CHECK-LABEL: root.model @bias_before_convolution
// CHECK: root.program @grad
// CHECK-DAG: root.prim.channel_sum {{.*}} {layer = "conv1"}
// CHECK-DAG: root.prim.zeros_like {{.*}} {layer = "conv2"}
// CHECK-DAG: root.prim.zeros_like {{.*}} {layer = "conv3"}
// CHECK: root.program @update
root.network @bias_before_convolution(%image: !root.image<4x4x2>) classes(2) {
  %1 = root.conv2d "conv1" %image filters(3) kernel(1)
  %2 = root.conv2d "conv2" %1 filters(3) kernel(3) pad(1)
  %3 = root.conv2d "conv3" %2 filters(3) kernel(2)
  %4 = root.batch_norm "bn" %3
  %5 = root.linear "fc" %4 outputs(2)
  root.output %5
}

// -----

// Activations: from the result, but for the hard swish.
// CHECK-LABEL: root.model @activations
// CHECK: root.program @grad
// CHECK: %[[X:.*]] = root.argument image
// CHECK: %[[CLIP:.*]] = root.prim.clip %[[X]]
// CHECK: %[[SIGMOID:.*]] = root.prim.sigmoid %[[CLIP]]
// CHECK: %[[HARD:.*]] = root.prim.hard_sigmoid %[[SIGMOID]]
// CHECK: %[[D0:.*]] = root.prim.softmax_cross_entropy_backward
// CHECK-NEXT: %[[D1:.*]] = root.prim.hard_swish_backward %[[D0]], %[[HARD]] {layer = "hard_swish_1"}
// CHECK-NEXT: %[[D2:.*]] = root.prim.hard_sigmoid_backward %[[D1]], %[[HARD]] {alpha = 5.000000e-01 : f64, beta = 2.500000e-01 : f64, layer = "hard_sigmoid_1"}
// CHECK-NEXT: %[[D3:.*]] = root.prim.sigmoid_backward %[[D2]], %[[SIGMOID]] {layer = "sigmoid_1"}
// CHECK-NEXT: %[[D4:.*]] = root.prim.clip_backward %[[D3]], %[[CLIP]] {layer = "clip_1", max = 6.000000e+00 : f64}
// CHECK-NEXT: root.store d_image %[[D4]]
root.network @activations(%image: !root.image<1x1x2>) classes(2) {
  %1 = root.clip %image max(6)
  %2 = root.sigmoid %1
  %3 = root.hard_sigmoid %2 alpha(0.5) beta(0.25)
  %4 = root.hard_swish %3
  root.output %4
}

// -----

// Smooth activations, learnt slopes and scales: gradients from the result where it tells, and sums of products.
// CHECK-LABEL: root.model @smooth
// CHECK: root.program @grad
// CHECK: %[[X:.*]] = root.argument image
// CHECK: %[[GELU:.*]] = root.prim.gelu %[[X]]
// CHECK: %[[PLUS:.*]] = root.prim.softplus %[[GELU]]
// CHECK: %[[SLOPE:.*]] = root.parameter "shared.slope"
// CHECK: %[[PRELU:.*]] = root.prim.prelu %[[PLUS]], %[[SLOPE]]
// CHECK: %[[SCALE:.*]] = root.parameter "scale.scale"
// CHECK: %[[D0:.*]] = root.prim.softmax_cross_entropy_backward
// CHECK-NEXT: %[[P0:.*]] = root.prim.multiply %[[D0]], %[[PRELU]] {layer = "scale"}
// CHECK-NEXT: %[[DSCALE:.*]] = root.prim.channel_sum %[[P0]] {layer = "scale"} : {{.*}} -> tensor<2xf32>
// CHECK-NEXT: %[[D1:.*]] = root.prim.scale_channels %[[D0]], %[[SCALE]] {layer = "scale"}
// CHECK-NEXT: %[[NEGATIVE:.*]] = root.prim.clip %[[PLUS]] {layer = "shared", max = 0.000000e+00 : f64}
// CHECK-NEXT: %[[P1:.*]] = root.prim.multiply %[[D1]], %[[NEGATIVE]]
// CHECK-NEXT: %[[IMAGE:.*]] = root.prim.reduce_sum %[[P1]] {layer = "shared", over = "image"}
// CHECK-NEXT: %[[DSLOPE:.*]] = root.prim.channel_sum %[[IMAGE]] {layer = "shared"} : {{.*}} -> tensor<1xf32>
// CHECK-NEXT: %[[D2:.*]] = root.prim.prelu_backward %[[D1]], %[[PLUS]], %[[SLOPE]]
// CHECK-NEXT: %[[D3:.*]] = root.prim.softplus_backward %[[D2]], %[[PLUS]]
// CHECK-NEXT: %[[D4:.*]] = root.prim.gelu_backward %[[D3]], %[[X]] {form = "erf", layer = "gelu_1"}
// CHECK-NEXT: root.store gradient "shared.slope" %[[DSLOPE]]
// CHECK-NEXT: root.store gradient "scale.scale" %[[DSCALE]]
// CHECK-NEXT: root.store d_image %[[D4]]
root.network @smooth(%image: !root.image<1x1x2>) classes(2) {
  %1 = root.gelu %image
  %2 = root.softplus %1
  %3 = root.prelu "shared" %2 shared
  %4 = root.layer_scale "scale" %3
  root.output %4
}

// -----

// Multiply: what is broadcast sums over what it was broadcast to; a square
// takes both gradients.
// CHECK-LABEL: root.model @multiply
// CHECK: root.program @grad
// CHECK: %[[X:.*]] = root.argument image
// CHECK: %[[CHANNEL:.*]] = root.prim.global_average_pool %[[X]]
// CHECK: %[[POSITION:.*]] = root.prim.conv2d %[[X]]
// CHECK: %[[IMAGE:.*]] = root.prim.conv2d %[[CHANNEL]]
// CHECK: %[[Y1:.*]] = root.prim.multiply %[[X]], %[[CHANNEL]]
// CHECK: %[[Y2:.*]] = root.prim.multiply %[[Y1]], %[[POSITION]]
// CHECK: %[[Y3:.*]] = root.prim.multiply %[[Y2]], %[[IMAGE]]
// CHECK: root.prim.multiply %[[Y3]], %[[Y3]] {layer = "multiply_4"}
// CHECK: %[[D:.*]] = root.prim.global_average_pool_backward
// CHECK-NEXT: %[[A:.*]] = root.prim.multiply %[[D]], %[[Y3]] {layer = "multiply_4"}
// CHECK-NEXT: %[[B:.*]] = root.prim.multiply %[[D]], %[[Y3]] {layer = "multiply_4"}
// CHECK-NEXT: %[[D3:.*]] = root.prim.add %[[A]], %[[B]]
// CHECK-NEXT: %[[D2:.*]] = root.prim.multiply %[[D3]], %[[IMAGE]]
// CHECK-NEXT: %[[P:.*]] = root.prim.multiply %[[D3]], %[[Y2]]
// CHECK-NEXT: root.prim.reduce_sum %[[P]] {layer = "multiply_3", over = "image"} : {{.*}} -> tensor<?x1x1x1xf32>
// CHECK-NEXT: %[[D1:.*]] = root.prim.multiply %[[D2]], %[[POSITION]]
// CHECK-NEXT: %[[P:.*]] = root.prim.multiply %[[D2]], %[[Y1]]
// CHECK-NEXT: root.prim.reduce_sum %[[P]] {layer = "multiply_2", over = "channels"} : {{.*}} -> tensor<?x3x3x1xf32>
// CHECK-NEXT: root.prim.multiply %[[D1]], %[[CHANNEL]]
// CHECK-NEXT: %[[P:.*]] = root.prim.multiply %[[D1]], %[[X]]
// CHECK-NEXT: root.prim.reduce_sum %[[P]] {layer = "multiply_1", over = "map"} : {{.*}} -> tensor<?x1x1x2xf32>
root.network @multiply(%image: !root.image<3x3x2>) classes(2) {
  %1 = root.global_average_pool %image
  %2 = root.conv2d "position" %image filters(1) kernel(1) no_bias
  %3 = root.conv2d "image" %1 filters(1) kernel(1) no_bias
  %4 = root.multiply %image, %1
  %5 = root.multiply %4, %2
  %6 = root.multiply %5, %3
  %7 = root.multiply %6, %6
  %8 = root.global_average_pool %7
  root.output %8
}

// -----

// Slices that share no channel get their gradients side by side, in the order
// of the channels; a shuffle is undone by another.
// CHECK-LABEL: root.model @slices
// CHECK: root.program @grad
// CHECK: %[[D:.*]] = root.prim.softmax_cross_entropy_backward
// CHECK-NEXT: %[[Y:.*]] = root.prim.channel_shuffle %[[D]] {groups = 2 : i64, layer = "channel_shuffle_1"}
// CHECK-NEXT: %[[A:.*]] = root.prim.slice_channels %[[Y]] {begin = 0 : i64, end = 2 : i64, layer = "concat_1"}
// CHECK-NEXT: %[[B:.*]] = root.prim.slice_channels %[[Y]] {begin = 2 : i64, end = 6 : i64, layer = "concat_1"}
// CHECK-NEXT: %[[X:.*]] = root.prim.concat %[[B]], %[[A]] {layer = "slice_channels_1"}
// CHECK-NEXT: root.store d_image %[[X]]
root.network @slices(%image: !root.image<1x1x6>) classes(6) {
  %1 = root.slice_channels %image begin(4) end(6)
  %2 = root.slice_channels %image begin(0) end(4)
  %3 = root.concat %1, %2
  %4 = root.channel_shuffle %3 groups(3)
  root.output %4
}

// -----

// Those that overlap are added; channels that none takes are zeros.
// CHECK-LABEL: root.model @overlapping_slices
// CHECK: root.program @grad
// CHECK: %[[A:.*]] = root.prim.slice_channels {{.*}} {begin = 0 : i64, end = 2 : i64, layer = "concat_1"}
// CHECK-NEXT: %[[B:.*]] = root.prim.slice_channels {{.*}} {begin = 2 : i64, end = 4 : i64, layer = "concat_1"}
// CHECK-NEXT: %[[C:.*]] = root.prim.slice_channels {{.*}} {begin = 4 : i64, end = 5 : i64, layer = "concat_1"}
// CHECK-NEXT: %[[BC:.*]] = root.prim.pad_channels %[[B]], %[[C]] {begins = array<i64: 2, 5>, layer = "slice_channels_2"}
// CHECK-NEXT: %[[PA:.*]] = root.prim.pad_channels %[[A]] {begins = array<i64: 1>, layer = "slice_channels_1"}
// CHECK-NEXT: %[[X:.*]] = root.prim.add %[[BC]], %[[PA]]
// CHECK-NEXT: root.store d_image %[[X]]
root.network @overlapping_slices(%image: !root.image<1x1x7>) classes(5) {
  %1 = root.slice_channels %image begin(1) end(3)
  %2 = root.slice_channels %image begin(2) end(4)
  %3 = root.slice_channels %image begin(5) end(6)
  %4 = root.concat %1, %2, %3
  root.output %4
}

// -----

// A gradient of slices that two values share stays that of the other.
// CHECK-LABEL: root.model @shared_slices
// CHECK: root.program @grad
// CHECK: %[[S:.*]] = root.prim.pad_channels %{{.*}} {begins = array<i64: 0>, layer = "slice_channels_2"}
// CHECK: root.prim.conv2d_backward_filter %{{.*}}, %[[S]] {{.*}} layer = "b"
// CHECK: %[[BOTH:.*]] = root.prim.concat %{{.*}}, %{{.*}} {layer = "slice_channels_1"}
// CHECK: root.prim.conv2d_backward_filter %{{.*}}, %[[BOTH]] {{.*}} layer = "a"
root.network @shared_slices(%image: !root.image<1x1x2>) classes(2) {
  %1 = root.conv2d "a" %image filters(2) kernel(1) no_bias
  %2 = root.slice_channels %1 begin(1) end(2)
  %3 = root.conv2d "b" %image filters(2) kernel(1) no_bias
  %4 = root.add %1, %3
  %5 = root.slice_channels %4 begin(0) end(1)
  %6 = root.concat %2, %5
  root.output %6
}

// -----

// A constant stays one through slices and shuffles, but not through a product.
// CHECK-LABEL: root.model @bias_before_slices
// CHECK: root.program @grad
// CHECK-DAG: root.prim.zeros_like {{.*}} {layer = "conv1"}
// CHECK-DAG: root.prim.channel_sum {{.*}} {layer = "conv2"}
// CHECK-DAG: root.prim.channel_sum {{.*}} {layer = "conv3"}
// CHECK: root.program @update
root.network @bias_before_slices(%image: !root.image<4x4x2>) classes(2) {
  %1 = root.conv2d "conv1" %image filters(4) kernel(1)
  %2 = root.channel_shuffle %1 groups(2)
  %3 = root.slice_channels %2 begin(0) end(3)
  %4 = root.batch_norm "bn1" %3
  %5 = root.conv2d "conv2" %4 filters(3) kernel(1)
  %6 = root.conv2d "conv3" %4 filters(3) kernel(1)
  %7 = root.clip %6 min(0)
  %8 = root.multiply %5, %7
  %9 = root.batch_norm "bn2" %8
  %10 = root.linear "fc" %9 outputs(2)
  root.output %10
}
