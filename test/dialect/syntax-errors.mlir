// What the parser refuses, at the place.
// RUN: rootc-opt %s --split-input-file --verify-diagnostics

// expected-error @+1 {{custom op 'root.network' needs the clause 'classes', as in classes(10)}}
root.network @classes(%image: !root.image<1x1x2>) {
  root.output %image
}

// -----

// expected-error @+1 {{expected the image's size, as in !root.image<32x32x3> (height x width x channels)}}
root.network @shapeless(%image: !root.image) classes(2) {
  root.output %image
}

// -----

// expected-error @+1 {{an image is height x width x channels; got 2 dimensions}}
root.network @rank(%image: !root.image<32x32>) classes(2) {
  root.output %image
}

// -----

// expected-error @+1 {{has no clause 'clases'; it takes classes(10), shaped}}
root.network @misspelled(%image: !root.image<1x1x2>) clases(2) {
  root.output %image
}

// -----

root.network @unknown_op(%image: !root.image<1x1x2>) classes(2) {
  // expected-error @+1 {{custom op 'root.conv3d' does not exist; did you mean 'root.conv2d'? A network is made of root.adaptive_average_pool, root.add, root.auxiliary, root.average_pool, root.batch_norm, root.branch_softmax, root.channel_max, root.channel_mean, root.channel_shuffle, root.clip, root.concat, root.conv2d, root.conv2d_transpose, root.depth_to_space, root.drop_path, root.dropout, root.elu, root.gelu, root.global_average_pool, root.group_norm, root.hard_sigmoid, root.hard_swish, root.layer_norm, root.layer_scale, root.leaky_relu, root.linear, root.local_response_norm, root.max_pool, root.mish, root.multiply, root.output, root.pad, root.prelu, root.relu, root.resize, root.sigmoid, root.silu, root.slice_channels, root.softplus, root.space_to_depth}}
  %0 = root.conv3d "a" %image filters(2) kernel(1x1)
  root.output %0
}

// -----

root.network @unknown_clause(%image: !root.image<1x1x2>) classes(2) {
  // expected-error @+1 {{has no clause 'padding'; it takes filters(64), kernel(3x3), stride(2), pad(1), dilation(2), groups(8), no_bias, standardize(1e-6), stage(1), ungrouped}}
  %0 = root.conv2d "a" %image filters(2) kernel(1x1) padding(1)
  root.output %0
}

// -----

root.network @no_clauses(%image: !root.image<1x1x2>) classes(2) {
  // expected-error @+1 {{has no clause 'slope'; it takes none}}
  %0 = root.relu %image slope(0.1)
  root.output %0
}

// -----

root.network @twice(%image: !root.image<1x1x2>) classes(2) {
  // expected-error @+1 {{clause 'pad' is given twice}}
  %0 = root.conv2d "a" %image filters(2) pad(1) kernel(1x1) pad(1)
  root.output %0
}

// -----

root.network @missing(%image: !root.image<1x1x2>) classes(2) {
  // expected-error @+1 {{needs the clause 'kernel', as in kernel(3x3)}}
  %0 = root.conv2d "a" %image filters(2)
  root.output %0
}

// -----

root.network @name(%image: !root.image<1x1x2>) classes(2) {
  // expected-error @+1 {{expected the layer's name in quotes, as in root.conv2d "layer1" %x}}
  %0 = root.conv2d %image filters(2) kernel(1x1)
  root.output %0
}

// -----

root.network @negative(%image: !root.image<1x1x2>) classes(2) {
  // expected-error @+1 {{expected sizes that are not negative, as in pad(1)}}
  %0 = root.conv2d "a" %image filters(2) kernel(1x1) pad(-1)
  root.output %0
}

// -----

root.network @kernel_rank(%image: !root.image<1x1x2>) classes(2) {
  // expected-error @+1 {{'kernel' takes one or two sizes, as in 3 or 3x5 (height x width); got 3}}
  %0 = root.conv2d "a" %image filters(2) kernel(3x3x3)
  root.output %0
}

// -----

root.network @pad_form(%image: !root.image<1x1x2>) classes(2) {
  // expected-error @+1 {{'pad' is written pad(2), pad(2x1) (vertical x horizontal) or pad(0,0,1,1) (top, left, bottom, right)}}
  %0 = root.conv2d "a" %image filters(2) kernel(1x1) pad(1,2)
  root.output %0
}

// -----

root.network @too_large(%image: !root.image<1x1x2>) classes(2) {
  // expected-error @+1 {{integer value too large}}
  %0 = root.conv2d "a" %image filters(9223372036854775808) kernel(1x1)
  root.output %0
}

// -----

root.network @dimension_too_large(%image: !root.image<1x1x2>) classes(2) {
  // expected-error @+1 {{invalid dimension}}
  %0 = root.conv2d "a" %image filters(2) kernel(1x99999999999999999999)
  root.output %0
}

// -----

root.network @whole(%image: !root.image<1x1x2>) classes(2) {
  // expected-error @+1 {{expected a whole number, as in groups(8)}}
  %0 = root.conv2d "a" %image filters(2) kernel(1x1) groups(two)
  root.output %0
}

// -----

root.network @number(%image: !root.image<1x1x2>) classes(2) {
  // expected-error @+1 {{expected a number, as in rate(0.5)}}
  %0 = root.dropout %image rate(half)
  root.output %0
}

// -----

root.network @exponent(%image: !root.image<1x1x2>) classes(2) {
  // expected-error @+1 {{expected a number, as in rate(0.5)}}
  %0 = root.dropout %image rate(1e)
  root.output %0
}

// -----

root.network @hexadecimal(%image: !root.image<1x1x2>) classes(2) {
  // expected-error @+1 {{expected a number, as in rate(0.5)}}
  %0 = root.dropout %image rate(0x1)
  root.output %0
}

// -----

root.network @exponent_word(%image: !root.image<1x1x2>) classes(2) {
  // expected-error @+1 {{expected a number, as in rate(0.5)}}
  %0 = root.dropout %image rate(1e5th)
  root.output %0
}

// -----

root.network @rounding(%image: !root.image<1x1x2>) classes(2) {
  // expected-error @+1 {{expected floor or ceil}}
  %0 = root.max_pool %image kernel(1x1) rounding(up)
  root.output %0
}

// -----

root.network @braces(%image: !root.image<1x1x2>) classes(2) {
  // expected-error @+1 {{'groups' is given by a clause, not in braces}}
  %0 = root.conv2d "a" %image filters(2) kernel(1x1) {groups = 2}
  root.output %0
}

// -----

root.network @types(%image: !root.image<1x1x2>) classes(2) {
  // expected-error @+1 {{expected the types of 1 operands and of one result}}
  %0 = root.relu %image : (!root.image, !root.image) -> !root.image
  root.output %0
}

// -----

root.network @operand_type(%image: !root.image<1x1x2>) classes(2) {
  // expected-error @+1 {{'root.relu' op result #0 must be}}
  %0 = "root.relu"(%image) : (!root.image) -> i32
  root.output %image
}
