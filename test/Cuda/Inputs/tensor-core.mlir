// One convolution that tensor cores have, forward and backward.
root.network @one(%image: !root.image<8x8x3>) classes(4) {
  %0 = root.conv2d "image" %image filters(20) kernel(3x3) pad(1)
  %1 = root.batch_norm "bn" %0
  %2 = root.relu %1
  %3 = root.conv2d "dense" %2 filters(36) kernel(3x3) pad(1)
  %4 = root.relu %3
  %5 = root.global_average_pool %4
  %6 = root.linear "fc" %5 outputs(4)
  root.output %6
}
