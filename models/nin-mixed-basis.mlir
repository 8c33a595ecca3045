// Network in Network for CIFAR-10 whose spatial layers 2a and 3a have a basis of mixed filter sizes: filters of several
// sizes side by side, their outputs concatenated, and the 1x1 convolution behind them learns how to combine them
// (Ioannou, Robertson, Shotton, Cipolla, Criminisi 2016, "Training CNNs with low-rank filters for efficient image
// classification"). Widths are nin.mlir's. Compile with --root=N to group the filters of every size but 1x1 as well.
root.network @nin_mixed_basis(%image: !root.image<32x32x3>) classes(10) {
  %1 = root.conv2d "conv1a" %image filters(192) kernel(5x5) pad(2)
  %2 = root.batch_norm "bn1a" %1
  %3 = root.relu %2
  %4 = root.conv2d "conv1b" %3 filters(160) kernel(1x1)
  %5 = root.batch_norm "bn1b" %4
  %6 = root.relu %5
  %7 = root.conv2d "conv1c" %6 filters(96) kernel(1x1)
  %8 = root.batch_norm "bn1c" %7
  %9 = root.relu %8
  %10 = root.max_pool %9 kernel(3x3) stride(2) rounding(ceil)

  // 32 filters of 5x5, 64 of 3x3, 48 of 3x1, 48 of 1x3
  %11 = root.conv2d "conv2a_5x5" %10 filters(32) kernel(5x5) pad(2)
  %12 = root.conv2d "conv2a_3x3" %10 filters(64) kernel(3x3) pad(1)
  %13 = root.conv2d "conv2a_3x1" %10 filters(48) kernel(3x1) pad(1x0)
  %14 = root.conv2d "conv2a_1x3" %10 filters(48) kernel(1x3) pad(0x1)
  %conv2a = root.concat %11, %12, %13, %14
  %15 = root.batch_norm "bn2a" %conv2a
  %16 = root.relu %15
  %17 = root.conv2d "conv2b" %16 filters(192) kernel(1x1)
  %18 = root.batch_norm "bn2b" %17
  %19 = root.relu %18
  %20 = root.conv2d "conv2c" %19 filters(192) kernel(1x1)
  %21 = root.batch_norm "bn2c" %20
  %22 = root.relu %21
  %23 = root.average_pool %22 kernel(3x3) stride(2) rounding(ceil)

  // 64 filters of 3x3, 48 of 3x1, 48 of 1x3, 32 of 1x1
  %24 = root.conv2d "conv3a_3x3" %23 filters(64) kernel(3x3) pad(1)
  %25 = root.conv2d "conv3a_3x1" %23 filters(48) kernel(3x1) pad(1x0)
  %26 = root.conv2d "conv3a_1x3" %23 filters(48) kernel(1x3) pad(0x1)
  %27 = root.conv2d "conv3a_1x1" %23 filters(32) kernel(1x1)
  %conv3a = root.concat %24, %25, %26, %27
  %28 = root.batch_norm "bn3a" %conv3a
  %29 = root.relu %28
  %30 = root.conv2d "conv3b" %29 filters(192) kernel(1x1)
  %31 = root.batch_norm "bn3b" %30
  %32 = root.relu %31
  %33 = root.conv2d "conv3c" %32 filters(10) kernel(1x1)
  %34 = root.global_average_pool %33
  root.output %34
}
