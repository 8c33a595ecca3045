// RUN: rootc-opt %s -split-input-file -verify-diagnostics --root-infer-shapes

root.network @ln1(%image: !root.image<8x8x4>) classes(6) {
  // expected-error @+1 {{(LN1) a layer's name}}
  %0 = root.layer_norm "a,b" %image
  root.output %0
}

// -----

root.network @ln2(%image: !root.image<8x8x4>) classes(6) {
  // expected-error @+1 {{(LN2) epsilon must be positive and finite}}
  %0 = root.layer_norm "a" %image epsilon(0)
  root.output %0
}

// -----

root.network @ln3(%image: !root.image<8x8x4>) classes(6) {
  // expected-error @+1 {{(LN3) the name "input" would make the tensor input.scale, which holds how images are normalised; rename this layer}}
  %0 = root.layer_norm "input" %image
  root.output %0
}

// -----

root.network @gn1(%image: !root.image<8x8x4>) classes(6) {
  // expected-error @+1 {{(GN1) a layer's name}}
  %0 = root.group_norm "" %image groups(2)
  root.output %0
}

// -----

root.network @gn2(%image: !root.image<8x8x4>) classes(6) {
  // expected-error @+1 {{(GN2) epsilon must be positive and finite}}
  %0 = root.group_norm "a" %image groups(2) epsilon(1e999)
  root.output %0
}

// -----

root.network @gn3(%image: !root.image<8x8x4>) classes(6) {
  // expected-error @+1 {{(GN3) the name "input"}}
  %0 = root.group_norm "input" %image groups(2)
  root.output %0
}

// -----

root.network @gn4(%image: !root.image<8x8x4>) classes(6) {
  // expected-error @+1 {{(GN4) groups is 0; it must be from 1}}
  %0 = root.group_norm "a" %image groups(0)
  root.output %0
}

// -----

root.network @gn5(%image: !root.image<8x8x4>) classes(6) {
  // expected-error @+1 {{(GN5) 3 groups do not divide 4 channels; choose a divisor}}
  %0 = root.group_norm "a" %image groups(3)
  root.output %0
}

// -----

root.network @no_groups(%image: !root.image<8x8x4>) classes(6) {
  // expected-error @+1 {{needs the clause 'groups', as in groups(32)}}
  %0 = root.group_norm "a" %image
  root.output %0
}

// -----

root.model @net image(4x4x3) classes(10) {
  root.program @p kind(infer) {
    %x = root.argument image : tensor<?x4x4x3xf32>
    %v = root.prepared "v" : tensor<3xf32>
    %w = root.prepared "w" : tensor<8xf32>
    // expected-error @below {{expects a vector over the channels of shape [3], got [8]}}
    %y = root.prim.layer_norm %x, %v, %w {epsilon = 1.0e-5} : (tensor<?x4x4x3xf32>, tensor<3xf32>, tensor<8xf32>) -> tensor<?x4x4x3xf32>
  }
}

// -----

root.model @net image(4x4x3) classes(10) {
  root.program @p kind(infer) {
    %x = root.argument image : tensor<?x4x4x3xf32>
    // expected-error @below {{cannot split 3 channels into 2 groups}}
    %m, %i = root.prim.group_norm_statistics %x {epsilon = 1.0e-5, groups = 2 : i64} : (tensor<?x4x4x3xf32>) -> (tensor<?x1x1x3xf32>, tensor<?x1x1x3xf32>)
  }
}

// -----

root.model @net image(4x4x3) classes(10) {
  root.program @p kind(infer) {
    %x = root.argument image : tensor<?x4x4x3xf32>
    // expected-error @below {{expects a value for each image and channel of shape [?, 1, 1, 3], got [?, 4, 4, 3]}}
    %m, %i = root.prim.group_norm_statistics %x {epsilon = 1.0e-5, groups = 3 : i64} : (tensor<?x4x4x3xf32>) -> (tensor<?x1x1x3xf32>, tensor<?x4x4x3xf32>)
  }
}
