// RUN: rootc %s --explain=infer --batch=4 --threads=2 --target=x86-64-v4 | FileCheck %s
// RUN: rootc %s --explain=infer --batch=4 --threads=2 --target=x86-64-v4 --format=json -o %t.json
// RUN: FileCheck %s --check-prefix=JSON < %t.json
// RUN: rootc %s --explain --threads=2 --target=x86-64-v4 | FileCheck %s --check-prefix=BOTH
// RUN: rootc %s --explain --threads=2 --mode=infer --target=x86-64-v3 | FileCheck %s --check-prefix=INFER

// Measured times beside the predicted ones.
// RUN: %python %S/Inputs/make_profile.py %t.json > %t.profile
// RUN: rootc %s --explain --profile=%t.profile --target=x86-64-v4 | FileCheck %s --check-prefix=ALONE
// RUN: rootc %s --explain --batch=4 --threads=2 --profile=%t.profile --target=x86-64-v4 | FileCheck %s --check-prefix=PROFILE
// RUN: rootc %s --explain --batch=4 --threads=2 --profile=%t.profile --target=x86-64-v4 --format=json | FileCheck %s --check-prefix=MEASURED
// RUN: rootc %s --explain --machine=%t.profile --threads=2 --target=x86-64-v4 | FileCheck %s --check-prefix=MACHINE

// RUN: not rootc %s --explain --emit=so 2>&1 | FileCheck %s --check-prefix=EMIT
// RUN: not rootc %s --explain=all 2>&1 | FileCheck %s --check-prefix=PROGRAM
// RUN: not rootc %s --explain=train --mode=infer 2>&1 | FileCheck %s --check-prefix=NONE
// RUN: not rootc %s --explain --format=csv 2>&1 | FileCheck %s --check-prefix=CSV
// RUN: not rootc %s --explain --profile=%t.profile --batch=2 2>&1 | FileCheck %s --check-prefix=BATCH
// RUN: not rootc %s --explain --profile=%t.profile --keep-responses 2>&1 | FileCheck %s --check-prefix=OTHER
// RUN: not rootc %s --explain --profile=%s 2>&1 | FileCheck %s --check-prefix=TEXT
// RUN: %python %S/Inputs/make_profile.py %t.json threads=0 > %t.bad
// RUN: not rootc %s --explain --profile=%t.bad 2>&1 | FileCheck %s --check-prefix=BAD

// CHECK: small: batch 4, 2 threads
// CHECK-NEXT: machine (a typical AVX-512 server's): 480 GFLOP/s
// CHECK: infer (times in ms)
// CHECK: predicted share bound GFLOP/s MB kernel
// CHECK: conv1 + max_pool_1 forward
// CHECK-NEXT: max_pool_1 (max_pool 2x2/2); within its tasks conv1 (conv2d 5x5, 24 filters), relu_1
// CHECK-NEXT: channels in order 8; filter: 1 block of 32 channels; schedule (rule) rows=8 unroll=1 vectors=3
// CHECK-NEXT: - conv1: no Winograd: too few channels of a group share a transformed tile
// CHECK: ms lanes: 24 channels in 1 blocks of 32
// CHECK: conv2 forward
// CHECK-NEXT: conv2 (conv2d 3x3, 24 filters, 8 groups); then relu_2
// CHECK-NEXT: channels in order 8; filter: lanes are groups
// CHECK: - conv2: not joined with 'conv3' behind it: a map of so few rows has too few tasks
// CHECK: ms lanes: 8 groups in blocks of 8, 8 of 16 lanes filled
// CHECK: concat_1 channel shuffle
// CHECK: - concat_1: channels made in order 8 are read in order 1
// CHECK: 100.0% all 9 kernels
// CHECK: where the predicted time goes
// CHECK-NEXT: % multiply-adds
// CHECK: by kind
// CHECK: 2 group lanes
// CHECK: by layer
// CHECK: 1 conv2
// CHECK-NOT: train, a step

//      JSON: "network": "small",
// JSON-NEXT: "batch": 4,
// JSON-NEXT: "threads": 2,
//      JSON: "name": "a typical AVX-512 server's",
//      JSON: "program": "infer",
// JSON-NEXT: "predicted_ms":
// JSON-NEXT: "parts_ms": {
// JSON-NEXT: "multiply-adds":
//      JSON: "label": "conv2 forward",
// JSON-NEXT: "layer": "conv2",
// JSON-NEXT: "kind": "group lanes",
//      JSON: "role": "anchor",
// JSON-NEXT: "layer": "conv2",
// JSON-NEXT: "op": "conv2d 3x3, 24 filters, 8 groups"
//      JSON: "role": "epilogue",
//      JSON: "channel_order": 8,
//      JSON: "schedule_from": "rule",
// JSON-NEXT: "multiply_adds": 663552,
//      JSON: "tasks": 8,
//      JSON: "remarks": [

// BOTH: infer (times in ms)
// BOTH: train, a step with its update (times in ms)
// BOTH: as it is read bn1 (batch_norm_normalize), relu_1; max_pool_1 (max_pool_with_index 2x2/2)
// BOTH: - bn1 batch_norm_normalize is computed in 2 kernels, each for itself
// BOTH: conv2 backward filter
// BOTH: sgd sgd

// INFER: machine (a typical AVX2 server's): 240 GFLOP/s
// INFER: infer (times in ms)
// INFER-NOT: train, a step

// PROFILE: small: batch 4, 2 threads
// PROFILE-NEXT: machine (measured, '{{.*}}.profile'): 480 GFLOP/s
// PROFILE: measured predicted diff share bound GFLOP/s MB kernel
// PROFILE: -20% {{.*}} conv1 + max_pool_1 forward
// PROFILE: -20% 100.0% all 9 kernels

// A profile alone says the batch and threads; the rules are then of any batch.
// ALONE: small: batch 4, 2 threads
// ALONE-NEXT: machine (measured, '{{.*}}.profile'): 480 GFLOP/s
// ALONE: measured predicted diff share bound GFLOP/s MB kernel
// ALONE: {{-[0-9]+}}% 100.0% all 9 kernels

// MEASURED: "predicted_ms":
// MEASURED-NEXT: "measured_ms":

// MACHINE: small: batch 1, 2 threads
// MACHINE-NEXT: machine (measured, '{{.*}}.profile')

// EMIT: rootc: error: --explain: it is no library, nor --emit=so; drop one of them
// PROGRAM: rootc: error: --explain=all: give infer, train, grad or prepare
// NONE: rootc: error: --explain=train: with --mode=infer there is no such program
// CSV: rootc: error: --format=csv: --explain gives text or json
// BATCH: rootc: error: --profile={{.*}}: it is of 'infer', batch 4, 2 threads; ask for these, or leave them out
// OTHER: rootc: error: the profile is of another library: it has 9 calls, this network's program 'infer'
// TEXT: rootc: error: '{{.*}}' is no output of rootrun profile --json
// BAD: rootc: error: '{{.*}}' is no output of rootrun profile --json: expected a batch and threads of at least 1

root.network @small(%image: !root.image<32x32x3>) classes(10) {
  %0 = root.conv2d "conv1" %image filters(24) kernel(5x5) pad(2)
  %1 = root.batch_norm "bn1" %0
  %2 = root.relu %1
  %3 = root.max_pool %2 kernel(2x2) stride(2)
  %4 = root.conv2d "conv2" %3 filters(24) kernel(3x3) pad(1) groups(8)
  %5 = root.relu %4
  %6 = root.conv2d "conv3" %5 filters(40) kernel(1x1)
  %7 = root.conv2d "conv4" %3 filters(24) kernel(3x3) pad(1) groups(8)
  %8 = root.concat %6, %7, %3
  %9 = root.global_average_pool %8
  %10 = root.linear "fc" %9 outputs(10)
  root.output %10
}
