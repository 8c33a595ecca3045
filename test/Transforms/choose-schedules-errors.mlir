// RUN: rootc-opt %s --root-choose-schedules --split-input-file --verify-diagnostics

root.model @unpacked image(16x16x16) classes(3) {
  root.program @infer kind(infer) {
    %x = root.argument image : tensor<?x16x16x16xf32>
    %f = root.prepared "f" : tensor<16x1x1x16xf32>
    // expected-error @below {{cannot be scheduled: }}
    %1 = root.kernel (%a = %x, %b = %f) : (tensor<?x16x16x16xf32>, tensor<16x1x1x16xf32>) -> tensor<?x16x16x16xf32> {
      %c = root.prim.conv2d %a, %b {block = 0, dilation = array<i64: 1, 1>, filters = 16, groups = 1, input = array<i64: 16, 16>, kernel = array<i64: 1, 1>, pad = array<i64: 0, 0, 0, 0>, stride = array<i64: 1, 1>} : (tensor<?x16x16x16xf32>, tensor<16x1x1x16xf32>) -> tensor<?x16x16x16xf32>
      root.yield %c : tensor<?x16x16x16xf32>
    }
    root.store logits %1 : tensor<?x16x16x16xf32>
  }
}

// -----

root.model @unknown_key image(16x16x16) classes(3) {
  root.program @infer kind(infer) {
    %x = root.argument image : tensor<?x16x16x16xf32>
    %f = root.prepared "f" : tensor<1x1x1x16x16xf32>
    // expected-error @below {{cannot have its schedule: 'tile' is no key of the schedule family 'convolution'; its keys are 'blocks', 'copy', 'inside', 'lanes', 'rows', 'tile_n', 'tile_x', 'tile_y', 'unroll'}}
    %1 = root.kernel (%a = %x, %b = %f) schedule({tile = 4}) : (tensor<?x16x16x16xf32>, tensor<1x1x1x16x16xf32>) -> tensor<?x16x16x16xf32> {
      %c = root.prim.conv2d %a, %b {block = 16, dilation = array<i64: 1, 1>, filters = 16, groups = 1, input = array<i64: 16, 16>, kernel = array<i64: 1, 1>, pad = array<i64: 0, 0, 0, 0>, stride = array<i64: 1, 1>} : (tensor<?x16x16x16xf32>, tensor<1x1x1x16x16xf32>) -> tensor<?x16x16x16xf32>
      root.yield %c : tensor<?x16x16x16xf32>
    }
    root.store logits %1 : tensor<?x16x16x16xf32>
  }
}

// -----

root.model @illegal_value image(16x16x16) classes(3) {
  root.program @infer kind(infer) {
    %x = root.argument image : tensor<?x16x16x16xf32>
    %f = root.prepared "f" : tensor<1x1x1x16x16xf32>
    // expected-error @below {{cannot have its schedule: 'rows' is 3, which does not divide the map's height, 16}}
    %1 = root.kernel (%a = %x, %b = %f) schedule({rows = 3}) : (tensor<?x16x16x16xf32>, tensor<1x1x1x16x16xf32>) -> tensor<?x16x16x16xf32> {
      %c = root.prim.conv2d %a, %b {block = 16, dilation = array<i64: 1, 1>, filters = 16, groups = 1, input = array<i64: 16, 16>, kernel = array<i64: 1, 1>, pad = array<i64: 0, 0, 0, 0>, stride = array<i64: 1, 1>} : (tensor<?x16x16x16xf32>, tensor<1x1x1x16x16xf32>) -> tensor<?x16x16x16xf32>
      root.yield %c : tensor<?x16x16x16xf32>
    }
    root.store logits %1 : tensor<?x16x16x16xf32>
  }
}

// -----

root.model @absurd_value image(16x16x16) classes(3) {
  root.program @infer kind(infer) {
    %x = root.argument image : tensor<?x16x16x16xf32>
    %f = root.prepared "f" : tensor<1x1x1x16x16xf32>
    // expected-error @below {{cannot have its schedule: 'lanes' is 9223372036854775807, not from 1 to 16}}
    %1 = root.kernel (%a = %x, %b = %f) schedule({lanes = 9223372036854775807}) : (tensor<?x16x16x16xf32>, tensor<1x1x1x16x16xf32>) -> tensor<?x16x16x16xf32> {
      %c = root.prim.conv2d %a, %b {block = 16, dilation = array<i64: 1, 1>, filters = 16, groups = 1, input = array<i64: 16, 16>, kernel = array<i64: 1, 1>, pad = array<i64: 0, 0, 0, 0>, stride = array<i64: 1, 1>} : (tensor<?x16x16x16xf32>, tensor<1x1x1x16x16xf32>) -> tensor<?x16x16x16xf32>
      root.yield %c : tensor<?x16x16x16xf32>
    }
    root.store logits %1 : tensor<?x16x16x16xf32>
  }
}

// -----

// Elementwise, walked as rows of W * C: nothing to choose.
root.model @no_keys image(4x4x3) classes(3) {
  root.program @infer kind(infer) {
    %x = root.argument image : tensor<?x4x4x3xf32>
    // expected-error @below {{cannot have its schedule: 'rows' is no key of the schedule family 'flat'; it has none}}
    %1 = root.kernel (%a = %x) schedule({rows = 1}) : (tensor<?x4x4x3xf32>) -> tensor<?x4x4x3xf32> {
      %c = root.prim.relu %a : (tensor<?x4x4x3xf32>) -> tensor<?x4x4x3xf32>
      root.yield %c : tensor<?x4x4x3xf32>
    }
    root.store logits %1 : tensor<?x4x4x3xf32>
  }
}
