// RUN: rootc-opt %s --root-recompute --verify-diagnostics

root.model @planned image(1x1x16) classes(3) {
  // expected-error @below {{has a memory plan already; root-recompute comes before root-plan-memory}}
  root.program @infer kind(infer) attributes {batch_bytes = 64 : i64, fixed_bytes = 0 : i64} {
    %x = root.argument image : tensor<?x1x1x16xf32>
    %y = root.kernel (%a = %x) slots([#root.slot<batch, 0>]) : (tensor<?x1x1x16xf32>) -> tensor<?x1x1x16xf32> {
      %r = root.prim.relu %a : (tensor<?x1x1x16xf32>) -> tensor<?x1x1x16xf32>
      root.yield %r : tensor<?x1x1x16xf32>
    }
    root.store logits %y : tensor<?x1x1x16xf32>
  }
}
