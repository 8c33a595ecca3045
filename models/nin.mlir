// Network in Network (Lin, Chen, Yan 2014) for CIFAR-10, with batch normalisation:
// the baseline of the Deep Roots paper. Compile with --root=8 for NIN root-8.
root.network @nin(%image: !root.image<32x32x3>) classes(10) {
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

  %11 = root.conv2d "conv2a" %10 filters(192) kernel(5x5) pad(2)
  %12 = root.batch_norm "bn2a" %11
  %13 = root.relu %12
  %14 = root.conv2d "conv2b" %13 filters(192) kernel(1x1)
  %15 = root.batch_norm "bn2b" %14
  %16 = root.relu %15
  %17 = root.conv2d "conv2c" %16 filters(192) kernel(1x1)
  %18 = root.batch_norm "bn2c" %17
  %19 = root.relu %18
  %20 = root.average_pool %19 kernel(3x3) stride(2) rounding(ceil)

  %21 = root.conv2d "conv3a" %20 filters(192) kernel(3x3) pad(1)
  %22 = root.batch_norm "bn3a" %21
  %23 = root.relu %22
  %24 = root.conv2d "conv3b" %23 filters(192) kernel(1x1)
  %25 = root.batch_norm "bn3b" %24
  %26 = root.relu %25
  %27 = root.conv2d "conv3c" %26 filters(10) kernel(1x1)
  %28 = root.global_average_pool %27
  root.output %28
}
