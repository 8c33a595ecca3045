// On a 1x1 map, few images read a filter but once, in blocks of two lines; of a small map, threads have as many blocks each.
// RUN: rootc-opt %s --root-infer-shapes --root-build-programs --root-pack-filters | FileCheck %s
// RUN: rootc-opt %s --root-infer-shapes --root-build-programs --root-pack-filters="batch=16 threads=2" | FileCheck %s
// RUN: rootc-opt %s --root-infer-shapes --root-build-programs --root-pack-filters=batch=1 | FileCheck %s --check-prefixes=FEW,ANY
// RUN: rootc-opt %s --root-infer-shapes --root-build-programs --root-pack-filters="batch=1 threads=2" | FileCheck %s --check-prefixes=FEW,TWO

// CHECK: layer = "classifier", {{.*}} -> tensor<21x1x1x512x48xf32>
// ANY: layer = "small", {{.*}} -> tensor<11x3x3x512x48xf32>
// TWO: layer = "small", {{.*}} -> tensor<16x3x3x512x32xf32>
// FEW: layer = "classifier", {{.*}} -> tensor<32x1x1x512x32xf32>
root.network @few(%image: !root.image<7x7x512>) classes(1000) {
  %1 = root.conv2d "small" %image filters(512) kernel(3x3) pad(1)
  %2 = root.global_average_pool %1
  %3 = root.linear "classifier" %2 outputs(1000)
  root.output %3
}
