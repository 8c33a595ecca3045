// The option `image` changes the declared size, before or after inference.
// RUN: rootc-opt %s --root-infer-shapes=image=40x24 | FileCheck %s
// RUN: rootc-opt %s --root-infer-shapes --root-infer-shapes=image=40x24 | FileCheck %s
// RUN: not rootc-opt %s --root-infer-shapes=image=40 2>&1 | FileCheck %s --check-prefix=FORM
// RUN: not rootc-opt %s --root-infer-shapes=image=0x7 2>&1 | FileCheck %s --check-prefix=FORM
// RUN: not rootc-opt %s --root-infer-shapes=image=-1x7 2>&1 | FileCheck %s --check-prefix=FORM
// RUN: not rootc-opt %s --root-infer-shapes=image=9223372036854775807x9223372036854775807 2>&1 | FileCheck %s --check-prefix=FORM
// RUN: not rootc-opt %s --root-infer-shapes=image=1x1 2>&1 | FileCheck %s --check-prefix=SMALL

// CHECK: root.network @net(%image: !root.image<40x24x3>) classes(10) shaped
// FORM: infer-shapes-image.mlir:[[# @LINE + 1]]:1: error: image size '{{.*}}' is not HEIGHTxWIDTH with at most 2147483647 values, as in 32x32
root.network @net(%image: !root.image<32x32x3>) classes(10) {
  // CHECK: -> !root.image<38x22x10>
  // SMALL: infer-shapes-image.mlir:[[# @LINE + 1]]:8: error: 'root.conv2d' op (C5)
  %0 = root.conv2d "a" %image filters(10) kernel(3x3)
  %1 = root.global_average_pool %0
  root.output %1
}
