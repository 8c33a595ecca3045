// Every primitive op, forward, backward, folded or packed, has its layer's place.
// RUN: rootc-opt %s --root-infer-shapes --root-build-programs --root-fold-batch-norm --root-autodiff --root-pack-filters --root-hoist-prepare --mlir-print-debuginfo --mlir-print-local-scope | FileCheck %s

root.network @places(%image: !root.image<4x4x2>) classes(2) {
  %1 = root.conv2d "conv" %image filters(2) kernel(4x4)
  %2 = root.batch_norm "bn" %1
  root.output %2
}

// CHECK: root.arena_tensor parameter "conv.filter" {{.*}} loc("{{.*}}locations.mlir":5:8)
// CHECK: root.prim.scale_filter {{.*}} loc("{{.*}}locations.mlir":5:8)
// CHECK: root.prim.pack_filter {{.*}} loc("{{.*}}locations.mlir":5:8)
// CHECK: root.program @train
// CHECK: root.prim.batch_norm_statistics {{.*}} loc("{{.*}}locations.mlir":6:8)
// CHECK: root.prim.softmax_cross_entropy_backward {{.*}} loc("{{.*}}locations.mlir":7:3)
// CHECK: root.prim.batch_norm_backward_data {{.*}} loc("{{.*}}locations.mlir":6:8)
// CHECK: root.prim.conv2d_backward_filter {{.*}} loc("{{.*}}locations.mlir":5:8)
// CHECK: root.store gradient "bn.scale" {{.*}} loc("{{.*}}locations.mlir":6:8)
