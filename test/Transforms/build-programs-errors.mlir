// RUN: rootc-opt %s --root-build-programs --split-input-file --verify-diagnostics

// expected-error @+1 {{has no shapes; run root-infer-shapes first}}
root.network @shapeless(%image: !root.image<1x1x2>) classes(2) {
  root.output %image
}
