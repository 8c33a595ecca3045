// ResNet-50 (He, Zhang, Ren, Sun 2016), in its first form and with the layers named as the authors named them:
// the baseline of the Deep Roots paper. In each stage the first block's 1x1 convolutions have the stride;
// a root topology groups the 3x3 convolutions (branch2b): --root=64 gives 64, 32, 16 and 8 groups.
//
//   stage      map      blocks   branch2a  branch2b  branch2c
//   conv1      112x112           7x7, 64, stride 2
//   res2       56x56    3        1x1, 64   3x3, 64   1x1, 256
//   res3       28x28    4        1x1, 128  3x3, 128  1x1, 512
//   res4       14x14    6        1x1, 256  3x3, 256  1x1, 1024
//   res5       7x7      3        1x1, 512  3x3, 512  1x1, 2048
root.network @resnet50(%image: !root.image<224x224x3>) classes(1000) {
  %1 = root.conv2d "conv1" %image filters(64) kernel(7x7) stride(2) pad(3)
  %2 = root.batch_norm "bn_conv1" %1
  %3 = root.relu %2
  %pool1 = root.max_pool %3 kernel(3x3) stride(2) rounding(ceil)

  // res2: 56x56, 3 blocks of 64, 64, 256
  %4 = root.conv2d "res2a_branch1" %pool1 filters(256) kernel(1x1) no_bias
  %5 = root.batch_norm "bn2a_branch1" %4
  %6 = root.conv2d "res2a_branch2a" %pool1 filters(64) kernel(1x1) no_bias
  %7 = root.batch_norm "bn2a_branch2a" %6
  %8 = root.relu %7
  %9 = root.conv2d "res2a_branch2b" %8 filters(64) kernel(3x3) pad(1) no_bias
  %10 = root.batch_norm "bn2a_branch2b" %9
  %11 = root.relu %10
  %12 = root.conv2d "res2a_branch2c" %11 filters(256) kernel(1x1) no_bias
  %13 = root.batch_norm "bn2a_branch2c" %12
  %14 = root.add %5, %13
  %res2a = root.relu %14

  %15 = root.conv2d "res2b_branch2a" %res2a filters(64) kernel(1x1) no_bias
  %16 = root.batch_norm "bn2b_branch2a" %15
  %17 = root.relu %16
  %18 = root.conv2d "res2b_branch2b" %17 filters(64) kernel(3x3) pad(1) no_bias
  %19 = root.batch_norm "bn2b_branch2b" %18
  %20 = root.relu %19
  %21 = root.conv2d "res2b_branch2c" %20 filters(256) kernel(1x1) no_bias
  %22 = root.batch_norm "bn2b_branch2c" %21
  %23 = root.add %res2a, %22
  %res2b = root.relu %23

  %24 = root.conv2d "res2c_branch2a" %res2b filters(64) kernel(1x1) no_bias
  %25 = root.batch_norm "bn2c_branch2a" %24
  %26 = root.relu %25
  %27 = root.conv2d "res2c_branch2b" %26 filters(64) kernel(3x3) pad(1) no_bias
  %28 = root.batch_norm "bn2c_branch2b" %27
  %29 = root.relu %28
  %30 = root.conv2d "res2c_branch2c" %29 filters(256) kernel(1x1) no_bias
  %31 = root.batch_norm "bn2c_branch2c" %30
  %32 = root.add %res2b, %31
  %res2c = root.relu %32

  // res3: 28x28, 4 blocks of 128, 128, 512
  %33 = root.conv2d "res3a_branch1" %res2c filters(512) kernel(1x1) stride(2) no_bias
  %34 = root.batch_norm "bn3a_branch1" %33
  %35 = root.conv2d "res3a_branch2a" %res2c filters(128) kernel(1x1) stride(2) no_bias
  %36 = root.batch_norm "bn3a_branch2a" %35
  %37 = root.relu %36
  %38 = root.conv2d "res3a_branch2b" %37 filters(128) kernel(3x3) pad(1) no_bias
  %39 = root.batch_norm "bn3a_branch2b" %38
  %40 = root.relu %39
  %41 = root.conv2d "res3a_branch2c" %40 filters(512) kernel(1x1) no_bias
  %42 = root.batch_norm "bn3a_branch2c" %41
  %43 = root.add %34, %42
  %res3a = root.relu %43

  %44 = root.conv2d "res3b_branch2a" %res3a filters(128) kernel(1x1) no_bias
  %45 = root.batch_norm "bn3b_branch2a" %44
  %46 = root.relu %45
  %47 = root.conv2d "res3b_branch2b" %46 filters(128) kernel(3x3) pad(1) no_bias
  %48 = root.batch_norm "bn3b_branch2b" %47
  %49 = root.relu %48
  %50 = root.conv2d "res3b_branch2c" %49 filters(512) kernel(1x1) no_bias
  %51 = root.batch_norm "bn3b_branch2c" %50
  %52 = root.add %res3a, %51
  %res3b = root.relu %52

  %53 = root.conv2d "res3c_branch2a" %res3b filters(128) kernel(1x1) no_bias
  %54 = root.batch_norm "bn3c_branch2a" %53
  %55 = root.relu %54
  %56 = root.conv2d "res3c_branch2b" %55 filters(128) kernel(3x3) pad(1) no_bias
  %57 = root.batch_norm "bn3c_branch2b" %56
  %58 = root.relu %57
  %59 = root.conv2d "res3c_branch2c" %58 filters(512) kernel(1x1) no_bias
  %60 = root.batch_norm "bn3c_branch2c" %59
  %61 = root.add %res3b, %60
  %res3c = root.relu %61

  %62 = root.conv2d "res3d_branch2a" %res3c filters(128) kernel(1x1) no_bias
  %63 = root.batch_norm "bn3d_branch2a" %62
  %64 = root.relu %63
  %65 = root.conv2d "res3d_branch2b" %64 filters(128) kernel(3x3) pad(1) no_bias
  %66 = root.batch_norm "bn3d_branch2b" %65
  %67 = root.relu %66
  %68 = root.conv2d "res3d_branch2c" %67 filters(512) kernel(1x1) no_bias
  %69 = root.batch_norm "bn3d_branch2c" %68
  %70 = root.add %res3c, %69
  %res3d = root.relu %70

  // res4: 14x14, 6 blocks of 256, 256, 1024
  %71 = root.conv2d "res4a_branch1" %res3d filters(1024) kernel(1x1) stride(2) no_bias
  %72 = root.batch_norm "bn4a_branch1" %71
  %73 = root.conv2d "res4a_branch2a" %res3d filters(256) kernel(1x1) stride(2) no_bias
  %74 = root.batch_norm "bn4a_branch2a" %73
  %75 = root.relu %74
  %76 = root.conv2d "res4a_branch2b" %75 filters(256) kernel(3x3) pad(1) no_bias
  %77 = root.batch_norm "bn4a_branch2b" %76
  %78 = root.relu %77
  %79 = root.conv2d "res4a_branch2c" %78 filters(1024) kernel(1x1) no_bias
  %80 = root.batch_norm "bn4a_branch2c" %79
  %81 = root.add %72, %80
  %res4a = root.relu %81

  %82 = root.conv2d "res4b_branch2a" %res4a filters(256) kernel(1x1) no_bias
  %83 = root.batch_norm "bn4b_branch2a" %82
  %84 = root.relu %83
  %85 = root.conv2d "res4b_branch2b" %84 filters(256) kernel(3x3) pad(1) no_bias
  %86 = root.batch_norm "bn4b_branch2b" %85
  %87 = root.relu %86
  %88 = root.conv2d "res4b_branch2c" %87 filters(1024) kernel(1x1) no_bias
  %89 = root.batch_norm "bn4b_branch2c" %88
  %90 = root.add %res4a, %89
  %res4b = root.relu %90

  %91 = root.conv2d "res4c_branch2a" %res4b filters(256) kernel(1x1) no_bias
  %92 = root.batch_norm "bn4c_branch2a" %91
  %93 = root.relu %92
  %94 = root.conv2d "res4c_branch2b" %93 filters(256) kernel(3x3) pad(1) no_bias
  %95 = root.batch_norm "bn4c_branch2b" %94
  %96 = root.relu %95
  %97 = root.conv2d "res4c_branch2c" %96 filters(1024) kernel(1x1) no_bias
  %98 = root.batch_norm "bn4c_branch2c" %97
  %99 = root.add %res4b, %98
  %res4c = root.relu %99

  %100 = root.conv2d "res4d_branch2a" %res4c filters(256) kernel(1x1) no_bias
  %101 = root.batch_norm "bn4d_branch2a" %100
  %102 = root.relu %101
  %103 = root.conv2d "res4d_branch2b" %102 filters(256) kernel(3x3) pad(1) no_bias
  %104 = root.batch_norm "bn4d_branch2b" %103
  %105 = root.relu %104
  %106 = root.conv2d "res4d_branch2c" %105 filters(1024) kernel(1x1) no_bias
  %107 = root.batch_norm "bn4d_branch2c" %106
  %108 = root.add %res4c, %107
  %res4d = root.relu %108

  %109 = root.conv2d "res4e_branch2a" %res4d filters(256) kernel(1x1) no_bias
  %110 = root.batch_norm "bn4e_branch2a" %109
  %111 = root.relu %110
  %112 = root.conv2d "res4e_branch2b" %111 filters(256) kernel(3x3) pad(1) no_bias
  %113 = root.batch_norm "bn4e_branch2b" %112
  %114 = root.relu %113
  %115 = root.conv2d "res4e_branch2c" %114 filters(1024) kernel(1x1) no_bias
  %116 = root.batch_norm "bn4e_branch2c" %115
  %117 = root.add %res4d, %116
  %res4e = root.relu %117

  %118 = root.conv2d "res4f_branch2a" %res4e filters(256) kernel(1x1) no_bias
  %119 = root.batch_norm "bn4f_branch2a" %118
  %120 = root.relu %119
  %121 = root.conv2d "res4f_branch2b" %120 filters(256) kernel(3x3) pad(1) no_bias
  %122 = root.batch_norm "bn4f_branch2b" %121
  %123 = root.relu %122
  %124 = root.conv2d "res4f_branch2c" %123 filters(1024) kernel(1x1) no_bias
  %125 = root.batch_norm "bn4f_branch2c" %124
  %126 = root.add %res4e, %125
  %res4f = root.relu %126

  // res5: 7x7, 3 blocks of 512, 512, 2048
  %127 = root.conv2d "res5a_branch1" %res4f filters(2048) kernel(1x1) stride(2) no_bias
  %128 = root.batch_norm "bn5a_branch1" %127
  %129 = root.conv2d "res5a_branch2a" %res4f filters(512) kernel(1x1) stride(2) no_bias
  %130 = root.batch_norm "bn5a_branch2a" %129
  %131 = root.relu %130
  %132 = root.conv2d "res5a_branch2b" %131 filters(512) kernel(3x3) pad(1) no_bias
  %133 = root.batch_norm "bn5a_branch2b" %132
  %134 = root.relu %133
  %135 = root.conv2d "res5a_branch2c" %134 filters(2048) kernel(1x1) no_bias
  %136 = root.batch_norm "bn5a_branch2c" %135
  %137 = root.add %128, %136
  %res5a = root.relu %137

  %138 = root.conv2d "res5b_branch2a" %res5a filters(512) kernel(1x1) no_bias
  %139 = root.batch_norm "bn5b_branch2a" %138
  %140 = root.relu %139
  %141 = root.conv2d "res5b_branch2b" %140 filters(512) kernel(3x3) pad(1) no_bias
  %142 = root.batch_norm "bn5b_branch2b" %141
  %143 = root.relu %142
  %144 = root.conv2d "res5b_branch2c" %143 filters(2048) kernel(1x1) no_bias
  %145 = root.batch_norm "bn5b_branch2c" %144
  %146 = root.add %res5a, %145
  %res5b = root.relu %146

  %147 = root.conv2d "res5c_branch2a" %res5b filters(512) kernel(1x1) no_bias
  %148 = root.batch_norm "bn5c_branch2a" %147
  %149 = root.relu %148
  %150 = root.conv2d "res5c_branch2b" %149 filters(512) kernel(3x3) pad(1) no_bias
  %151 = root.batch_norm "bn5c_branch2b" %150
  %152 = root.relu %151
  %153 = root.conv2d "res5c_branch2c" %152 filters(2048) kernel(1x1) no_bias
  %154 = root.batch_norm "bn5c_branch2c" %153
  %155 = root.add %res5b, %154
  %res5c = root.relu %155

  %pool5 = root.global_average_pool %res5c
  %156 = root.linear "fc1000" %pool5 outputs(1000)
  root.output %156
}
