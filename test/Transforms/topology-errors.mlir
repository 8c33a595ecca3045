// RUN: not rootc-opt %s --root-topology=root=5 2>&1 | FileCheck %s --check-prefix=DIVIDE
// RUN: not rootc-opt %s --root-topology='root=2147483647 topology=tree' 2>&1 | FileCheck %s --check-prefix=HUGE
// RUN: not rootc-opt %s --root-topology=root=-1 2>&1 | FileCheck %s --check-prefix=NEGATIVE
// RUN: not rootc-opt %s --root-topology=root=9223372036854775807 2>&1 | FileCheck %s --check-prefix=NEGATIVE
// RUN: not rootc-opt %s --root-topology='root=2 topology=bush' 2>&1 | FileCheck %s --check-prefix=TOPOLOGY
// RUN: not rootc-opt %s --root-topology=groups=b=3 2>&1 | FileCheck %s --check-prefix=NAMED
// RUN: not rootc-opt %s --root-topology=groups=b=0 2>&1 | FileCheck %s --check-prefix=ZERO
// RUN: not rootc-opt %s --root-topology=groups=c=2 2>&1 | FileCheck %s --check-prefix=UNKNOWN
// RUN: not rootc-opt %s --root-topology=groups=b=2,b=4 2>&1 | FileCheck %s --check-prefix=TWICE
// RUN: not rootc-opt %s --root-topology=groups=b 2>&1 | FileCheck %s --check-prefix=FORM
// RUN: not rootc-opt %s --root-topology=groups=b=two 2>&1 | FileCheck %s --check-prefix=FORM
// RUN: not rootc-opt %s --root-topology=groups=b=2, 2>&1 | FileCheck %s --check-prefix=FORM
// RUN: not rootc-opt %s --root-topology='root=2 groups=b=2' 2>&1 | FileCheck %s --check-prefix=NOTHING
// RUN: sed 's/"b" %0/"b" %0 stage(2)/' %s > %t.mlir
// RUN: not rootc-opt %t.mlir --root-topology=root=3 2>&1 | FileCheck %s --check-prefix=ONE
// RUN: rootc-opt %s --root-topology=root=1 2>&1 | FileCheck %s --check-prefix=BASE

// NEGATIVE: topology-errors.mlir:[[# @LINE + 5]]:1: error: root-{{(-1|9223372036854775807)}}: the number of groups must be from 1 to 2147483647
// TOPOLOGY: error: topology 'bush' is not root, tree or column
// TWICE: error: groups 'b=4': 'b' is given twice
// UNKNOWN: error: groups 'c=2': no convolution is named 'c'; there are a, b
// FORM: error: groups '{{(b|b=two)?}}' is not NAME=GROUPS, as in conv2a=4
root.network @net(%image: !root.image<8x8x4>) classes(4) {
  %0 = root.conv2d "a" %image filters(8) kernel(3x3)
  // DIVIDE: topology-errors.mlir:[[# @LINE + 4]]:8: error: "b" cannot have 5 groups: they do not divide its 8 input channels and 4 filters; choose other groups, or mark it 'ungrouped'
  // HUGE: topology-errors.mlir:[[# @LINE + 3]]:8: error: "b" cannot have 2147483647 groups
  // NAMED: topology-errors.mlir:[[# @LINE + 2]]:8: error: "b" cannot have 3 groups
  // ZERO: topology-errors.mlir:[[# @LINE + 1]]:8: error: "b" cannot have 0 groups
  %1 = root.conv2d "b" %0 filters(4) kernel(3x3)
  %2 = root.global_average_pool %1
  root.output %2
}

// ONE: error: root-3 makes no groups: at the stages of the convolutions that it may change, 1 group is left; give a larger number
// BASE: remark: root-1 makes no groups: every convolution has one anyway
// NOTHING: topology-errors.mlir:[[# @LINE - 13]]:1: error: root-2 changes nothing: it needs a convolution with one group, larger than 1x1 and behind another convolution, or a clause 'stage'
