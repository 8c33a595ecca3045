// Labels are all different, whatever a network calls its layers.
// RUN: rootc-opt %s --root-infer-shapes --root-build-programs | FileCheck %s

// CHECK: root.program @train
// CHECK: root.prim.conv2d {{.*}} layer = "loss"
// CHECK: root.prim.conv2d {{.*}} layer = "relu_1"
// CHECK: root.prim.relu {{.*}} {layer = "relu_2"}
// CHECK: root.prim.softmax_cross_entropy {{.*}} {layer = "loss_1"}
root.network @labels(%image: !root.image<1x1x2>) classes(2) {
  %0 = root.conv2d "loss" %image filters(2) kernel(1)
  %1 = root.conv2d "relu_1" %0 filters(2) kernel(1)
  %2 = root.relu %1
  root.output %2
}
