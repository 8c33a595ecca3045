// Maps that grow and shrink, weights of positions and of branches.
root.network @maps(%image: !root.image<5x6x3>) classes(4) {
  %1 = root.conv2d "conv" %image filters(12) kernel(3) pad(1)
  %2 = root.sigmoid %1
  %3 = root.conv2d_transpose "up" %2 filters(18) kernel(3x4) stride(2) pad(1,0,1,2) output_pad(1x0) groups(3)
  %4 = root.batch_norm "bn" %3
  %5 = root.sigmoid %4
  %6 = root.conv2d_transpose "up2" %5 filters(6) kernel(2) stride(1x2) dilation(2x1)
  %7 = root.sigmoid %6
  %8 = root.resize %7 size(7x5) mode(bilinear)
  %9 = root.resize %8 size(14x10) coordinates(asymmetric) round(floor)
  %10 = root.channel_mean %9
  %11 = root.channel_max %9
  %12 = root.concat %10, %11
  %13 = root.conv2d "where" %12 filters(1) kernel(3) pad(1)
  %14 = root.sigmoid %13
  %15 = root.multiply %9, %14
  %16 = root.global_average_pool %15
  %17 = root.conv2d "which" %16 filters(6) kernel(1)
  %18 = root.branch_softmax %17 branches(2)
  %19 = root.multiply %15, %18
  %20 = root.slice_channels %19 begin(0) end(3)
  %21 = root.slice_channels %19 begin(3) end(6)
  %22 = root.add %20, %21
  %23 = root.adaptive_average_pool %22 size(3x4)
  %24 = root.resize %23 size(5x6) mode(bilinear) coordinates(align_corners)
  %25 = root.linear "fc" %24 outputs(4)
  root.output %25
}
