// A block of ConvNeXt's, group norms of all kinds, and norms between others.
root.network @norms(%image: !root.image<9x7x3>) classes(5) {
  %1 = root.conv2d "stem" %image filters(24) kernel(3) pad(1)
  %2 = root.layer_norm "stem_norm" %1 epsilon(1e-6)
  %3 = root.conv2d "dw" %2 filters(24) kernel(7) pad(3) groups(24)
  %4 = root.layer_norm "norm" %3 epsilon(1e-6)
  %5 = root.conv2d "fc1" %4 filters(40) kernel(1)
  %6 = root.hard_swish %5
  %7 = root.conv2d "fc2" %6 filters(24) kernel(1)
  %8 = root.add %7, %2
  %9 = root.group_norm "whole" %8 groups(1)
  %10 = root.conv2d "a" %9 filters(30) kernel(3) stride(2) groups(6)
  %11 = root.group_norm "fives" %10 groups(6)
  %12 = root.sigmoid %11
  %13 = root.multiply %11, %12
  %14 = root.conv2d "b" %13 filters(10) kernel(3) pad(1)
  %15 = root.group_norm "instance" %14 groups(10) epsilon(1e-3)
  %16 = root.sigmoid %15
  %17 = root.conv2d "c" %16 filters(9) kernel(1)
  %18 = root.layer_norm "last" %17
  %19 = root.global_average_pool %18
  %20 = root.linear "fc" %19 outputs(5)
  root.output %20
}
