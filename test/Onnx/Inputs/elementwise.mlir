// Activations, products, slices and shuffles, each of maps and of what linear layers make; those that change nothing; and
// batch norms behind no convolution, of the image too.
root.network @elementwise(%image: !root.image<6x5x4>) classes(10) {
  %1 = root.batch_norm "bn_image" %image
  %2 = root.clip %1 min(-0.5)
  %3 = root.clip %2 max(0.75)
  %4 = root.clip %3
  %5 = root.clip %image min(-1) max(0.25)
  %6 = root.concat %4, %5, %image
  %7 = root.channel_shuffle %6 groups(3)
  %8 = root.slice_channels %7 begin(2) end(11)
  %9 = root.channel_shuffle %8 groups(1)
  %10 = root.channel_shuffle %9 groups(9)
  %11 = root.slice_channels %10 begin(0) end(9)
  %12 = root.hard_swish %11
  %13 = root.hard_sigmoid %12 alpha(0.16666667)
  %14 = root.sigmoid %12
  %15 = root.multiply %13, %14
  %16 = root.multiply %15, %15
  %17 = root.slice_channels %12 begin(4) end(5)
  %18 = root.multiply %16, %17
  %19 = root.max_pool %18 kernel(3x2) stride(2) pad(0,1,2,0)
  %20 = root.batch_norm "bn_pool" %19
  %21 = root.global_average_pool %20
  %22 = root.sigmoid %21
  %23 = root.multiply %20, %22
  %24 = root.linear "fc1" %23 outputs(12)
  %25 = root.batch_norm "bn_vector" %24
  %26 = root.hard_sigmoid %25
  %27 = root.hard_swish %25
  %28 = root.multiply %26, %27
  %29 = root.channel_shuffle %28 groups(4)
  %30 = root.slice_channels %29 begin(1) end(11)
  %31 = root.slice_channels %25 begin(11) end(12)
  %32 = root.sigmoid %31
  %33 = root.multiply %30, %32
  %34 = root.multiply %23, %31
  %35 = root.linear "fc2" %34 outputs(10)
  %36 = root.clip %35 min(-0.1) max(0.1)
  %37 = root.add %33, %36
  %38 = root.slice_channels %25 begin(0) end(10)
  %39 = root.multiply %37, %38
  %40 = root.prelu "slopes" %39
  %41 = root.elu %40 alpha(1.5) scale(1.1)
  %42 = root.gelu %41
  %43 = root.layer_scale "factors" %42
  root.output %43
}
