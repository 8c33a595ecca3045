// Training normalises by the batch: nothing to fold.
// RUN: rootc-opt %s --root-infer-shapes --root-build-programs --root-fold-batch-norm | FileCheck %s

// CHECK: root.program @infer
// CHECK: fold_multiplier
// CHECK: root.program @train
// CHECK-NOT: fold_multiplier
root.network @train(%image: !root.image<1x1x2>) classes(2) {
  %1 = root.conv2d "conv" %image filters(2) kernel(1x1)
  %2 = root.batch_norm "bn" %1
  root.output %2
}
