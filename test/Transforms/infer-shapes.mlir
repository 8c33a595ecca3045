// RUN: rootc-opt %s --root-infer-shapes --split-input-file | FileCheck %s
// RUN: rootc-opt %s --root-infer-shapes --root-infer-shapes --split-input-file | FileCheck %s

// CHECK-LABEL: @windows(%image: !root.image<32x23x3>) classes(10) shaped
root.network @windows(%image: !root.image<32x23x3>) classes(10) {
  // CHECK: "a" {{.*}} -> !root.image<16x12x8>
  %a = root.conv2d "a" %image filters(8) kernel(3x3) stride(2) pad(1)
  // Extent 5x3, unequal pads: (16 + 3 - 5) / 1 + 1, (12 + 2 - 3) / 3 + 1.
  // CHECK: "b" {{.*}} -> !root.image<15x4x8>
  %b = root.conv2d "b" %a filters(8) kernel(3x3) stride(1x3) pad(1,0,2,2) dilation(2x1) groups(2)
  // CHECK: root.max_pool {{.*}} -> !root.image<7x1x8>
  %c = root.max_pool %b kernel(3x3) stride(2)
  // (4 - 3) / 2 rounded up.
  // CHECK: root.max_pool {{.*}} -> !root.image<7x2x8>
  %d = root.max_pool %b kernel(3x3) stride(2) rounding(ceil)
  // CHECK: root.concat {{.*}} -> !root.image<7x2x16>
  %e = root.concat %d, %d
  // CHECK: root.add {{.*}} -> !root.image<7x2x16>
  %f = root.add %e, %e
  // CHECK: root.global_average_pool {{.*}} -> !root.image<1x1x16>
  %g = root.global_average_pool %f
  // CHECK: root.clip {{.*}} -> !root.image<7x2x16>
  %i = root.clip %f min(0) max(6)
  // CHECK: root.multiply {{.*}} -> !root.image<7x2x16>
  %j = root.multiply %i, %g
  // CHECK: root.slice_channels {{.*}} -> !root.image<7x2x5>
  %k = root.slice_channels %j begin(3) end(8)
  // CHECK: root.channel_shuffle {{.*}} -> !root.image<7x2x5>
  %l = root.channel_shuffle %k groups(5)
  // CHECK: root.linear "fc" {{.*}} -> !root.image<1x1x10>
  %h = root.linear "fc" %f outputs(10)
  // CHECK: root.output {{.*}} : !root.image<1x1x10>
  root.output %h
}

// -----

// GoogLeNet's pool: 28 + 2 - 3 over 2, rounded up, gives 15. Two steps further,
// a last window that would start in the padding is dropped: (4 + 2 - 2) / 3 is
// rounded up to 2, but the third window would start at 6 > 4 + 1.
// CHECK-LABEL: @dropped
root.network @dropped(%image: !root.image<28x4x1>) classes(1) {
  // CHECK: root.max_pool {{.*}} -> !root.image<15x3x1>
  %a = root.max_pool %image kernel(3x3) stride(2) pad(1) rounding(ceil)
  // CHECK: root.average_pool {{.*}} -> !root.image<10x2x1>
  %b = root.average_pool %image kernel(2x2) stride(3) pad(1) rounding(ceil)
  %c = root.global_average_pool %b
  root.output %c
}

// -----

// Unequal pads, as files from TensorFlow have them: an even map halves with a
// pixel behind it alone. Rounded up, the last window may begin in front of the
// padding behind, but not in it.
// CHECK-LABEL: @same
root.network @same(%image: !root.image<8x10x4>) classes(8) {
  // CHECK: "conv" {{.*}} -> !root.image<4x5x8>
  %a = root.conv2d "conv" %image filters(8) kernel(3x3) stride(2) pad(0,0,1,1)
  // CHECK: root.max_pool {{.*}} -> !root.image<4x5x4>
  %b = root.max_pool %image kernel(3x3) stride(2) pad(0,0,1,1)
  // (8 + 1 - 3) / 4 and (10 + 1 - 3) / 3 rounded up; the last windows begin at
  // 7 and 9.
  // CHECK: root.average_pool {{.*}} -> !root.image<3x4x4>
  %c = root.average_pool %image kernel(3x3) stride(4x3) pad(1,0,0,1) rounding(ceil)
  // (5 + 2 - 3) / 3 rounded up is 2, but a third window would begin at 6.
  // CHECK: root.average_pool {{.*}} -> !root.image<2x2x8>
  %d = root.average_pool %a kernel(3x3) stride(3) pad(0,0,1,2) rounding(ceil) exclude_pad
  %e = root.global_average_pool %d
  root.output %e
}
