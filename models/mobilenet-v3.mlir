// MobileNetV3-Large (Howard et al. 2019): depthwise convolutions between 1x1s, hard swish, squeeze and excitation. A root
// topology groups the 1x1 convolutions that expand (not the one behind the blocks): --root=8 gives 8, 4 and 2 groups on maps of
// 112x112, 56x56 and 28x28; the 1x1 that projects mixes them again.
root.network @mobilenet_v3_large(%image: !root.image<224x224x3>) classes(1000) {
  %1 = root.conv2d "conv0" %image filters(16) kernel(3x3) stride(2) pad(1) no_bias
  %2 = root.batch_norm "conv0.bn" %1 epsilon(1e-3) momentum(0.01)
  %3 = root.hard_swish %2

  // block 1: 112x112, 16 to 16
  %4 = root.conv2d "block1.depthwise" %3 filters(16) kernel(3x3) pad(1) groups(16) no_bias
  %5 = root.batch_norm "block1.depthwise.bn" %4 epsilon(1e-3) momentum(0.01)
  %6 = root.relu %5
  %7 = root.conv2d "block1.project" %6 filters(16) kernel(1x1) no_bias
  %8 = root.batch_norm "block1.project.bn" %7 epsilon(1e-3) momentum(0.01)
  %9 = root.add %3, %8

  // block 2: 56x56, 64 to 24
  %10 = root.conv2d "block2.expand" %9 filters(64) kernel(1x1) no_bias stage(0)
  %11 = root.batch_norm "block2.expand.bn" %10 epsilon(1e-3) momentum(0.01)
  %12 = root.relu %11
  %13 = root.conv2d "block2.depthwise" %12 filters(64) kernel(3x3) stride(2) pad(1) groups(64) no_bias
  %14 = root.batch_norm "block2.depthwise.bn" %13 epsilon(1e-3) momentum(0.01)
  %15 = root.relu %14
  %16 = root.conv2d "block2.project" %15 filters(24) kernel(1x1) no_bias
  %17 = root.batch_norm "block2.project.bn" %16 epsilon(1e-3) momentum(0.01)

  // block 3: 56x56, 72 to 24
  %18 = root.conv2d "block3.expand" %17 filters(72) kernel(1x1) no_bias stage(1)
  %19 = root.batch_norm "block3.expand.bn" %18 epsilon(1e-3) momentum(0.01)
  %20 = root.relu %19
  %21 = root.conv2d "block3.depthwise" %20 filters(72) kernel(3x3) pad(1) groups(72) no_bias
  %22 = root.batch_norm "block3.depthwise.bn" %21 epsilon(1e-3) momentum(0.01)
  %23 = root.relu %22
  %24 = root.conv2d "block3.project" %23 filters(24) kernel(1x1) no_bias
  %25 = root.batch_norm "block3.project.bn" %24 epsilon(1e-3) momentum(0.01)
  %26 = root.add %17, %25

  // block 4: 28x28, 72 to 40
  %27 = root.conv2d "block4.expand" %26 filters(72) kernel(1x1) no_bias stage(1)
  %28 = root.batch_norm "block4.expand.bn" %27 epsilon(1e-3) momentum(0.01)
  %29 = root.relu %28
  %30 = root.conv2d "block4.depthwise" %29 filters(72) kernel(5x5) stride(2) pad(2) groups(72) no_bias
  %31 = root.batch_norm "block4.depthwise.bn" %30 epsilon(1e-3) momentum(0.01)
  %32 = root.relu %31
  %33 = root.global_average_pool %32
  %34 = root.conv2d "block4.squeeze" %33 filters(24) kernel(1x1)
  %35 = root.relu %34
  %36 = root.conv2d "block4.excite" %35 filters(72) kernel(1x1)
  %37 = root.hard_sigmoid %36 alpha(0.16666667)
  %38 = root.multiply %32, %37
  %39 = root.conv2d "block4.project" %38 filters(40) kernel(1x1) no_bias
  %40 = root.batch_norm "block4.project.bn" %39 epsilon(1e-3) momentum(0.01)

  // block 5: 28x28, 120 to 40
  %41 = root.conv2d "block5.expand" %40 filters(120) kernel(1x1) no_bias stage(2)
  %42 = root.batch_norm "block5.expand.bn" %41 epsilon(1e-3) momentum(0.01)
  %43 = root.relu %42
  %44 = root.conv2d "block5.depthwise" %43 filters(120) kernel(5x5) pad(2) groups(120) no_bias
  %45 = root.batch_norm "block5.depthwise.bn" %44 epsilon(1e-3) momentum(0.01)
  %46 = root.relu %45
  %47 = root.global_average_pool %46
  %48 = root.conv2d "block5.squeeze" %47 filters(32) kernel(1x1)
  %49 = root.relu %48
  %50 = root.conv2d "block5.excite" %49 filters(120) kernel(1x1)
  %51 = root.hard_sigmoid %50 alpha(0.16666667)
  %52 = root.multiply %46, %51
  %53 = root.conv2d "block5.project" %52 filters(40) kernel(1x1) no_bias
  %54 = root.batch_norm "block5.project.bn" %53 epsilon(1e-3) momentum(0.01)
  %55 = root.add %40, %54

  // block 6: 28x28, 120 to 40
  %56 = root.conv2d "block6.expand" %55 filters(120) kernel(1x1) no_bias stage(2)
  %57 = root.batch_norm "block6.expand.bn" %56 epsilon(1e-3) momentum(0.01)
  %58 = root.relu %57
  %59 = root.conv2d "block6.depthwise" %58 filters(120) kernel(5x5) pad(2) groups(120) no_bias
  %60 = root.batch_norm "block6.depthwise.bn" %59 epsilon(1e-3) momentum(0.01)
  %61 = root.relu %60
  %62 = root.global_average_pool %61
  %63 = root.conv2d "block6.squeeze" %62 filters(32) kernel(1x1)
  %64 = root.relu %63
  %65 = root.conv2d "block6.excite" %64 filters(120) kernel(1x1)
  %66 = root.hard_sigmoid %65 alpha(0.16666667)
  %67 = root.multiply %61, %66
  %68 = root.conv2d "block6.project" %67 filters(40) kernel(1x1) no_bias
  %69 = root.batch_norm "block6.project.bn" %68 epsilon(1e-3) momentum(0.01)
  %70 = root.add %55, %69

  // block 7: 14x14, 240 to 80
  %71 = root.conv2d "block7.expand" %70 filters(240) kernel(1x1) no_bias stage(2)
  %72 = root.batch_norm "block7.expand.bn" %71 epsilon(1e-3) momentum(0.01)
  %73 = root.hard_swish %72
  %74 = root.conv2d "block7.depthwise" %73 filters(240) kernel(3x3) stride(2) pad(1) groups(240) no_bias
  %75 = root.batch_norm "block7.depthwise.bn" %74 epsilon(1e-3) momentum(0.01)
  %76 = root.hard_swish %75
  %77 = root.conv2d "block7.project" %76 filters(80) kernel(1x1) no_bias
  %78 = root.batch_norm "block7.project.bn" %77 epsilon(1e-3) momentum(0.01)

  // block 8: 14x14, 200 to 80
  %79 = root.conv2d "block8.expand" %78 filters(200) kernel(1x1) no_bias stage(3)
  %80 = root.batch_norm "block8.expand.bn" %79 epsilon(1e-3) momentum(0.01)
  %81 = root.hard_swish %80
  %82 = root.conv2d "block8.depthwise" %81 filters(200) kernel(3x3) pad(1) groups(200) no_bias
  %83 = root.batch_norm "block8.depthwise.bn" %82 epsilon(1e-3) momentum(0.01)
  %84 = root.hard_swish %83
  %85 = root.conv2d "block8.project" %84 filters(80) kernel(1x1) no_bias
  %86 = root.batch_norm "block8.project.bn" %85 epsilon(1e-3) momentum(0.01)
  %87 = root.add %78, %86

  // block 9: 14x14, 184 to 80
  %88 = root.conv2d "block9.expand" %87 filters(184) kernel(1x1) no_bias stage(3)
  %89 = root.batch_norm "block9.expand.bn" %88 epsilon(1e-3) momentum(0.01)
  %90 = root.hard_swish %89
  %91 = root.conv2d "block9.depthwise" %90 filters(184) kernel(3x3) pad(1) groups(184) no_bias
  %92 = root.batch_norm "block9.depthwise.bn" %91 epsilon(1e-3) momentum(0.01)
  %93 = root.hard_swish %92
  %94 = root.conv2d "block9.project" %93 filters(80) kernel(1x1) no_bias
  %95 = root.batch_norm "block9.project.bn" %94 epsilon(1e-3) momentum(0.01)
  %96 = root.add %87, %95

  // block 10: 14x14, 184 to 80
  %97 = root.conv2d "block10.expand" %96 filters(184) kernel(1x1) no_bias stage(3)
  %98 = root.batch_norm "block10.expand.bn" %97 epsilon(1e-3) momentum(0.01)
  %99 = root.hard_swish %98
  %100 = root.conv2d "block10.depthwise" %99 filters(184) kernel(3x3) pad(1) groups(184) no_bias
  %101 = root.batch_norm "block10.depthwise.bn" %100 epsilon(1e-3) momentum(0.01)
  %102 = root.hard_swish %101
  %103 = root.conv2d "block10.project" %102 filters(80) kernel(1x1) no_bias
  %104 = root.batch_norm "block10.project.bn" %103 epsilon(1e-3) momentum(0.01)
  %105 = root.add %96, %104

  // block 11: 14x14, 480 to 112
  %106 = root.conv2d "block11.expand" %105 filters(480) kernel(1x1) no_bias stage(3)
  %107 = root.batch_norm "block11.expand.bn" %106 epsilon(1e-3) momentum(0.01)
  %108 = root.hard_swish %107
  %109 = root.conv2d "block11.depthwise" %108 filters(480) kernel(3x3) pad(1) groups(480) no_bias
  %110 = root.batch_norm "block11.depthwise.bn" %109 epsilon(1e-3) momentum(0.01)
  %111 = root.hard_swish %110
  %112 = root.global_average_pool %111
  %113 = root.conv2d "block11.squeeze" %112 filters(120) kernel(1x1)
  %114 = root.relu %113
  %115 = root.conv2d "block11.excite" %114 filters(480) kernel(1x1)
  %116 = root.hard_sigmoid %115 alpha(0.16666667)
  %117 = root.multiply %111, %116
  %118 = root.conv2d "block11.project" %117 filters(112) kernel(1x1) no_bias
  %119 = root.batch_norm "block11.project.bn" %118 epsilon(1e-3) momentum(0.01)

  // block 12: 14x14, 672 to 112
  %120 = root.conv2d "block12.expand" %119 filters(672) kernel(1x1) no_bias stage(3)
  %121 = root.batch_norm "block12.expand.bn" %120 epsilon(1e-3) momentum(0.01)
  %122 = root.hard_swish %121
  %123 = root.conv2d "block12.depthwise" %122 filters(672) kernel(3x3) pad(1) groups(672) no_bias
  %124 = root.batch_norm "block12.depthwise.bn" %123 epsilon(1e-3) momentum(0.01)
  %125 = root.hard_swish %124
  %126 = root.global_average_pool %125
  %127 = root.conv2d "block12.squeeze" %126 filters(168) kernel(1x1)
  %128 = root.relu %127
  %129 = root.conv2d "block12.excite" %128 filters(672) kernel(1x1)
  %130 = root.hard_sigmoid %129 alpha(0.16666667)
  %131 = root.multiply %125, %130
  %132 = root.conv2d "block12.project" %131 filters(112) kernel(1x1) no_bias
  %133 = root.batch_norm "block12.project.bn" %132 epsilon(1e-3) momentum(0.01)
  %134 = root.add %119, %133

  // block 13: 7x7, 672 to 160
  %135 = root.conv2d "block13.expand" %134 filters(672) kernel(1x1) no_bias stage(3)
  %136 = root.batch_norm "block13.expand.bn" %135 epsilon(1e-3) momentum(0.01)
  %137 = root.hard_swish %136
  %138 = root.conv2d "block13.depthwise" %137 filters(672) kernel(5x5) stride(2) pad(2) groups(672) no_bias
  %139 = root.batch_norm "block13.depthwise.bn" %138 epsilon(1e-3) momentum(0.01)
  %140 = root.hard_swish %139
  %141 = root.global_average_pool %140
  %142 = root.conv2d "block13.squeeze" %141 filters(168) kernel(1x1)
  %143 = root.relu %142
  %144 = root.conv2d "block13.excite" %143 filters(672) kernel(1x1)
  %145 = root.hard_sigmoid %144 alpha(0.16666667)
  %146 = root.multiply %140, %145
  %147 = root.conv2d "block13.project" %146 filters(160) kernel(1x1) no_bias
  %148 = root.batch_norm "block13.project.bn" %147 epsilon(1e-3) momentum(0.01)

  // block 14: 7x7, 960 to 160
  %149 = root.conv2d "block14.expand" %148 filters(960) kernel(1x1) no_bias stage(4)
  %150 = root.batch_norm "block14.expand.bn" %149 epsilon(1e-3) momentum(0.01)
  %151 = root.hard_swish %150
  %152 = root.conv2d "block14.depthwise" %151 filters(960) kernel(5x5) pad(2) groups(960) no_bias
  %153 = root.batch_norm "block14.depthwise.bn" %152 epsilon(1e-3) momentum(0.01)
  %154 = root.hard_swish %153
  %155 = root.global_average_pool %154
  %156 = root.conv2d "block14.squeeze" %155 filters(240) kernel(1x1)
  %157 = root.relu %156
  %158 = root.conv2d "block14.excite" %157 filters(960) kernel(1x1)
  %159 = root.hard_sigmoid %158 alpha(0.16666667)
  %160 = root.multiply %154, %159
  %161 = root.conv2d "block14.project" %160 filters(160) kernel(1x1) no_bias
  %162 = root.batch_norm "block14.project.bn" %161 epsilon(1e-3) momentum(0.01)
  %163 = root.add %148, %162

  // block 15: 7x7, 960 to 160
  %164 = root.conv2d "block15.expand" %163 filters(960) kernel(1x1) no_bias stage(4)
  %165 = root.batch_norm "block15.expand.bn" %164 epsilon(1e-3) momentum(0.01)
  %166 = root.hard_swish %165
  %167 = root.conv2d "block15.depthwise" %166 filters(960) kernel(5x5) pad(2) groups(960) no_bias
  %168 = root.batch_norm "block15.depthwise.bn" %167 epsilon(1e-3) momentum(0.01)
  %169 = root.hard_swish %168
  %170 = root.global_average_pool %169
  %171 = root.conv2d "block15.squeeze" %170 filters(240) kernel(1x1)
  %172 = root.relu %171
  %173 = root.conv2d "block15.excite" %172 filters(960) kernel(1x1)
  %174 = root.hard_sigmoid %173 alpha(0.16666667)
  %175 = root.multiply %169, %174
  %176 = root.conv2d "block15.project" %175 filters(160) kernel(1x1) no_bias
  %177 = root.batch_norm "block15.project.bn" %176 epsilon(1e-3) momentum(0.01)
  %178 = root.add %163, %177

  %179 = root.conv2d "conv16" %178 filters(960) kernel(1x1) no_bias
  %180 = root.batch_norm "conv16.bn" %179 epsilon(1e-3) momentum(0.01)
  %181 = root.hard_swish %180
  %182 = root.global_average_pool %181
  %183 = root.linear "fc1" %182 outputs(1280)
  %184 = root.hard_swish %183
  %185 = root.dropout %184 rate(0.2)
  %186 = root.linear "fc2" %185 outputs(1000)
  root.output %186
}
