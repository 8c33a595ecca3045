// One refusal a rule and attribute; the rules are in docs/language.md.
// RUN: rootc-opt %s --split-input-file --verify-diagnostics

root.network @c1(%image: !root.image<8x8x4>) classes(4) {
  // expected-error @+1 {{(C1) a layer's name has 1 to 200 letters, digits or _ . - /; rename this one}}
  %0 = root.conv2d "a b" %image filters(4) kernel(1x1)
  root.output %0
}

// -----

root.network @c1_empty(%image: !root.image<8x8x4>) classes(4) {
  // expected-error @+1 {{(C1)}}
  %0 = root.conv2d "" %image filters(4) kernel(1x1)
  root.output %0
}

// -----

root.network @c1_nul(%image: !root.image<8x8x4>) classes(4) {
  // expected-error @+1 {{(C1)}}
  %0 = root.conv2d "a\00b" %image filters(4) kernel(1x1)
  root.output %0
}

// -----

root.network @c2_filters(%image: !root.image<8x8x4>) classes(4) {
  // expected-error @+1 {{(C2) filters is 0; it must be from 1 to 2147483647}}
  %0 = root.conv2d "a" %image filters(0) kernel(1x1)
  root.output %0
}

// -----

root.network @c2_filters_huge(%image: !root.image<8x8x4>) classes(4) {
  // expected-error @+1 {{(C2) filters is 9223372036854775807; it must be from 1}}
  %0 = root.conv2d "a" %image filters(9223372036854775807) kernel(1x1)
  root.output %0
}

// -----

root.network @c2_groups(%image: !root.image<8x8x4>) classes(4) {
  // expected-error @+1 {{(C2) groups is 0; it must be from 1}}
  %0 = root.conv2d "a" %image filters(4) kernel(1x1) groups(0)
  root.output %0
}

// -----

root.network @c2_groups_negative(%image: !root.image<8x8x4>) classes(4) {
  // expected-error @+1 {{(C2) groups is -2; it must be from 1}}
  %0 = root.conv2d "a" %image filters(4) kernel(1x1) groups(-2)
  root.output %0
}

// -----

root.network @c2_kernel(%image: !root.image<8x8x4>) classes(4) {
  // expected-error @+1 {{(C2) kernel is 0; it must be from 1}}
  %0 = root.conv2d "a" %image filters(4) kernel(1x0)
  root.output %0
}

// -----

root.network @c2_stride(%image: !root.image<8x8x4>) classes(4) {
  // expected-error @+1 {{(C2) stride is 0; it must be from 1}}
  %0 = root.conv2d "a" %image filters(4) kernel(1x1) stride(0)
  root.output %0
}

// -----

root.network @c2_dilation(%image: !root.image<8x8x4>) classes(4) {
  // expected-error @+1 {{(C2) dilation is 0; it must be from 1}}
  %0 = root.conv2d "a" %image filters(4) kernel(1x1) dilation(0)
  root.output %0
}

// -----

root.network @c2_pad(%image: !root.image<8x8x4>) classes(4) {
  // expected-error @+1 {{(C2) pad is 9223372036854775807; it must be from 0 to 2147483647}}
  %0 = root.conv2d "a" %image filters(4) kernel(1x1) pad(9223372036854775807)
  root.output %0
}

// -----

root.network @c2_rank(%image: !root.image<8x8x4>) classes(4) {
  // expected-error @+1 {{(C2) kernel has 3 values; it must have 2}}
  %0 = "root.conv2d"(%image) <{layer = "a", filters = 4, kernel = array<i64: 1, 1, 1>, stride = array<i64: 1, 1>, pad = array<i64: 0, 0, 0, 0>, dilation = array<i64: 1, 1>}> : (!root.image) -> !root.image
  root.output %0
}

// -----

root.network @c2_pad_rank(%image: !root.image<8x8x4>) classes(4) {
  // expected-error @+1 {{(C2) pad has 2 values; it must have 4}}
  %0 = "root.conv2d"(%image) <{layer = "a", filters = 4, kernel = array<i64: 1, 1>, stride = array<i64: 1, 1>, pad = array<i64: 0, 0>, dilation = array<i64: 1, 1>}> : (!root.image) -> !root.image
  root.output %0
}

// -----

root.network @c3(%image: !root.image<8x8x4>) classes(6) {
  // expected-error @+1 {{(C3) 4 groups do not divide 6 filters; choose a divisor}}
  %0 = root.conv2d "a" %image filters(6) kernel(1x1) groups(4)
  root.output %0
}

// -----

root.network @c4(%image: !root.image<8x8x4>) classes(6) {
  // expected-error @+1 {{(C4) 3 groups do not divide 4 input channels; choose a divisor}}
  %0 = root.conv2d "a" %image filters(6) kernel(1x1) groups(3)
  root.output %0
}

// -----

root.network @c5(%image: !root.image<8x9x4>) classes(6) {
  // expected-error @+1 {{(C5) the height of the kernel exceeds the padded input's, 8 + 0 + 0; use a smaller kernel or more padding}}
  %0 = root.conv2d "a" %image filters(6) kernel(9x9)
  root.output %0
}

// -----

root.network @c5_dilated(%image: !root.image<8x8x4>) classes(6) {
  // expected-error @+1 {{(C5) the width of the dilated kernel exceeds the padded input's, 8 + 1 + 2}}
  %0 = root.conv2d "a" %image filters(6) kernel(1x4) pad(0,1,0,2) dilation(1x4)
  root.output %0
}

// -----

root.network @c5_overflow(%image: !root.image<8x8x4>) classes(6) {
  // expected-error @+1 {{(C5) the height of the dilated kernel exceeds}}
  %0 = root.conv2d "a" %image filters(1) kernel(536870911x1) dilation(2147483647)
  root.output %0
}

// -----

root.network @c6(%image: !root.image<8x8x4>) classes(6) {
  // expected-error @+1 {{(C6) the filters, 536870912x1x1x4, exceed 2147483647 elements; make this layer smaller}}
  %0 = root.conv2d "a" %image filters(536870912) kernel(1x1)
  root.output %0
}

// -----

root.network @c6_overflow(%image: !root.image<8x8x4>) classes(6) {
  // expected-error @+1 {{(C6) the filters, 2147483647x2147483647x2147483647x4, exceed}}
  %0 = root.conv2d "a" %image filters(2147483647) kernel(2147483647)
  root.output %0
}

// -----

root.network @c7(%image: !root.image<8x8x4>) classes(6) {
  // expected-error @+1 {{(C7) stage is -1; it must be from 0 to 62}}
  %0 = root.conv2d "a" %image filters(6) kernel(1x1) stage(-1)
  root.output %0
}

// -----

root.network @c8(%image: !root.image<8x8x4>) classes(6) {
  // expected-error @+1 {{(C8) the results of one image, 60007x60007x1, exceed 2147483647 elements}}
  %0 = root.conv2d "a" %image filters(1) kernel(2x2) pad(30000)
  root.output %0
}

// -----

root.network @c9(%image: !root.image<8x8x4>) classes(4) {
  // expected-error @+1 {{(C9) the padded input of one image, 2000008x2000008x4, exceed 2147483647 elements; make this layer smaller}}
  %0 = root.conv2d "a" %image filters(1) kernel(3x3) dilation(1000000) pad(1000000)
  root.output %0
}

// -----

root.network @c9_side(%image: !root.image<8x1x1>) classes(4) {
  // expected-error @+1 {{(C9) the padded input, 600000008x1, has a side longer than 536870911; use less padding}}
  %0 = root.conv2d "a" %image filters(1) kernel(1) stride(300000000x1) pad(300000000x0)
  root.output %0
}

// -----

root.network @c9_stride(%image: !root.image<8x8x4>) classes(4) {
  // expected-error @+1 {{(C9) the padded input of one image, 4294967302x8x4, exceed}}
  %0 = root.conv2d "a" %image filters(1) kernel(2x2) stride(2147483647) pad(2147483647x0)
  root.output %0
}

// -----

root.network @b1(%image: !root.image<8x8x4>) classes(6) {
  // expected-error @+1 {{(B1) a layer's name}}
  %0 = root.batch_norm "a,b" %image
  root.output %0
}

// -----

root.network @b2_epsilon(%image: !root.image<8x8x4>) classes(6) {
  // expected-error @+1 {{(B2) epsilon must be positive and finite}}
  %0 = root.batch_norm "a" %image epsilon(0)
  root.output %0
}

// -----

root.network @b2_infinite(%image: !root.image<8x8x4>) classes(6) {
  // expected-error @+1 {{(B2) epsilon must be positive and finite}}
  %0 = root.batch_norm "a" %image epsilon(1e999)
  root.output %0
}

// -----

root.network @b2_momentum(%image: !root.image<8x8x4>) classes(6) {
  // expected-error @+1 {{(B2) momentum must be from 0 to 1}}
  %0 = root.batch_norm "a" %image momentum(-0.5)
  root.output %0
}

// -----

root.network @b3(%image: !root.image<8x8x4>) classes(4) {
  // expected-error @+1 {{(B3) the name "input" would make the tensors input.mean and input.scale, which hold how images are normalised; rename this layer}}
  %0 = root.batch_norm "input" %image
  root.output %0
}

// -----

root.network @p1(%image: !root.image<8x8x4>) classes(6) {
  // expected-error @+1 {{(P1) stride is 0; it must be from 1}}
  %0 = root.max_pool %image kernel(3x3) stride(0)
  root.output %0
}

// -----

root.network @p1_kernel(%image: !root.image<8x8x4>) classes(6) {
  // expected-error @+1 {{(P1) kernel is 0; it must be from 1}}
  %0 = root.average_pool %image kernel(0)
  root.output %0
}

// -----

root.network @p1_rank(%image: !root.image<8x8x4>) classes(6) {
  // expected-error @+1 {{(P1) pad has 0 values; it must have 4}}
  %0 = "root.average_pool"(%image) <{kernel = array<i64: 1, 1>, stride = array<i64: 1, 1>, pad = array<i64>}> : (!root.image) -> !root.image
  root.output %0
}

// -----

root.network @p2(%image: !root.image<8x8x4>) classes(6) {
  // expected-error @+1 {{(P2) pad 3 is not smaller than the kernel's 3, so some window would lie outside the map; use less padding}}
  %0 = root.max_pool %image kernel(3x3) pad(0,0,0,3)
  root.output %0
}

// -----

root.network @p3(%image: !root.image<8x8x4>) classes(6) {
  // expected-error @+1 {{(P3) the width of the kernel exceeds the padded input's, 8 + 0 + 0}}
  %0 = root.average_pool %image kernel(3x9)
  root.output %0
}

// -----

root.network @p4(%image: !root.image<1x1x2147483647>) classes(6) {
  // expected-error @+1 {{(P4) the results of one image, 2x1x2147483647, exceed 2147483647 elements}}
  %0 = root.average_pool %image kernel(2x1) pad(1x0)
  root.output %0
}

// -----

root.network @p5(%image: !root.image<32x32x4>) classes(6) {
  // expected-error @+1 {{(P5) the kernel has more than 2147483647 elements; pool in two steps}}
  %0 = root.max_pool %image kernel(65536x32768)
  root.output %0
}

// -----

root.network @p6(%image: !root.image<8x8x4>) classes(4) {
  // expected-error @+1 {{(P6) the padded input of one image, 60006x60006x4, exceed 2147483647 elements}}
  %0 = root.average_pool %image kernel(30000) pad(29999) stride(30000)
  root.output %0
}

// -----

root.network @l1(%image: !root.image<8x8x4>) classes(6) {
  // expected-error @+1 {{(L1) a layer's name}}
  %0 = root.linear "fc\22" %image outputs(6)
  root.output %0
}

// -----

root.network @l2(%image: !root.image<8x8x4>) classes(6) {
  // expected-error @+1 {{(L2) outputs is -6; it must be from 1}}
  %0 = root.linear "fc" %image outputs(-6)
  root.output %0
}

// -----

root.network @l3(%image: !root.image<8x8x4>) classes(6) {
  // expected-error @+1 {{(L3) the weights, 2147483647x8x8x4, exceed 2147483647 elements}}
  %0 = root.linear "fc" %image outputs(2147483647)
  root.output %0
}

// -----

root.network @a1(%image: !root.image<8x8x4>) classes(6) {
  %0 = root.max_pool %image kernel(2x2)
  // expected-error @+1 {{(A1) the maps differ in shape: 8x8x4 and 7x7x4}}
  %1 = root.add %image, %0
  root.output %1
}

// -----

root.network @t1_min(%image: !root.image<8x8x4>) classes(6) {
  // expected-error @+1 {{(T1) min is not finite in 32-bit floating point}}
  %r = root.clip %image min(-1e39) max(6)
  root.output %r
}

// -----

root.network @t1_max(%image: !root.image<8x8x4>) classes(6) {
  // expected-error @+1 {{(T1) max is not finite in 32-bit floating point}}
  %r = root.clip %image max(1e999)
  root.output %r
}

// -----

root.network @t1_nan(%image: !root.image<8x8x4>) classes(6) {
  // expected-error @+1 {{(T1) min is not finite}}
  %r = "root.clip"(%image) <{min = 0x7FF8000000000000 : f64}> : (!root.image) -> !root.image
  root.output %r
}

// -----

root.network @t2(%image: !root.image<8x8x4>) classes(6) {
  // expected-error @+1 {{(T2) min is larger than max; swap them}}
  %r = root.clip %image min(6) max(-1)
  root.output %r
}

// -----

root.network @lr1_infinite(%image: !root.image<8x8x4>) classes(6) {
  // expected-error @+1 {{(LR1) alpha is not finite}}
  %r = root.leaky_relu %image alpha(1e40)
  root.output %r
}

// -----

root.network @lr1_negative(%image: !root.image<8x8x4>) classes(6) {
  // expected-error @+1 {{(LR1) alpha is negative; the gradient is made from the result, which must tell the input's sign}}
  %r = root.leaky_relu %image alpha(-0.1)
  root.output %r
}

// -----

root.network @pr1(%image: !root.image<8x8x4>) classes(6) {
  // expected-error @+1 {{(PR1) a layer's name has}}
  %r = root.prelu "a b" %image
  root.output %r
}

// -----

root.network @el1(%image: !root.image<8x8x4>) classes(6) {
  // expected-error @+1 {{(EL1) scale is not finite}}
  %r = root.elu %image scale(1e40)
  root.output %r
}

// -----

root.network @el2_alpha(%image: !root.image<8x8x4>) classes(6) {
  // expected-error @+1 {{(EL2) alpha must not be negative, scale and input_scale must be positive}}
  %r = root.elu %image alpha(-1)
  root.output %r
}

// -----

root.network @el2_scale(%image: !root.image<8x8x4>) classes(6) {
  // expected-error @+1 {{(EL2)}}
  %r = root.elu %image input_scale(0)
  root.output %r
}

// -----

root.network @ls1(%image: !root.image<8x8x4>) classes(6) {
  // expected-error @+1 {{(LS1) a layer's name has}}
  %r = root.layer_scale "" %image
  root.output %r
}

// -----

root.network @dp1(%image: !root.image<8x8x4>) classes(6) {
  // expected-error @+1 {{(DP1) rate must be at least 0 and less than 1}}
  %r = root.drop_path %image rate(1)
  root.output %r
}

// -----

root.network @pd1(%image: !root.image<8x8x4>) classes(6) {
  // expected-error @+1 {{(PD1) pad is 4000000000; it must be from 0}}
  %r = root.pad %image pad(4000000000)
  root.output %r
}

// -----

root.network @pd2(%image: !root.image<8x8x4>) classes(6) {
  // expected-error @+1 {{(PD2) one side is padded by 1 and cropped by 2; use two layers, or their difference}}
  %r = root.pad %image pad(1) crop(0,0,2,0)
  root.output %r
}

// -----

root.network @pd3(%image: !root.image<8x8x4>) classes(6) {
  // expected-error @+1 {{(PD3) nothing is left of the width, 8; crop less}}
  %r = root.pad %image crop(0x4)
  root.output %r
}

// -----

root.network @pd4(%image: !root.image<8x8x4>) classes(6) {
  // expected-error @+1 {{(PD4) 7 of the height cannot be reflected in 7; pad less than that}}
  %r = root.pad %image pad(7,0,0,0) crop(0,0,1,0) reflect
  root.output %r
}

// -----

root.network @pd5_side(%image: !root.image<8x8x4>) classes(6) {
  // expected-error @+1 {{(PD5) the width of the result, 536870913, is longer than 536870911; pad less}}
  %r = root.pad %image pad(0,536870905,0,0)
  root.output %r
}

// -----

root.network @pd5_count(%image: !root.image<8x8x4>) classes(6) {
  // expected-error @+1 {{(PD5) the results of one image, 100008x100008x4, exceed}}
  %r = root.pad %image pad(50000)
  root.output %r
}

// -----

root.network @sd1(%image: !root.image<8x8x4>) classes(6) {
  // expected-error @+1 {{(SD1) block is 0; it must be from 1 to 32768}}
  %r = root.space_to_depth %image block(0)
  root.output %r
}

// -----

root.network @sd1_huge(%image: !root.image<8x8x4>) classes(6) {
  // expected-error @+1 {{(SD1) block is 32769}}
  %r = root.depth_to_space %image block(32769)
  root.output %r
}

// -----

root.network @sd2(%image: !root.image<8x8x4>) classes(6) {
  // expected-error @+1 {{(SD2) block 3 does not divide 8x8; choose a divisor, or pad the map first}}
  %r = root.space_to_depth %image block(3)
  root.output %r
}

// -----

root.network @sd3(%image: !root.image<8x8x4>) classes(6) {
  // expected-error @+1 {{(SD3) the square of block 4 does not divide 4 channels; choose a smaller block}}
  %r = root.depth_to_space %image block(4)
  root.output %r
}

// -----

root.network @c10(%image: !root.image<8x8x4>) classes(6) {
  // expected-error @+1 {{(C10) the epsilon of 'standardize' must be positive and finite}}
  %r = root.conv2d "a" %image filters(6) kernel(8) standardize(0)
  root.output %r
}

// -----

root.network @h1_alpha(%image: !root.image<8x8x4>) classes(6) {
  // expected-error @+1 {{(H1) alpha is not finite in 32-bit floating point}}
  %r = root.hard_sigmoid %image alpha(1e40)
  root.output %r
}

// -----

root.network @h1_beta(%image: !root.image<8x8x4>) classes(6) {
  // expected-error @+1 {{(H1) beta is not finite}}
  %r = root.hard_sigmoid %image beta(-1e40)
  root.output %r
}

// -----

root.network @m1(%image: !root.image<8x8x4>) classes(6) {
  %0 = root.max_pool %image kernel(2x2)
  // expected-error @+1 {{(M1) the second map is 7x7x4; beside 8x8x4 it must be that, 1x1x4, 8x8x1 or 1x1x1, and the larger map comes first}}
  %r = root.multiply %image, %0
  root.output %r
}

// -----

root.network @m1_swapped(%image: !root.image<8x8x4>) classes(6) {
  %0 = root.global_average_pool %image
  // expected-error @+1 {{(M1) the second map is 8x8x4; beside 1x1x4 it must be}}
  %r = root.multiply %0, %image
  root.output %r
}

// -----

root.network @m1_row(%image: !root.image<8x8x4>) classes(6) {
  %0 = root.average_pool %image kernel(8x1)
  // expected-error @+1 {{(M1) the second map is 1x8x4}}
  %r = root.multiply %image, %0
  root.output %r
}

// -----

root.network @m1_channels(%image: !root.image<8x8x4>) classes(6) {
  %0 = root.slice_channels %image begin(0) end(2)
  // expected-error @+1 {{(M1) the second map is 8x8x2}}
  %r = root.multiply %image, %0
  root.output %r
}

// -----

root.network @s1_begin(%image: !root.image<8x8x4>) classes(6) {
  // expected-error @+1 {{(S1) begin is -1; it must be from 0 to 2147483647}}
  %r = root.slice_channels %image begin(-1) end(2)
  root.output %r
}

// -----

root.network @s1_end(%image: !root.image<8x8x4>) classes(6) {
  // expected-error @+1 {{(S1) end is 0; it must be from 1}}
  %r = root.slice_channels %image begin(0) end(0)
  root.output %r
}

// -----

root.network @s1_empty(%image: !root.image<8x8x4>) classes(6) {
  // expected-error @+1 {{(S1) begin 2 is not less than end 2; take a channel or more}}
  %r = root.slice_channels %image begin(2) end(2)
  root.output %r
}

// -----

root.network @s2(%image: !root.image<8x8x4>) classes(6) {
  // expected-error @+1 {{(S2) end is 5, but there are 4 channels; choose a smaller end}}
  %r = root.slice_channels %image begin(2) end(5)
  root.output %r
}

// -----

root.network @g1(%image: !root.image<8x8x4>) classes(6) {
  // expected-error @+1 {{(G1) groups is 0; it must be from 1}}
  %r = root.channel_shuffle %image groups(0)
  root.output %r
}

// -----

root.network @g2(%image: !root.image<8x8x4>) classes(6) {
  // expected-error @+1 {{(G2) 3 groups do not divide 4 channels; choose a divisor}}
  %r = root.channel_shuffle %image groups(3)
  root.output %r
}

// -----

root.network @k1(%image: !root.image<8x8x4>) classes(6) {
  // expected-error @+1 {{(K1) there is no map to concatenate}}
  %0 = root.concat
  root.output %0
}

// -----

root.network @k2(%image: !root.image<8x8x4>) classes(6) {
  %0 = root.max_pool %image kernel(2x1)
  // expected-error @+1 {{(K2) the maps differ in height or width: 8x8x4 and 7x8x4}}
  %1 = root.concat %image, %0
  root.output %1
}

// -----

root.network @k3(%image: !root.image<40000x40000x1>) classes(6) {
  // expected-error @+1 {{(K3) the results of one image, 40000x40000x2, exceed}}
  %1 = root.concat %image, %image
  root.output %1
}

// -----

root.network @d1(%image: !root.image<8x8x4>) classes(6) {
  // expected-error @+1 {{(D1) rate must be at least 0 and less than 1}}
  %0 = root.dropout %image rate(1)
  root.output %0
}

// -----

root.network @d1_nan(%image: !root.image<8x8x4>) classes(6) {
  // expected-error @+1 {{(D1) rate must be at least 0 and less than 1}}
  %0 = "root.dropout"(%image) <{rate = 0x7FF8000000000000 : f64}> : (!root.image) -> !root.image
  root.output %0
}

// -----

root.network @r1(%image: !root.image<8x8x4>) classes(6) {
  // expected-error @+1 {{(R1) size is 4; it must be odd}}
  %0 = root.local_response_norm %image size(4)
  root.output %0
}

// -----

root.network @r1_size(%image: !root.image<8x8x4>) classes(6) {
  // expected-error @+1 {{(R1) size is -1; it must be from 1}}
  %0 = root.local_response_norm %image size(-1)
  root.output %0
}

// -----

root.network @r2(%image: !root.image<8x8x4>) classes(6) {
  // expected-error @+1 {{(R2) alpha and beta must be finite and not negative, k finite and positive}}
  %0 = root.local_response_norm %image k(0)
  root.output %0
}

// -----

root.network @o1(%image: !root.image<1x2x10>) classes(10) {
  // expected-error @+1 {{(O1) the logits are 1x2x10; they must be 1x1x10, one value a class}}
  root.output %image
}

// -----

root.network @x1(%image: !root.image<1x1x10>) classes(10) {
  %0 = root.linear "fc" %image outputs(9)
  // expected-error @+1 {{(X1) the logits are 1x1x9; they must be 1x1x10}}
  root.auxiliary %0
  root.output %image
}

// -----

root.network @x2(%image: !root.image<1x1x10>) classes(10) {
  // expected-error @+1 {{(X2) weight must be finite and not negative}}
  root.auxiliary %image weight(-1)
  root.output %image
}
