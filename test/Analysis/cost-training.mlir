// What a training step computes and keeps, and what freezing saves of it.
// RUN: rootc %s --emit=cost --training | FileCheck %s --check-prefix=WHOLE
// RUN: rootc %s --emit=cost --training --freeze='*,!fc' | FileCheck %s
// RUN: rootc %s --emit=cost --training --freeze='*,!fc' --format=json | FileCheck %s --check-prefix=JSON
// RUN: rootc %s --emit=cost --training --freeze='*,!fc' --format=csv | FileCheck %s --check-prefix=CSV
// RUN: not rootc %s --training -o %t.so 2>&1 | FileCheck %s --check-prefix=KIND
// RUN: not rootc %s --emit=cost --mode=infer --freeze=a 2>&1 | FileCheck %s --check-prefix=INFER

// a: 27 x 8 weights at 64 places; b: 72 x 8 likewise, backward once by the filter and once by the map; fc: 8 x 4.
// WHOLE: net: multiply-adds of a training step, for each image
// WHOLE: a{{ +}}13824{{ +}}13824
// WHOLE: b{{ +}}36864{{ +}}73728
// WHOLE: fc{{ +}}32{{ +}}64
// WHOLE: total{{ +}}50720{{ +}}87616
// WHOLE: trained: 852 of 852 parameters
// WHOLE: memory of a step of 32 images: 0 MiB
// WHOLE-NOT: freeze
// CHECK: a{{ +}}13824{{ +}}0
// CHECK: b{{ +}}36864{{ +}}0
// CHECK: fc{{ +}}32{{ +}}32
// CHECK: trained: 36 of 852 parameters
// CHECK: of a step without --freeze: 0.37 of the multiply-adds (138336), 0.{{[0-9]+}} of the memory (0 MiB)
// JSON: "trained": 36,
// JSON: "without_freeze": {
// JSON-NEXT: "forward": 50720,
// JSON-NEXT: "backward": 87616,
// CSV: name,forward,backward
// CSV: total,50720,32
// KIND: rootc: error: --training belongs to --emit=cost
// INFER: rootc: error: --freeze says what training leaves as it is, and --mode=infer leaves training out; drop one of them
root.network @net(%image: !root.image<8x8x3>) classes(4) {
  %0 = root.conv2d "a" %image filters(8) kernel(3x3) pad(1) no_bias
  %1 = root.batch_norm "norm" %0
  %2 = root.conv2d "b" %1 filters(8) kernel(3x3) pad(1)
  %3 = root.relu %2
  %4 = root.global_average_pool %3
  %5 = root.linear "fc" %4 outputs(4)
  root.output %5
}
