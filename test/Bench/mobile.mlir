// A shorter MobileNetV3, to time hard swish, SiLU (x sigmoid(x), the last activation) and squeeze-excitation.
root.network @mobile(%image: !root.image<224x224x3>) classes(100) {
  %1 = root.conv2d "conv1" %image filters(16) kernel(3x3) pad(1) stride(2) no_bias
  %2 = root.batch_norm "conv1.bn" %1
  %3 = root.hard_swish %2

  %4 = root.conv2d "block1.depthwise" %3 filters(16) kernel(3x3) pad(1) groups(16) no_bias
  %5 = root.batch_norm "block1.depthwise.bn" %4
  %6 = root.relu %5
  %7 = root.conv2d "block1.project" %6 filters(16) kernel(1x1) no_bias
  %8 = root.batch_norm "block1.project.bn" %7
  %9 = root.add %3, %8

  %10 = root.conv2d "block2.expand" %9 filters(64) kernel(1x1) no_bias
  %11 = root.batch_norm "block2.expand.bn" %10
  %12 = root.relu %11
  %13 = root.conv2d "block2.depthwise" %12 filters(64) kernel(3x3) pad(1) stride(2) groups(64) no_bias
  %14 = root.batch_norm "block2.depthwise.bn" %13
  %15 = root.relu %14
  %16 = root.conv2d "block2.project" %15 filters(24) kernel(1x1) no_bias
  %17 = root.batch_norm "block2.project.bn" %16

  %18 = root.conv2d "block3.expand" %17 filters(72) kernel(1x1) no_bias
  %19 = root.batch_norm "block3.expand.bn" %18
  %20 = root.relu %19
  %21 = root.conv2d "block3.depthwise" %20 filters(72) kernel(5x5) pad(2) stride(2) groups(72) no_bias
  %22 = root.batch_norm "block3.depthwise.bn" %21
  %23 = root.relu %22
  %24 = root.global_average_pool %23
  %25 = root.conv2d "block3.squeeze" %24 filters(16) kernel(1x1)
  %26 = root.relu %25
  %27 = root.conv2d "block3.excite" %26 filters(72) kernel(1x1)
  %28 = root.hard_sigmoid %27 alpha(0.16666667)
  %29 = root.multiply %23, %28
  %30 = root.conv2d "block3.project" %29 filters(40) kernel(1x1) no_bias
  %31 = root.batch_norm "block3.project.bn" %30

  %32 = root.conv2d "block4.expand" %31 filters(120) kernel(1x1) no_bias
  %33 = root.batch_norm "block4.expand.bn" %32
  %34 = root.relu %33
  %35 = root.conv2d "block4.depthwise" %34 filters(120) kernel(5x5) pad(2) groups(120) no_bias
  %36 = root.batch_norm "block4.depthwise.bn" %35
  %37 = root.relu %36
  %38 = root.global_average_pool %37
  %39 = root.conv2d "block4.squeeze" %38 filters(32) kernel(1x1)
  %40 = root.relu %39
  %41 = root.conv2d "block4.excite" %40 filters(120) kernel(1x1)
  %42 = root.hard_sigmoid %41 alpha(0.16666667)
  %43 = root.multiply %37, %42
  %44 = root.conv2d "block4.project" %43 filters(40) kernel(1x1) no_bias
  %45 = root.batch_norm "block4.project.bn" %44
  %46 = root.add %31, %45

  %47 = root.conv2d "block5.expand" %46 filters(240) kernel(1x1) no_bias
  %48 = root.batch_norm "block5.expand.bn" %47
  %49 = root.hard_swish %48
  %50 = root.conv2d "block5.depthwise" %49 filters(240) kernel(3x3) pad(1) stride(2) groups(240) no_bias
  %51 = root.batch_norm "block5.depthwise.bn" %50
  %52 = root.hard_swish %51
  %53 = root.conv2d "block5.project" %52 filters(80) kernel(1x1) no_bias
  %54 = root.batch_norm "block5.project.bn" %53

  %55 = root.conv2d "block6.expand" %54 filters(200) kernel(1x1) no_bias
  %56 = root.batch_norm "block6.expand.bn" %55
  %57 = root.hard_swish %56
  %58 = root.conv2d "block6.depthwise" %57 filters(200) kernel(3x3) pad(1) groups(200) no_bias
  %59 = root.batch_norm "block6.depthwise.bn" %58
  %60 = root.hard_swish %59
  %61 = root.conv2d "block6.project" %60 filters(80) kernel(1x1) no_bias
  %62 = root.batch_norm "block6.project.bn" %61
  %63 = root.add %54, %62

  %64 = root.conv2d "block7.expand" %63 filters(480) kernel(1x1) no_bias
  %65 = root.batch_norm "block7.expand.bn" %64
  %66 = root.hard_swish %65
  %67 = root.conv2d "block7.depthwise" %66 filters(480) kernel(3x3) pad(1) groups(480) no_bias
  %68 = root.batch_norm "block7.depthwise.bn" %67
  %69 = root.hard_swish %68
  %70 = root.global_average_pool %69
  %71 = root.conv2d "block7.squeeze" %70 filters(120) kernel(1x1)
  %72 = root.relu %71
  %73 = root.conv2d "block7.excite" %72 filters(480) kernel(1x1)
  %74 = root.hard_sigmoid %73 alpha(0.16666667)
  %75 = root.multiply %69, %74
  %76 = root.conv2d "block7.project" %75 filters(112) kernel(1x1) no_bias
  %77 = root.batch_norm "block7.project.bn" %76

  %78 = root.conv2d "block8.expand" %77 filters(672) kernel(1x1) no_bias
  %79 = root.batch_norm "block8.expand.bn" %78
  %80 = root.hard_swish %79
  %81 = root.conv2d "block8.depthwise" %80 filters(672) kernel(5x5) pad(2) stride(2) groups(672) no_bias
  %82 = root.batch_norm "block8.depthwise.bn" %81
  %83 = root.hard_swish %82
  %84 = root.global_average_pool %83
  %85 = root.conv2d "block8.squeeze" %84 filters(168) kernel(1x1)
  %86 = root.relu %85
  %87 = root.conv2d "block8.excite" %86 filters(672) kernel(1x1)
  %88 = root.hard_sigmoid %87 alpha(0.16666667)
  %89 = root.multiply %83, %88
  %90 = root.conv2d "block8.project" %89 filters(160) kernel(1x1) no_bias
  %91 = root.batch_norm "block8.project.bn" %90

  %92 = root.conv2d "block9.expand" %91 filters(960) kernel(1x1) no_bias
  %93 = root.batch_norm "block9.expand.bn" %92
  %94 = root.hard_swish %93
  %95 = root.conv2d "block9.depthwise" %94 filters(960) kernel(5x5) pad(2) groups(960) no_bias
  %96 = root.batch_norm "block9.depthwise.bn" %95
  %97 = root.hard_swish %96
  %98 = root.global_average_pool %97
  %99 = root.conv2d "block9.squeeze" %98 filters(240) kernel(1x1)
  %100 = root.relu %99
  %101 = root.conv2d "block9.excite" %100 filters(960) kernel(1x1)
  %102 = root.hard_sigmoid %101 alpha(0.16666667)
  %103 = root.multiply %97, %102
  %104 = root.conv2d "block9.project" %103 filters(160) kernel(1x1) no_bias
  %105 = root.batch_norm "block9.project.bn" %104
  %106 = root.add %91, %105

  %107 = root.conv2d "last" %106 filters(960) kernel(1x1) no_bias
  %108 = root.batch_norm "last.bn" %107
  %109 = root.sigmoid %108
  %110 = root.multiply %108, %109
  %111 = root.global_average_pool %110
  %112 = root.linear "fc" %111 outputs(100)
  root.output %112
}
