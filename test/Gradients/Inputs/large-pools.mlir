// Windows of more than 256 elements, whose places take four bytes, beside one of just 256, whose places take one.
root.network @large_pools(%image: !root.image<20x18x3>) classes(5) {
  %1 = root.conv2d "conv" %image filters(8) kernel(3x3) pad(1)
  %2 = root.max_pool %1 kernel(18x17) pad(1,0,0,2)
  %3 = root.max_pool %1 kernel(16x16) stride(4x2)
  %4 = root.max_pool %2 kernel(2x2) stride(2)
  %5 = root.concat %3, %4
  %6 = root.linear "fc" %5 outputs(5)
  root.output %6
}
