// Small enough to compile in seconds and to take 100 steps in some more, of
// CIFAR-10's images.
root.network @small(%image: !root.image<32x32x3>) classes(10) {
  %1 = root.conv2d "conv1" %image filters(16) kernel(5x5) stride(4) pad(2)
  %2 = root.batch_norm "bn1" %1
  %3 = root.relu %2
  %4 = root.conv2d "conv2" %3 filters(16) kernel(3x3) pad(1)
  %5 = root.relu %4
  %6 = root.conv2d "conv3" %5 filters(24) kernel(1x1)
  %7 = root.relu %6
  %8 = root.max_pool %7 kernel(2x2) stride(2)
  %9 = root.dropout %8 rate(0.25)
  %10 = root.linear "fc" %9 outputs(10)
  root.output %10
}
