// Names that collide with each other once layers, values and parameters share one space; linear layers in a row, with
// maps again between them; no part of it is exported twice.
root.network @names(%image: !root.image<5x7x3>) classes(6) {
  %1 = root.conv2d "image" %image filters(8) kernel(3x2) pad(4,1,0,3) groups(1)
  %2 = root.relu %1
  %3 = root.batch_norm "image.filter" %2 epsilon(1e-3) momentum(0.25)
  %4 = root.conv2d "stage1/relu_1-a.b" %3 filters(8) kernel(1x1) groups(4) no_bias
  %5 = root.relu %4
  %6 = root.linear "logits" %5 outputs(12)
  %7 = root.batch_norm "logits.weight" %6
  %8 = root.relu %7
  %9 = root.dropout %8 rate(0.5)
  %10 = root.linear "fc.vector" %9 outputs(6) no_bias
  %11 = root.conv2d "after" %9 filters(6) kernel(1x1)
  %12 = root.add %10, %11
  %13 = root.conv2d "wide" %12 filters(6) kernel(3x3) pad(3,2,1,4)
  %14 = root.global_average_pool %13
  %15 = root.concat %10, %14
  %16 = root.local_response_norm %15 size(101) alpha(0.5) k(2.0)
  %17 = root.conv2d "unused" %3 filters(2) kernel(1x1)
  %18 = root.linear "side" %2 outputs(6)
  root.auxiliary %18 weight(0.3)
  %19 = root.linear "last" %16 outputs(6)
  %20 = root.add %19, %10
  root.output %20
}
