// The layer that makes the logits, and those of auxiliary classifiers, get as many outputs as there are classes.
// RUN: rootc-opt %s --root-classes=classes=3 --split-input-file | FileCheck %s

// CHECK: root.network @linear({{.*}}) classes(3)
// CHECK: root.conv2d "a" {{.*}} filters(8)
// CHECK: root.linear "aux" {{.*}} outputs(3)
// CHECK: root.linear "fc" {{.*}} outputs(3)
root.network @linear(%image: !root.image<8x8x3>) classes(8) {
  %0 = root.conv2d "a" %image filters(8) kernel(3x3)
  %1 = root.linear "aux" %0 outputs(8)
  root.auxiliary %1
  %2 = root.global_average_pool %0
  %3 = root.linear "fc" %2 outputs(8)
  root.output %3
}

// -----

// As in NIN, with what may stand behind it.
// CHECK: root.network @pooled({{.*}}) classes(3)
// CHECK: root.conv2d "b" {{.*}} filters(3)
root.network @pooled(%image: !root.image<8x8x3>) classes(8) {
  %0 = root.conv2d "a" %image filters(8) kernel(3x3)
  %1 = root.conv2d "b" %0 filters(8) kernel(1x1)
  %2 = root.batch_norm "bn" %1
  %3 = root.relu %2
  %4 = root.global_average_pool %3
  root.output %4
}

// -----

// CHECK: root.network @same({{.*}}) classes(3)
// CHECK: root.linear "fc" {{.*}} outputs(3)
root.network @same(%image: !root.image<8x8x3>) classes(3) {
  %0 = root.linear "fc" %image outputs(3)
  root.output %0
}
