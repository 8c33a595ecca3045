// RUN: rootc-opt %s --root-choose-schedules --verify-diagnostics

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
