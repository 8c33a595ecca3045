// Padding on one side more than on the other, as files from TensorFlow have it: convolutions of every kind, and pools,
// over even and odd maps.
root.network @asymmetric(%image: !root.image<20x14x3>) classes(7) {
  %1 = root.conv2d "image" %image filters(16) kernel(3x3) stride(2) pad(0,0,1,1)
  %2 = root.batch_norm "bn1" %1
  %3 = root.relu %2
  %4 = root.conv2d "depthwise" %3 filters(16) kernel(5x5) stride(2x1) pad(1,2,2,2) groups(16) no_bias
  %5 = root.batch_norm "bn2" %4
  %6 = root.clip %5 min(0) max(6)
  %7 = root.conv2d "grouped" %6 filters(24) kernel(2x3) pad(0,0,1,2) groups(4)
  %8 = root.max_pool %7 kernel(3x3) stride(2) pad(0,0,1,1)
  %9 = root.average_pool %7 kernel(3x3) stride(2) pad(1,1,0,0) exclude_pad
  %10 = root.concat %8, %9
  %11 = root.conv2d "dilated" %10 filters(10) kernel(2x2) dilation(1x2) pad(1,2,0,0)
  %12 = root.average_pool %11 kernel(2x2) stride(2x1) pad(0,1,1,0)
  %13 = root.linear "fc" %12 outputs(7)
  root.output %13
}
