// AlexNet (Krizhevsky, Sutskever, Hinton 2012) as one column, layers named as in Caffe's, without filter groups:
// "alexnet-nogroup" of the Deep Roots paper. --groups=conv2=2,conv4=2,conv5=2 makes the network as it was published,
// and 4 in place of 2 the paper's "alexnet-group4".
root.network @alexnet(%image: !root.image<227x227x3>) classes(1000) {
  %1 = root.conv2d "conv1" %image filters(96) kernel(11x11) stride(4)
  %2 = root.relu %1
  %3 = root.local_response_norm %2 size(5) alpha(1e-4) beta(0.75)
  %4 = root.max_pool %3 kernel(3x3) stride(2)

  %5 = root.conv2d "conv2" %4 filters(256) kernel(5x5) pad(2)
  %6 = root.relu %5
  %7 = root.local_response_norm %6 size(5) alpha(1e-4) beta(0.75)
  %8 = root.max_pool %7 kernel(3x3) stride(2)

  %9 = root.conv2d "conv3" %8 filters(384) kernel(3x3) pad(1)
  %10 = root.relu %9
  %11 = root.conv2d "conv4" %10 filters(384) kernel(3x3) pad(1)
  %12 = root.relu %11
  %13 = root.conv2d "conv5" %12 filters(256) kernel(3x3) pad(1)
  %14 = root.relu %13
  %15 = root.max_pool %14 kernel(3x3) stride(2)

  %16 = root.linear "fc6" %15 outputs(4096)
  %17 = root.relu %16
  %18 = root.dropout %17 rate(0.5)
  %19 = root.linear "fc7" %18 outputs(4096)
  %20 = root.relu %19
  %21 = root.dropout %20 rate(0.5)
  %22 = root.linear "fc8" %21 outputs(1000)
  root.output %22
}
