// RUN: rootc-opt %s --root-topology=root=8 | FileCheck %s --check-prefixes=CHECK,ROOT
// RUN: rootc-opt %s --root-topology='root=8 topology=tree' | FileCheck %s --check-prefixes=CHECK,TREE
// RUN: rootc-opt %s --root-topology='root=8 topology=column' | FileCheck %s --check-prefixes=CHECK,COLUMN
// RUN: rootc-opt %s --root-topology='root=8 groups=mid=2,point=4' | FileCheck %s --check-prefix=NAMED
// RUN: rootc-opt %s --root-infer-shapes --root-topology=root=8 | FileCheck %s --check-prefixes=CHECK,ROOT
// The image of the command line does not move the stages.
// RUN: rootc-opt %s --root-topology=root=8 --root-infer-shapes=image=64x64 | FileCheck %s --check-prefixes=CHECK,ROOT

root.network @net(%image: !root.image<32x32x3>) classes(10) {
  // Reached from the image without another convolution: not spatial, no stage.
  // CHECK: "stem" {{.*}}kernel(3x3) pad(1)
  // CHECK-NOT: groups
  %0 = root.conv2d "stem" %image filters(64) kernel(3x3) pad(1)
  %1 = root.max_pool %image kernel(1x1)
  // CHECK: "side" {{.*}}kernel(3x3) pad(1)
  // CHECK-NOT: groups
  %2 = root.conv2d "side" %1 filters(64) kernel(3x3) pad(1)
  %3 = root.add %0, %2
  // ROOT: "first" {{.*}} groups(8)
  // TREE: "first" {{.*}} groups(8)
  // COLUMN: "first" {{.*}} groups(8)
  %4 = root.conv2d "first" %3 filters(64) kernel(3x3) stride(2) pad(1)
  // CHECK: "point"
  // CHECK-NOT: groups
  // NAMED: "point" {{.*}} groups(4)
  %5 = root.conv2d "point" %4 filters(64) kernel(1x1)
  // ROOT: "mid" {{.*}} groups(4)
  // TREE: "mid" {{.*}} groups(16)
  // COLUMN: "mid" {{.*}} groups(8)
  // NAMED: "mid" {{.*}} groups(2)
  %6 = root.conv2d "mid" %5 filters(64) kernel(3x1) stride(2) pad(1x0)
  // The same map as "first" though it comes later.
  // ROOT: "late" {{.*}} groups(8)
  // TREE: "late" {{.*}} groups(8)
  // NAMED: "late" {{.*}} groups(8)
  %7 = root.conv2d "late" %5 filters(64) kernel(3x3) pad(1)
  // CHECK: "kept" {{.*}} groups(2)
  %8 = root.conv2d "kept" %6 filters(64) kernel(3x3) stride(2) pad(1) groups(2)
  // CHECK: "dense" {{.*}} ungrouped
  %9 = root.conv2d "dense" %8 filters(64) kernel(3x3) stride(2) pad(1) ungrouped
  // "kept" and "dense" have stages 2 and 3 nevertheless, and this one 4.
  // ROOT: "last" {{.*}} pad(1){{$| :}}
  // TREE: "last" {{.*}} groups(128)
  // COLUMN: "last" {{.*}} groups(8)
  %10 = root.conv2d "wide" %9 filters(128) kernel(1x1)
  %11 = root.conv2d "last" %10 filters(128) kernel(3x3) stride(2) pad(1)
  // The clause gives a stage to any convolution.
  // ROOT: "override" {{.*}} groups(4) stage(1)
  // TREE: "override" {{.*}} groups(16) stage(1)
  %12 = root.conv2d "override" %11 filters(128) kernel(1x1) stage(1)
  %13 = root.linear "fc" %12 outputs(10)
  root.output %13
}
