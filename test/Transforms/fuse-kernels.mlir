// RUN: rootc-opt %s --root-fuse-kernels | FileCheck %s
// RUN: rootc-opt %s --root-fuse-kernels --root-fuse-kernels | FileCheck %s

!map = tensor<?x4x4x8xf32>
!channels = tensor<8xf32>

root.model @fusion image(4x4x8) classes(8) {

  // A convolution takes what follows it, and inputs are named in the order in
  // which the ops ask for them.
  // CHECK-LABEL: root.program @epilogue
  // CHECK: %[[X:.*]] = root.argument image
  // CHECK: %[[F:.*]] = root.prepared "f"
  // CHECK: %[[Y:.*]] = root.kernel (%[[A:.*]] = %[[X]], %[[B:.*]] = %[[F]]) : (tensor<?x4x4x8xf32>, tensor<1x1x1x8x8xf32>) -> tensor<?x4x4x8xf32> {
  // CHECK-NEXT: %[[C:.*]] = root.prim.conv2d %[[A]], %[[B]] {{.*}}layer = "conv"
  // CHECK-NEXT: %[[D:.*]] = root.prim.add %[[C]], %[[A]]
  // CHECK-NEXT: %[[E:.*]] = root.prim.relu %[[D]]
  // CHECK-NEXT: root.yield %[[E]]
  // CHECK-NEXT: }
  // CHECK-NEXT: root.store logits %[[Y]]
  // CHECK-NEXT: }
  root.program @epilogue kind(infer) {
    %x = root.argument image : !map
    %f = root.prepared "f" : tensor<1x1x1x8x8xf32>
    %c = root.prim.conv2d %x, %f {block = 8, dilation = array<i64: 1, 1>, filters = 8, groups = 1, input = array<i64: 4, 4>, kernel = array<i64: 1, 1>, layer = "conv", pad = array<i64: 0, 0, 0, 0>, stride = array<i64: 1, 1>} : (!map, tensor<1x1x1x8x8xf32>) -> !map
    %s = root.prim.add %c, %x : (!map, !map) -> !map
    %y = root.prim.relu %s : (!map) -> !map
    root.store logits %y : !map
  }

  // A convolution whose result two ops read stands alone, and so do the two
  // convolutions but one of a sum: the later one takes the sum.
  // CHECK-LABEL: root.program @one_anchor
  // CHECK: %[[FIRST:.*]] = root.kernel
  // CHECK-NEXT: root.prim.conv2d
  // CHECK-NEXT: root.yield
  // CHECK: %[[SECOND:.*]] = root.kernel
  // CHECK-NEXT: root.prim.conv2d
  // CHECK-NEXT: root.yield
  // CHECK: root.kernel (%[[A:.*]] = %[[SECOND]], %{{.*}} = %{{.*}}, %[[B:.*]] = %[[FIRST]])
  // CHECK-NEXT: %[[C:.*]] = root.prim.conv2d %[[A]]
  // CHECK-NEXT: %[[R:.*]] = root.prim.relu %[[B]]
  // CHECK-NEXT: %[[S:.*]] = root.prim.add %[[C]], %[[R]]
  // CHECK-NEXT: root.prim.add %[[S]], %[[A]]
  // CHECK-NEXT: root.yield
  root.program @one_anchor kind(infer) {
    %x = root.argument image : !map
    %f = root.prepared "f" : tensor<1x1x1x8x8xf32>
    %1 = root.prim.conv2d %x, %f {block = 8, dilation = array<i64: 1, 1>, filters = 8, groups = 1, input = array<i64: 4, 4>, kernel = array<i64: 1, 1>, pad = array<i64: 0, 0, 0, 0>, stride = array<i64: 1, 1>} : (!map, tensor<1x1x1x8x8xf32>) -> !map
    %2 = root.prim.conv2d %x, %f {block = 8, dilation = array<i64: 1, 1>, filters = 8, groups = 1, input = array<i64: 4, 4>, kernel = array<i64: 1, 1>, pad = array<i64: 0, 0, 0, 0>, stride = array<i64: 1, 1>} : (!map, tensor<1x1x1x8x8xf32>) -> !map
    %3 = root.prim.conv2d %2, %f {block = 8, dilation = array<i64: 1, 1>, filters = 8, groups = 1, input = array<i64: 4, 4>, kernel = array<i64: 1, 1>, pad = array<i64: 0, 0, 0, 0>, stride = array<i64: 1, 1>} : (!map, tensor<1x1x1x8x8xf32>) -> !map
    %r = root.prim.relu %1 : (!map) -> !map
    %s = root.prim.add %3, %r : (!map, !map) -> !map
    %t = root.prim.add %s, %2 : (!map, !map) -> !map
    root.store logits %t : !map
  }

  // relu_backward is computed by the reduction and by the op that needs its
  // result; normalise and relu are one kernel.
  // CHECK-LABEL: root.program @batch_norm
  // CHECK: %[[G:.*]] = root.prepared "gradient"
  // CHECK: %[[X:.*]] = root.prepared "x"
  // CHECK: %[[Y:.*]] = root.kernel (%[[A:[a-z0-9]*]] = %[[X]],
  // CHECK-NEXT: %[[N:.*]] = root.prim.batch_norm_normalize %[[A]]
  // CHECK-NEXT: %[[R:.*]] = root.prim.relu %[[N]]
  // CHECK-NEXT: root.yield %[[R]]
  // CHECK: root.kernel (%[[A:[a-z0-9]*]] = %[[G]], %[[B:[a-z0-9]*]] = %[[Y]],
  // CHECK-NEXT: %[[R:.*]] = root.prim.relu_backward %[[A]], %[[B]]
  // CHECK-NEXT: root.prim.batch_norm_backward_reduce %[[R]]
  // CHECK-NEXT: root.yield
  // CHECK: root.kernel (%[[A:[a-z0-9]*]] = %[[G]], %[[B:[a-z0-9]*]] = %[[Y]],
  // CHECK-NEXT: %[[R:.*]] = root.prim.relu_backward %[[A]], %[[B]]
  // CHECK-NEXT: root.prim.batch_norm_backward_data %[[R]]
  // CHECK-NEXT: root.yield
  // CHECK-NOT: root.kernel
  // CHECK: root.store d_image
  root.program @batch_norm kind(prepare) {
    %g = root.prepared "gradient" : tensor<2x4x4x8xf32>
    %v = root.prepared "vector" : !channels
    %x = root.prepared "x" : tensor<2x4x4x8xf32>
    %n = root.prim.batch_norm_normalize %x, %v, %v, %v, %v {epsilon = 1.0e-5} : (tensor<2x4x4x8xf32>, !channels, !channels, !channels, !channels) -> tensor<2x4x4x8xf32>
    %y = root.prim.relu %n : (tensor<2x4x4x8xf32>) -> tensor<2x4x4x8xf32>
    %r = root.prim.relu_backward %g, %y : (tensor<2x4x4x8xf32>, tensor<2x4x4x8xf32>) -> tensor<2x4x4x8xf32>
    %b:4 = root.prim.batch_norm_backward_reduce %r, %x, %v, %v {epsilon = 1.0e-5} : (tensor<2x4x4x8xf32>, tensor<2x4x4x8xf32>, !channels, !channels) -> (!channels, !channels, !channels, !channels)
    %d = root.prim.batch_norm_backward_data %r, %x, %v, %v, %v, %b#2, %b#3 {epsilon = 1.0e-5} : (tensor<2x4x4x8xf32>, tensor<2x4x4x8xf32>, !channels, !channels, !channels, !channels, !channels) -> tensor<2x4x4x8xf32>
    root.store prepared "y" %y : tensor<2x4x4x8xf32>
    root.store gradient "offset" %b#1 : !channels
    root.store d_image %d : tensor<2x4x4x8xf32>
  }

  // Where a convolution made the gradient, relu_backward is its epilogue; what
  // is computed from memory for one reader, it computes.
  // CHECK-LABEL: root.program @masked
  // CHECK: root.kernel
  // CHECK-NEXT: root.prim.conv2d_backward_data
  // CHECK-NEXT: root.prim.relu_backward
  // CHECK-NEXT: root.yield
  // CHECK: root.kernel
  // CHECK-NEXT: root.prim.channel_sum
  // CHECK-NEXT: root.yield
  // CHECK: root.kernel
  // CHECK-NEXT: root.prim.relu_backward
  // CHECK-NEXT: root.prim.conv2d_backward_filter
  // CHECK-NEXT: root.yield
  root.program @masked kind(train) {
    %x = root.argument image : !map
    %f = root.prepared "f" : tensor<1x1x1x8x8xf32>
    %d = root.prim.conv2d_backward_data %x, %f {block = 8, dilation = array<i64: 1, 1>, filters = 8, groups = 1, input = array<i64: 4, 4>, kernel = array<i64: 1, 1>, pad = array<i64: 0, 0, 0, 0>, stride = array<i64: 1, 1>} : (!map, tensor<1x1x1x8x8xf32>) -> !map
    %r = root.prim.relu_backward %d, %x : (!map, !map) -> !map
    %s = root.prim.channel_sum %r : (!map) -> !channels
    %t = root.prim.relu_backward %r, %x : (!map, !map) -> !map
    %w = root.prim.conv2d_backward_filter %x, %t {dilation = array<i64: 1, 1>, filters = 8, groups = 1, input = array<i64: 4, 4>, kernel = array<i64: 1, 1>, pad = array<i64: 0, 0, 0, 0>, stride = array<i64: 1, 1>} : (!map, !map) -> tensor<8x1x1x8xf32>
    root.store gradient "bias" %s : !channels
    root.store gradient "filter" %w : tensor<8x1x1x8xf32>
  }

  // Inference keeps what its readers could compute, for layers' responses.
  // CHECK-LABEL: root.program @shown
  // CHECK: root.kernel
  // CHECK-NEXT: root.prim.channel_affine
  // CHECK-NEXT: root.prim.relu
  // CHECK-NEXT: root.yield
  // CHECK: root.kernel
  // CHECK-NEXT: root.prim.conv2d
  // CHECK-NEXT: root.yield
  root.program @shown kind(infer) {
    %x = root.argument image : !map
    %f = root.prepared "f" : tensor<1x1x1x8x8xf32>
    %v = root.prepared "vector" : !channels
    %a = root.prim.channel_affine %x, %v, %v : (!map, !channels, !channels) -> !map
    %r = root.prim.relu %a : (!map) -> !map
    %c = root.prim.conv2d %r, %f {block = 8, dilation = array<i64: 1, 1>, filters = 8, groups = 1, input = array<i64: 4, 4>, kernel = array<i64: 1, 1>, pad = array<i64: 0, 0, 0, 0>, stride = array<i64: 1, 1>} : (!map, tensor<1x1x1x8x8xf32>) -> !map
    root.store logits %c : !map
  }

  // A value with two readers joins them if both are one kernel's: x sigmoid(x).
  // What is broadcast is read from memory, and may have an epilogue of its own.
  // CHECK-LABEL: root.program @gates
  // CHECK: %[[G:.*]] = root.kernel
  // CHECK-NEXT: root.prim.conv2d
  // CHECK-NEXT: root.prim.sigmoid
  // CHECK-NEXT: root.yield
  // CHECK: root.kernel (%{{.*}} = %{{.*}}, %{{.*}} = %{{.*}}, %[[B:.*]] = %[[G]])
  // CHECK-NEXT: %[[C:.*]] = root.prim.conv2d
  // CHECK-NEXT: %[[S:.*]] = root.prim.sigmoid %[[C]]
  // CHECK-NEXT: %[[P:.*]] = root.prim.multiply %[[C]], %[[S]]
  // CHECK-NEXT: %[[Q:.*]] = root.prim.multiply %[[P]], %[[B]]
  // CHECK-NEXT: root.prim.clip %[[Q]]
  // CHECK-NEXT: root.yield
  // CHECK-NOT: root.kernel
  // CHECK: root.store
  root.program @gates kind(infer) {
    %x = root.argument image : !map
    %f = root.prepared "f" : tensor<1x1x1x8x8xf32>
    %k = root.prepared "k" : tensor<1x4x4x8x8xf32>
    %g = root.prim.conv2d %x, %k {block = 8, dilation = array<i64: 1, 1>, filters = 8, groups = 1, input = array<i64: 4, 4>, kernel = array<i64: 4, 4>, pad = array<i64: 0, 0, 0, 0>, stride = array<i64: 1, 1>} : (!map, tensor<1x4x4x8x8xf32>) -> tensor<?x1x1x8xf32>
    %h = root.prim.sigmoid %g : (tensor<?x1x1x8xf32>) -> tensor<?x1x1x8xf32>
    %c = root.prim.conv2d %x, %f {block = 8, dilation = array<i64: 1, 1>, filters = 8, groups = 1, input = array<i64: 4, 4>, kernel = array<i64: 1, 1>, pad = array<i64: 0, 0, 0, 0>, stride = array<i64: 1, 1>} : (!map, tensor<1x1x1x8x8xf32>) -> !map
    %s = root.prim.sigmoid %c : (!map) -> !map
    %p = root.prim.multiply %c, %s : (!map, !map) -> !map
    %q = root.prim.multiply %p, %h : (!map, tensor<?x1x1x8xf32>) -> !map
    %y = root.prim.clip %q {max = 6.0} : (!map) -> !map
    root.store logits %y : !map
  }

  // What is computed from what is computed is not computed for each reader.
  // CHECK-LABEL: root.program @deep
  // CHECK: %[[Y:.*]] = root.kernel
  // CHECK-NEXT: root.prim.sigmoid
  // CHECK-NEXT: root.prim.multiply
  // CHECK-NEXT: root.yield
  // CHECK: root.kernel (%[[A:.*]] = %[[Y]])
  // CHECK-NEXT: root.prim.multiply %[[A]], %[[A]]
  // CHECK-NEXT: root.yield
  root.program @deep kind(infer) {
    %x = root.argument image : !map
    %s = root.prim.sigmoid %x : (!map) -> !map
    %y = root.prim.multiply %x, %s : (!map, !map) -> !map
    %z = root.prim.multiply %y, %y : (!map, !map) -> !map
    root.store logits %z : !map
  }

  // A product is made as it is summed; the backward op of an activation, like
  // that of ReLU, for each of its readers.
  // CHECK-LABEL: root.program @sums
  // CHECK: root.kernel
  // CHECK-NEXT: root.prim.multiply
  // CHECK-NEXT: root.prim.reduce_sum
  // CHECK-NEXT: root.yield
  // CHECK: root.kernel
  // CHECK-NEXT: root.prim.hard_swish_backward
  // CHECK-NEXT: root.prim.channel_sum
  // CHECK-NEXT: root.yield
  // CHECK: root.kernel
  // CHECK-NEXT: root.prim.hard_swish_backward
  // CHECK-NEXT: root.prim.add
  // CHECK-NEXT: root.yield
  root.program @sums kind(train) {
    %x = root.prepared "x" : tensor<2x4x4x8xf32>
    %d = root.prepared "d" : tensor<2x4x4x8xf32>
    %m = root.prim.multiply %d, %x : (tensor<2x4x4x8xf32>, tensor<2x4x4x8xf32>) -> tensor<2x4x4x8xf32>
    %r = root.prim.reduce_sum %m {over = "map"} : (tensor<2x4x4x8xf32>) -> tensor<2x1x1x8xf32>
    %h = root.prim.hard_swish_backward %d, %x : (tensor<2x4x4x8xf32>, tensor<2x4x4x8xf32>) -> tensor<2x4x4x8xf32>
    %s = root.prim.channel_sum %h : (tensor<2x4x4x8xf32>) -> !channels
    %a = root.prim.add %h, %d : (tensor<2x4x4x8xf32>, tensor<2x4x4x8xf32>) -> tensor<2x4x4x8xf32>
    root.store prepared "y" %r : tensor<2x1x1x8xf32>
    root.store gradient "bias" %s : !channels
    root.store d_image %a : tensor<2x4x4x8xf32>
  }

  // What is stored twice, or is no kernel's result, gets a copy.
  // CHECK-LABEL: root.program @copies
  // CHECK: %[[P:.*]] = root.parameter "a"
  // CHECK: %[[S:.*]] = root.kernel
  // CHECK-NEXT: root.prim.fold_multiplier
  // CHECK: root.store prepared "a" %[[S]]
  // CHECK-NEXT: %[[C:.*]] = root.kernel (%{{.*}} = %[[S]])
  // CHECK-NEXT: root.prim.copy
  // CHECK: root.store prepared "b" %[[C]]
  // CHECK-NEXT: %[[D:.*]] = root.kernel (%{{.*}} = %[[P]])
  // CHECK-NEXT: root.prim.copy
  // CHECK: root.store prepared "c" %[[D]]
  root.program @copies kind(prepare) {
    %p = root.parameter "a" : !channels
    %s = root.prim.fold_multiplier %p, %p {epsilon = 1.0e-5} : (!channels, !channels) -> !channels
    root.store prepared "a" %s : !channels
    root.store prepared "b" %s : !channels
    root.store prepared "c" %p : !channels
  }

  // Dropouts are long: four of them make a kernel.
  // CHECK-LABEL: root.program @dropouts
  // CHECK: root.kernel
  // CHECK-COUNT-4: root.prim.dropout
  // CHECK-NEXT: root.yield
  // CHECK: root.kernel
  // CHECK-NEXT: root.prim.dropout
  // CHECK-NEXT: root.prim.dropout
  // CHECK-NEXT: root.yield
  root.program @dropouts kind(train) {
    %x = root.argument image : !map
    %r = root.argument random : tensor<2xi64>
    %s = root.argument samples : tensor<?xi64>
    %0 = root.prim.dropout %x, %r, %s {ordinal = 0 : i64, rate = 0.1 : f64} : (!map, tensor<2xi64>, tensor<?xi64>) -> !map
    %1 = root.prim.dropout %0, %r, %s {ordinal = 1 : i64, rate = 0.1 : f64} : (!map, tensor<2xi64>, tensor<?xi64>) -> !map
    %2 = root.prim.dropout %1, %r, %s {ordinal = 2 : i64, rate = 0.1 : f64} : (!map, tensor<2xi64>, tensor<?xi64>) -> !map
    %3 = root.prim.dropout %2, %r, %s {ordinal = 3 : i64, rate = 0.1 : f64} : (!map, tensor<2xi64>, tensor<?xi64>) -> !map
    %4 = root.prim.dropout %3, %r, %s {ordinal = 4 : i64, rate = 0.1 : f64} : (!map, tensor<2xi64>, tensor<?xi64>) -> !map
    %5 = root.prim.dropout %4, %r, %s {ordinal = 5 : i64, rate = 0.1 : f64} : (!map, tensor<2xi64>, tensor<?xi64>) -> !map
    root.store logits %5 : !map
  }
}
