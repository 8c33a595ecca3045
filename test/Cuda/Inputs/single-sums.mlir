// Where a thread's sums are single values, or a tile of many phases of a stride:
// they stay in its registers.
root.network @single(%image: !root.image<7x9x5>) classes(5) {
  %0 = root.conv2d "square" %image filters(5) kernel(3x3) pad(1) groups(5)
  %1 = root.relu %0
  %2 = root.conv2d "column" %1 filters(10) kernel(2x1) stride(2) groups(5)
  %3 = root.conv2d "phases" %2 filters(12) kernel(3x4) stride(3x2) pad(1)
  %4 = root.global_average_pool %3
  %5 = root.linear "fc" %4 outputs(5)
  root.output %5
}
