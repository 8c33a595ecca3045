root.network @tiny(%image: !root.image<8x8x3>) classes(4) {
  %1 = root.conv2d "conv1" %image filters(8) kernel(3x3) pad(1)
  %2 = root.batch_norm "bn1" %1
  %3 = root.relu %2
  %4 = root.conv2d "conv2" %3 filters(4) kernel(3x3) pad(1)
  %5 = root.global_average_pool %4
  root.output %5
}
