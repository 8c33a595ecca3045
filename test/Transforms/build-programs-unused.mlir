// RUN: rootc-opt %s --root-infer-shapes --root-build-programs --verify-diagnostics | FileCheck %s

// CHECK-NOT: lost
root.network @unused(%image: !root.image<4x4x2>) classes(2) {
  // expected-warning @+1 {{layer 'lost' is left out: no output or auxiliary classifier depends on it}}
  %1 = root.conv2d "lost" %image filters(3) kernel(1x1)
  // expected-warning @+1 {{layer 'relu_1' is left out}}
  %2 = root.relu %1
  %3 = root.global_average_pool %image
  root.output %3
}
