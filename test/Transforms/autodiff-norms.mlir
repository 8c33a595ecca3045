// RUN: rootc-opt %s -split-input-file --root-infer-shapes --root-build-programs --root-autodiff | FileCheck %s

// Both gradients compute the statistics anew.
// CHECK-LABEL: root.model @layer
// CHECK: root.program @grad
// CHECK: root.prim.layer_norm %[[X:.*]], %[[SCALE:.*]], %{{.*}} {epsilon = 9.9999999999999995E-7 : f64, layer = "norm"}
// CHECK: %[[D:.*]] = root.prim.softmax_cross_entropy_backward
// CHECK-NEXT: %[[DY:.*]] = root.prim.global_average_pool_backward %[[D]]
// CHECK-NEXT: %[[DS:.*]], %[[DO:.*]] = root.prim.layer_norm_backward_reduce %[[DY]], %[[X]] {epsilon = 9.9999999999999995E-7 : f64, layer = "norm"}
// CHECK-NEXT: %[[DX:.*]] = root.prim.layer_norm_backward_data %[[DY]], %[[X]], %[[SCALE]] {epsilon = 9.9999999999999995E-7 : f64, layer = "norm"}
// CHECK-DAG: root.store gradient "norm.scale" %[[DS]]
// CHECK-DAG: root.store gradient "norm.offset" %[[DO]]
// CHECK-DAG: root.store d_image %[[DX]]
root.network @layer(%image: !root.image<5x5x6>) classes(6) {
  %1 = root.layer_norm "norm" %image epsilon(1e-6)
  %2 = root.global_average_pool %1
  root.output %2
}

// -----

// CHECK-LABEL: root.model @group
// CHECK: root.program @grad
// CHECK: %[[MEAN:.*]], %[[INVERSE:.*]] = root.prim.group_norm_statistics %[[X:.*]] {epsilon = 1.000000e-05 : f64, groups = 2 : i64, layer = "norm"}
// CHECK-NEXT: root.prim.group_norm_normalize %[[X]], %[[MEAN]], %[[INVERSE]], %[[SCALE:.*]], %{{.*}} {layer = "norm"}
// CHECK: %[[S:.*]], %[[O:.*]], %[[MS:.*]], %[[MO:.*]] = root.prim.group_norm_backward_reduce %[[DY:.*]], %[[X]], %[[MEAN]], %[[INVERSE]], %[[SCALE]] {groups = 2 : i64, layer = "norm"}
// CHECK-NEXT: %[[DS:.*]] = root.prim.channel_sum %[[S]]
// CHECK-NEXT: %[[DO:.*]] = root.prim.channel_sum %[[O]]
// CHECK-NEXT: %[[DX:.*]] = root.prim.group_norm_backward_data %[[DY]], %[[X]], %[[MEAN]], %[[INVERSE]], %[[SCALE]], %[[MS]], %[[MO]]
// CHECK-DAG: root.store gradient "norm.scale" %[[DS]]
// CHECK-DAG: root.store d_image %[[DX]]
root.network @group(%image: !root.image<5x5x6>) classes(6) {
  %1 = root.group_norm "norm" %image groups(2)
  %2 = root.global_average_pool %1
  root.output %2
}

// -----

// An instance norm takes a bias out, groups of more channels do not.
// CHECK-LABEL: root.model @instance
// CHECK: root.program @train
// CHECK: root.prim.zeros_like %{{.*}} {layer = "a"}
// CHECK-NOT: root.prim.channel_sum %{{.*}} {layer = "a"}
// CHECK: root.program @grad
root.network @instance(%image: !root.image<5x5x6>) classes(6) {
  %1 = root.conv2d "a" %image filters(6) kernel(1)
  %2 = root.group_norm "norm" %1 groups(6)
  %3 = root.global_average_pool %2
  root.output %3
}

// -----

// CHECK-LABEL: root.model @groups_of_two
// CHECK: root.program @train
// CHECK: root.prim.channel_sum %{{.*}} {layer = "a"}
// CHECK: root.program @grad
root.network @groups_of_two(%image: !root.image<5x5x6>) classes(6) {
  %1 = root.conv2d "a" %image filters(6) kernel(1)
  %2 = root.group_norm "norm" %1 groups(3)
  %3 = root.global_average_pool %2
  root.output %3
}

// -----

// A transposed convolution's gradient is the convolution.
// CHECK-LABEL: root.model @transposed
// CHECK: root.program @grad
// CHECK: %[[Y:.*]] = root.prim.conv2d_backward_data %[[X:.*]], %[[F:.*]] {{.*}}filters = 3 : i64, groups = 1 : i64, input = array<i64: 10, 10>
// CHECK-NEXT: %[[B:.*]] = root.parameter "up.bias"
// CHECK-NEXT: root.prim.channel_offset %[[Y]], %[[B]] {layer = "up"}
// CHECK: %[[DB:.*]] = root.prim.channel_sum %[[DY:.*]] {layer = "up"}
// CHECK-NEXT: %[[DF:.*]] = root.prim.conv2d_backward_filter %[[DY]], %[[X]]
// CHECK-NEXT: %[[DX:.*]] = root.prim.conv2d %[[DY]], %[[F]]
// CHECK-DAG: root.store gradient "up.filter" %[[DF]]
// CHECK-DAG: root.store d_image %[[DX]]
root.network @transposed(%image: !root.image<5x5x3>) classes(6) {
  %1 = root.conv2d_transpose "up" %image filters(6) kernel(2) stride(2)
  %2 = root.global_average_pool %1
  root.output %2
}
