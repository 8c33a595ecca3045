// RUN: rootc-opt %s --root-choose-schedules | FileCheck %s
// RUN: rootc-opt %s --root-choose-schedules="vector-bits=256 registers=16" | FileCheck %s --check-prefix=AVX2

root.model @schedules image(16x16x16) classes(3) {
  root.program @infer kind(infer) {
    %x = root.argument image : tensor<?x16x16x16xf32>
    %f = root.prepared "f" : tensor<1x1x1x16x16xf32>

    // A convolution's schedule follows from its shape and the machine.
    // CHECK: root.kernel ({{.*}}) schedule({{.*}}lanes = 16 : i64, {{.*}}tile_x = {{[0-9]+}} : i64
    // CHECK-NEXT: root.prim.conv2d
    // AVX2: root.kernel ({{.*}}) schedule({{.*}}lanes = 8 : i64, {{.*}}tile_x = {{[0-9]+}} : i64
    // AVX2-NEXT: root.prim.conv2d
    %1 = root.kernel (%a = %x, %b = %f) : (tensor<?x16x16x16xf32>, tensor<1x1x1x16x16xf32>) -> tensor<?x16x16x16xf32> {
      %c = root.prim.conv2d %a, %b {block = 16, dilation = array<i64: 1, 1>, filters = 16, groups = 1, input = array<i64: 16, 16>, kernel = array<i64: 1, 1>, pad = array<i64: 0, 0, 0, 0>, stride = array<i64: 1, 1>} : (tensor<?x16x16x16xf32>, tensor<1x1x1x16x16xf32>) -> tensor<?x16x16x16xf32>
      root.yield %c : tensor<?x16x16x16xf32>
    }

    // A schedule that is there stays.
    // CHECK: root.kernel ({{.*}}) schedule({lanes = 4 : i64}) :
    // CHECK-NEXT: root.prim.conv2d
    %2 = root.kernel (%a = %1, %b = %f) schedule({lanes = 4}) : (tensor<?x16x16x16xf32>, tensor<1x1x1x16x16xf32>) -> tensor<?x16x16x16xf32> {
      %c = root.prim.conv2d %a, %b {block = 16, dilation = array<i64: 1, 1>, filters = 16, groups = 1, input = array<i64: 16, 16>, kernel = array<i64: 1, 1>, pad = array<i64: 0, 0, 0, 0>, stride = array<i64: 1, 1>} : (tensor<?x16x16x16xf32>, tensor<1x1x1x16x16xf32>) -> tensor<?x16x16x16xf32>
      root.yield %c : tensor<?x16x16x16xf32>
    }
    // Other families have keys too, or none.
    // CHECK: root.kernel ({{.*}}) schedule({rows = {{[0-9]+}} : i64, unroll = 1 : i64, vectors = 1 : i64}) :
    // CHECK-NEXT: root.prim.max_pool
    // AVX2: root.kernel ({{.*}}) schedule({rows = {{[0-9]+}} : i64, unroll = 1 : i64, vectors = 2 : i64}) :
    // AVX2-NEXT: root.prim.max_pool
    %3 = root.kernel (%a = %2) : (tensor<?x16x16x16xf32>) -> tensor<?x8x8x16xf32> {
      %c = root.prim.max_pool %a {kernel = array<i64: 2, 2>, output = array<i64: 8, 8>, pad = array<i64: 0, 0, 0, 0>, stride = array<i64: 2, 2>} : (tensor<?x16x16x16xf32>) -> tensor<?x8x8x16xf32>
      root.yield %c : tensor<?x8x8x16xf32>
    }
    // CHECK: root.kernel ({{.*}}) schedule({}) :
    // CHECK-NEXT: root.prim.copy
    %4 = root.kernel (%a = %f) : (tensor<1x1x1x16x16xf32>) -> tensor<1x1x1x16x16xf32> {
      %c = root.prim.copy %a : (tensor<1x1x1x16x16xf32>) -> tensor<1x1x1x16x16xf32>
      root.yield %c : tensor<1x1x1x16x16xf32>
    }
    root.store prepared "g" %4 : tensor<1x1x1x16x16xf32>
    root.store logits %2 : tensor<?x16x16x16xf32>
  }
}
