// RUN: rootc-opt %s --root-infer-shapes --root-build-programs --root-fold-batch-norm --root-pack-filters --root-hoist-prepare | FileCheck %s

// Folded and packed once; what is used as it is gets copied.
// CHECK: root.program @prepare kind(prepare)
// CHECK-DAG: %[[W1:.*]] = root.parameter "conv1.filter"
// CHECK: %[[M:.*]] = root.prim.fold_multiplier
// CHECK: %[[BIAS:.*]] = root.prim.fold_bias
// CHECK-NEXT: root.store prepared "conv1.bias.folded" %[[BIAS]] : tensor<8xf32>
// CHECK: %[[SCALED:.*]] = root.prim.scale_filter %[[W1]], %[[M]]
// CHECK: %[[PACKED:.*]] = root.prim.pack_filter %[[SCALED]]
// CHECK-NEXT: root.store prepared "conv1.filter.packed" %[[PACKED]] : tensor<1x3x3x3x8xf32>
// CHECK: %[[SCALE:.*]] = root.parameter "bn2.scale"
// CHECK: %[[M2:.*]] = root.prim.fold_multiplier %[[SCALE]]
// CHECK-NEXT: root.store prepared "bn2.fold_multiplier" %[[M2]]
// CHECK: %[[B2:.*]] = root.prim.fold_bias
// CHECK-NEXT: root.store prepared "bn2.bias.folded" %[[B2]]
// CHECK: %[[BIAS2:.*]] = root.parameter "fc.bias"
// CHECK-NEXT: %[[COPY:.*]] = root.prim.copy %[[BIAS2]] {layer = "fc"}
// CHECK-NEXT: root.store prepared "fc.bias.copy" %[[COPY]]

// CHECK: root.program @infer kind(infer)
// CHECK-NOT: root.parameter
// CHECK-NOT: root.statistic
// CHECK: %[[X:.*]] = root.argument image
// CHECK-NEXT: %[[BIAS:.*]] = root.prepared "conv1.bias.folded"
// CHECK-NEXT: %[[PACKED:.*]] = root.prepared "conv1.filter.packed"
// CHECK-NEXT: root.prim.conv2d %[[X]], %[[PACKED]], %[[BIAS]]
// CHECK-NEXT: root.prim.max_pool
// CHECK-NEXT: %[[M2:.*]] = root.prepared "bn2.fold_multiplier"
// CHECK-NEXT: %[[B2:.*]] = root.prepared "bn2.bias.folded"
// CHECK-NEXT: root.prim.channel_affine %{{.*}}, %[[M2]], %[[B2]]
// CHECK: root.prepared "fc.bias.copy"
// CHECK: root.prepared "fc.filter.packed"
// CHECK: root.store logits
// CHECK: root.program @train
// CHECK: root.parameter "conv1.filter"
root.network @hoist(%image: !root.image<8x8x3>) classes(4) {
  %1 = root.conv2d "conv1" %image filters(8) kernel(3x3) pad(1)
  %2 = root.batch_norm "bn1" %1
  %3 = root.max_pool %2 kernel(2x2) stride(2)
  %4 = root.batch_norm "bn2" %3
  %5 = root.linear "fc" %4 outputs(4)
  root.output %5
}
