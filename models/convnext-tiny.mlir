// ConvNeXt-Tiny (Liu, Mao, Wu, Feichtenhofer, Darrell, Xie 2022): depthwise 7x7, layer norm, two 1x1s with GELU between them, layer
// scale and stochastic depth. A root topology groups the 1x1 convolutions that expand: --root=8 gives 8, 4, 2 and 1 groups, which the
// 1x1 that projects mixes again.
//
//   stage  map    blocks  channels
//   stem   56x56          96 (4x4, stride 4)
//   1      56x56  3       96
//   2      28x28  3       192
//   3      14x14  9       384
//   4      7x7    3       768
root.network @convnext_tiny(%image: !root.image<224x224x3>) classes(1000) {
  %1 = root.conv2d "stem" %image filters(96) kernel(4x4) stride(4)
  %2 = root.layer_norm "stem.norm" %1 epsilon(1e-6)

  // stage 1: 56x56, 3 blocks of 96
  %3 = root.conv2d "s1b1.dwconv" %2 filters(96) kernel(7x7) pad(3) groups(96)
  %4 = root.layer_norm "s1b1.norm" %3 epsilon(1e-6)
  %5 = root.conv2d "s1b1.expand" %4 filters(384) kernel(1x1) stage(0)
  %6 = root.gelu %5
  %7 = root.conv2d "s1b1.project" %6 filters(96) kernel(1x1)
  %8 = root.layer_scale "s1b1.scale" %7
  %9 = root.add %2, %8

  %10 = root.conv2d "s1b2.dwconv" %9 filters(96) kernel(7x7) pad(3) groups(96)
  %11 = root.layer_norm "s1b2.norm" %10 epsilon(1e-6)
  %12 = root.conv2d "s1b2.expand" %11 filters(384) kernel(1x1) stage(0)
  %13 = root.gelu %12
  %14 = root.conv2d "s1b2.project" %13 filters(96) kernel(1x1)
  %15 = root.layer_scale "s1b2.scale" %14
  %16 = root.drop_path %15 rate(0.00588235)
  %17 = root.add %9, %16

  %18 = root.conv2d "s1b3.dwconv" %17 filters(96) kernel(7x7) pad(3) groups(96)
  %19 = root.layer_norm "s1b3.norm" %18 epsilon(1e-6)
  %20 = root.conv2d "s1b3.expand" %19 filters(384) kernel(1x1) stage(0)
  %21 = root.gelu %20
  %22 = root.conv2d "s1b3.project" %21 filters(96) kernel(1x1)
  %23 = root.layer_scale "s1b3.scale" %22
  %24 = root.drop_path %23 rate(0.0117647)
  %25 = root.add %17, %24

  // stage 2: 28x28, 3 blocks of 192
  %26 = root.layer_norm "down2.norm" %25 epsilon(1e-6)
  %27 = root.conv2d "down2" %26 filters(192) kernel(2x2) stride(2) ungrouped

  %28 = root.conv2d "s2b1.dwconv" %27 filters(192) kernel(7x7) pad(3) groups(192)
  %29 = root.layer_norm "s2b1.norm" %28 epsilon(1e-6)
  %30 = root.conv2d "s2b1.expand" %29 filters(768) kernel(1x1) stage(1)
  %31 = root.gelu %30
  %32 = root.conv2d "s2b1.project" %31 filters(192) kernel(1x1)
  %33 = root.layer_scale "s2b1.scale" %32
  %34 = root.drop_path %33 rate(0.0176471)
  %35 = root.add %27, %34

  %36 = root.conv2d "s2b2.dwconv" %35 filters(192) kernel(7x7) pad(3) groups(192)
  %37 = root.layer_norm "s2b2.norm" %36 epsilon(1e-6)
  %38 = root.conv2d "s2b2.expand" %37 filters(768) kernel(1x1) stage(1)
  %39 = root.gelu %38
  %40 = root.conv2d "s2b2.project" %39 filters(192) kernel(1x1)
  %41 = root.layer_scale "s2b2.scale" %40
  %42 = root.drop_path %41 rate(0.0235294)
  %43 = root.add %35, %42

  %44 = root.conv2d "s2b3.dwconv" %43 filters(192) kernel(7x7) pad(3) groups(192)
  %45 = root.layer_norm "s2b3.norm" %44 epsilon(1e-6)
  %46 = root.conv2d "s2b3.expand" %45 filters(768) kernel(1x1) stage(1)
  %47 = root.gelu %46
  %48 = root.conv2d "s2b3.project" %47 filters(192) kernel(1x1)
  %49 = root.layer_scale "s2b3.scale" %48
  %50 = root.drop_path %49 rate(0.0294118)
  %51 = root.add %43, %50

  // stage 3: 14x14, 9 blocks of 384
  %52 = root.layer_norm "down3.norm" %51 epsilon(1e-6)
  %53 = root.conv2d "down3" %52 filters(384) kernel(2x2) stride(2) ungrouped

  %54 = root.conv2d "s3b1.dwconv" %53 filters(384) kernel(7x7) pad(3) groups(384)
  %55 = root.layer_norm "s3b1.norm" %54 epsilon(1e-6)
  %56 = root.conv2d "s3b1.expand" %55 filters(1536) kernel(1x1) stage(2)
  %57 = root.gelu %56
  %58 = root.conv2d "s3b1.project" %57 filters(384) kernel(1x1)
  %59 = root.layer_scale "s3b1.scale" %58
  %60 = root.drop_path %59 rate(0.0352941)
  %61 = root.add %53, %60

  %62 = root.conv2d "s3b2.dwconv" %61 filters(384) kernel(7x7) pad(3) groups(384)
  %63 = root.layer_norm "s3b2.norm" %62 epsilon(1e-6)
  %64 = root.conv2d "s3b2.expand" %63 filters(1536) kernel(1x1) stage(2)
  %65 = root.gelu %64
  %66 = root.conv2d "s3b2.project" %65 filters(384) kernel(1x1)
  %67 = root.layer_scale "s3b2.scale" %66
  %68 = root.drop_path %67 rate(0.0411765)
  %69 = root.add %61, %68

  %70 = root.conv2d "s3b3.dwconv" %69 filters(384) kernel(7x7) pad(3) groups(384)
  %71 = root.layer_norm "s3b3.norm" %70 epsilon(1e-6)
  %72 = root.conv2d "s3b3.expand" %71 filters(1536) kernel(1x1) stage(2)
  %73 = root.gelu %72
  %74 = root.conv2d "s3b3.project" %73 filters(384) kernel(1x1)
  %75 = root.layer_scale "s3b3.scale" %74
  %76 = root.drop_path %75 rate(0.0470588)
  %77 = root.add %69, %76

  %78 = root.conv2d "s3b4.dwconv" %77 filters(384) kernel(7x7) pad(3) groups(384)
  %79 = root.layer_norm "s3b4.norm" %78 epsilon(1e-6)
  %80 = root.conv2d "s3b4.expand" %79 filters(1536) kernel(1x1) stage(2)
  %81 = root.gelu %80
  %82 = root.conv2d "s3b4.project" %81 filters(384) kernel(1x1)
  %83 = root.layer_scale "s3b4.scale" %82
  %84 = root.drop_path %83 rate(0.0529412)
  %85 = root.add %77, %84

  %86 = root.conv2d "s3b5.dwconv" %85 filters(384) kernel(7x7) pad(3) groups(384)
  %87 = root.layer_norm "s3b5.norm" %86 epsilon(1e-6)
  %88 = root.conv2d "s3b5.expand" %87 filters(1536) kernel(1x1) stage(2)
  %89 = root.gelu %88
  %90 = root.conv2d "s3b5.project" %89 filters(384) kernel(1x1)
  %91 = root.layer_scale "s3b5.scale" %90
  %92 = root.drop_path %91 rate(0.0588235)
  %93 = root.add %85, %92

  %94 = root.conv2d "s3b6.dwconv" %93 filters(384) kernel(7x7) pad(3) groups(384)
  %95 = root.layer_norm "s3b6.norm" %94 epsilon(1e-6)
  %96 = root.conv2d "s3b6.expand" %95 filters(1536) kernel(1x1) stage(2)
  %97 = root.gelu %96
  %98 = root.conv2d "s3b6.project" %97 filters(384) kernel(1x1)
  %99 = root.layer_scale "s3b6.scale" %98
  %100 = root.drop_path %99 rate(0.0647059)
  %101 = root.add %93, %100

  %102 = root.conv2d "s3b7.dwconv" %101 filters(384) kernel(7x7) pad(3) groups(384)
  %103 = root.layer_norm "s3b7.norm" %102 epsilon(1e-6)
  %104 = root.conv2d "s3b7.expand" %103 filters(1536) kernel(1x1) stage(2)
  %105 = root.gelu %104
  %106 = root.conv2d "s3b7.project" %105 filters(384) kernel(1x1)
  %107 = root.layer_scale "s3b7.scale" %106
  %108 = root.drop_path %107 rate(0.0705882)
  %109 = root.add %101, %108

  %110 = root.conv2d "s3b8.dwconv" %109 filters(384) kernel(7x7) pad(3) groups(384)
  %111 = root.layer_norm "s3b8.norm" %110 epsilon(1e-6)
  %112 = root.conv2d "s3b8.expand" %111 filters(1536) kernel(1x1) stage(2)
  %113 = root.gelu %112
  %114 = root.conv2d "s3b8.project" %113 filters(384) kernel(1x1)
  %115 = root.layer_scale "s3b8.scale" %114
  %116 = root.drop_path %115 rate(0.0764706)
  %117 = root.add %109, %116

  %118 = root.conv2d "s3b9.dwconv" %117 filters(384) kernel(7x7) pad(3) groups(384)
  %119 = root.layer_norm "s3b9.norm" %118 epsilon(1e-6)
  %120 = root.conv2d "s3b9.expand" %119 filters(1536) kernel(1x1) stage(2)
  %121 = root.gelu %120
  %122 = root.conv2d "s3b9.project" %121 filters(384) kernel(1x1)
  %123 = root.layer_scale "s3b9.scale" %122
  %124 = root.drop_path %123 rate(0.0823529)
  %125 = root.add %117, %124

  // stage 4: 7x7, 3 blocks of 768
  %126 = root.layer_norm "down4.norm" %125 epsilon(1e-6)
  %127 = root.conv2d "down4" %126 filters(768) kernel(2x2) stride(2) ungrouped

  %128 = root.conv2d "s4b1.dwconv" %127 filters(768) kernel(7x7) pad(3) groups(768)
  %129 = root.layer_norm "s4b1.norm" %128 epsilon(1e-6)
  %130 = root.conv2d "s4b1.expand" %129 filters(3072) kernel(1x1) stage(3)
  %131 = root.gelu %130
  %132 = root.conv2d "s4b1.project" %131 filters(768) kernel(1x1)
  %133 = root.layer_scale "s4b1.scale" %132
  %134 = root.drop_path %133 rate(0.0882353)
  %135 = root.add %127, %134

  %136 = root.conv2d "s4b2.dwconv" %135 filters(768) kernel(7x7) pad(3) groups(768)
  %137 = root.layer_norm "s4b2.norm" %136 epsilon(1e-6)
  %138 = root.conv2d "s4b2.expand" %137 filters(3072) kernel(1x1) stage(3)
  %139 = root.gelu %138
  %140 = root.conv2d "s4b2.project" %139 filters(768) kernel(1x1)
  %141 = root.layer_scale "s4b2.scale" %140
  %142 = root.drop_path %141 rate(0.0941176)
  %143 = root.add %135, %142

  %144 = root.conv2d "s4b3.dwconv" %143 filters(768) kernel(7x7) pad(3) groups(768)
  %145 = root.layer_norm "s4b3.norm" %144 epsilon(1e-6)
  %146 = root.conv2d "s4b3.expand" %145 filters(3072) kernel(1x1) stage(3)
  %147 = root.gelu %146
  %148 = root.conv2d "s4b3.project" %147 filters(768) kernel(1x1)
  %149 = root.layer_scale "s4b3.scale" %148
  %150 = root.drop_path %149 rate(0.1)
  %151 = root.add %143, %150

  %152 = root.global_average_pool %151
  %153 = root.layer_norm "head.norm" %152 epsilon(1e-6)
  %154 = root.linear "head" %153 outputs(1000)
  root.output %154
}
