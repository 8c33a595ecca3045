// RUN: rootc-opt %s --root-build-programs --split-input-file --verify-diagnostics

// expected-error @+1 {{has no shapes; run root-infer-shapes first}}
root.network @shapeless(%image: !root.image<1x1x2>) classes(2) {
  root.output %image
}

// -----

// expected-error @+1 {{has 2097153 classes, and at most 2097152 can be trained; drop some, or compile it with --mode=infer}}
root.network @many(%image: !root.image<1x1x2097153>) classes(2097153) {
  root.output %image
}
