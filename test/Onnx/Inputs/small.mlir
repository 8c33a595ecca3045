root.network @small(%image: !root.image<4x5x2>) classes(3) {
  %1 = root.conv2d "conv1" %image filters(4) kernel(3x3) pad(1) groups(2)
  %2 = root.batch_norm "bn1" %1
  %3 = root.relu %2
  %4 = root.linear "aux" %3 outputs(3)
  root.auxiliary %4
  %5 = root.average_pool %3 kernel(3x3) stride(2) pad(1,0,0,1) rounding(ceil)
  %6 = root.dropout %5
  %7 = root.linear "fc" %6 outputs(3)
  root.output %7
}
