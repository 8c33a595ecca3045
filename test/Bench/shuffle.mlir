// The first two stages of ShuffleNetV2, to time slices, concatenations and shuffles.
root.network @shuffle(%image: !root.image<224x224x3>) classes(100) {
  %1 = root.conv2d "conv1" %image filters(24) kernel(3x3) pad(1) stride(2) no_bias
  %2 = root.batch_norm "conv1.bn" %1
  %3 = root.relu %2
  %4 = root.max_pool %3 kernel(3x3) stride(2) pad(1)

  %5 = root.conv2d "stage2.0.a.depthwise" %4 filters(24) kernel(3x3) pad(1) stride(2) groups(24) no_bias
  %6 = root.batch_norm "stage2.0.a.depthwise.bn" %5
  %7 = root.conv2d "stage2.0.a.pointwise" %6 filters(58) kernel(1x1) no_bias
  %8 = root.batch_norm "stage2.0.a.pointwise.bn" %7
  %9 = root.relu %8
  %10 = root.conv2d "stage2.0.b.1" %4 filters(58) kernel(1x1) no_bias
  %11 = root.batch_norm "stage2.0.b.1.bn" %10
  %12 = root.relu %11
  %13 = root.conv2d "stage2.0.b.depthwise" %12 filters(58) kernel(3x3) pad(1) stride(2) groups(58) no_bias
  %14 = root.batch_norm "stage2.0.b.depthwise.bn" %13
  %15 = root.conv2d "stage2.0.b.2" %14 filters(58) kernel(1x1) no_bias
  %16 = root.batch_norm "stage2.0.b.2.bn" %15
  %17 = root.relu %16
  %18 = root.concat %9, %17
  %19 = root.channel_shuffle %18 groups(2)

  %20 = root.slice_channels %19 begin(0) end(58)
  %21 = root.slice_channels %19 begin(58) end(116)
  %22 = root.conv2d "stage2.1.b.1" %21 filters(58) kernel(1x1) no_bias
  %23 = root.batch_norm "stage2.1.b.1.bn" %22
  %24 = root.relu %23
  %25 = root.conv2d "stage2.1.b.depthwise" %24 filters(58) kernel(3x3) pad(1) groups(58) no_bias
  %26 = root.batch_norm "stage2.1.b.depthwise.bn" %25
  %27 = root.conv2d "stage2.1.b.2" %26 filters(58) kernel(1x1) no_bias
  %28 = root.batch_norm "stage2.1.b.2.bn" %27
  %29 = root.relu %28
  %30 = root.concat %20, %29
  %31 = root.channel_shuffle %30 groups(2)

  %32 = root.slice_channels %31 begin(0) end(58)
  %33 = root.slice_channels %31 begin(58) end(116)
  %34 = root.conv2d "stage2.2.b.1" %33 filters(58) kernel(1x1) no_bias
  %35 = root.batch_norm "stage2.2.b.1.bn" %34
  %36 = root.relu %35
  %37 = root.conv2d "stage2.2.b.depthwise" %36 filters(58) kernel(3x3) pad(1) groups(58) no_bias
  %38 = root.batch_norm "stage2.2.b.depthwise.bn" %37
  %39 = root.conv2d "stage2.2.b.2" %38 filters(58) kernel(1x1) no_bias
  %40 = root.batch_norm "stage2.2.b.2.bn" %39
  %41 = root.relu %40
  %42 = root.concat %32, %41
  %43 = root.channel_shuffle %42 groups(2)

  %44 = root.slice_channels %43 begin(0) end(58)
  %45 = root.slice_channels %43 begin(58) end(116)
  %46 = root.conv2d "stage2.3.b.1" %45 filters(58) kernel(1x1) no_bias
  %47 = root.batch_norm "stage2.3.b.1.bn" %46
  %48 = root.relu %47
  %49 = root.conv2d "stage2.3.b.depthwise" %48 filters(58) kernel(3x3) pad(1) groups(58) no_bias
  %50 = root.batch_norm "stage2.3.b.depthwise.bn" %49
  %51 = root.conv2d "stage2.3.b.2" %50 filters(58) kernel(1x1) no_bias
  %52 = root.batch_norm "stage2.3.b.2.bn" %51
  %53 = root.relu %52
  %54 = root.concat %44, %53
  %55 = root.channel_shuffle %54 groups(2)

  %56 = root.conv2d "stage3.0.a.depthwise" %55 filters(116) kernel(3x3) pad(1) stride(2) groups(116) no_bias
  %57 = root.batch_norm "stage3.0.a.depthwise.bn" %56
  %58 = root.conv2d "stage3.0.a.pointwise" %57 filters(116) kernel(1x1) no_bias
  %59 = root.batch_norm "stage3.0.a.pointwise.bn" %58
  %60 = root.relu %59
  %61 = root.conv2d "stage3.0.b.1" %55 filters(116) kernel(1x1) no_bias
  %62 = root.batch_norm "stage3.0.b.1.bn" %61
  %63 = root.relu %62
  %64 = root.conv2d "stage3.0.b.depthwise" %63 filters(116) kernel(3x3) pad(1) stride(2) groups(116) no_bias
  %65 = root.batch_norm "stage3.0.b.depthwise.bn" %64
  %66 = root.conv2d "stage3.0.b.2" %65 filters(116) kernel(1x1) no_bias
  %67 = root.batch_norm "stage3.0.b.2.bn" %66
  %68 = root.relu %67
  %69 = root.concat %60, %68
  %70 = root.channel_shuffle %69 groups(2)

  %71 = root.slice_channels %70 begin(0) end(116)
  %72 = root.slice_channels %70 begin(116) end(232)
  %73 = root.conv2d "stage3.1.b.1" %72 filters(116) kernel(1x1) no_bias
  %74 = root.batch_norm "stage3.1.b.1.bn" %73
  %75 = root.relu %74
  %76 = root.conv2d "stage3.1.b.depthwise" %75 filters(116) kernel(3x3) pad(1) groups(116) no_bias
  %77 = root.batch_norm "stage3.1.b.depthwise.bn" %76
  %78 = root.conv2d "stage3.1.b.2" %77 filters(116) kernel(1x1) no_bias
  %79 = root.batch_norm "stage3.1.b.2.bn" %78
  %80 = root.relu %79
  %81 = root.concat %71, %80
  %82 = root.channel_shuffle %81 groups(2)

  %83 = root.slice_channels %82 begin(0) end(116)
  %84 = root.slice_channels %82 begin(116) end(232)
  %85 = root.conv2d "stage3.2.b.1" %84 filters(116) kernel(1x1) no_bias
  %86 = root.batch_norm "stage3.2.b.1.bn" %85
  %87 = root.relu %86
  %88 = root.conv2d "stage3.2.b.depthwise" %87 filters(116) kernel(3x3) pad(1) groups(116) no_bias
  %89 = root.batch_norm "stage3.2.b.depthwise.bn" %88
  %90 = root.conv2d "stage3.2.b.2" %89 filters(116) kernel(1x1) no_bias
  %91 = root.batch_norm "stage3.2.b.2.bn" %90
  %92 = root.relu %91
  %93 = root.concat %83, %92
  %94 = root.channel_shuffle %93 groups(2)

  %95 = root.global_average_pool %94
  %96 = root.linear "fc" %95 outputs(100)
  root.output %96
}
