// GoogLeNet (Szegedy et al. 2015), layers named as in Caffe's: the baseline of the Deep Roots paper. Every layer has a
// bias. Maps are as the paper's counts have them: the pools in front of inception 4 and 5 have padding, so those are 15
// and 8 wide, and the last pool leaves 2x2.
// A root topology groups the spatial convolutions, 3x3 and 5x5 alike: --root=16 gives conv2, inception 3, 4 and 5
// 16, 8, 4 and 2 groups.
//
//   layer          map      1x1   3x3 reduce, 3x3   5x5 reduce, 5x5   pool proj
//   conv1          112x112  7x7, 64, stride 2
//   conv2          56x56          64          192
//   inception_3a   28x28    64    96          128   16          32    32
//   inception_3b   28x28    128   128         192   32          96    64
//   inception_4a   15x15    192   96          208   16          48    64         auxiliary classifier
//   inception_4b   15x15    160   112         224   24          64    64
//   inception_4c   15x15    128   128         256   24          64    64
//   inception_4d   15x15    112   144         288   32          64    64         auxiliary classifier
//   inception_4e   15x15    256   160         320   32          128   128
//   inception_5a   8x8      256   160         320   32          128   128
//   inception_5b   8x8      384   192         384   48          128   128
root.network @googlenet(%image: !root.image<224x224x3>) classes(1000) {
  %1 = root.conv2d "conv1/7x7_s2" %image filters(64) kernel(7x7) stride(2) pad(3)
  %2 = root.relu %1
  %3 = root.max_pool %2 kernel(3x3) stride(2) rounding(ceil)
  %4 = root.local_response_norm %3 size(5) alpha(1e-4) beta(0.75)

  %5 = root.conv2d "conv2/3x3_reduce" %4 filters(64) kernel(1x1)
  %6 = root.relu %5
  %7 = root.conv2d "conv2/3x3" %6 filters(192) kernel(3x3) pad(1)
  %8 = root.relu %7
  %9 = root.local_response_norm %8 size(5) alpha(1e-4) beta(0.75)
  %pool2 = root.max_pool %9 kernel(3x3) stride(2) rounding(ceil)

  %10 = root.conv2d "inception_3a/1x1" %pool2 filters(64) kernel(1x1)
  %11 = root.relu %10
  %12 = root.conv2d "inception_3a/3x3_reduce" %pool2 filters(96) kernel(1x1)
  %13 = root.relu %12
  %14 = root.conv2d "inception_3a/3x3" %13 filters(128) kernel(3x3) pad(1)
  %15 = root.relu %14
  %16 = root.conv2d "inception_3a/5x5_reduce" %pool2 filters(16) kernel(1x1)
  %17 = root.relu %16
  %18 = root.conv2d "inception_3a/5x5" %17 filters(32) kernel(5x5) pad(2)
  %19 = root.relu %18
  %20 = root.max_pool %pool2 kernel(3x3) pad(1)
  %21 = root.conv2d "inception_3a/pool_proj" %20 filters(32) kernel(1x1)
  %22 = root.relu %21
  %inception_3a = root.concat %11, %15, %19, %22

  %23 = root.conv2d "inception_3b/1x1" %inception_3a filters(128) kernel(1x1)
  %24 = root.relu %23
  %25 = root.conv2d "inception_3b/3x3_reduce" %inception_3a filters(128) kernel(1x1)
  %26 = root.relu %25
  %27 = root.conv2d "inception_3b/3x3" %26 filters(192) kernel(3x3) pad(1)
  %28 = root.relu %27
  %29 = root.conv2d "inception_3b/5x5_reduce" %inception_3a filters(32) kernel(1x1)
  %30 = root.relu %29
  %31 = root.conv2d "inception_3b/5x5" %30 filters(96) kernel(5x5) pad(2)
  %32 = root.relu %31
  %33 = root.max_pool %inception_3a kernel(3x3) pad(1)
  %34 = root.conv2d "inception_3b/pool_proj" %33 filters(64) kernel(1x1)
  %35 = root.relu %34
  %inception_3b = root.concat %24, %28, %32, %35

  %pool3 = root.max_pool %inception_3b kernel(3x3) stride(2) pad(1) rounding(ceil)
  %36 = root.conv2d "inception_4a/1x1" %pool3 filters(192) kernel(1x1)
  %37 = root.relu %36
  %38 = root.conv2d "inception_4a/3x3_reduce" %pool3 filters(96) kernel(1x1)
  %39 = root.relu %38
  %40 = root.conv2d "inception_4a/3x3" %39 filters(208) kernel(3x3) pad(1)
  %41 = root.relu %40
  %42 = root.conv2d "inception_4a/5x5_reduce" %pool3 filters(16) kernel(1x1)
  %43 = root.relu %42
  %44 = root.conv2d "inception_4a/5x5" %43 filters(48) kernel(5x5) pad(2)
  %45 = root.relu %44
  %46 = root.max_pool %pool3 kernel(3x3) pad(1)
  %47 = root.conv2d "inception_4a/pool_proj" %46 filters(64) kernel(1x1)
  %48 = root.relu %47
  %inception_4a = root.concat %37, %41, %45, %48

  // Auxiliary classifier 1
  %49 = root.average_pool %inception_4a kernel(5x5) stride(3) rounding(ceil)
  %50 = root.conv2d "loss1/conv" %49 filters(128) kernel(1x1)
  %51 = root.relu %50
  %52 = root.linear "loss1/fc" %51 outputs(1024)
  %53 = root.relu %52
  %54 = root.dropout %53 rate(0.7)
  %55 = root.linear "loss1/classifier" %54 outputs(1000)
  root.auxiliary %55 weight(0.3)

  %56 = root.conv2d "inception_4b/1x1" %inception_4a filters(160) kernel(1x1)
  %57 = root.relu %56
  %58 = root.conv2d "inception_4b/3x3_reduce" %inception_4a filters(112) kernel(1x1)
  %59 = root.relu %58
  %60 = root.conv2d "inception_4b/3x3" %59 filters(224) kernel(3x3) pad(1)
  %61 = root.relu %60
  %62 = root.conv2d "inception_4b/5x5_reduce" %inception_4a filters(24) kernel(1x1)
  %63 = root.relu %62
  %64 = root.conv2d "inception_4b/5x5" %63 filters(64) kernel(5x5) pad(2)
  %65 = root.relu %64
  %66 = root.max_pool %inception_4a kernel(3x3) pad(1)
  %67 = root.conv2d "inception_4b/pool_proj" %66 filters(64) kernel(1x1)
  %68 = root.relu %67
  %inception_4b = root.concat %57, %61, %65, %68

  %69 = root.conv2d "inception_4c/1x1" %inception_4b filters(128) kernel(1x1)
  %70 = root.relu %69
  %71 = root.conv2d "inception_4c/3x3_reduce" %inception_4b filters(128) kernel(1x1)
  %72 = root.relu %71
  %73 = root.conv2d "inception_4c/3x3" %72 filters(256) kernel(3x3) pad(1)
  %74 = root.relu %73
  %75 = root.conv2d "inception_4c/5x5_reduce" %inception_4b filters(24) kernel(1x1)
  %76 = root.relu %75
  %77 = root.conv2d "inception_4c/5x5" %76 filters(64) kernel(5x5) pad(2)
  %78 = root.relu %77
  %79 = root.max_pool %inception_4b kernel(3x3) pad(1)
  %80 = root.conv2d "inception_4c/pool_proj" %79 filters(64) kernel(1x1)
  %81 = root.relu %80
  %inception_4c = root.concat %70, %74, %78, %81

  %82 = root.conv2d "inception_4d/1x1" %inception_4c filters(112) kernel(1x1)
  %83 = root.relu %82
  %84 = root.conv2d "inception_4d/3x3_reduce" %inception_4c filters(144) kernel(1x1)
  %85 = root.relu %84
  %86 = root.conv2d "inception_4d/3x3" %85 filters(288) kernel(3x3) pad(1)
  %87 = root.relu %86
  %88 = root.conv2d "inception_4d/5x5_reduce" %inception_4c filters(32) kernel(1x1)
  %89 = root.relu %88
  %90 = root.conv2d "inception_4d/5x5" %89 filters(64) kernel(5x5) pad(2)
  %91 = root.relu %90
  %92 = root.max_pool %inception_4c kernel(3x3) pad(1)
  %93 = root.conv2d "inception_4d/pool_proj" %92 filters(64) kernel(1x1)
  %94 = root.relu %93
  %inception_4d = root.concat %83, %87, %91, %94

  // Auxiliary classifier 2
  %95 = root.average_pool %inception_4d kernel(5x5) stride(3) rounding(ceil)
  %96 = root.conv2d "loss2/conv" %95 filters(128) kernel(1x1)
  %97 = root.relu %96
  %98 = root.linear "loss2/fc" %97 outputs(1024)
  %99 = root.relu %98
  %100 = root.dropout %99 rate(0.7)
  %101 = root.linear "loss2/classifier" %100 outputs(1000)
  root.auxiliary %101 weight(0.3)

  %102 = root.conv2d "inception_4e/1x1" %inception_4d filters(256) kernel(1x1)
  %103 = root.relu %102
  %104 = root.conv2d "inception_4e/3x3_reduce" %inception_4d filters(160) kernel(1x1)
  %105 = root.relu %104
  %106 = root.conv2d "inception_4e/3x3" %105 filters(320) kernel(3x3) pad(1)
  %107 = root.relu %106
  %108 = root.conv2d "inception_4e/5x5_reduce" %inception_4d filters(32) kernel(1x1)
  %109 = root.relu %108
  %110 = root.conv2d "inception_4e/5x5" %109 filters(128) kernel(5x5) pad(2)
  %111 = root.relu %110
  %112 = root.max_pool %inception_4d kernel(3x3) pad(1)
  %113 = root.conv2d "inception_4e/pool_proj" %112 filters(128) kernel(1x1)
  %114 = root.relu %113
  %inception_4e = root.concat %103, %107, %111, %114

  %pool4 = root.max_pool %inception_4e kernel(3x3) stride(2) pad(1) rounding(ceil)
  %115 = root.conv2d "inception_5a/1x1" %pool4 filters(256) kernel(1x1)
  %116 = root.relu %115
  %117 = root.conv2d "inception_5a/3x3_reduce" %pool4 filters(160) kernel(1x1)
  %118 = root.relu %117
  %119 = root.conv2d "inception_5a/3x3" %118 filters(320) kernel(3x3) pad(1)
  %120 = root.relu %119
  %121 = root.conv2d "inception_5a/5x5_reduce" %pool4 filters(32) kernel(1x1)
  %122 = root.relu %121
  %123 = root.conv2d "inception_5a/5x5" %122 filters(128) kernel(5x5) pad(2)
  %124 = root.relu %123
  %125 = root.max_pool %pool4 kernel(3x3) pad(1)
  %126 = root.conv2d "inception_5a/pool_proj" %125 filters(128) kernel(1x1)
  %127 = root.relu %126
  %inception_5a = root.concat %116, %120, %124, %127

  %128 = root.conv2d "inception_5b/1x1" %inception_5a filters(384) kernel(1x1)
  %129 = root.relu %128
  %130 = root.conv2d "inception_5b/3x3_reduce" %inception_5a filters(192) kernel(1x1)
  %131 = root.relu %130
  %132 = root.conv2d "inception_5b/3x3" %131 filters(384) kernel(3x3) pad(1)
  %133 = root.relu %132
  %134 = root.conv2d "inception_5b/5x5_reduce" %inception_5a filters(48) kernel(1x1)
  %135 = root.relu %134
  %136 = root.conv2d "inception_5b/5x5" %135 filters(128) kernel(5x5) pad(2)
  %137 = root.relu %136
  %138 = root.max_pool %inception_5a kernel(3x3) pad(1)
  %139 = root.conv2d "inception_5b/pool_proj" %138 filters(128) kernel(1x1)
  %140 = root.relu %139
  %inception_5b = root.concat %129, %133, %137, %140

  %pool5 = root.average_pool %inception_5b kernel(7x7)
  %141 = root.dropout %pool5 rate(0.4)
  %142 = root.linear "loss3/classifier" %141 outputs(1000)
  root.output %142
}
