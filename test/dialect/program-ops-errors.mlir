// RUN: rootc-opt %s --split-input-file --verify-diagnostics

root.model @net image(4x4x3) classes(10) {
  root.arena_tensor parameter "a" role("bias") : tensor<3xf32>
  // expected-error @below {{defines 'a' again}}
  root.arena_tensor parameter "a" role("bias") : tensor<3xf32>
}

// -----

root.model @net image(4x4x3) classes(10) {
  // expected-error @below {{holds floats, so its type must be of f32}}
  root.arena_tensor parameter "a" role("bias") : tensor<3xf64>
}

// -----

root.model @net image(4x4x3) classes(10) {
  // expected-error @below {{needs an offset that is a multiple of 16 floats}}
  root.arena_tensor parameter "a" role("bias") offset(8) : tensor<3xf32>
}

// -----

root.model @net image(4x4x3) classes(10) {
  root.program @infer kind(infer) {
    // expected-error @below {{has no place in a root.program}}
    builtin.module {
    }
  }
}

// -----

root.model @net image(4x4x3) classes(10) {
  root.program @infer kind(infer) {
    %x = root.argument image : tensor<?x4x4x3xf32>
    // expected-error @below {{takes no name}}
    root.store logits "x" %x : tensor<?x4x4x3xf32>
  }
}

// -----

root.model @net image(4x4x3) classes(10) {
  root.program @infer kind(infer) {
    %x = root.argument image : tensor<?x4x4x3xf32>
    // expected-error @below {{needs the name of a tensor}}
    root.store gradient %x : tensor<?x4x4x3xf32>
  }
}

// -----

root.model @net image(4x4x3) classes(10) {
  root.program @infer kind(infer) {
    %x = root.argument image : tensor<?x4x4x3xf32>
    // expected-error @below {{yields an input}}
    %y = root.kernel (%a = %x) : (tensor<?x4x4x3xf32>) -> tensor<?x4x4x3xf32> {
      root.yield %a : tensor<?x4x4x3xf32>
    }
  }
}

// -----

root.model @net image(4x4x3) classes(10) {
  root.program @infer kind(infer) {
    %x = root.argument image : tensor<?x4x4x3xf32>
    // expected-error @below {{yields other types than its results'}}
    %y = root.kernel (%a = %x) : (tensor<?x4x4x3xf32>) -> tensor<?x4x4x4xf32> {
      %r = root.prim.relu %a : (tensor<?x4x4x3xf32>) -> tensor<?x4x4x3xf32>
      root.yield %r : tensor<?x4x4x3xf32>
    }
  }
}

// -----

root.model @net image(4x4x3) classes(10) {
  root.program @infer kind(infer) {
    %x = root.argument image : tensor<?x4x4x3xf32>
    // expected-error @below {{yields a value twice}}
    %y:2 = root.kernel (%a = %x) : (tensor<?x4x4x3xf32>) -> (tensor<?x4x4x3xf32>, tensor<?x4x4x3xf32>) {
      %r = root.prim.relu %a : (tensor<?x4x4x3xf32>) -> tensor<?x4x4x3xf32>
      root.yield %r, %r : tensor<?x4x4x3xf32>, tensor<?x4x4x3xf32>
    }
  }
}

// -----

root.model @net image(4x4x3) classes(10) {
  root.program @infer kind(infer) {
    %x = root.argument image : tensor<?x4x4x3xf32>
    // expected-error @below {{needs one slot for each result}}
    %y = root.kernel (%a = %x) slots([]) : (tensor<?x4x4x3xf32>) -> tensor<?x4x4x3xf32> {
      %r = root.prim.relu %a : (tensor<?x4x4x3xf32>) -> tensor<?x4x4x3xf32>
      root.yield %r : tensor<?x4x4x3xf32>
    }
  }
}

// -----

root.model @net image(4x4x3) classes(10) {
  root.program @infer kind(infer) {
    %x = root.argument image : tensor<?x4x4x3xf32>
    // expected-error @below {{has a schedule whose key 'lanes' is not a 64-bit integer}}
    %y = root.kernel (%a = %x) schedule({lanes = "8"}) : (tensor<?x4x4x3xf32>) -> tensor<?x4x4x3xf32> {
      %r = root.prim.relu %a : (tensor<?x4x4x3xf32>) -> tensor<?x4x4x3xf32>
      root.yield %r : tensor<?x4x4x3xf32>
    }
  }
}

// -----

root.model @net image(4x4x3) classes(10) {
  root.program @infer kind(infer) {
    %x = root.argument image : tensor<?x4x4x3xf32>
    // expected-error @below {{expects 1 input types, got 2}}
    %y = root.kernel (%a = %x) : (tensor<?x4x4x3xf32>, tensor<?x4x4x3xf32>) -> tensor<?x4x4x3xf32> {
      %r = root.prim.relu %a : (tensor<?x4x4x3xf32>) -> tensor<?x4x4x3xf32>
      root.yield %r : tensor<?x4x4x3xf32>
    }
  }
}
