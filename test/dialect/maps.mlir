// Layers that make maps of other sizes, with each of their clauses and without;
// what is printed reads back as the same, in the generic form too.
// RUN: rootc-opt %s | FileCheck %s
// RUN: rootc-opt %s | rootc-opt | FileCheck %s
// RUN: rootc-opt %s --mlir-print-op-generic | rootc-opt | FileCheck %s

// CHECK-LABEL: root.network @maps(%image: !root.image<4x4x12>) classes(1) {
root.network @maps(%image: !root.image<4x4x12>) classes(1) {
  // CHECK-NEXT: root.conv2d_transpose "a" %image filters(8) kernel(2x2){{$}}
  %0 = root.conv2d_transpose "a" %image kernel(2) filters(8) output_pad(0) stride(1) pad(0)
  // CHECK-NEXT: root.conv2d_transpose "b" %{{[0-9]+}} filters(8) kernel(3x2) stride(3) pad(1,0,0,1) output_pad(2x1) dilation(2) groups(4) no_bias
  %1 = root.conv2d_transpose "b" %0 filters(8) kernel(3x2) stride(3) pad(1,0,0,1) output_pad(2x1) dilation(2) groups(4) no_bias
  // CHECK-NEXT: root.resize %{{[0-9]+}} size(28x28){{$}}
  %2 = root.resize %1 size(28) mode(nearest) coordinates(half_pixel) round(round_prefer_floor)
  // CHECK-NEXT: root.resize %{{[0-9]+}} size(7x5) mode(bilinear) coordinates(align_corners)
  %3 = root.resize %2 size(7x5) mode(bilinear) coordinates(align_corners)
  // CHECK-NEXT: root.resize %{{[0-9]+}} size(14x14) coordinates(asymmetric) round(floor)
  %4 = root.resize %3 coordinates(asymmetric) round(floor) size(14x14)
  // CHECK-NEXT: root.adaptive_average_pool %{{[0-9]+}} size(3x5)
  %5 = root.adaptive_average_pool %4 size(3x5)
  // CHECK-NEXT: root.branch_softmax %{{[0-9]+}} branches(2)
  %6 = root.branch_softmax %5 branches(2)
  // CHECK-NEXT: root.channel_mean %{{[0-9]+$}}
  %7 = root.channel_mean %6
  // CHECK-NEXT: root.channel_max %{{[0-9]+$}}
  %8 = root.channel_max %6
  %9 = root.add %7, %8
  %10 = root.global_average_pool %9
  root.output %10
}
