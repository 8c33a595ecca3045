// RUN: rootc-opt %s --root-hoist-prepare --verify-diagnostics

root.model @twice image(1x1x1) classes(1) {
  // expected-error @+1 {{exists already: root-hoist-prepare makes it}}
  root.program @prepare kind(prepare) {
  }
  root.program @infer kind(infer) {
  }
}
