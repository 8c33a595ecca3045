// Smooth activations of maps and of what linear layers make, learnt slopes and factors, borders, blocks, standardised filters.
root.network @smooth(%image: !root.image<6x9x4>) classes(5) {
  %1 = root.leaky_relu %image alpha(0.2)
  %2 = root.elu %1
  %3 = root.elu %2 alpha(1.67326324) scale(1.05070099)
  %4 = root.elu %3 alpha(0.5) scale(1.5) input_scale(2.5)
  %5 = root.gelu %4
  %6 = root.gelu %5 tanh
  %7 = root.prelu "slopes" %6
  %8 = root.prelu "slope" %7 shared
  %9 = root.silu %8
  %10 = root.softplus %9
  %11 = root.mish %10
  %12 = root.layer_scale "factors" %11
  %13 = root.drop_path %12 rate(0.2)
  %14 = root.pad %13 pad(1,0,0,0) crop(0,1,0,0)
  %15 = root.pad %14 pad(0,2,3,0) crop(1,0,0,0) reflect
  %16 = root.pad %15 crop(0,1,0,0)
  %17 = root.pad %16 pad(1,1,0,0) reflect
  %18 = root.pad %17
  %19 = root.space_to_depth %18 block(2)
  %20 = root.conv2d "standard" %19 filters(32) kernel(3) pad(1) groups(2) standardize(1e-5)
  %21 = root.depth_to_space %20 block(2)
  %22 = root.space_to_depth %21 block(2) crd
  %23 = root.depth_to_space %22 block(2) crd
  %24 = root.conv2d "plain" %23 filters(3) kernel(3) no_bias standardize(1e-6)
  %25 = root.linear "fc1" %24 outputs(6)
  %26 = root.prelu "of_vector" %25
  %27 = root.elu %26 scale(2) input_scale(0.5)
  %28 = root.gelu %27 tanh
  %29 = root.mish %28
  %30 = root.silu %29
  %31 = root.layer_scale "of_vectors" %30
  %32 = root.leaky_relu %31
  %33 = root.linear "fc2" %32 outputs(5)
  root.output %33
}
