// Network in Network for CIFAR-10 whose spatial layers 2a and 3a are a low-rank basis: 1x3 and 3x1 filters side by side,
// combined by the 1x1 convolution behind them (Ioannou, Robertson, Shotton, Cipolla, Criminisi 2016, "Training CNNs with
// low-rank filters for efficient image classification"). Widths are nin.mlir's. --root=N groups the basis as well.
root.network @nin_low_rank(%image: !root.image<32x32x3>) classes(10) {
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

  %11 = root.conv2d "conv2a_1x3" %10 filters(96) kernel(1x3) pad(0x1)
  %12 = root.conv2d "conv2a_3x1" %10 filters(96) kernel(3x1) pad(1x0)
  %conv2a = root.concat %11, %12
  %13 = root.batch_norm "bn2a" %conv2a
  %14 = root.relu %13
  %15 = root.conv2d "conv2b" %14 filters(192) kernel(1x1)
  %16 = root.batch_norm "bn2b" %15
  %17 = root.relu %16
  %18 = root.conv2d "conv2c" %17 filters(192) kernel(1x1)
  %19 = root.batch_norm "bn2c" %18
  %20 = root.relu %19
  %21 = root.average_pool %20 kernel(3x3) stride(2) rounding(ceil)

  %22 = root.conv2d "conv3a_1x3" %21 filters(96) kernel(1x3) pad(0x1)
  %23 = root.conv2d "conv3a_3x1" %21 filters(96) kernel(3x1) pad(1x0)
  %conv3a = root.concat %22, %23
  %24 = root.batch_norm "bn3a" %conv3a
  %25 = root.relu %24
  %26 = root.conv2d "conv3b" %25 filters(192) kernel(1x1)
  %27 = root.batch_norm "bn3b" %26
  %28 = root.relu %27
  %29 = root.conv2d "conv3c" %28 filters(10) kernel(1x1)
  %30 = root.global_average_pool %29
  root.output %30
}
