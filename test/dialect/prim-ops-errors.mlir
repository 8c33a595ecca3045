// RUN: rootc-opt %s --split-input-file --verify-diagnostics

root.model @net image(4x4x3) classes(10) {
  root.program @p kind(infer) {
    %x = root.argument image : tensor<?x4x4x3xf32>
    %f = root.prepared "f" : tensor<1x3x3x3x8xf32>
    // expected-error @below {{expects an output map of shape [?, 2, 2, 8], got [?, 3, 2, 8]}}
    %y = root.prim.conv2d %x, %f {block = 8, dilation = array<i64: 1, 1>, filters = 8, groups = 1, input = array<i64: 4, 4>, kernel = array<i64: 3, 3>, pad = array<i64: 0, 0, 0, 0>, stride = array<i64: 1, 1>} : (tensor<?x4x4x3xf32>, tensor<1x3x3x3x8xf32>) -> tensor<?x3x2x8xf32>
  }
}

// -----

root.model @net image(4x4x3) classes(10) {
  root.program @p kind(infer) {
    %x = root.argument image : tensor<?x4x4x3xf32>
    %f = root.prepared "f" : tensor<1x3x3x3x8xf32>
    // expected-error @below {{cannot split 8 filters into 3 groups}}
    %y = root.prim.conv2d %x, %f {block = 8, dilation = array<i64: 1, 1>, filters = 8, groups = 3, input = array<i64: 4, 4>, kernel = array<i64: 3, 3>, pad = array<i64: 0, 0, 0, 0>, stride = array<i64: 1, 1>} : (tensor<?x4x4x3xf32>, tensor<1x3x3x3x8xf32>) -> tensor<?x2x2x8xf32>
  }
}

// -----

root.model @net image(4x4x3) classes(10) {
  root.program @p kind(infer) {
    %x = root.argument image : tensor<?x4x4x3xf32>
    %f = root.prepared "f" : tensor<1x3x3x3x8xf32>
    // expected-error @below {{cannot split 3 channels into 2 groups}}
    %y = root.prim.conv2d %x, %f {block = 8, dilation = array<i64: 1, 1>, filters = 8, groups = 2, input = array<i64: 4, 4>, kernel = array<i64: 3, 3>, pad = array<i64: 0, 0, 0, 0>, stride = array<i64: 1, 1>} : (tensor<?x4x4x3xf32>, tensor<1x3x3x3x8xf32>) -> tensor<?x2x2x8xf32>
  }
}

// -----

root.model @net image(4x4x3) classes(10) {
  root.program @p kind(infer) {
    %x = root.argument image : tensor<?x4x4x3xf32>
    %f = root.prepared "f" : tensor<1x3x3x3x8xf32>
    // expected-error @below {{needs kernel, stride, dilation and input of at least 1 and no negative pad}}
    %y = root.prim.conv2d %x, %f {block = 8, dilation = array<i64: 1, 1>, filters = 8, groups = 1, input = array<i64: 4, 4>, kernel = array<i64: 3, 3>, pad = array<i64: 0, 0, 0, 0>, stride = array<i64: 0, 0>} : (tensor<?x4x4x3xf32>, tensor<1x3x3x3x8xf32>) -> tensor<?x2x2x8xf32>
  }
}

// -----

root.model @net image(4x4x3) classes(10) {
  root.program @p kind(infer) {
    %x = root.argument image : tensor<?x4x4x3xf32>
    %f = root.prepared "f" : tensor<1x3x3x3x8xf32>
    // expected-error @below {{has a kernel larger than its padded input}}
    %y = root.prim.conv2d %x, %f {block = 8, dilation = array<i64: 1, 1>, filters = 8, groups = 1, input = array<i64: 4, 4>, kernel = array<i64: 5, 5>, pad = array<i64: 0, 0, 0, 0>, stride = array<i64: 1, 1>} : (tensor<?x4x4x3xf32>, tensor<1x3x3x3x8xf32>) -> tensor<?x2x2x8xf32>
  }
}

// -----

root.model @net image(4x4x3) classes(10) {
  root.program @p kind(infer) {
    %x = root.argument image : tensor<?x5x4x3xf32>
    %f = root.prepared "f" : tensor<1x3x3x3x8xf32>
    // expected-error @below {{expects an input map of shape}}
    %y = root.prim.conv2d %x, %f {block = 8, dilation = array<i64: 1, 1>, filters = 8, groups = 1, input = array<i64: 4, 4>, kernel = array<i64: 3, 3>, pad = array<i64: 0, 0, 0, 0>, stride = array<i64: 1, 1>} : (tensor<?x5x4x3xf32>, tensor<1x3x3x3x8xf32>) -> tensor<?x2x2x8xf32>
  }
}

// -----

root.model @net image(4x4x3) classes(10) {
  root.program @p kind(infer) {
    %x = root.argument image : tensor<?x4x4x3xf32>
    %f = root.prepared "f" : tensor<1x3x3x3x8xf32>
    %v = root.prepared "v" : tensor<3xf32>
    // expected-error @below {{expects a vector over the channels of shape [8], got [3]}}
    %y = root.prim.conv2d %x, %f, %v {block = 8, dilation = array<i64: 1, 1>, filters = 8, groups = 1, input = array<i64: 4, 4>, kernel = array<i64: 3, 3>, pad = array<i64: 0, 0, 0, 0>, stride = array<i64: 1, 1>} : (tensor<?x4x4x3xf32>, tensor<1x3x3x3x8xf32>, tensor<3xf32>) -> tensor<?x2x2x8xf32>
  }
}

// -----

root.model @net image(4x4x3) classes(10) {
  root.program @p kind(infer) {
    %x = root.argument image : tensor<?x4x4x3xf32>
    %d = root.prepared "d" : tensor<2x2x2x8xf32>
    %z = root.prepared "z" : tensor<2x4x4x3xf32>
    // expected-error @below {{expects a filter of shape [8, 3, 3, 3], got [8, 3, 3, 1]}}
    %y = root.prim.conv2d_backward_filter %z, %d {block = 8, dilation = array<i64: 1, 1>, filters = 8, groups = 1, input = array<i64: 4, 4>, kernel = array<i64: 3, 3>, pad = array<i64: 0, 0, 0, 0>, stride = array<i64: 1, 1>} : (tensor<2x4x4x3xf32>, tensor<2x2x2x8xf32>) -> tensor<8x3x3x1xf32>
  }
}

// -----

root.model @net image(4x4x3) classes(10) {
  root.program @p kind(infer) {
    %w = root.parameter "w" : tensor<8x3x3x3xf32>
    // expected-error @below {{needs direction "forward" or "backward_data"}}
    %p = root.prim.pack_filter %w {block = 8, dilation = array<i64: 1, 1>, filters = 8, groups = 1, input = array<i64: 4, 4>, kernel = array<i64: 3, 3>, pad = array<i64: 0, 0, 0, 0>, stride = array<i64: 1, 1>, direction = "sideways"} : (tensor<8x3x3x3xf32>) -> tensor<1x3x3x3x8xf32>
  }
}

// -----

root.model @net image(4x4x3) classes(10) {
  root.program @p kind(infer) {
    %x = root.argument image : tensor<?x4x4x3xf32>
    // expected-error @below {{requires the same type for all operands and results}}
    %y = root.prim.relu %x : (tensor<?x4x4x3xf32>) -> tensor<?x4x4x4xf32>
  }
}

// -----

root.model @net image(4x4x3) classes(10) {
  root.program @p kind(infer) {
    %x = root.argument image : tensor<?x4x4x3xf32>
    %v = root.prepared "v" : tensor<3xf32>
    %w = root.prepared "w" : tensor<8xf32>
    // expected-error @below {{expects a vector over the channels of shape [3], got [8]}}
    %y = root.prim.batch_norm_normalize %x, %v, %v, %v, %w {epsilon = 1.0e-5} : (tensor<?x4x4x3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<8xf32>) -> tensor<?x4x4x3xf32>
  }
}

// -----

root.model @net image(4x4x3) classes(10) {
  root.program @p kind(infer) {
    %x = root.argument image : tensor<?x4x4x3xf32>
    %r = root.argument random : tensor<2xi64>
    %s = root.argument samples : tensor<?xi64>
    // expected-error @below {{needs a rate in [0, 1)}}
    %y = root.prim.dropout %x, %r, %s {ordinal = 0, rate = 1.0} : (tensor<?x4x4x3xf32>, tensor<2xi64>, tensor<?xi64>) -> tensor<?x4x4x3xf32>
  }
}

// -----

root.model @net image(4x4x3) classes(10) {
  root.program @p kind(infer) {
    %x = root.argument image : tensor<?x4x4x3xf32>
    // expected-error @below {{has a window that starts beyond its padded input}}
    %y = root.prim.max_pool %x {kernel = array<i64: 2, 2>, output = array<i64: 3, 2>, pad = array<i64: 0, 0, 0, 0>, stride = array<i64: 2, 2>} : (tensor<?x4x4x3xf32>) -> tensor<?x3x2x3xf32>
  }
}

// -----

root.model @net image(4x4x3) classes(10) {
  root.program @p kind(infer) {
    %x = root.argument image : tensor<?x32x32x3xf32>
    // expected-error @below {{expects an index map of 'i32', got 'ui8'}}
    %y:2 = root.prim.max_pool_with_index %x {kernel = array<i64: 16, 17>, output = array<i64: 1, 1>, pad = array<i64: 0, 0, 0, 0>, stride = array<i64: 2, 2>} : (tensor<?x32x32x3xf32>) -> (tensor<?x1x1x3xf32>, tensor<?x1x1x3xui8>)
  }
}

// -----

root.model @net image(4x4x3) classes(10) {
  root.program @p kind(infer) {
    %x = root.argument image : tensor<?x4x4x3xf32>
    // expected-error @below {{cannot take channels [2, 4) of 3}}
    %y = root.prim.slice_channels %x {begin = 2, end = 4} : (tensor<?x4x4x3xf32>) -> tensor<?x4x4x2xf32>
  }
}

// -----

root.model @net image(4x4x3) classes(10) {
  root.program @p kind(infer) {
    %x = root.argument image : tensor<?x4x4x3xf32>
    // expected-error @below {{expects a result of shape}}
    %y = root.prim.concat %x, %x : (tensor<?x4x4x3xf32>, tensor<?x4x4x3xf32>) -> tensor<?x4x4x3xf32>
  }
}

// -----

root.model @net image(4x4x3) classes(10) {
  root.program @p kind(infer) {
    %l = root.prepared "l" : tensor<1xf32>
    // expected-error @below {{needs one weight for each loss, and a loss}}
    %y = root.prim.weighted_sum %l {weights = array<f64: 1.0, 2.0>} : (tensor<1xf32>) -> tensor<1xf32>
  }
}

// -----

root.model @net image(4x4x3) classes(10) {
  root.program @p kind(infer) {
    %x = root.argument image : tensor<?x4x4x3xf32>
    %l = root.argument labels : tensor<?xi64>
    // expected-error @below {{expects logits of shape}}
    %y = root.prim.softmax_cross_entropy %x, %l : (tensor<?x4x4x3xf32>, tensor<?xi64>) -> tensor<1xf32>
  }
}

// -----

root.model @net image(4x4x3) classes(10) {
  root.program @p kind(infer) {
    %x = root.argument image : tensor<?x4x4x6xf32>
    %a = root.prepared "a" : tensor<2x4x4x6xf32>
    %b = root.prepared "b" : tensor<2x4x1x5xf32>
    // expected-error @below {{expects a factor of shape [2, 1, 1, 1], got [2, 4, 1, 5]}}
    %y = root.prim.multiply %a, %b : (tensor<2x4x4x6xf32>, tensor<2x4x1x5xf32>) -> tensor<2x4x4x6xf32>
  }
}

// -----

root.model @net image(4x4x3) classes(10) {
  root.program @p kind(infer) {
    %x = root.argument image : tensor<?x4x4x6xf32>
    // expected-error @below {{needs over "map", "channels" or "image"}}
    %y = root.prim.reduce_sum %x {over = "batch"} : (tensor<?x4x4x6xf32>) -> tensor<?x1x1x6xf32>
  }
}

// -----

root.model @net image(4x4x3) classes(10) {
  root.program @p kind(infer) {
    %x = root.argument image : tensor<?x4x4x6xf32>
    // expected-error @below {{expects a sum of shape [?, 1, 1, 6], got [?, 1, 1, 1]}}
    %y = root.prim.reduce_sum %x {over = "map"} : (tensor<?x4x4x6xf32>) -> tensor<?x1x1x1xf32>
  }
}

// -----

root.model @net image(4x4x3) classes(10) {
  root.program @p kind(infer) {
    %x = root.argument image : tensor<?x4x4x6xf32>
    %v = root.prepared "v" : tensor<4xf32>
    // expected-error @below {{expects a vector over the channels of shape [6], got [4]}}
    %y = root.prim.channel_affine %x, %v, %v : (tensor<?x4x4x6xf32>, tensor<4xf32>, tensor<4xf32>) -> tensor<?x4x4x6xf32>
  }
}

// -----

root.model @net image(4x4x3) classes(10) {
  root.program @p kind(infer) {
    %x = root.argument image : tensor<?x4x4x6xf32>
    // expected-error @below {{cannot shuffle 6 channels in 4 groups}}
    %y = root.prim.channel_shuffle %x {groups = 4} : (tensor<?x4x4x6xf32>) -> tensor<?x4x4x6xf32>
  }
}

// -----

root.model @net image(4x4x3) classes(10) {
  root.program @p kind(infer) {
    %x = root.argument image : tensor<?x4x4x6xf32>
    // expected-error @below {{cannot place 6 channels at 5, between 6 and 12}}
    %y = root.prim.pad_channels %x, %x {begins = array<i64: 0, 5>} : (tensor<?x4x4x6xf32>, tensor<?x4x4x6xf32>) -> tensor<?x4x4x12xf32>
  }
}

// -----

root.model @net image(4x4x3) classes(10) {
  root.program @p kind(infer) {
    %x = root.argument image : tensor<?x4x4x6xf32>
    // expected-error @below {{cannot place 6 channels at 7, between 0 and 12}}
    %y = root.prim.pad_channels %x {begins = array<i64: 7>} : (tensor<?x4x4x6xf32>) -> tensor<?x4x4x12xf32>
  }
}

// -----

root.model @net image(4x4x3) classes(10) {
  root.program @p kind(infer) {
    %x = root.argument image : tensor<?x4x4x6xf32>
    // expected-error @below {{needs one begin for each operand}}
    %y = root.prim.pad_channels %x {begins = array<i64: 0, 6>} : (tensor<?x4x4x6xf32>) -> tensor<?x4x4x12xf32>
  }
}

// -----

root.model @net image(4x4x6) classes(10) {
  root.program @p kind(infer) {
    %x = root.argument image : tensor<?x4x4x6xf32>
    %f = root.prepared "f" : tensor<1x3x3x6x8xf32>
    // expected-error @below {{cannot have channel orders 1 and 3}}
    %y = root.prim.conv2d %x, %f {block = 8, dilation = array<i64: 1, 1>, filters = 8, groups = 1, out_order = 3, input = array<i64: 4, 4>, kernel = array<i64: 3, 3>, pad = array<i64: 0, 0, 0, 0>, stride = array<i64: 1, 1>} : (tensor<?x4x4x6xf32>, tensor<1x3x3x6x8xf32>) -> tensor<?x2x2x8xf32>
  }
}

// -----

root.model @net image(4x4x6) classes(10) {
  root.program @p kind(infer) {
    %x = root.argument image : tensor<?x4x4x6xf32>
    %f = root.prepared "f" : tensor<1x3x3x6x8xf32>
    // expected-error @below {{cannot have 6 channels in order 4}}
    %y = root.prim.conv2d %x, %f {block = 8, dilation = array<i64: 1, 1>, filters = 8, groups = 1, in_order = 4, input = array<i64: 4, 4>, kernel = array<i64: 3, 3>, pad = array<i64: 0, 0, 0, 0>, stride = array<i64: 1, 1>} : (tensor<?x4x4x6xf32>, tensor<1x3x3x6x8xf32>) -> tensor<?x2x2x8xf32>
  }
}

// -----

root.model @net image(4x4x6) classes(10) {
  root.program @p kind(infer) {
    %x = root.argument image : tensor<?x4x4x6xf32>
    %f = root.prepared "f" : tensor<1x3x3x6x8xf32>
    // expected-error @below {{needs both channel orders 1 or both the number of groups, 2, not 2 and 1}}
    %y = root.prim.conv2d %x, %f {block = 8, dilation = array<i64: 1, 1>, filters = 8, groups = 2, in_order = 2, input = array<i64: 4, 4>, kernel = array<i64: 3, 3>, pad = array<i64: 0, 0, 0, 0>, stride = array<i64: 1, 1>} : (tensor<?x4x4x6xf32>, tensor<1x3x3x6x8xf32>) -> tensor<?x2x2x8xf32>
  }
}

// -----

root.model @net image(4x4x6) classes(10) {
  root.program @p kind(infer) {
    %w = root.parameter "w" : tensor<8x3x3x6xf32>
    // expected-error @below {{cannot have 6 channels in order 4}}
    %p = root.prim.pack_filter %w {block = 8, direction = "forward", dilation = array<i64: 1, 1>, filters = 8, groups = 1, in_order = 4, input = array<i64: 4, 4>, kernel = array<i64: 3, 3>, pad = array<i64: 0, 0, 0, 0>, stride = array<i64: 1, 1>} : (tensor<8x3x3x6xf32>) -> tensor<1x3x3x6x8xf32>
  }
}

// -----

// Winograd's convolution of a strided one.
root.model @m image(4x4x6) classes(2) {
  root.program @p kind(infer) {
    %x = root.argument image : tensor<?x4x4x6xf32>
    %f = root.prepared "f" : tensor<1x6x6x6x8xf32>
    // expected-error @below {{cannot be Winograd's convolution with tiles of 4; it needs stride and dilation 1, and tiles of 4 for a 3x3 kernel or of 2 for a 5x5 one}}
    %y = root.prim.conv2d %x, %f {block = 8, dilation = array<i64: 1, 1>, filters = 8, groups = 1, input = array<i64: 4, 4>, kernel = array<i64: 3, 3>, pad = array<i64: 0, 0, 0, 0>, stride = array<i64: 2, 2>, winograd = 4} : (tensor<?x4x4x6xf32>, tensor<1x6x6x6x8xf32>) -> tensor<?x1x1x8xf32>
  }
}

// -----

root.model @net image(4x4x3) classes(10) {
  root.program @p kind(infer) {
    %x = root.argument image : tensor<?x4x4x3xf32>
    %v = root.prepared "v" : tensor<2xf32>
    // expected-error @below {{expects a vector over the channels of shape [3], got [2]}}
    %y = root.prim.prelu %x, %v : (tensor<?x4x4x3xf32>, tensor<2xf32>) -> tensor<?x4x4x3xf32>
  }
}

// -----

root.model @net image(4x4x3) classes(10) {
  root.program @p kind(infer) {
    %x = root.argument image : tensor<?x4x4x3xf32>
    %v = root.prepared "v" : tensor<2xf32>
    // expected-error @below {{expects a vector over the channels of shape [3], got [2]}}
    %y = root.prim.scale_channels %x, %v : (tensor<?x4x4x3xf32>, tensor<2xf32>) -> tensor<?x4x4x3xf32>
  }
}

// -----

root.model @net image(4x4x3) classes(10) {
  root.program @p kind(infer) {
    %x = root.argument image : tensor<?x4x4x3xf32>
    // expected-error @below {{needs form "erf" or "tanh"}}
    %y = root.prim.gelu %x {form = "cosh"} : (tensor<?x4x4x3xf32>) -> tensor<?x4x4x3xf32>
  }
}

// -----

root.model @net image(4x4x3) classes(10) {
  root.program @p kind(infer) {
    %x = root.argument image : tensor<?x4x4x3xf32>
    // expected-error @below {{cannot pad [?, 4, 4, 3] by 4}}
    %y = root.prim.reflect_pad %x {pad = array<i64: 0, 4, 0, 0>} : (tensor<?x4x4x3xf32>) -> tensor<?x4x8x3xf32>
  }
}

// -----

root.model @net image(4x4x3) classes(10) {
  root.program @p kind(infer) {
    %x = root.argument image : tensor<?x4x4x3xf32>
    // expected-error @below {{expects a padded map of shape [?, 3, 4, 3], got [?, 4, 4, 3]}}
    %y = root.prim.pad %x {pad = array<i64: -1, 0, 0, 0>} : (tensor<?x4x4x3xf32>) -> tensor<?x4x4x3xf32>
  }
}

// -----

root.model @net image(4x4x3) classes(10) {
  root.program @p kind(infer) {
    %x = root.argument image : tensor<?x4x4x3xf32>
    // expected-error @below {{cannot cut [?, 4, 4, 3] into blocks of 3}}
    %y = root.prim.space_to_depth %x {block = 3 : i64, mode = "dcr"} : (tensor<?x4x4x3xf32>) -> tensor<?x1x1x27xf32>
  }
}

// -----

root.model @net image(4x4x3) classes(10) {
  root.program @p kind(infer) {
    %x = root.argument image : tensor<?x4x4x3xf32>
    // expected-error @below {{needs a block from 1 to 32768, and mode "dcr" or "crd"}}
    %y = root.prim.space_to_depth %x {block = 2 : i64, mode = "drc"} : (tensor<?x4x4x3xf32>) -> tensor<?x2x2x12xf32>
  }
}

// -----

root.model @net image(4x4x3) classes(10) {
  root.program @p kind(infer) {
    %x = root.argument image : tensor<?x4x4x3xf32>
    %v = root.prepared "v" : tensor<2xf32>
    %f = root.prepared "f" : tensor<3x1x1x4xf32>
    // expected-error @below {{expects a gain of shape [3], got [2]}}
    %y = root.prim.standardize_filter %f, %v {epsilon = 1.0e-6 : f64} : (tensor<3x1x1x4xf32>, tensor<2xf32>) -> tensor<3x1x1x4xf32>
  }
}
