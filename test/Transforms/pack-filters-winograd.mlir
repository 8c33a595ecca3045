// Dense 3x3 and 5x5 filters of large maps are transformed for Winograd's convolution in inference; strided ones, 1x1 and those of training are not.
// RUN: rootc-opt %s --root-infer-shapes --root-build-programs --root-autodiff --root-pack-filters | FileCheck %s
// RUN: rootc-opt %s --root-infer-shapes --root-build-programs --root-autodiff --root-pack-filters=winograd=false | FileCheck %s --check-prefix=DIRECT
// RUN: rootc-opt %s --root-infer-shapes --root-build-programs --root-autodiff --root-pack-filters="vector-bits=256 registers=16" | FileCheck %s --check-prefix=NARROW
// RUN: rootc-opt %s --root-infer-shapes --root-build-programs --root-autodiff --root-pack-filters=batch=4 | FileCheck %s --check-prefix=BATCH

// CHECK-LABEL: root.program @infer
// CHECK: %[[A:.*]] = root.prim.pack_filter {{.*}} layer = "wide", {{.*}} winograd = 4 : i64} : (tensor<64x3x3x32xf32>) -> tensor<1x6x6x32x64xf32>
// CHECK-NEXT: root.prim.conv2d %{{[0-9]+}}, %[[A]], %{{[0-9]+}} {block = 64 : i64, {{.*}} winograd = 4 : i64}
// CHECK: root.prim.pack_filter {{.*}} layer = "five", {{.*}} winograd = 2 : i64} : (tensor<96x5x5x64xf32>) -> tensor<2x6x6x64x48xf32>
// CHECK: root.prim.pack_filter {{.*}} layer = "strided"
// CHECK-NOT: winograd =
// CHECK: root.program @train
// CHECK-NOT: winograd =
// DIRECT-NOT: winograd =
// NARROW: layer = "wide", {{.*}} winograd = 4 : i64} : (tensor<64x3x3x32xf32>) -> tensor<4x6x6x32x16xf32>
// A map of few tiles has them where images share a filter.
// BATCH: root.prim.pack_filter {{.*}} layer = "small", {{.*}} winograd = 4 : i64} : (tensor<96x3x3x96xf32>) -> tensor<2x6x6x96x48xf32>
root.network @winograd(%image: !root.image<16x16x3>) classes(10) {
  %1 = root.conv2d "image" %image filters(32) kernel(3x3) pad(1)
  %2 = root.conv2d "wide" %1 filters(64) kernel(3x3) pad(1)
  %3 = root.conv2d "five" %2 filters(96) kernel(5x5) pad(2)
  %4 = root.conv2d "strided" %3 filters(96) kernel(3x3) pad(1) stride(2)
  %small = root.conv2d "small" %4 filters(96) kernel(3x3) pad(1)
  %5 = root.conv2d "mix" %small filters(10) kernel(1x1)
  %6 = root.global_average_pool %5
  root.output %6
}
