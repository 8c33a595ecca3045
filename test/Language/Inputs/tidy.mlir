// A network, and a header
// of two lines.

root.network @untidy(%image: !root.image<8x8x3>) classes(4) { // behind the brace
  // first stage
  %1 = root.conv2d "conv1" %image filters(16) kernel(3x3) pad(1) // behind a layer
  %2 = root.relu %1

  // filters as in the paper
  // the last word
  %in = root.conv2d "in" %2 filters(8) kernel(1x1) stride(2) no_bias
  %3 = root.batch_norm "bn" %in epsilon(1e-5) {note = "a, b", other = [1, 2], third = 3 : i64}
  %4 = root.pad %3 pad(1x0)
  // two
  // together

  %5 = root.resize %4 size(9x9) mode(bilinear)
  %cat = root.concat %5, %5
  %6 = root.max_pool %cat kernel(2x3) pad(0,0,1,1) rounding(ceil)
  %7 = root.global_average_pool %6
  %8 = root.linear "fc" %7 outputs(4)
  root.auxiliary %8 weight(0.5)
  root.output %8 // the logits
  // the end
}
// after all
