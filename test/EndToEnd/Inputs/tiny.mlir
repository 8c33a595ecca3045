// Of few kernels: what libraries for a device are tested with.
root.network @tiny(%image: !root.image<32x32x3>) classes(10) {
  %0 = root.conv2d "conv1" %image filters(12) kernel(5x5) stride(2) pad(2)
  %1 = root.batch_norm "bn1" %0
  %2 = root.relu %1
  %3 = root.conv2d "conv2" %2 filters(12) kernel(3x3) pad(1) groups(3)
  %4 = root.relu %3
  %5 = root.max_pool %4 kernel(3x3) stride(2)
  %6 = root.dropout %5 rate(0.25)
  %7 = root.linear "fc" %6 outputs(10)
  root.output %7
}
