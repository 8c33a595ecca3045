// RUN: rootc-opt %s --root-infer-shapes --root-build-programs --verify-diagnostics

// expected-error @+1 {{has 2097153 classes, and at most 2097152 can be trained; drop some, or compile it with --mode=infer}}
root.network @many(%image: !root.image<1x1x2097153>) classes(2097153) {
  root.output %image
}
