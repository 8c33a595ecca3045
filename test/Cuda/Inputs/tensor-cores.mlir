// Convolutions of every kind that tensor cores have, of sizes that fill no tile: groups, strides, a dilation, pads on one
// side alone, channels that are no multiple of 4 or of 8, ops before and behind them, maps of one pixel.
// Behind them nothing has a kink, of which rounding would take the other side.
root.network @shapes(%image: !root.image<11x9x3>) classes(5) {
  %0 = root.conv2d "image" %image filters(40) kernel(3x3) pad(1)
  %1 = root.batch_norm "bn1" %0
  %2 = root.relu %1
  %3 = root.conv2d "dense" %2 filters(36) kernel(3x3) pad(1,0,0,2) no_bias
  %4 = root.batch_norm "bn2" %3
  %5 = root.silu %4
  %6 = root.conv2d "pointwise" %5 filters(72) kernel(1x1)
  %7 = root.silu %6
  %8 = root.conv2d "merged" %7 filters(40) kernel(3x3) pad(1) groups(8) no_bias
  %9 = root.batch_norm "bn3" %8
  %10 = root.conv2d "grouped" %9 filters(34) kernel(3x2) stride(2x1) pad(1,1,1,0) groups(2)
  %11 = root.conv2d "strided" %10 filters(18) kernel(1x1) stride(2)
  %12 = root.batch_norm "bn4" %11
  %13 = root.conv2d "dilated" %12 filters(18) kernel(2x2) dilation(1x2) pad(0,1,1,1)
  %14 = root.add %13, %12
  %15 = root.silu %14
  %16 = root.global_average_pool %15
  %17 = root.conv2d "pixel" %16 filters(24) kernel(1x1)
  %18 = root.silu %17
  %19 = root.linear "fc" %18 outputs(5)
  root.output %19
}
