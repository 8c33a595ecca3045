// Layer norm and group norm, with each of their clauses and without; what is
// printed reads back as the same, in the generic form too.
// RUN: rootc-opt %s | FileCheck %s
// RUN: rootc-opt %s | rootc-opt | FileCheck %s
// RUN: rootc-opt %s --mlir-print-op-generic | rootc-opt | FileCheck %s

// CHECK-LABEL: root.network @norms(%image: !root.image<4x4x12>) classes(12) {
root.network @norms(%image: !root.image<4x4x12>) classes(12) {
  // CHECK-NEXT: root.layer_norm "norm1" %image{{$}}
  %0 = root.layer_norm "norm1" %image epsilon(1e-5)
  // CHECK-NEXT: root.layer_norm "norm2" %{{[0-9]+}} epsilon(1e-06)
  %1 = root.layer_norm "norm2" %0 epsilon(1e-6)
  // CHECK-NEXT: root.group_norm "norm3" %{{[0-9]+}} groups(1){{$}}
  %2 = root.group_norm "norm3" %1 groups(1)
  // CHECK-NEXT: root.group_norm "norm4" %{{[0-9]+}} groups(4) epsilon(0.001)
  %3 = root.group_norm "norm4" %2 epsilon(1e-3) groups(4)
  %4 = root.global_average_pool %3
  root.output %4
}
