// RUN: rootc-opt %s -split-input-file -verify-diagnostics --root-infer-shapes

root.network @ct1(%image: !root.image<8x8x4>) classes(6) {
  // expected-error @+1 {{(CT1) a layer's name}}
  %0 = root.conv2d_transpose "a b" %image filters(4) kernel(2)
  root.output %0
}

// -----

root.network @ct2(%image: !root.image<8x8x4>) classes(6) {
  // expected-error @+1 {{(CT2) kernel is 0; it must be from 1}}
  %0 = root.conv2d_transpose "a" %image filters(4) kernel(0)
  root.output %0
}

// -----

root.network @ct3(%image: !root.image<8x8x4>) classes(6) {
  // expected-error @+1 {{(CT3) 2 groups do not divide 5 filters; choose a divisor}}
  %0 = root.conv2d_transpose "a" %image filters(5) kernel(2) groups(2)
  root.output %0
}

// -----

root.network @ct4(%image: !root.image<8x8x4>) classes(6) {
  // expected-error @+1 {{(CT4) 3 groups do not divide 4 input channels; choose a divisor}}
  %0 = root.conv2d_transpose "a" %image filters(6) kernel(2) groups(3)
  root.output %0
}

// -----

root.network @ct5(%image: !root.image<8x8x4>) classes(6) {
  // expected-error @+1 {{(CT5) output_pad 2 is not smaller than the stride, 2; use less}}
  %0 = root.conv2d_transpose "a" %image filters(6) kernel(2) stride(2) output_pad(1x2)
  root.output %0
}

// -----

root.network @ct6(%image: !root.image<1x1x4>) classes(6) {
  // expected-error @+1 {{(CT6) the height would be 0; use less padding}}
  %0 = root.conv2d_transpose "a" %image filters(6) kernel(2) pad(1)
  root.output %0
}

// -----

root.network @ct6_side(%image: !root.image<8x8x4>) classes(6) {
  // expected-error @+1 {{(CT6) the height would be more than 536870911; use a smaller stride}}
  %0 = root.conv2d_transpose "a" %image filters(6) kernel(2) stride(2000000000)
  root.output %0
}

// -----

root.network @ct7(%image: !root.image<8x8x4>) classes(6) {
  // expected-error @+1 {{(CT7) the filters, 4x10000x10000x6, exceed 2147483647 elements; make this layer smaller}}
  %0 = root.conv2d_transpose "a" %image filters(6) kernel(10000)
  root.output %0
}

// -----

root.network @rs1(%image: !root.image<8x8x4>) classes(6) {
  // expected-error @+1 {{(RS1) size is 0; it must be from 1}}
  %0 = root.resize %image size(0)
  root.output %0
}

// -----

root.network @rs2(%image: !root.image<8x8x4>) classes(6) {
  // expected-error @+1 {{(RS2) twice the product of the heights 8 and 1000000000 exceeds 2147483647; resize in steps}}
  %0 = root.resize %image size(1000000000x1)
  root.output %0
}

// -----

root.network @rs3(%image: !root.image<8x8x4>) classes(6) {
  // expected-error @+1 {{(RS3) the results of one image, 100000x100000x4, exceed}}
  %0 = root.resize %image size(100000)
  root.output %0
}

// -----

root.network @rs4(%image: !root.image<8x8x4>) classes(6) {
  // expected-error @+1 {{expected nearest or bilinear}}
  %0 = root.resize %image size(4) mode(cubic)
  root.output %0
}

// -----

root.network @rs4_generic(%image: !root.image<8x8x4>) classes(6) {
  // expected-error @+1 {{(RS4) mode, coordinates or round is no word}}
  %0 = "root.resize"(%image) <{size = array<i64: 4, 4>, mode = "cubic"}> : (!root.image) -> !root.image
  root.output %0
}

// -----

root.network @ap1(%image: !root.image<8x8x4>) classes(6) {
  // expected-error @+1 {{(AP1) size is 0; it must be from 1}}
  %0 = root.adaptive_average_pool %image size(0)
  root.output %0
}

// -----

root.network @sb1(%image: !root.image<8x8x4>) classes(6) {
  // expected-error @+1 {{(SB1) branches is 0; it must be from 1}}
  %0 = root.branch_softmax %image branches(0)
  root.output %0
}

// -----

root.network @sb2(%image: !root.image<8x8x4>) classes(6) {
  // expected-error @+1 {{(SB2) 3 branches do not divide 4 channels; choose a divisor}}
  %0 = root.branch_softmax %image branches(3)
  root.output %0
}

// -----

root.model @net image(4x4x3) classes(10) {
  root.program @p kind(infer) {
    %x = root.argument image : tensor<?x4x4x3xf32>
    // expected-error @below {{expects an output map of shape [?, 8, 8, 3], got [?, 8, 7, 3]}}
    %y = root.prim.resample %x {input = array<i64: 4, 4>, output = array<i64: 8, 8>, mode = "nearest", coordinates = "asymmetric", round = "floor"} : (tensor<?x4x4x3xf32>) -> tensor<?x8x7x3xf32>
  }
}

// -----

root.model @net image(4x4x3) classes(10) {
  root.program @p kind(infer) {
    %x = root.argument image : tensor<?x4x4x3xf32>
    // expected-error @below {{expects a value for each position of shape [?, 4, 4, 1], got [?, 4, 4, 3]}}
    %y = root.prim.channel_mean %x : (tensor<?x4x4x3xf32>) -> tensor<?x4x4x3xf32>
  }
}
