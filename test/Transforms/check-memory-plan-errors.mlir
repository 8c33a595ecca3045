// RUN: rootc-opt %s --root-check-memory-plan --split-input-file --verify-diagnostics

root.model @overlap image(1x1x16) classes(3) {
  // expected-error @below {{has a wrong memory plan for batch: at call 1 buffers overlap at byte 0}}
  root.program @infer kind(infer) attributes {batch_bytes = 64 : i64, fixed_bytes = 0 : i64} {
    %x = root.argument image : tensor<?x1x1x16xf32>
    %y = root.kernel (%a = %x) slots([#root.slot<batch, 0>]) : (tensor<?x1x1x16xf32>) -> tensor<?x1x1x16xf32> {
      %r = root.prim.relu %a : (tensor<?x1x1x16xf32>) -> tensor<?x1x1x16xf32>
      root.yield %r : tensor<?x1x1x16xf32>
    }
    %z = root.kernel (%a = %y) slots([#root.slot<batch, 0>]) : (tensor<?x1x1x16xf32>) -> tensor<?x1x1x16xf32> {
      %r = root.prim.relu %a : (tensor<?x1x1x16xf32>) -> tensor<?x1x1x16xf32>
      root.yield %r : tensor<?x1x1x16xf32>
    }
  }
}

// -----

root.model @beyond image(1x1x16) classes(3) {
  // expected-error @below {{a buffer of 64 bytes at 64 leaves its arena of 64 bytes or is not aligned}}
  root.program @infer kind(infer) attributes {batch_bytes = 64 : i64, fixed_bytes = 0 : i64} {
    %x = root.argument image : tensor<?x1x1x16xf32>
    %y = root.kernel (%a = %x) slots([#root.slot<batch, 64>]) : (tensor<?x1x1x16xf32>) -> tensor<?x1x1x16xf32> {
      %r = root.prim.relu %a : (tensor<?x1x1x16xf32>) -> tensor<?x1x1x16xf32>
      root.yield %r : tensor<?x1x1x16xf32>
    }
  }
}

// -----

root.model @arena image(1x1x16) classes(3) {
  root.program @infer kind(infer) attributes {batch_bytes = 64 : i64, fixed_bytes = 64 : i64} {
    %x = root.argument image : tensor<?x1x1x16xf32>
    // expected-error @below {{keeps a result that nothing stores in fixed, not in batch}}
    %y = root.kernel (%a = %x) slots([#root.slot<fixed, 0>]) : (tensor<?x1x1x16xf32>) -> tensor<?x1x1x16xf32> {
      %r = root.prim.relu %a : (tensor<?x1x1x16xf32>) -> tensor<?x1x1x16xf32>
      root.yield %r : tensor<?x1x1x16xf32>
    }
  }
}

// -----

root.model @unplanned image(1x1x16) classes(3) {
  root.program @infer kind(infer) {
    %x = root.argument image : tensor<?x1x1x16xf32>
    // expected-error @below {{has no slots; run root-plan-memory}}
    %y = root.kernel (%a = %x) : (tensor<?x1x1x16xf32>) -> tensor<?x1x1x16xf32> {
      %r = root.prim.relu %a : (tensor<?x1x1x16xf32>) -> tensor<?x1x1x16xf32>
      root.yield %r : tensor<?x1x1x16xf32>
    }
  }
}

// -----

root.model @late image(1x1x16) classes(3) {
  root.program @train kind(train) attributes {batch_bytes = 0 : i64, fixed_bytes = 64 : i64} {
    %m = root.statistic "m" : tensor<16xf32>
    %n = root.kernel (%a = %m) slots([#root.slot<statistics, 0>]) : (tensor<16xf32>) -> tensor<16xf32> {
      %r = root.prim.running_average %a, %a {momentum = 0.1} : (tensor<16xf32>, tensor<16xf32>) -> tensor<16xf32>
      root.yield %r : tensor<16xf32>
    }
    // expected-error @below {{reads statistic 'm' after an earlier kernel has overwritten it}}
    %k = root.kernel (%a = %m) slots([#root.slot<fixed, 0>]) : (tensor<16xf32>) -> tensor<16xf32> {
      %r = root.prim.copy %a : (tensor<16xf32>) -> tensor<16xf32>
      root.yield %r : tensor<16xf32>
    }
    root.store statistic "m" %n : tensor<16xf32>
  }
}

// -----

root.model @order image(1x1x16) classes(3) {
  root.program @update kind(update) {
    %p = root.argument parameters : tensor<?xf32>
    // expected-error @below {{overwrites parameters, which it reads in another order}}
    %q = root.kernel (%a = %p) slots([#root.slot<parameters, 0>]) : (tensor<?xf32>) -> tensor<?xf32> {
      %r = root.prim.copy %a : (tensor<?xf32>) -> tensor<?xf32>
      root.yield %r : tensor<?xf32>
    }
    root.store parameters %q : tensor<?xf32>
  }
}
