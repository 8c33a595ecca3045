// Blocks of MobileNetV2 and V3 and of ShuffleNetV2: the activations, the squeeze and excitation and the split, each
// where the backward half reads its result again.
root.network @efficient(%image: !root.image<13x11x3>) classes(5) {
  %1 = root.conv2d "stem" %image filters(12) kernel(3x3) pad(1) no_bias
  %2 = root.batch_norm "stem_bn" %1
  %3 = root.hard_swish %2
  %4 = root.conv2d "expand" %3 filters(24) kernel(1x1) no_bias
  %5 = root.batch_norm "expand_bn" %4
  %6 = root.clip %5 min(0) max(6)
  %7 = root.conv2d "depthwise" %6 filters(24) kernel(3x3) pad(1) groups(24) no_bias
  %8 = root.batch_norm "depthwise_bn" %7
  %9 = root.hard_swish %8
  %10 = root.global_average_pool %9
  %11 = root.conv2d "squeeze" %10 filters(7) kernel(1x1)
  %12 = root.relu %11
  %13 = root.conv2d "excite" %12 filters(24) kernel(1x1)
  %14 = root.hard_sigmoid %13
  %15 = root.multiply %9, %14
  %16 = root.conv2d "project" %15 filters(12) kernel(1x1) no_bias
  %17 = root.batch_norm "project_bn" %16
  %18 = root.add %17, %3
  %19 = root.slice_channels %18 begin(0) end(5)
  %20 = root.slice_channels %18 begin(5) end(12)
  %21 = root.conv2d "branch" %20 filters(7) kernel(3x3) pad(0,2,2,0) groups(7)
  %22 = root.sigmoid %21
  %23 = root.multiply %21, %22
  %24 = root.concat %19, %23
  %25 = root.channel_shuffle %24 groups(3)
  %26 = root.conv2d "map_gate" %25 filters(1) kernel(1x1)
  %27 = root.sigmoid %26
  %28 = root.multiply %25, %27
  %29 = root.conv2d "last" %28 filters(40) kernel(1x1) no_bias
  %30 = root.batch_norm "last_bn" %29
  %31 = root.clip %30 min(-1)
  %32 = root.average_pool %31 kernel(3x3) stride(2)
  %33 = root.linear "fc" %32 outputs(5)
  root.output %33
}
