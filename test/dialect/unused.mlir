// A value that nothing reads is no error.
// RUN: rootc-opt %s --root-infer-shapes | FileCheck %s

// CHECK: root.relu %image : (!root.image<1x1x2>) -> !root.image<1x1x2>
root.network @unused(%image: !root.image<1x1x2>) classes(2) {
  %0 = root.relu %image
  root.output %image
}
