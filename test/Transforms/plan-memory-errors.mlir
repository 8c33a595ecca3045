// RUN: rootc-opt %s --root-plan-memory --split-input-file --verify-diagnostics

root.model @gradient image(1x1x3) classes(3) {
  // expected-error @below {{gets no gradient: 'a.bias' does not influence the loss; remove its layer}}
  root.arena_tensor parameter "a.bias" role("bias") : tensor<3xf32>
  root.program @train kind(train) {
  }
}

// -----

root.model @unknown image(1x1x3) classes(3) {
  root.arena_tensor statistic "a.mean" role("mean") : tensor<3xf32>
  root.program @prepare kind(prepare) {
    // expected-error @below {{names no parameter of the model: 'a.mean'}}
    %a = root.parameter "a.mean" : tensor<3xf32>
  }
}

// -----

root.model @size image(1x1x3) classes(3) {
  root.arena_tensor parameter "a.filter" role("filter") : tensor<3x1x1x3xf32>
  root.program @infer kind(infer) {
    // expected-error @below {{has another size than 'a.filter', which is 'tensor<3x1x1x3xf32>'}}
    %a = root.parameter "a.filter" : tensor<3x1x1x2xf32>
  }
}

// -----

root.model @unfused image(1x1x3) classes(3) {
  root.program @infer kind(infer) {
    %x = root.argument image : tensor<?x1x1x3xf32>
    // expected-error @below {{is in no kernel; run root-fuse-kernels}}
    %y = root.prim.relu %x : (tensor<?x1x1x3xf32>) -> tensor<?x1x1x3xf32>
    root.store logits %y : tensor<?x1x1x3xf32>
  }
}

// -----

root.model @identity image(1x1x3) classes(3) {
  root.program @infer kind(infer) {
    %x = root.argument image : tensor<?x1x1x3xf32>
    // expected-error @below {{needs a kernel's result of its own; run root-fuse-kernels}}
    root.store logits %x : tensor<?x1x1x3xf32>
  }
}

// -----

root.model @twice image(1x1x3) classes(3) {
  root.program @infer kind(infer) {
    %x = root.argument image : tensor<?x1x1x3xf32>
    %y = root.kernel (%a = %x) : (tensor<?x1x1x3xf32>) -> tensor<?x1x1x3xf32> {
      %r = root.prim.relu %a : (tensor<?x1x1x3xf32>) -> tensor<?x1x1x3xf32>
      root.yield %r : tensor<?x1x1x3xf32>
    }
    %z = root.kernel (%a = %y) : (tensor<?x1x1x3xf32>) -> tensor<?x1x1x3xf32> {
      %r = root.prim.relu %a : (tensor<?x1x1x3xf32>) -> tensor<?x1x1x3xf32>
      root.yield %r : tensor<?x1x1x3xf32>
    }
    root.store logits %y : tensor<?x1x1x3xf32>
    // expected-error @below {{overwrites what another store wrote}}
    root.store logits %z : tensor<?x1x1x3xf32>
  }
}

// -----

root.model @large image(1x1x3) classes(3) {
  // expected-error @below {{makes a tensor, 'tensor<4000000000x4000000000xf32>', of more than 2147483647 elements; make this layer smaller}}
  root.arena_tensor parameter "a.filter" role("filter") : tensor<4000000000x4000000000xf32>
}

// -----

root.model @batched image(1x1x3) classes(3) {
  root.program @prepare kind(prepare) {
    %x = root.argument image : tensor<?x1x1x3xf32>
    %y = root.kernel (%a = %x) : (tensor<?x1x1x3xf32>) -> tensor<?x1x1x3xf32> {
      %r = root.prim.relu %a : (tensor<?x1x1x3xf32>) -> tensor<?x1x1x3xf32>
      root.yield %r : tensor<?x1x1x3xf32>
    }
    // expected-error @below {{prepares a tensor that depends on a batch}}
    root.store prepared "p" %y : tensor<?x1x1x3xf32>
  }
}
