// RegNetX-400MF (Radosavovic, Kosaraju, Girshick, He, Dollar 2020): bottlenecks of ratio 1 whose 3x3 convolutions have 16
// channels a group, 2, 4, 10 and 25 groups. A root topology groups the 1x1 convolutions before them (a): --root=8 gives
// 8, 4, 2 and 1 groups, which the 3x3 and the 1x1 behind it mix again.
//
//   stage  map      blocks  channels  groups of the 3x3
//   stem   112x112          32        1 (3x3, stride 2)
//   1      56x56    1       32        2
//   2      28x28    2       64        4
//   3      14x14    7       160       10
//   4      7x7      12      400       25
root.network @regnet_x_400mf(%image: !root.image<224x224x3>) classes(1000) {
  %1 = root.conv2d "stem" %image filters(32) kernel(3x3) stride(2) pad(1) no_bias
  %2 = root.batch_norm "stem.bn" %1
  %3 = root.relu %2

  // stage 1: 56x56, 1 block of 32
  %4 = root.conv2d "s1b1.shortcut" %3 filters(32) kernel(1x1) stride(2) no_bias
  %5 = root.batch_norm "s1b1.shortcut.bn" %4
  %6 = root.conv2d "s1b1.a" %3 filters(32) kernel(1x1) no_bias stage(0)
  %7 = root.batch_norm "s1b1.a.bn" %6
  %8 = root.relu %7
  %9 = root.conv2d "s1b1.b" %8 filters(32) kernel(3x3) stride(2) pad(1) groups(2) no_bias
  %10 = root.batch_norm "s1b1.b.bn" %9
  %11 = root.relu %10
  %12 = root.conv2d "s1b1.c" %11 filters(32) kernel(1x1) no_bias
  %13 = root.batch_norm "s1b1.c.bn" %12
  %14 = root.add %5, %13
  %15 = root.relu %14

  // stage 2: 28x28, 2 blocks of 64
  %16 = root.conv2d "s2b1.shortcut" %15 filters(64) kernel(1x1) stride(2) no_bias
  %17 = root.batch_norm "s2b1.shortcut.bn" %16
  %18 = root.conv2d "s2b1.a" %15 filters(64) kernel(1x1) no_bias stage(1)
  %19 = root.batch_norm "s2b1.a.bn" %18
  %20 = root.relu %19
  %21 = root.conv2d "s2b1.b" %20 filters(64) kernel(3x3) stride(2) pad(1) groups(4) no_bias
  %22 = root.batch_norm "s2b1.b.bn" %21
  %23 = root.relu %22
  %24 = root.conv2d "s2b1.c" %23 filters(64) kernel(1x1) no_bias
  %25 = root.batch_norm "s2b1.c.bn" %24
  %26 = root.add %17, %25
  %27 = root.relu %26

  %28 = root.conv2d "s2b2.a" %27 filters(64) kernel(1x1) no_bias stage(1)
  %29 = root.batch_norm "s2b2.a.bn" %28
  %30 = root.relu %29
  %31 = root.conv2d "s2b2.b" %30 filters(64) kernel(3x3) pad(1) groups(4) no_bias
  %32 = root.batch_norm "s2b2.b.bn" %31
  %33 = root.relu %32
  %34 = root.conv2d "s2b2.c" %33 filters(64) kernel(1x1) no_bias
  %35 = root.batch_norm "s2b2.c.bn" %34
  %36 = root.add %27, %35
  %37 = root.relu %36

  // stage 3: 14x14, 7 blocks of 160
  %38 = root.conv2d "s3b1.shortcut" %37 filters(160) kernel(1x1) stride(2) no_bias
  %39 = root.batch_norm "s3b1.shortcut.bn" %38
  %40 = root.conv2d "s3b1.a" %37 filters(160) kernel(1x1) no_bias stage(2)
  %41 = root.batch_norm "s3b1.a.bn" %40
  %42 = root.relu %41
  %43 = root.conv2d "s3b1.b" %42 filters(160) kernel(3x3) stride(2) pad(1) groups(10) no_bias
  %44 = root.batch_norm "s3b1.b.bn" %43
  %45 = root.relu %44
  %46 = root.conv2d "s3b1.c" %45 filters(160) kernel(1x1) no_bias
  %47 = root.batch_norm "s3b1.c.bn" %46
  %48 = root.add %39, %47
  %49 = root.relu %48

  %50 = root.conv2d "s3b2.a" %49 filters(160) kernel(1x1) no_bias stage(2)
  %51 = root.batch_norm "s3b2.a.bn" %50
  %52 = root.relu %51
  %53 = root.conv2d "s3b2.b" %52 filters(160) kernel(3x3) pad(1) groups(10) no_bias
  %54 = root.batch_norm "s3b2.b.bn" %53
  %55 = root.relu %54
  %56 = root.conv2d "s3b2.c" %55 filters(160) kernel(1x1) no_bias
  %57 = root.batch_norm "s3b2.c.bn" %56
  %58 = root.add %49, %57
  %59 = root.relu %58

  %60 = root.conv2d "s3b3.a" %59 filters(160) kernel(1x1) no_bias stage(2)
  %61 = root.batch_norm "s3b3.a.bn" %60
  %62 = root.relu %61
  %63 = root.conv2d "s3b3.b" %62 filters(160) kernel(3x3) pad(1) groups(10) no_bias
  %64 = root.batch_norm "s3b3.b.bn" %63
  %65 = root.relu %64
  %66 = root.conv2d "s3b3.c" %65 filters(160) kernel(1x1) no_bias
  %67 = root.batch_norm "s3b3.c.bn" %66
  %68 = root.add %59, %67
  %69 = root.relu %68

  %70 = root.conv2d "s3b4.a" %69 filters(160) kernel(1x1) no_bias stage(2)
  %71 = root.batch_norm "s3b4.a.bn" %70
  %72 = root.relu %71
  %73 = root.conv2d "s3b4.b" %72 filters(160) kernel(3x3) pad(1) groups(10) no_bias
  %74 = root.batch_norm "s3b4.b.bn" %73
  %75 = root.relu %74
  %76 = root.conv2d "s3b4.c" %75 filters(160) kernel(1x1) no_bias
  %77 = root.batch_norm "s3b4.c.bn" %76
  %78 = root.add %69, %77
  %79 = root.relu %78

  %80 = root.conv2d "s3b5.a" %79 filters(160) kernel(1x1) no_bias stage(2)
  %81 = root.batch_norm "s3b5.a.bn" %80
  %82 = root.relu %81
  %83 = root.conv2d "s3b5.b" %82 filters(160) kernel(3x3) pad(1) groups(10) no_bias
  %84 = root.batch_norm "s3b5.b.bn" %83
  %85 = root.relu %84
  %86 = root.conv2d "s3b5.c" %85 filters(160) kernel(1x1) no_bias
  %87 = root.batch_norm "s3b5.c.bn" %86
  %88 = root.add %79, %87
  %89 = root.relu %88

  %90 = root.conv2d "s3b6.a" %89 filters(160) kernel(1x1) no_bias stage(2)
  %91 = root.batch_norm "s3b6.a.bn" %90
  %92 = root.relu %91
  %93 = root.conv2d "s3b6.b" %92 filters(160) kernel(3x3) pad(1) groups(10) no_bias
  %94 = root.batch_norm "s3b6.b.bn" %93
  %95 = root.relu %94
  %96 = root.conv2d "s3b6.c" %95 filters(160) kernel(1x1) no_bias
  %97 = root.batch_norm "s3b6.c.bn" %96
  %98 = root.add %89, %97
  %99 = root.relu %98

  %100 = root.conv2d "s3b7.a" %99 filters(160) kernel(1x1) no_bias stage(2)
  %101 = root.batch_norm "s3b7.a.bn" %100
  %102 = root.relu %101
  %103 = root.conv2d "s3b7.b" %102 filters(160) kernel(3x3) pad(1) groups(10) no_bias
  %104 = root.batch_norm "s3b7.b.bn" %103
  %105 = root.relu %104
  %106 = root.conv2d "s3b7.c" %105 filters(160) kernel(1x1) no_bias
  %107 = root.batch_norm "s3b7.c.bn" %106
  %108 = root.add %99, %107
  %109 = root.relu %108

  // stage 4: 7x7, 12 blocks of 400
  %110 = root.conv2d "s4b1.shortcut" %109 filters(400) kernel(1x1) stride(2) no_bias
  %111 = root.batch_norm "s4b1.shortcut.bn" %110
  %112 = root.conv2d "s4b1.a" %109 filters(400) kernel(1x1) no_bias stage(3)
  %113 = root.batch_norm "s4b1.a.bn" %112
  %114 = root.relu %113
  %115 = root.conv2d "s4b1.b" %114 filters(400) kernel(3x3) stride(2) pad(1) groups(25) no_bias
  %116 = root.batch_norm "s4b1.b.bn" %115
  %117 = root.relu %116
  %118 = root.conv2d "s4b1.c" %117 filters(400) kernel(1x1) no_bias
  %119 = root.batch_norm "s4b1.c.bn" %118
  %120 = root.add %111, %119
  %121 = root.relu %120

  %122 = root.conv2d "s4b2.a" %121 filters(400) kernel(1x1) no_bias stage(3)
  %123 = root.batch_norm "s4b2.a.bn" %122
  %124 = root.relu %123
  %125 = root.conv2d "s4b2.b" %124 filters(400) kernel(3x3) pad(1) groups(25) no_bias
  %126 = root.batch_norm "s4b2.b.bn" %125
  %127 = root.relu %126
  %128 = root.conv2d "s4b2.c" %127 filters(400) kernel(1x1) no_bias
  %129 = root.batch_norm "s4b2.c.bn" %128
  %130 = root.add %121, %129
  %131 = root.relu %130

  %132 = root.conv2d "s4b3.a" %131 filters(400) kernel(1x1) no_bias stage(3)
  %133 = root.batch_norm "s4b3.a.bn" %132
  %134 = root.relu %133
  %135 = root.conv2d "s4b3.b" %134 filters(400) kernel(3x3) pad(1) groups(25) no_bias
  %136 = root.batch_norm "s4b3.b.bn" %135
  %137 = root.relu %136
  %138 = root.conv2d "s4b3.c" %137 filters(400) kernel(1x1) no_bias
  %139 = root.batch_norm "s4b3.c.bn" %138
  %140 = root.add %131, %139
  %141 = root.relu %140

  %142 = root.conv2d "s4b4.a" %141 filters(400) kernel(1x1) no_bias stage(3)
  %143 = root.batch_norm "s4b4.a.bn" %142
  %144 = root.relu %143
  %145 = root.conv2d "s4b4.b" %144 filters(400) kernel(3x3) pad(1) groups(25) no_bias
  %146 = root.batch_norm "s4b4.b.bn" %145
  %147 = root.relu %146
  %148 = root.conv2d "s4b4.c" %147 filters(400) kernel(1x1) no_bias
  %149 = root.batch_norm "s4b4.c.bn" %148
  %150 = root.add %141, %149
  %151 = root.relu %150

  %152 = root.conv2d "s4b5.a" %151 filters(400) kernel(1x1) no_bias stage(3)
  %153 = root.batch_norm "s4b5.a.bn" %152
  %154 = root.relu %153
  %155 = root.conv2d "s4b5.b" %154 filters(400) kernel(3x3) pad(1) groups(25) no_bias
  %156 = root.batch_norm "s4b5.b.bn" %155
  %157 = root.relu %156
  %158 = root.conv2d "s4b5.c" %157 filters(400) kernel(1x1) no_bias
  %159 = root.batch_norm "s4b5.c.bn" %158
  %160 = root.add %151, %159
  %161 = root.relu %160

  %162 = root.conv2d "s4b6.a" %161 filters(400) kernel(1x1) no_bias stage(3)
  %163 = root.batch_norm "s4b6.a.bn" %162
  %164 = root.relu %163
  %165 = root.conv2d "s4b6.b" %164 filters(400) kernel(3x3) pad(1) groups(25) no_bias
  %166 = root.batch_norm "s4b6.b.bn" %165
  %167 = root.relu %166
  %168 = root.conv2d "s4b6.c" %167 filters(400) kernel(1x1) no_bias
  %169 = root.batch_norm "s4b6.c.bn" %168
  %170 = root.add %161, %169
  %171 = root.relu %170

  %172 = root.conv2d "s4b7.a" %171 filters(400) kernel(1x1) no_bias stage(3)
  %173 = root.batch_norm "s4b7.a.bn" %172
  %174 = root.relu %173
  %175 = root.conv2d "s4b7.b" %174 filters(400) kernel(3x3) pad(1) groups(25) no_bias
  %176 = root.batch_norm "s4b7.b.bn" %175
  %177 = root.relu %176
  %178 = root.conv2d "s4b7.c" %177 filters(400) kernel(1x1) no_bias
  %179 = root.batch_norm "s4b7.c.bn" %178
  %180 = root.add %171, %179
  %181 = root.relu %180

  %182 = root.conv2d "s4b8.a" %181 filters(400) kernel(1x1) no_bias stage(3)
  %183 = root.batch_norm "s4b8.a.bn" %182
  %184 = root.relu %183
  %185 = root.conv2d "s4b8.b" %184 filters(400) kernel(3x3) pad(1) groups(25) no_bias
  %186 = root.batch_norm "s4b8.b.bn" %185
  %187 = root.relu %186
  %188 = root.conv2d "s4b8.c" %187 filters(400) kernel(1x1) no_bias
  %189 = root.batch_norm "s4b8.c.bn" %188
  %190 = root.add %181, %189
  %191 = root.relu %190

  %192 = root.conv2d "s4b9.a" %191 filters(400) kernel(1x1) no_bias stage(3)
  %193 = root.batch_norm "s4b9.a.bn" %192
  %194 = root.relu %193
  %195 = root.conv2d "s4b9.b" %194 filters(400) kernel(3x3) pad(1) groups(25) no_bias
  %196 = root.batch_norm "s4b9.b.bn" %195
  %197 = root.relu %196
  %198 = root.conv2d "s4b9.c" %197 filters(400) kernel(1x1) no_bias
  %199 = root.batch_norm "s4b9.c.bn" %198
  %200 = root.add %191, %199
  %201 = root.relu %200

  %202 = root.conv2d "s4b10.a" %201 filters(400) kernel(1x1) no_bias stage(3)
  %203 = root.batch_norm "s4b10.a.bn" %202
  %204 = root.relu %203
  %205 = root.conv2d "s4b10.b" %204 filters(400) kernel(3x3) pad(1) groups(25) no_bias
  %206 = root.batch_norm "s4b10.b.bn" %205
  %207 = root.relu %206
  %208 = root.conv2d "s4b10.c" %207 filters(400) kernel(1x1) no_bias
  %209 = root.batch_norm "s4b10.c.bn" %208
  %210 = root.add %201, %209
  %211 = root.relu %210

  %212 = root.conv2d "s4b11.a" %211 filters(400) kernel(1x1) no_bias stage(3)
  %213 = root.batch_norm "s4b11.a.bn" %212
  %214 = root.relu %213
  %215 = root.conv2d "s4b11.b" %214 filters(400) kernel(3x3) pad(1) groups(25) no_bias
  %216 = root.batch_norm "s4b11.b.bn" %215
  %217 = root.relu %216
  %218 = root.conv2d "s4b11.c" %217 filters(400) kernel(1x1) no_bias
  %219 = root.batch_norm "s4b11.c.bn" %218
  %220 = root.add %211, %219
  %221 = root.relu %220

  %222 = root.conv2d "s4b12.a" %221 filters(400) kernel(1x1) no_bias stage(3)
  %223 = root.batch_norm "s4b12.a.bn" %222
  %224 = root.relu %223
  %225 = root.conv2d "s4b12.b" %224 filters(400) kernel(3x3) pad(1) groups(25) no_bias
  %226 = root.batch_norm "s4b12.b.bn" %225
  %227 = root.relu %226
  %228 = root.conv2d "s4b12.c" %227 filters(400) kernel(1x1) no_bias
  %229 = root.batch_norm "s4b12.c.bn" %228
  %230 = root.add %221, %229
  %231 = root.relu %230

  %232 = root.global_average_pool %231
  %233 = root.linear "fc" %232 outputs(1000)
  root.output %233
}
