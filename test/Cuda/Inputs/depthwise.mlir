// Depthwise convolutions, whose filters' gradients are single values a thread.
root.network @depthwise(%image: !root.image<7x9x5>) classes(5) {
  %0 = root.conv2d "square" %image filters(5) kernel(3x3) pad(1) groups(5)
  %1 = root.relu %0
  %2 = root.conv2d "column" %1 filters(10) kernel(2x1) stride(2) groups(5)
  %3 = root.global_average_pool %2
  %4 = root.linear "fc" %3 outputs(5)
  root.output %4
}
