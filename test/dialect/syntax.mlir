// Every layer, once with each of its clauses and once without; what is printed
// reads back as the same, in the generic form too.
// RUN: rootc-opt %s | FileCheck %s
// RUN: rootc-opt %s | rootc-opt | FileCheck %s
// RUN: rootc-opt %s --mlir-print-op-generic | rootc-opt | FileCheck %s

// CHECK-LABEL: root.network @every_layer(%image: !root.image<32x48x3>) classes(10) {
root.network @every_layer(%image: !root.image<32x48x3>) classes(10) {
  // CHECK-NEXT: %[[A:.*]] = root.conv2d "stem/a-1.x_y" %image filters(16) kernel(5x3)
  %0 = root.conv2d "stem/a-1.x_y" %image kernel(5x3) filters(16)
  // CHECK-NEXT: root.conv2d "b" %[[A]] filters(16) kernel(3x3) stride(2) pad(1x2) dilation(2x1) groups(8) no_bias stage(1) ungrouped
  %1 = root.conv2d "b" %0 ungrouped stage(1) no_bias groups(8) dilation(2x1) pad(1x2) stride(2) kernel(3) filters(16)
  // CHECK-NEXT: root.conv2d "c" %{{.*}} filters(16) kernel(3x3) stride(2x1) pad(0,0,1,1) {note = "kept"}
  %2 = root.conv2d "c" %1 filters(16) kernel(3x3) stride(2x1) pad(0,0,1,1) {note = "kept"}
  // CHECK-NEXT: root.conv2d "d" %{{.*}} filters(16) kernel(1x1){{$}}
  %3 = root.conv2d "d" %2 filters(16) kernel(1x1) stride(1) pad(0) dilation(1) groups(1)
  // CHECK-NEXT: root.batch_norm "bn" %{{[0-9]+$}}
  %4 = root.batch_norm "bn" %3 epsilon(1e-5) momentum(0.1)
  // CHECK-NEXT: root.batch_norm "bn2" %{{[0-9]+}} epsilon(0.001) momentum(1)
  %5 = root.batch_norm "bn2" %4 momentum(1) epsilon(1.0e-3)
  // CHECK-NEXT: root.relu %{{[0-9]+$}}
  %6 = root.relu %5
  // CHECK-NEXT: root.max_pool %{{[0-9]+}} kernel(2x2){{$}}
  %7 = root.max_pool %6 kernel(2) rounding(floor)
  // CHECK-NEXT: root.max_pool %{{[0-9]+}} kernel(3x3) stride(2) pad(1) rounding(ceil)
  %8 = root.max_pool %7 rounding(ceil) pad(1) stride(2) kernel(3x3)
  // CHECK-NEXT: root.average_pool %{{[0-9]+}} kernel(3x3) pad(1) rounding(ceil) exclude_pad
  %9 = root.average_pool %8 kernel(3x3) pad(1) rounding(ceil) exclude_pad
  // CHECK-NEXT: root.local_response_norm %{{[0-9]+$}}
  %10 = root.local_response_norm %9 size(5) alpha(1e-4) beta(0.75) k(1)
  // CHECK-NEXT: root.local_response_norm %{{[0-9]+}} size(3) alpha(0.25) beta(1) k(20000)
  %11 = root.local_response_norm %10 size(3) alpha(25e-2) beta(1.0) k(2e+4)
  // CHECK-NEXT: root.dropout %{{[0-9]+$}}
  %12 = root.dropout %11
  // CHECK-NEXT: root.dropout %{{[0-9]+}} rate(0)
  %13 = root.dropout %12 rate(0)
  // CHECK-NEXT: root.add %{{[0-9]+}}, %{{[0-9]+$}}
  %14 = root.add %13, %12
  // CHECK-NEXT: root.concat %{{[0-9]+}}, %{{[0-9]+}}, %{{[0-9]+$}}
  %15 = root.concat %14, %13, %12
  // CHECK-NEXT: root.clip %{{[0-9]+}} min(0) max(6)
  %20 = root.clip %15 max(6) min(0.0)
  // CHECK-NEXT: root.clip %{{[0-9]+}} max(-1.5)
  %21 = root.clip %20 max(-1.5)
  // CHECK-NEXT: root.clip %{{[0-9]+}} min(-3.4028234663852886e+38){{$}}
  %22 = root.clip %21 min(-3.4028234663852886e+38)
  // CHECK-NEXT: root.clip %{{[0-9]+$}}
  %23 = root.clip %22
  // CHECK-NEXT: root.sigmoid %{{[0-9]+$}}
  %24 = root.sigmoid %23
  // CHECK-NEXT: root.hard_sigmoid %{{[0-9]+$}}
  %25 = root.hard_sigmoid %24 alpha(0.2) beta(0.5)
  // CHECK-NEXT: root.hard_sigmoid %{{[0-9]+}} alpha(0.16666667) beta(0)
  %26 = root.hard_sigmoid %25 beta(0) alpha(0.16666667)
  // CHECK-NEXT: root.hard_swish %{{[0-9]+$}}
  %27 = root.hard_swish %26
  // CHECK-NEXT: %[[GATE:.*]] = root.global_average_pool
  %28 = root.global_average_pool %27
  // CHECK-NEXT: root.multiply %{{[0-9]+}}, %[[GATE]]{{$}}
  %29 = root.multiply %27, %28
  // CHECK-NEXT: root.slice_channels %{{[0-9]+}} begin(0) end(9)
  %30 = root.slice_channels %29 end(9) begin(0)
  // CHECK-NEXT: root.channel_shuffle %{{[0-9]+}} groups(3)
  %31 = root.channel_shuffle %30 groups(3)
  // CHECK-NEXT: root.leaky_relu %{{[0-9]+$}}
  %32 = root.leaky_relu %31 alpha(0.01)
  // CHECK-NEXT: root.leaky_relu %{{[0-9]+}} alpha(0.2)
  %33 = root.leaky_relu %32 alpha(0.2)
  // CHECK-NEXT: root.prelu "slope" %{{[0-9]+$}}
  %34 = root.prelu "slope" %33
  // CHECK-NEXT: root.prelu "slopes" %{{[0-9]+}} shared
  %35 = root.prelu "slopes" %34 shared
  // CHECK-NEXT: root.elu %{{[0-9]+$}}
  %36 = root.elu %35 scale(1) alpha(1) input_scale(1.0)
  // CHECK-NEXT: root.elu %{{[0-9]+}} alpha(1.5) scale(2) input_scale(0.5)
  %37 = root.elu %36 input_scale(0.5) scale(2) alpha(1.5)
  // CHECK-NEXT: root.gelu %{{[0-9]+$}}
  %38 = root.gelu %37
  // CHECK-NEXT: root.gelu %{{[0-9]+}} tanh
  %39 = root.gelu %38 tanh
  // CHECK-NEXT: root.silu %{{[0-9]+$}}
  %40 = root.silu %39
  // CHECK-NEXT: root.softplus %{{[0-9]+$}}
  %41 = root.softplus %40
  // CHECK-NEXT: root.mish %{{[0-9]+$}}
  %42 = root.mish %41
  // CHECK-NEXT: root.layer_scale "scale" %{{[0-9]+$}}
  %43 = root.layer_scale "scale" %42
  // CHECK-NEXT: root.drop_path %{{[0-9]+}} rate(0.1)
  %44 = root.drop_path %43 rate(0.1)
  // CHECK-NEXT: root.pad %{{[0-9]+}} pad(0,0,2,2) crop(1,0,0,0)
  %45 = root.pad %44 crop(1,0,0,0) pad(0,0,2,2)
  // CHECK-NEXT: root.pad %{{[0-9]+}} pad(2) reflect
  %46 = root.pad %45 reflect pad(2,2,2,2)
  // CHECK-NEXT: root.space_to_depth %{{[0-9]+}} block(2)
  %47 = root.space_to_depth %46 block(2)
  // CHECK-NEXT: root.depth_to_space %{{[0-9]+}} block(2) crd
  %48 = root.depth_to_space %47 crd block(2)
  // CHECK-NEXT: root.conv2d "standard" %{{[0-9]+}} filters(4) kernel(1x1) standardize(1e-06)
  %49 = root.conv2d "standard" %48 filters(4) kernel(1) standardize(1e-6)
  // CHECK-NEXT: root.linear "aux" %{{[0-9]+}} outputs(10) no_bias
  %16 = root.linear "aux" %15 outputs(10) no_bias
  // CHECK-NEXT: root.auxiliary %{{[0-9]+}} weight(0.25)
  root.auxiliary %16 weight(0.25)
  // CHECK-NEXT: root.auxiliary %{{[0-9]+$}}
  root.auxiliary %16
  // CHECK-NEXT: root.global_average_pool %{{[0-9]+$}}
  %17 = root.global_average_pool %15
  // CHECK-NEXT: root.linear "fc" %{{[0-9]+}} outputs(10){{$}}
  %18 = root.linear "fc" %17 outputs(10)
  // CHECK-NEXT: root.output %{{[0-9]+$}}
  root.output %18
}

// What '#' is in MLIR is no comment.
// CHECK-LABEL: root.network @aliases
// CHECK-SAME: attributes {kept = "a # b", note = [1, "x"]} {
#alias = [1, "x"]
root.network @aliases(%image: !root.image<1x1x2>) classes(2) attributes {kept = "a # b", // #
  note = #alias} {
  // CHECK: root.relu %image {note = [1, "x"]}
  %0:1 = root.relu %image {note =
    #alias}
  // CHECK: root.output
  root.output %0#0
}

// With shapes inferred, types are written.
// CHECK-LABEL: root.network @shaped(%image: !root.image<4x4x3>) classes(10) shaped attributes {note = "kept"} {
root.network @shaped(%x: !root.image<4x4x3>) shaped classes(10) attributes {note = "kept"} {
  // CHECK-NEXT: root.linear "fc" %image outputs(10) : (!root.image<4x4x3>) -> !root.image<1x1x10>
  %0 = root.linear "fc" %x outputs(10) : (!root.image<4x4x3>) -> !root.image<1x1x10>
  // CHECK-NEXT: root.output %{{[0-9]+}} : !root.image<1x1x10>
  root.output %0 : !root.image<1x1x10>
}
