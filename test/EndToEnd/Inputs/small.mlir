// Small enough to compile in seconds, with every kind of layer that a root
// network has; maps of odd sizes, channels that fill no vector.
root.network @small(%image: !root.image<13x11x3>) classes(7) {
  %0 = root.conv2d "conv1a" %image filters(24) kernel(5x5) pad(2)
  %1 = root.batch_norm "bn1a" %0
  %2 = root.relu %1
  %3 = root.conv2d "conv1b" %2 filters(20) kernel(1x1)
  %4 = root.relu %3
  %5 = root.max_pool %4 kernel(3x3) stride(2) rounding(ceil)
  %6 = root.dropout %5 rate(0.25)
  %7 = root.conv2d "conv2a" %6 filters(24) kernel(3x3) pad(1)
  %8 = root.batch_norm "bn2a" %7
  %9 = root.relu %8
  %10 = root.conv2d "conv2b" %9 filters(20) kernel(1x1)
  %11 = root.add %10, %6
  %12 = root.local_response_norm %11
  %13 = root.average_pool %12 kernel(3x3) stride(2) rounding(ceil)
  %14 = root.conv2d "conv3a" %13 filters(8) kernel(3x3) pad(1) stage(3)
  %15 = root.concat %13, %14
  %16 = root.linear "fc1" %15 outputs(16)
  %17 = root.relu %16
  %18 = root.linear "fc2" %17 outputs(7)
  root.output %18
}
