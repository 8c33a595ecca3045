// A small MobileNet: depthwise convolutions between 1x1s, hard swish, squeeze and excitation.
root.network @mobile(%image: !root.image<16x16x3>) classes(6) {
  %1 = root.conv2d "conv0" %image filters(8) kernel(3x3) pad(1) stride(2) no_bias
  %2 = root.batch_norm "conv0.bn" %1
  %3 = root.hard_swish %2
  %4 = root.conv2d "expand" %3 filters(24) kernel(1x1) no_bias
  %5 = root.batch_norm "expand.bn" %4
  %6 = root.relu %5
  %7 = root.conv2d "depthwise" %6 filters(24) kernel(3x3) pad(1) groups(24) no_bias
  %8 = root.batch_norm "depthwise.bn" %7
  %9 = root.relu %8
  %10 = root.global_average_pool %9
  %11 = root.conv2d "squeeze" %10 filters(8) kernel(1x1)
  %12 = root.relu %11
  %13 = root.conv2d "excite" %12 filters(24) kernel(1x1)
  %14 = root.hard_sigmoid %13 alpha(0.16666667)
  %15 = root.multiply %9, %14
  %16 = root.conv2d "project" %15 filters(8) kernel(1x1) no_bias
  %17 = root.batch_norm "project.bn" %16
  %18 = root.add %3, %17
  %19 = root.global_average_pool %18
  %20 = root.linear "fc" %19 outputs(6)
  root.output %20
}
