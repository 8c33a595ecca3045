// ResNet-200 (He, Zhang, Ren, Sun 2016, "Identity mappings in deep residual networks"), an ungrouped baseline of the
// Deep Roots paper: batch norm and ReLU come before each convolution (bn2b_branch2a before res2b_branch2a). A stage's
// first block has the stride in its 1x1 convolutions, and its projection (branch1) reads the same normalised map as its
// branch2a; the very first block reads pool1, which is normalised already. No convolution has a bias.
// A root topology groups the 3x3 convolutions (branch2b): --root=64 gives 64, 32, 16 and 8 groups.
//
//   stage      map      blocks   branch2a  branch2b  branch2c
//   conv1      112x112           7x7, 64, stride 2
//   res2       56x56    3        1x1, 64   3x3, 64   1x1, 256
//   res3       28x28    24       1x1, 128  3x3, 128  1x1, 512
//   res4       14x14    36       1x1, 256  3x3, 256  1x1, 1024
//   res5       7x7      3        1x1, 512  3x3, 512  1x1, 2048
root.network @resnet200(%image: !root.image<224x224x3>) classes(1000) {
  %1 = root.conv2d "conv1" %image filters(64) kernel(7x7) stride(2) pad(3) no_bias
  %2 = root.batch_norm "bn_conv1" %1
  %3 = root.relu %2
  %pool1 = root.max_pool %3 kernel(3x3) stride(2) rounding(ceil)

  // res2: 56x56, 3 blocks of 64, 64, 256
  %4 = root.conv2d "res2a_branch1" %pool1 filters(256) kernel(1x1) no_bias
  %5 = root.conv2d "res2a_branch2a" %pool1 filters(64) kernel(1x1) no_bias
  %6 = root.batch_norm "bn2a_branch2b" %5
  %7 = root.relu %6
  %8 = root.conv2d "res2a_branch2b" %7 filters(64) kernel(3x3) pad(1) no_bias
  %9 = root.batch_norm "bn2a_branch2c" %8
  %10 = root.relu %9
  %11 = root.conv2d "res2a_branch2c" %10 filters(256) kernel(1x1) no_bias
  %res2a = root.add %4, %11

  %12 = root.batch_norm "bn2b_branch2a" %res2a
  %13 = root.relu %12
  %14 = root.conv2d "res2b_branch2a" %13 filters(64) kernel(1x1) no_bias
  %15 = root.batch_norm "bn2b_branch2b" %14
  %16 = root.relu %15
  %17 = root.conv2d "res2b_branch2b" %16 filters(64) kernel(3x3) pad(1) no_bias
  %18 = root.batch_norm "bn2b_branch2c" %17
  %19 = root.relu %18
  %20 = root.conv2d "res2b_branch2c" %19 filters(256) kernel(1x1) no_bias
  %res2b = root.add %res2a, %20

  %21 = root.batch_norm "bn2c_branch2a" %res2b
  %22 = root.relu %21
  %23 = root.conv2d "res2c_branch2a" %22 filters(64) kernel(1x1) no_bias
  %24 = root.batch_norm "bn2c_branch2b" %23
  %25 = root.relu %24
  %26 = root.conv2d "res2c_branch2b" %25 filters(64) kernel(3x3) pad(1) no_bias
  %27 = root.batch_norm "bn2c_branch2c" %26
  %28 = root.relu %27
  %29 = root.conv2d "res2c_branch2c" %28 filters(256) kernel(1x1) no_bias
  %res2c = root.add %res2b, %29

  // res3: 28x28, 24 blocks of 128, 128, 512
  %30 = root.batch_norm "bn3a_branch2a" %res2c
  %31 = root.relu %30
  %32 = root.conv2d "res3a_branch1" %31 filters(512) kernel(1x1) stride(2) no_bias
  %33 = root.conv2d "res3a_branch2a" %31 filters(128) kernel(1x1) stride(2) no_bias
  %34 = root.batch_norm "bn3a_branch2b" %33
  %35 = root.relu %34
  %36 = root.conv2d "res3a_branch2b" %35 filters(128) kernel(3x3) pad(1) no_bias
  %37 = root.batch_norm "bn3a_branch2c" %36
  %38 = root.relu %37
  %39 = root.conv2d "res3a_branch2c" %38 filters(512) kernel(1x1) no_bias
  %res3a = root.add %32, %39

  %40 = root.batch_norm "bn3b1_branch2a" %res3a
  %41 = root.relu %40
  %42 = root.conv2d "res3b1_branch2a" %41 filters(128) kernel(1x1) no_bias
  %43 = root.batch_norm "bn3b1_branch2b" %42
  %44 = root.relu %43
  %45 = root.conv2d "res3b1_branch2b" %44 filters(128) kernel(3x3) pad(1) no_bias
  %46 = root.batch_norm "bn3b1_branch2c" %45
  %47 = root.relu %46
  %48 = root.conv2d "res3b1_branch2c" %47 filters(512) kernel(1x1) no_bias
  %res3b1 = root.add %res3a, %48

  %49 = root.batch_norm "bn3b2_branch2a" %res3b1
  %50 = root.relu %49
  %51 = root.conv2d "res3b2_branch2a" %50 filters(128) kernel(1x1) no_bias
  %52 = root.batch_norm "bn3b2_branch2b" %51
  %53 = root.relu %52
  %54 = root.conv2d "res3b2_branch2b" %53 filters(128) kernel(3x3) pad(1) no_bias
  %55 = root.batch_norm "bn3b2_branch2c" %54
  %56 = root.relu %55
  %57 = root.conv2d "res3b2_branch2c" %56 filters(512) kernel(1x1) no_bias
  %res3b2 = root.add %res3b1, %57

  %58 = root.batch_norm "bn3b3_branch2a" %res3b2
  %59 = root.relu %58
  %60 = root.conv2d "res3b3_branch2a" %59 filters(128) kernel(1x1) no_bias
  %61 = root.batch_norm "bn3b3_branch2b" %60
  %62 = root.relu %61
  %63 = root.conv2d "res3b3_branch2b" %62 filters(128) kernel(3x3) pad(1) no_bias
  %64 = root.batch_norm "bn3b3_branch2c" %63
  %65 = root.relu %64
  %66 = root.conv2d "res3b3_branch2c" %65 filters(512) kernel(1x1) no_bias
  %res3b3 = root.add %res3b2, %66

  %67 = root.batch_norm "bn3b4_branch2a" %res3b3
  %68 = root.relu %67
  %69 = root.conv2d "res3b4_branch2a" %68 filters(128) kernel(1x1) no_bias
  %70 = root.batch_norm "bn3b4_branch2b" %69
  %71 = root.relu %70
  %72 = root.conv2d "res3b4_branch2b" %71 filters(128) kernel(3x3) pad(1) no_bias
  %73 = root.batch_norm "bn3b4_branch2c" %72
  %74 = root.relu %73
  %75 = root.conv2d "res3b4_branch2c" %74 filters(512) kernel(1x1) no_bias
  %res3b4 = root.add %res3b3, %75

  %76 = root.batch_norm "bn3b5_branch2a" %res3b4
  %77 = root.relu %76
  %78 = root.conv2d "res3b5_branch2a" %77 filters(128) kernel(1x1) no_bias
  %79 = root.batch_norm "bn3b5_branch2b" %78
  %80 = root.relu %79
  %81 = root.conv2d "res3b5_branch2b" %80 filters(128) kernel(3x3) pad(1) no_bias
  %82 = root.batch_norm "bn3b5_branch2c" %81
  %83 = root.relu %82
  %84 = root.conv2d "res3b5_branch2c" %83 filters(512) kernel(1x1) no_bias
  %res3b5 = root.add %res3b4, %84

  %85 = root.batch_norm "bn3b6_branch2a" %res3b5
  %86 = root.relu %85
  %87 = root.conv2d "res3b6_branch2a" %86 filters(128) kernel(1x1) no_bias
  %88 = root.batch_norm "bn3b6_branch2b" %87
  %89 = root.relu %88
  %90 = root.conv2d "res3b6_branch2b" %89 filters(128) kernel(3x3) pad(1) no_bias
  %91 = root.batch_norm "bn3b6_branch2c" %90
  %92 = root.relu %91
  %93 = root.conv2d "res3b6_branch2c" %92 filters(512) kernel(1x1) no_bias
  %res3b6 = root.add %res3b5, %93

  %94 = root.batch_norm "bn3b7_branch2a" %res3b6
  %95 = root.relu %94
  %96 = root.conv2d "res3b7_branch2a" %95 filters(128) kernel(1x1) no_bias
  %97 = root.batch_norm "bn3b7_branch2b" %96
  %98 = root.relu %97
  %99 = root.conv2d "res3b7_branch2b" %98 filters(128) kernel(3x3) pad(1) no_bias
  %100 = root.batch_norm "bn3b7_branch2c" %99
  %101 = root.relu %100
  %102 = root.conv2d "res3b7_branch2c" %101 filters(512) kernel(1x1) no_bias
  %res3b7 = root.add %res3b6, %102

  %103 = root.batch_norm "bn3b8_branch2a" %res3b7
  %104 = root.relu %103
  %105 = root.conv2d "res3b8_branch2a" %104 filters(128) kernel(1x1) no_bias
  %106 = root.batch_norm "bn3b8_branch2b" %105
  %107 = root.relu %106
  %108 = root.conv2d "res3b8_branch2b" %107 filters(128) kernel(3x3) pad(1) no_bias
  %109 = root.batch_norm "bn3b8_branch2c" %108
  %110 = root.relu %109
  %111 = root.conv2d "res3b8_branch2c" %110 filters(512) kernel(1x1) no_bias
  %res3b8 = root.add %res3b7, %111

  %112 = root.batch_norm "bn3b9_branch2a" %res3b8
  %113 = root.relu %112
  %114 = root.conv2d "res3b9_branch2a" %113 filters(128) kernel(1x1) no_bias
  %115 = root.batch_norm "bn3b9_branch2b" %114
  %116 = root.relu %115
  %117 = root.conv2d "res3b9_branch2b" %116 filters(128) kernel(3x3) pad(1) no_bias
  %118 = root.batch_norm "bn3b9_branch2c" %117
  %119 = root.relu %118
  %120 = root.conv2d "res3b9_branch2c" %119 filters(512) kernel(1x1) no_bias
  %res3b9 = root.add %res3b8, %120

  %121 = root.batch_norm "bn3b10_branch2a" %res3b9
  %122 = root.relu %121
  %123 = root.conv2d "res3b10_branch2a" %122 filters(128) kernel(1x1) no_bias
  %124 = root.batch_norm "bn3b10_branch2b" %123
  %125 = root.relu %124
  %126 = root.conv2d "res3b10_branch2b" %125 filters(128) kernel(3x3) pad(1) no_bias
  %127 = root.batch_norm "bn3b10_branch2c" %126
  %128 = root.relu %127
  %129 = root.conv2d "res3b10_branch2c" %128 filters(512) kernel(1x1) no_bias
  %res3b10 = root.add %res3b9, %129

  %130 = root.batch_norm "bn3b11_branch2a" %res3b10
  %131 = root.relu %130
  %132 = root.conv2d "res3b11_branch2a" %131 filters(128) kernel(1x1) no_bias
  %133 = root.batch_norm "bn3b11_branch2b" %132
  %134 = root.relu %133
  %135 = root.conv2d "res3b11_branch2b" %134 filters(128) kernel(3x3) pad(1) no_bias
  %136 = root.batch_norm "bn3b11_branch2c" %135
  %137 = root.relu %136
  %138 = root.conv2d "res3b11_branch2c" %137 filters(512) kernel(1x1) no_bias
  %res3b11 = root.add %res3b10, %138

  %139 = root.batch_norm "bn3b12_branch2a" %res3b11
  %140 = root.relu %139
  %141 = root.conv2d "res3b12_branch2a" %140 filters(128) kernel(1x1) no_bias
  %142 = root.batch_norm "bn3b12_branch2b" %141
  %143 = root.relu %142
  %144 = root.conv2d "res3b12_branch2b" %143 filters(128) kernel(3x3) pad(1) no_bias
  %145 = root.batch_norm "bn3b12_branch2c" %144
  %146 = root.relu %145
  %147 = root.conv2d "res3b12_branch2c" %146 filters(512) kernel(1x1) no_bias
  %res3b12 = root.add %res3b11, %147

  %148 = root.batch_norm "bn3b13_branch2a" %res3b12
  %149 = root.relu %148
  %150 = root.conv2d "res3b13_branch2a" %149 filters(128) kernel(1x1) no_bias
  %151 = root.batch_norm "bn3b13_branch2b" %150
  %152 = root.relu %151
  %153 = root.conv2d "res3b13_branch2b" %152 filters(128) kernel(3x3) pad(1) no_bias
  %154 = root.batch_norm "bn3b13_branch2c" %153
  %155 = root.relu %154
  %156 = root.conv2d "res3b13_branch2c" %155 filters(512) kernel(1x1) no_bias
  %res3b13 = root.add %res3b12, %156

  %157 = root.batch_norm "bn3b14_branch2a" %res3b13
  %158 = root.relu %157
  %159 = root.conv2d "res3b14_branch2a" %158 filters(128) kernel(1x1) no_bias
  %160 = root.batch_norm "bn3b14_branch2b" %159
  %161 = root.relu %160
  %162 = root.conv2d "res3b14_branch2b" %161 filters(128) kernel(3x3) pad(1) no_bias
  %163 = root.batch_norm "bn3b14_branch2c" %162
  %164 = root.relu %163
  %165 = root.conv2d "res3b14_branch2c" %164 filters(512) kernel(1x1) no_bias
  %res3b14 = root.add %res3b13, %165

  %166 = root.batch_norm "bn3b15_branch2a" %res3b14
  %167 = root.relu %166
  %168 = root.conv2d "res3b15_branch2a" %167 filters(128) kernel(1x1) no_bias
  %169 = root.batch_norm "bn3b15_branch2b" %168
  %170 = root.relu %169
  %171 = root.conv2d "res3b15_branch2b" %170 filters(128) kernel(3x3) pad(1) no_bias
  %172 = root.batch_norm "bn3b15_branch2c" %171
  %173 = root.relu %172
  %174 = root.conv2d "res3b15_branch2c" %173 filters(512) kernel(1x1) no_bias
  %res3b15 = root.add %res3b14, %174

  %175 = root.batch_norm "bn3b16_branch2a" %res3b15
  %176 = root.relu %175
  %177 = root.conv2d "res3b16_branch2a" %176 filters(128) kernel(1x1) no_bias
  %178 = root.batch_norm "bn3b16_branch2b" %177
  %179 = root.relu %178
  %180 = root.conv2d "res3b16_branch2b" %179 filters(128) kernel(3x3) pad(1) no_bias
  %181 = root.batch_norm "bn3b16_branch2c" %180
  %182 = root.relu %181
  %183 = root.conv2d "res3b16_branch2c" %182 filters(512) kernel(1x1) no_bias
  %res3b16 = root.add %res3b15, %183

  %184 = root.batch_norm "bn3b17_branch2a" %res3b16
  %185 = root.relu %184
  %186 = root.conv2d "res3b17_branch2a" %185 filters(128) kernel(1x1) no_bias
  %187 = root.batch_norm "bn3b17_branch2b" %186
  %188 = root.relu %187
  %189 = root.conv2d "res3b17_branch2b" %188 filters(128) kernel(3x3) pad(1) no_bias
  %190 = root.batch_norm "bn3b17_branch2c" %189
  %191 = root.relu %190
  %192 = root.conv2d "res3b17_branch2c" %191 filters(512) kernel(1x1) no_bias
  %res3b17 = root.add %res3b16, %192

  %193 = root.batch_norm "bn3b18_branch2a" %res3b17
  %194 = root.relu %193
  %195 = root.conv2d "res3b18_branch2a" %194 filters(128) kernel(1x1) no_bias
  %196 = root.batch_norm "bn3b18_branch2b" %195
  %197 = root.relu %196
  %198 = root.conv2d "res3b18_branch2b" %197 filters(128) kernel(3x3) pad(1) no_bias
  %199 = root.batch_norm "bn3b18_branch2c" %198
  %200 = root.relu %199
  %201 = root.conv2d "res3b18_branch2c" %200 filters(512) kernel(1x1) no_bias
  %res3b18 = root.add %res3b17, %201

  %202 = root.batch_norm "bn3b19_branch2a" %res3b18
  %203 = root.relu %202
  %204 = root.conv2d "res3b19_branch2a" %203 filters(128) kernel(1x1) no_bias
  %205 = root.batch_norm "bn3b19_branch2b" %204
  %206 = root.relu %205
  %207 = root.conv2d "res3b19_branch2b" %206 filters(128) kernel(3x3) pad(1) no_bias
  %208 = root.batch_norm "bn3b19_branch2c" %207
  %209 = root.relu %208
  %210 = root.conv2d "res3b19_branch2c" %209 filters(512) kernel(1x1) no_bias
  %res3b19 = root.add %res3b18, %210

  %211 = root.batch_norm "bn3b20_branch2a" %res3b19
  %212 = root.relu %211
  %213 = root.conv2d "res3b20_branch2a" %212 filters(128) kernel(1x1) no_bias
  %214 = root.batch_norm "bn3b20_branch2b" %213
  %215 = root.relu %214
  %216 = root.conv2d "res3b20_branch2b" %215 filters(128) kernel(3x3) pad(1) no_bias
  %217 = root.batch_norm "bn3b20_branch2c" %216
  %218 = root.relu %217
  %219 = root.conv2d "res3b20_branch2c" %218 filters(512) kernel(1x1) no_bias
  %res3b20 = root.add %res3b19, %219

  %220 = root.batch_norm "bn3b21_branch2a" %res3b20
  %221 = root.relu %220
  %222 = root.conv2d "res3b21_branch2a" %221 filters(128) kernel(1x1) no_bias
  %223 = root.batch_norm "bn3b21_branch2b" %222
  %224 = root.relu %223
  %225 = root.conv2d "res3b21_branch2b" %224 filters(128) kernel(3x3) pad(1) no_bias
  %226 = root.batch_norm "bn3b21_branch2c" %225
  %227 = root.relu %226
  %228 = root.conv2d "res3b21_branch2c" %227 filters(512) kernel(1x1) no_bias
  %res3b21 = root.add %res3b20, %228

  %229 = root.batch_norm "bn3b22_branch2a" %res3b21
  %230 = root.relu %229
  %231 = root.conv2d "res3b22_branch2a" %230 filters(128) kernel(1x1) no_bias
  %232 = root.batch_norm "bn3b22_branch2b" %231
  %233 = root.relu %232
  %234 = root.conv2d "res3b22_branch2b" %233 filters(128) kernel(3x3) pad(1) no_bias
  %235 = root.batch_norm "bn3b22_branch2c" %234
  %236 = root.relu %235
  %237 = root.conv2d "res3b22_branch2c" %236 filters(512) kernel(1x1) no_bias
  %res3b22 = root.add %res3b21, %237

  %238 = root.batch_norm "bn3b23_branch2a" %res3b22
  %239 = root.relu %238
  %240 = root.conv2d "res3b23_branch2a" %239 filters(128) kernel(1x1) no_bias
  %241 = root.batch_norm "bn3b23_branch2b" %240
  %242 = root.relu %241
  %243 = root.conv2d "res3b23_branch2b" %242 filters(128) kernel(3x3) pad(1) no_bias
  %244 = root.batch_norm "bn3b23_branch2c" %243
  %245 = root.relu %244
  %246 = root.conv2d "res3b23_branch2c" %245 filters(512) kernel(1x1) no_bias
  %res3b23 = root.add %res3b22, %246

  // res4: 14x14, 36 blocks of 256, 256, 1024
  %247 = root.batch_norm "bn4a_branch2a" %res3b23
  %248 = root.relu %247
  %249 = root.conv2d "res4a_branch1" %248 filters(1024) kernel(1x1) stride(2) no_bias
  %250 = root.conv2d "res4a_branch2a" %248 filters(256) kernel(1x1) stride(2) no_bias
  %251 = root.batch_norm "bn4a_branch2b" %250
  %252 = root.relu %251
  %253 = root.conv2d "res4a_branch2b" %252 filters(256) kernel(3x3) pad(1) no_bias
  %254 = root.batch_norm "bn4a_branch2c" %253
  %255 = root.relu %254
  %256 = root.conv2d "res4a_branch2c" %255 filters(1024) kernel(1x1) no_bias
  %res4a = root.add %249, %256

  %257 = root.batch_norm "bn4b1_branch2a" %res4a
  %258 = root.relu %257
  %259 = root.conv2d "res4b1_branch2a" %258 filters(256) kernel(1x1) no_bias
  %260 = root.batch_norm "bn4b1_branch2b" %259
  %261 = root.relu %260
  %262 = root.conv2d "res4b1_branch2b" %261 filters(256) kernel(3x3) pad(1) no_bias
  %263 = root.batch_norm "bn4b1_branch2c" %262
  %264 = root.relu %263
  %265 = root.conv2d "res4b1_branch2c" %264 filters(1024) kernel(1x1) no_bias
  %res4b1 = root.add %res4a, %265

  %266 = root.batch_norm "bn4b2_branch2a" %res4b1
  %267 = root.relu %266
  %268 = root.conv2d "res4b2_branch2a" %267 filters(256) kernel(1x1) no_bias
  %269 = root.batch_norm "bn4b2_branch2b" %268
  %270 = root.relu %269
  %271 = root.conv2d "res4b2_branch2b" %270 filters(256) kernel(3x3) pad(1) no_bias
  %272 = root.batch_norm "bn4b2_branch2c" %271
  %273 = root.relu %272
  %274 = root.conv2d "res4b2_branch2c" %273 filters(1024) kernel(1x1) no_bias
  %res4b2 = root.add %res4b1, %274

  %275 = root.batch_norm "bn4b3_branch2a" %res4b2
  %276 = root.relu %275
  %277 = root.conv2d "res4b3_branch2a" %276 filters(256) kernel(1x1) no_bias
  %278 = root.batch_norm "bn4b3_branch2b" %277
  %279 = root.relu %278
  %280 = root.conv2d "res4b3_branch2b" %279 filters(256) kernel(3x3) pad(1) no_bias
  %281 = root.batch_norm "bn4b3_branch2c" %280
  %282 = root.relu %281
  %283 = root.conv2d "res4b3_branch2c" %282 filters(1024) kernel(1x1) no_bias
  %res4b3 = root.add %res4b2, %283

  %284 = root.batch_norm "bn4b4_branch2a" %res4b3
  %285 = root.relu %284
  %286 = root.conv2d "res4b4_branch2a" %285 filters(256) kernel(1x1) no_bias
  %287 = root.batch_norm "bn4b4_branch2b" %286
  %288 = root.relu %287
  %289 = root.conv2d "res4b4_branch2b" %288 filters(256) kernel(3x3) pad(1) no_bias
  %290 = root.batch_norm "bn4b4_branch2c" %289
  %291 = root.relu %290
  %292 = root.conv2d "res4b4_branch2c" %291 filters(1024) kernel(1x1) no_bias
  %res4b4 = root.add %res4b3, %292

  %293 = root.batch_norm "bn4b5_branch2a" %res4b4
  %294 = root.relu %293
  %295 = root.conv2d "res4b5_branch2a" %294 filters(256) kernel(1x1) no_bias
  %296 = root.batch_norm "bn4b5_branch2b" %295
  %297 = root.relu %296
  %298 = root.conv2d "res4b5_branch2b" %297 filters(256) kernel(3x3) pad(1) no_bias
  %299 = root.batch_norm "bn4b5_branch2c" %298
  %300 = root.relu %299
  %301 = root.conv2d "res4b5_branch2c" %300 filters(1024) kernel(1x1) no_bias
  %res4b5 = root.add %res4b4, %301

  %302 = root.batch_norm "bn4b6_branch2a" %res4b5
  %303 = root.relu %302
  %304 = root.conv2d "res4b6_branch2a" %303 filters(256) kernel(1x1) no_bias
  %305 = root.batch_norm "bn4b6_branch2b" %304
  %306 = root.relu %305
  %307 = root.conv2d "res4b6_branch2b" %306 filters(256) kernel(3x3) pad(1) no_bias
  %308 = root.batch_norm "bn4b6_branch2c" %307
  %309 = root.relu %308
  %310 = root.conv2d "res4b6_branch2c" %309 filters(1024) kernel(1x1) no_bias
  %res4b6 = root.add %res4b5, %310

  %311 = root.batch_norm "bn4b7_branch2a" %res4b6
  %312 = root.relu %311
  %313 = root.conv2d "res4b7_branch2a" %312 filters(256) kernel(1x1) no_bias
  %314 = root.batch_norm "bn4b7_branch2b" %313
  %315 = root.relu %314
  %316 = root.conv2d "res4b7_branch2b" %315 filters(256) kernel(3x3) pad(1) no_bias
  %317 = root.batch_norm "bn4b7_branch2c" %316
  %318 = root.relu %317
  %319 = root.conv2d "res4b7_branch2c" %318 filters(1024) kernel(1x1) no_bias
  %res4b7 = root.add %res4b6, %319

  %320 = root.batch_norm "bn4b8_branch2a" %res4b7
  %321 = root.relu %320
  %322 = root.conv2d "res4b8_branch2a" %321 filters(256) kernel(1x1) no_bias
  %323 = root.batch_norm "bn4b8_branch2b" %322
  %324 = root.relu %323
  %325 = root.conv2d "res4b8_branch2b" %324 filters(256) kernel(3x3) pad(1) no_bias
  %326 = root.batch_norm "bn4b8_branch2c" %325
  %327 = root.relu %326
  %328 = root.conv2d "res4b8_branch2c" %327 filters(1024) kernel(1x1) no_bias
  %res4b8 = root.add %res4b7, %328

  %329 = root.batch_norm "bn4b9_branch2a" %res4b8
  %330 = root.relu %329
  %331 = root.conv2d "res4b9_branch2a" %330 filters(256) kernel(1x1) no_bias
  %332 = root.batch_norm "bn4b9_branch2b" %331
  %333 = root.relu %332
  %334 = root.conv2d "res4b9_branch2b" %333 filters(256) kernel(3x3) pad(1) no_bias
  %335 = root.batch_norm "bn4b9_branch2c" %334
  %336 = root.relu %335
  %337 = root.conv2d "res4b9_branch2c" %336 filters(1024) kernel(1x1) no_bias
  %res4b9 = root.add %res4b8, %337

  %338 = root.batch_norm "bn4b10_branch2a" %res4b9
  %339 = root.relu %338
  %340 = root.conv2d "res4b10_branch2a" %339 filters(256) kernel(1x1) no_bias
  %341 = root.batch_norm "bn4b10_branch2b" %340
  %342 = root.relu %341
  %343 = root.conv2d "res4b10_branch2b" %342 filters(256) kernel(3x3) pad(1) no_bias
  %344 = root.batch_norm "bn4b10_branch2c" %343
  %345 = root.relu %344
  %346 = root.conv2d "res4b10_branch2c" %345 filters(1024) kernel(1x1) no_bias
  %res4b10 = root.add %res4b9, %346

  %347 = root.batch_norm "bn4b11_branch2a" %res4b10
  %348 = root.relu %347
  %349 = root.conv2d "res4b11_branch2a" %348 filters(256) kernel(1x1) no_bias
  %350 = root.batch_norm "bn4b11_branch2b" %349
  %351 = root.relu %350
  %352 = root.conv2d "res4b11_branch2b" %351 filters(256) kernel(3x3) pad(1) no_bias
  %353 = root.batch_norm "bn4b11_branch2c" %352
  %354 = root.relu %353
  %355 = root.conv2d "res4b11_branch2c" %354 filters(1024) kernel(1x1) no_bias
  %res4b11 = root.add %res4b10, %355

  %356 = root.batch_norm "bn4b12_branch2a" %res4b11
  %357 = root.relu %356
  %358 = root.conv2d "res4b12_branch2a" %357 filters(256) kernel(1x1) no_bias
  %359 = root.batch_norm "bn4b12_branch2b" %358
  %360 = root.relu %359
  %361 = root.conv2d "res4b12_branch2b" %360 filters(256) kernel(3x3) pad(1) no_bias
  %362 = root.batch_norm "bn4b12_branch2c" %361
  %363 = root.relu %362
  %364 = root.conv2d "res4b12_branch2c" %363 filters(1024) kernel(1x1) no_bias
  %res4b12 = root.add %res4b11, %364

  %365 = root.batch_norm "bn4b13_branch2a" %res4b12
  %366 = root.relu %365
  %367 = root.conv2d "res4b13_branch2a" %366 filters(256) kernel(1x1) no_bias
  %368 = root.batch_norm "bn4b13_branch2b" %367
  %369 = root.relu %368
  %370 = root.conv2d "res4b13_branch2b" %369 filters(256) kernel(3x3) pad(1) no_bias
  %371 = root.batch_norm "bn4b13_branch2c" %370
  %372 = root.relu %371
  %373 = root.conv2d "res4b13_branch2c" %372 filters(1024) kernel(1x1) no_bias
  %res4b13 = root.add %res4b12, %373

  %374 = root.batch_norm "bn4b14_branch2a" %res4b13
  %375 = root.relu %374
  %376 = root.conv2d "res4b14_branch2a" %375 filters(256) kernel(1x1) no_bias
  %377 = root.batch_norm "bn4b14_branch2b" %376
  %378 = root.relu %377
  %379 = root.conv2d "res4b14_branch2b" %378 filters(256) kernel(3x3) pad(1) no_bias
  %380 = root.batch_norm "bn4b14_branch2c" %379
  %381 = root.relu %380
  %382 = root.conv2d "res4b14_branch2c" %381 filters(1024) kernel(1x1) no_bias
  %res4b14 = root.add %res4b13, %382

  %383 = root.batch_norm "bn4b15_branch2a" %res4b14
  %384 = root.relu %383
  %385 = root.conv2d "res4b15_branch2a" %384 filters(256) kernel(1x1) no_bias
  %386 = root.batch_norm "bn4b15_branch2b" %385
  %387 = root.relu %386
  %388 = root.conv2d "res4b15_branch2b" %387 filters(256) kernel(3x3) pad(1) no_bias
  %389 = root.batch_norm "bn4b15_branch2c" %388
  %390 = root.relu %389
  %391 = root.conv2d "res4b15_branch2c" %390 filters(1024) kernel(1x1) no_bias
  %res4b15 = root.add %res4b14, %391

  %392 = root.batch_norm "bn4b16_branch2a" %res4b15
  %393 = root.relu %392
  %394 = root.conv2d "res4b16_branch2a" %393 filters(256) kernel(1x1) no_bias
  %395 = root.batch_norm "bn4b16_branch2b" %394
  %396 = root.relu %395
  %397 = root.conv2d "res4b16_branch2b" %396 filters(256) kernel(3x3) pad(1) no_bias
  %398 = root.batch_norm "bn4b16_branch2c" %397
  %399 = root.relu %398
  %400 = root.conv2d "res4b16_branch2c" %399 filters(1024) kernel(1x1) no_bias
  %res4b16 = root.add %res4b15, %400

  %401 = root.batch_norm "bn4b17_branch2a" %res4b16
  %402 = root.relu %401
  %403 = root.conv2d "res4b17_branch2a" %402 filters(256) kernel(1x1) no_bias
  %404 = root.batch_norm "bn4b17_branch2b" %403
  %405 = root.relu %404
  %406 = root.conv2d "res4b17_branch2b" %405 filters(256) kernel(3x3) pad(1) no_bias
  %407 = root.batch_norm "bn4b17_branch2c" %406
  %408 = root.relu %407
  %409 = root.conv2d "res4b17_branch2c" %408 filters(1024) kernel(1x1) no_bias
  %res4b17 = root.add %res4b16, %409

  %410 = root.batch_norm "bn4b18_branch2a" %res4b17
  %411 = root.relu %410
  %412 = root.conv2d "res4b18_branch2a" %411 filters(256) kernel(1x1) no_bias
  %413 = root.batch_norm "bn4b18_branch2b" %412
  %414 = root.relu %413
  %415 = root.conv2d "res4b18_branch2b" %414 filters(256) kernel(3x3) pad(1) no_bias
  %416 = root.batch_norm "bn4b18_branch2c" %415
  %417 = root.relu %416
  %418 = root.conv2d "res4b18_branch2c" %417 filters(1024) kernel(1x1) no_bias
  %res4b18 = root.add %res4b17, %418

  %419 = root.batch_norm "bn4b19_branch2a" %res4b18
  %420 = root.relu %419
  %421 = root.conv2d "res4b19_branch2a" %420 filters(256) kernel(1x1) no_bias
  %422 = root.batch_norm "bn4b19_branch2b" %421
  %423 = root.relu %422
  %424 = root.conv2d "res4b19_branch2b" %423 filters(256) kernel(3x3) pad(1) no_bias
  %425 = root.batch_norm "bn4b19_branch2c" %424
  %426 = root.relu %425
  %427 = root.conv2d "res4b19_branch2c" %426 filters(1024) kernel(1x1) no_bias
  %res4b19 = root.add %res4b18, %427

  %428 = root.batch_norm "bn4b20_branch2a" %res4b19
  %429 = root.relu %428
  %430 = root.conv2d "res4b20_branch2a" %429 filters(256) kernel(1x1) no_bias
  %431 = root.batch_norm "bn4b20_branch2b" %430
  %432 = root.relu %431
  %433 = root.conv2d "res4b20_branch2b" %432 filters(256) kernel(3x3) pad(1) no_bias
  %434 = root.batch_norm "bn4b20_branch2c" %433
  %435 = root.relu %434
  %436 = root.conv2d "res4b20_branch2c" %435 filters(1024) kernel(1x1) no_bias
  %res4b20 = root.add %res4b19, %436

  %437 = root.batch_norm "bn4b21_branch2a" %res4b20
  %438 = root.relu %437
  %439 = root.conv2d "res4b21_branch2a" %438 filters(256) kernel(1x1) no_bias
  %440 = root.batch_norm "bn4b21_branch2b" %439
  %441 = root.relu %440
  %442 = root.conv2d "res4b21_branch2b" %441 filters(256) kernel(3x3) pad(1) no_bias
  %443 = root.batch_norm "bn4b21_branch2c" %442
  %444 = root.relu %443
  %445 = root.conv2d "res4b21_branch2c" %444 filters(1024) kernel(1x1) no_bias
  %res4b21 = root.add %res4b20, %445

  %446 = root.batch_norm "bn4b22_branch2a" %res4b21
  %447 = root.relu %446
  %448 = root.conv2d "res4b22_branch2a" %447 filters(256) kernel(1x1) no_bias
  %449 = root.batch_norm "bn4b22_branch2b" %448
  %450 = root.relu %449
  %451 = root.conv2d "res4b22_branch2b" %450 filters(256) kernel(3x3) pad(1) no_bias
  %452 = root.batch_norm "bn4b22_branch2c" %451
  %453 = root.relu %452
  %454 = root.conv2d "res4b22_branch2c" %453 filters(1024) kernel(1x1) no_bias
  %res4b22 = root.add %res4b21, %454

  %455 = root.batch_norm "bn4b23_branch2a" %res4b22
  %456 = root.relu %455
  %457 = root.conv2d "res4b23_branch2a" %456 filters(256) kernel(1x1) no_bias
  %458 = root.batch_norm "bn4b23_branch2b" %457
  %459 = root.relu %458
  %460 = root.conv2d "res4b23_branch2b" %459 filters(256) kernel(3x3) pad(1) no_bias
  %461 = root.batch_norm "bn4b23_branch2c" %460
  %462 = root.relu %461
  %463 = root.conv2d "res4b23_branch2c" %462 filters(1024) kernel(1x1) no_bias
  %res4b23 = root.add %res4b22, %463

  %464 = root.batch_norm "bn4b24_branch2a" %res4b23
  %465 = root.relu %464
  %466 = root.conv2d "res4b24_branch2a" %465 filters(256) kernel(1x1) no_bias
  %467 = root.batch_norm "bn4b24_branch2b" %466
  %468 = root.relu %467
  %469 = root.conv2d "res4b24_branch2b" %468 filters(256) kernel(3x3) pad(1) no_bias
  %470 = root.batch_norm "bn4b24_branch2c" %469
  %471 = root.relu %470
  %472 = root.conv2d "res4b24_branch2c" %471 filters(1024) kernel(1x1) no_bias
  %res4b24 = root.add %res4b23, %472

  %473 = root.batch_norm "bn4b25_branch2a" %res4b24
  %474 = root.relu %473
  %475 = root.conv2d "res4b25_branch2a" %474 filters(256) kernel(1x1) no_bias
  %476 = root.batch_norm "bn4b25_branch2b" %475
  %477 = root.relu %476
  %478 = root.conv2d "res4b25_branch2b" %477 filters(256) kernel(3x3) pad(1) no_bias
  %479 = root.batch_norm "bn4b25_branch2c" %478
  %480 = root.relu %479
  %481 = root.conv2d "res4b25_branch2c" %480 filters(1024) kernel(1x1) no_bias
  %res4b25 = root.add %res4b24, %481

  %482 = root.batch_norm "bn4b26_branch2a" %res4b25
  %483 = root.relu %482
  %484 = root.conv2d "res4b26_branch2a" %483 filters(256) kernel(1x1) no_bias
  %485 = root.batch_norm "bn4b26_branch2b" %484
  %486 = root.relu %485
  %487 = root.conv2d "res4b26_branch2b" %486 filters(256) kernel(3x3) pad(1) no_bias
  %488 = root.batch_norm "bn4b26_branch2c" %487
  %489 = root.relu %488
  %490 = root.conv2d "res4b26_branch2c" %489 filters(1024) kernel(1x1) no_bias
  %res4b26 = root.add %res4b25, %490

  %491 = root.batch_norm "bn4b27_branch2a" %res4b26
  %492 = root.relu %491
  %493 = root.conv2d "res4b27_branch2a" %492 filters(256) kernel(1x1) no_bias
  %494 = root.batch_norm "bn4b27_branch2b" %493
  %495 = root.relu %494
  %496 = root.conv2d "res4b27_branch2b" %495 filters(256) kernel(3x3) pad(1) no_bias
  %497 = root.batch_norm "bn4b27_branch2c" %496
  %498 = root.relu %497
  %499 = root.conv2d "res4b27_branch2c" %498 filters(1024) kernel(1x1) no_bias
  %res4b27 = root.add %res4b26, %499

  %500 = root.batch_norm "bn4b28_branch2a" %res4b27
  %501 = root.relu %500
  %502 = root.conv2d "res4b28_branch2a" %501 filters(256) kernel(1x1) no_bias
  %503 = root.batch_norm "bn4b28_branch2b" %502
  %504 = root.relu %503
  %505 = root.conv2d "res4b28_branch2b" %504 filters(256) kernel(3x3) pad(1) no_bias
  %506 = root.batch_norm "bn4b28_branch2c" %505
  %507 = root.relu %506
  %508 = root.conv2d "res4b28_branch2c" %507 filters(1024) kernel(1x1) no_bias
  %res4b28 = root.add %res4b27, %508

  %509 = root.batch_norm "bn4b29_branch2a" %res4b28
  %510 = root.relu %509
  %511 = root.conv2d "res4b29_branch2a" %510 filters(256) kernel(1x1) no_bias
  %512 = root.batch_norm "bn4b29_branch2b" %511
  %513 = root.relu %512
  %514 = root.conv2d "res4b29_branch2b" %513 filters(256) kernel(3x3) pad(1) no_bias
  %515 = root.batch_norm "bn4b29_branch2c" %514
  %516 = root.relu %515
  %517 = root.conv2d "res4b29_branch2c" %516 filters(1024) kernel(1x1) no_bias
  %res4b29 = root.add %res4b28, %517

  %518 = root.batch_norm "bn4b30_branch2a" %res4b29
  %519 = root.relu %518
  %520 = root.conv2d "res4b30_branch2a" %519 filters(256) kernel(1x1) no_bias
  %521 = root.batch_norm "bn4b30_branch2b" %520
  %522 = root.relu %521
  %523 = root.conv2d "res4b30_branch2b" %522 filters(256) kernel(3x3) pad(1) no_bias
  %524 = root.batch_norm "bn4b30_branch2c" %523
  %525 = root.relu %524
  %526 = root.conv2d "res4b30_branch2c" %525 filters(1024) kernel(1x1) no_bias
  %res4b30 = root.add %res4b29, %526

  %527 = root.batch_norm "bn4b31_branch2a" %res4b30
  %528 = root.relu %527
  %529 = root.conv2d "res4b31_branch2a" %528 filters(256) kernel(1x1) no_bias
  %530 = root.batch_norm "bn4b31_branch2b" %529
  %531 = root.relu %530
  %532 = root.conv2d "res4b31_branch2b" %531 filters(256) kernel(3x3) pad(1) no_bias
  %533 = root.batch_norm "bn4b31_branch2c" %532
  %534 = root.relu %533
  %535 = root.conv2d "res4b31_branch2c" %534 filters(1024) kernel(1x1) no_bias
  %res4b31 = root.add %res4b30, %535

  %536 = root.batch_norm "bn4b32_branch2a" %res4b31
  %537 = root.relu %536
  %538 = root.conv2d "res4b32_branch2a" %537 filters(256) kernel(1x1) no_bias
  %539 = root.batch_norm "bn4b32_branch2b" %538
  %540 = root.relu %539
  %541 = root.conv2d "res4b32_branch2b" %540 filters(256) kernel(3x3) pad(1) no_bias
  %542 = root.batch_norm "bn4b32_branch2c" %541
  %543 = root.relu %542
  %544 = root.conv2d "res4b32_branch2c" %543 filters(1024) kernel(1x1) no_bias
  %res4b32 = root.add %res4b31, %544

  %545 = root.batch_norm "bn4b33_branch2a" %res4b32
  %546 = root.relu %545
  %547 = root.conv2d "res4b33_branch2a" %546 filters(256) kernel(1x1) no_bias
  %548 = root.batch_norm "bn4b33_branch2b" %547
  %549 = root.relu %548
  %550 = root.conv2d "res4b33_branch2b" %549 filters(256) kernel(3x3) pad(1) no_bias
  %551 = root.batch_norm "bn4b33_branch2c" %550
  %552 = root.relu %551
  %553 = root.conv2d "res4b33_branch2c" %552 filters(1024) kernel(1x1) no_bias
  %res4b33 = root.add %res4b32, %553

  %554 = root.batch_norm "bn4b34_branch2a" %res4b33
  %555 = root.relu %554
  %556 = root.conv2d "res4b34_branch2a" %555 filters(256) kernel(1x1) no_bias
  %557 = root.batch_norm "bn4b34_branch2b" %556
  %558 = root.relu %557
  %559 = root.conv2d "res4b34_branch2b" %558 filters(256) kernel(3x3) pad(1) no_bias
  %560 = root.batch_norm "bn4b34_branch2c" %559
  %561 = root.relu %560
  %562 = root.conv2d "res4b34_branch2c" %561 filters(1024) kernel(1x1) no_bias
  %res4b34 = root.add %res4b33, %562

  %563 = root.batch_norm "bn4b35_branch2a" %res4b34
  %564 = root.relu %563
  %565 = root.conv2d "res4b35_branch2a" %564 filters(256) kernel(1x1) no_bias
  %566 = root.batch_norm "bn4b35_branch2b" %565
  %567 = root.relu %566
  %568 = root.conv2d "res4b35_branch2b" %567 filters(256) kernel(3x3) pad(1) no_bias
  %569 = root.batch_norm "bn4b35_branch2c" %568
  %570 = root.relu %569
  %571 = root.conv2d "res4b35_branch2c" %570 filters(1024) kernel(1x1) no_bias
  %res4b35 = root.add %res4b34, %571

  // res5: 7x7, 3 blocks of 512, 512, 2048
  %572 = root.batch_norm "bn5a_branch2a" %res4b35
  %573 = root.relu %572
  %574 = root.conv2d "res5a_branch1" %573 filters(2048) kernel(1x1) stride(2) no_bias
  %575 = root.conv2d "res5a_branch2a" %573 filters(512) kernel(1x1) stride(2) no_bias
  %576 = root.batch_norm "bn5a_branch2b" %575
  %577 = root.relu %576
  %578 = root.conv2d "res5a_branch2b" %577 filters(512) kernel(3x3) pad(1) no_bias
  %579 = root.batch_norm "bn5a_branch2c" %578
  %580 = root.relu %579
  %581 = root.conv2d "res5a_branch2c" %580 filters(2048) kernel(1x1) no_bias
  %res5a = root.add %574, %581

  %582 = root.batch_norm "bn5b_branch2a" %res5a
  %583 = root.relu %582
  %584 = root.conv2d "res5b_branch2a" %583 filters(512) kernel(1x1) no_bias
  %585 = root.batch_norm "bn5b_branch2b" %584
  %586 = root.relu %585
  %587 = root.conv2d "res5b_branch2b" %586 filters(512) kernel(3x3) pad(1) no_bias
  %588 = root.batch_norm "bn5b_branch2c" %587
  %589 = root.relu %588
  %590 = root.conv2d "res5b_branch2c" %589 filters(2048) kernel(1x1) no_bias
  %res5b = root.add %res5a, %590

  %591 = root.batch_norm "bn5c_branch2a" %res5b
  %592 = root.relu %591
  %593 = root.conv2d "res5c_branch2a" %592 filters(512) kernel(1x1) no_bias
  %594 = root.batch_norm "bn5c_branch2b" %593
  %595 = root.relu %594
  %596 = root.conv2d "res5c_branch2b" %595 filters(512) kernel(3x3) pad(1) no_bias
  %597 = root.batch_norm "bn5c_branch2c" %596
  %598 = root.relu %597
  %599 = root.conv2d "res5c_branch2c" %598 filters(2048) kernel(1x1) no_bias
  %res5c = root.add %res5b, %599

  // The last sum is normalised once more.
  %600 = root.batch_norm "bn5" %res5c
  %601 = root.relu %600
  %pool5 = root.global_average_pool %601
  %602 = root.linear "fc1000" %pool5 outputs(1000)
  root.output %602
}
