// RUN: rootc-opt %s --root-join-kernels --split-input-file | FileCheck %s
// RUN: rootc %S/../../models/resnet50.mlir --root=64 --emit=mlir | FileCheck %s --check-prefix=NETWORK
// RUN: rootc %S/../../models/resnet50.mlir --root=64 --emit=mlir --keep-responses | FileCheck %s --check-prefix=KEPT
// RUN: rootc %S/../../models/convnext-tiny.mlir --emit=mlir | FileCheck %s --check-prefix=CONVNEXT

// A depthwise convolution and its layer norm, of narrow maps.
// CONVNEXT: root.program @infer
// CONVNEXT: root.prim.conv2d {{.*}}layer = "s1b1.dwconv"
// CONVNEXT-NEXT: root.yield
// CONVNEXT: root.prim.conv2d {{.*}}layer = "s3b1.dwconv"
// CONVNEXT-NEXT: root.prim.layer_norm {{.*}}layer = "s3b1.norm"
// CONVNEXT-NEXT: root.yield
// CONVNEXT: root.prim.conv2d {{.*}}layer = "s3b1.expand"
// CONVNEXT-NEXT: root.prim.gelu
// CONVNEXT-NEXT: root.yield
// CONVNEXT: root.prim.conv2d {{.*}}layer = "s3b1.project"
// CONVNEXT-NEXT: root.prim.scale_channels
// CONVNEXT-NEXT: root.prim.add
// CONVNEXT-NEXT: root.yield

// The first convolution and its pool; a root module of large maps; none of
// small ones, which would have too few tasks.
// NETWORK: root.program @infer
// NETWORK: root.kernel
// NETWORK-NEXT: root.prim.conv2d {{.*}}layer = "conv1"
// NETWORK-NEXT: root.prim.relu
// NETWORK-NEXT: root.prim.max_pool
// NETWORK-NEXT: root.yield
// NETWORK: root.prim.conv2d {{.*}}layer = "res2a_branch2b"
// NETWORK-NEXT: root.prim.relu
// NETWORK-NEXT: root.prim.conv2d {{.*}}layer = "res2a_branch2c"
// NETWORK-NEXT: root.prim.add
// NETWORK-NEXT: root.prim.relu
// NETWORK-NEXT: root.yield
// NETWORK: root.prim.conv2d {{.*}}layer = "res4b_branch2b"
// NETWORK-NEXT: root.prim.relu
// NETWORK-NEXT: root.yield

// KEPT: root.program @infer
// KEPT: root.kernel
// KEPT-NEXT: root.prim.conv2d {{.*}}layer = "conv1"
// KEPT-NEXT: root.prim.relu
// KEPT-NEXT: root.yield

!image = tensor<?x64x64x16xf32>
!map = tensor<?x64x64x32xf32>
!pooled = tensor<?x32x32x32xf32>
!filter = tensor<1x3x3x16x32xf32>

root.model @joining image(64x64x16) classes(8) {

  // CHECK-LABEL: root.program @pool
  // CHECK: %[[X:.*]] = root.argument image
  // CHECK: %[[F:.*]] = root.prepared "f"
  // CHECK: root.kernel (%[[A:.*]] = %[[X]], %[[B:.*]] = %[[F]])
  // CHECK-NEXT: %[[Y:.*]] = root.prim.conv2d %[[A]], %[[B]]
  // CHECK-NEXT: %[[P:.*]] = root.prim.max_pool %[[Y]]
  // CHECK-NEXT: root.yield %[[P]]
  // CHECK-NOT: root.kernel
  // CHECK: root.store logits
  root.program @pool kind(infer) {
    %x = root.argument image : !image
    %f = root.prepared "f" : !filter
    %y = root.kernel (%a = %x, %b = %f) : (!image, !filter) -> !map {
      %c = root.prim.conv2d %a, %b {block = 32, dilation = array<i64: 1, 1>, filters = 32, groups = 1, input = array<i64: 64, 64>, kernel = array<i64: 3, 3>, layer = "conv", pad = array<i64: 1, 1, 1, 1>, stride = array<i64: 1, 1>} : (!image, !filter) -> !map
      root.yield %c : !map
    }
    %p = root.kernel (%a = %y) : (!map) -> !pooled {
      %c = root.prim.max_pool %a {kernel = array<i64: 2, 2>, layer = "pool", output = array<i64: 32, 32>, pad = array<i64: 0, 0, 0, 0>, stride = array<i64: 2, 2>} : (!map) -> !pooled
      root.yield %c : !pooled
    }
    root.store logits %p : !pooled
  }
}

// -----

!image = tensor<?x64x64x16xf32>
!map = tensor<?x64x64x32xf32>
!pooled = tensor<?x32x32x32xf32>
!filter = tensor<1x3x3x16x32xf32>

root.model @apart image(64x64x16) classes(8) {

  // A map that is read twice stays, and a training program keeps all.
  // CHECK-LABEL: root.program @twice
  // CHECK: root.prim.conv2d
  // CHECK-NEXT: root.yield
  // CHECK: root.prim.max_pool
  // CHECK: root.prim.relu
  root.program @twice kind(infer) {
    %x = root.argument image : !image
    %f = root.prepared "f" : !filter
    %y = root.kernel (%a = %x, %b = %f) : (!image, !filter) -> !map {
      %c = root.prim.conv2d %a, %b {block = 32, dilation = array<i64: 1, 1>, filters = 32, groups = 1, input = array<i64: 64, 64>, kernel = array<i64: 3, 3>, layer = "conv", pad = array<i64: 1, 1, 1, 1>, stride = array<i64: 1, 1>} : (!image, !filter) -> !map
      root.yield %c : !map
    }
    %p = root.kernel (%a = %y) : (!map) -> !pooled {
      %c = root.prim.max_pool %a {kernel = array<i64: 2, 2>, layer = "pool", output = array<i64: 32, 32>, pad = array<i64: 0, 0, 0, 0>, stride = array<i64: 2, 2>} : (!map) -> !pooled
      root.yield %c : !pooled
    }
    %r = root.kernel (%a = %y) : (!map) -> !map {
      %c = root.prim.relu %a : (!map) -> !map
      root.yield %c : !map
    }
    root.store logits %r : !map
  }
}
