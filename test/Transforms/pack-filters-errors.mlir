// RUN: not rootc-opt %s --root-pack-filters=vector-bits=100 2>&1 | FileCheck %s --check-prefix=BITS
// RUN: not rootc-opt %s --root-pack-filters=registers=0 2>&1 | FileCheck %s --check-prefix=REGISTERS

// BITS: pack-filters-errors.mlir:6:1: error: {{.*}} cannot be packed for vector-bits 100 and registers 32; give a multiple of 32 of at least 128, and at least 8
// REGISTERS: cannot be packed for vector-bits 512 and registers 0;
root.model @none image(1x1x1) classes(1) {
}
