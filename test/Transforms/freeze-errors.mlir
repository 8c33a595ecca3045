// RUN: not rootc-opt %s '--root-freeze=layers=*' 2>&1 | FileCheck %s --check-prefix=ALL
// RUN: not rootc-opt %s '--root-freeze=layers=a,c*' 2>&1 | FileCheck %s --check-prefix=NONE
// RUN: not rootc-opt %s '--root-freeze=layers=a,,b' 2>&1 | FileCheck %s --check-prefix=EMPTY
// RUN: not rootc-opt %s '--root-freeze=layers=[a' 2>&1 | FileCheck %s --check-prefix=GLOB
// RUN: not rootc-opt %s '--root-classes=classes=3' 2>&1 | FileCheck %s --check-prefix=GROUPS

// ALL: freeze-errors.mlir:[[# @LINE + 4]]:1: error: freeze '*' leaves nothing to train; leave at least the classifier out, as in '*,!b'
// NONE: error: freeze 'c*': no layer with weights has such a name; there are a, b
// EMPTY: error: freeze '': no pattern of layers' names; give one as in 'conv1' or 'layer1.*'
// GLOB: error: freeze '[a': invalid glob pattern, unmatched '['
root.network @net(%image: !root.image<8x8x4>) classes(4) {
  %0 = root.conv2d "a" %image filters(8) kernel(3x3)
  // GROUPS: freeze-errors.mlir:[[# @LINE + 1]]:8: error: classes '3': "b" is the classifier and has 2 groups, of which the other classes know nothing
  %1 = root.conv2d "b" %0 filters(4) kernel(1x1) groups(2)
  %2 = root.global_average_pool %1
  root.output %2
}
