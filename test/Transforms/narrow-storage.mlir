// With --precision=bf16 maps and packed filters are bf16 in memory; kernels'
// bodies, images, biases, pooled maps of one pixel and logits are f32.
// RUN: rootc %s --precision=bf16 --mode=infer --emit=mlir | FileCheck %s
// RUN: not rootc %s --precision=fp8 --emit=mlir 2>&1 | FileCheck %s --check-prefix=BAD
// BAD: rootc: error: --precision=fp8: give f32, tf32 or bf16

root.network @net(%image: !root.image<8x8x3>) classes(4) {
  %1 = root.conv2d "conv1" %image filters(32) kernel(3x3) pad(1)
  %2 = root.relu %1
  %3 = root.conv2d "conv2" %2 filters(64) kernel(1x1)
  %4 = root.global_average_pool %3
  %5 = root.linear "fc" %4 outputs(4)
  root.output %5
}

// CHECK: root.arena_tensor prepared "conv2.filter.packed"{{.*}}tensor<2x1x1x16x64xbf16>
// CHECK: root.program @prepare
// CHECK: root.prim.pack_filter{{.*}}pairs = 1 : i64{{.*}} -> tensor<2x1x1x16x64xf32>
// CHECK: root.store prepared "conv2.filter.packed" %{{.*}} : tensor<2x1x1x16x64xbf16>
// CHECK: root.program @infer
// CHECK: root.kernel ({{.*}}(tensor<?x8x8x3xf32>, {{.*}}tensor<32xf32>) -> tensor<?x8x8x32xbf16>
// CHECK: root.prim.conv2d {{.*}} -> tensor<?x8x8x32xf32>
// CHECK: root.kernel ({{.*}}(tensor<?x8x8x32xbf16>, tensor<2x1x1x16x64xbf16>, tensor<64xf32>) -> tensor<?x8x8x64xbf16>
// CHECK: root.prim.conv2d {{.*}}pairs = 1 : i64
// CHECK: -> tensor<?x1x1x64xf32>
// CHECK: root.store logits %{{.*}} : tensor<?x1x1x4xf32>
