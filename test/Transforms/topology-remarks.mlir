// RUN: rootc-opt %s --root-topology=root=4 --verify-diagnostics --split-input-file

root.network @left_alone(%image: !root.image<8x8x4>) classes(4) {
  %0 = root.conv2d "a" %image filters(8) kernel(3x3)
  // expected-remark @+1 {{"b" is left as it is: it has 2 groups already}}
  %1 = root.conv2d "b" %0 filters(8) kernel(3x3) groups(2)
  // expected-remark @+1 {{"c" is left as it is: it is marked 'ungrouped'}}
  %2 = root.conv2d "c" %1 filters(8) kernel(3x1) pad(1x0) ungrouped
  %3 = root.conv2d "d" %1 filters(8) kernel(3x1) pad(1x0)
  %4 = root.concat %1, %2, %3
  %5 = root.conv2d "mix" %4 filters(4) kernel(1x1)
  %6 = root.global_average_pool %5
  root.output %6
}

// -----

// Nothing stands between "b" and the 1x1 but layers without weights; behind "c"
// there is only one in two groups, behind "d" a linear layer.
root.network @unmixed(%image: !root.image<8x8x4>) classes(4) {
  %0 = root.conv2d "a" %image filters(8) kernel(3x3) pad(1)
  %b = root.conv2d "b" %0 filters(8) kernel(3x3) pad(1)
  %1 = root.batch_norm "bn" %b
  %2 = root.relu %1
  %3 = root.max_pool %2 kernel(3x3) pad(1)
  %4 = root.add %3, %0
  %gate = root.hard_sigmoid %4
  %gated = root.multiply %4, %gate
  %clipped = root.clip %gated min(0) max(6)
  %half_of_it = root.slice_channels %clipped begin(0) end(4)
  %shuffled = root.channel_shuffle %half_of_it groups(2)
  %5 = root.concat %shuffled, %0
  %mix = root.conv2d "mix" %5 filters(8) kernel(1x1)
  // expected-remark @+1 {{"c" has 4 groups, and no 1x1 convolution mixes them again}}
  %c = root.conv2d "c" %mix filters(8) kernel(3x3) pad(1)
  // expected-remark @+1 {{"half" has 2 groups, and no 1x1 convolution mixes them again}}
  %half = root.conv2d "half" %c filters(8) kernel(1x1) groups(2)
  // expected-remark @+1 {{"d" has 4 groups, and no 1x1 convolution mixes them again}}
  %d = root.conv2d "d" %half filters(8) kernel(3x3) pad(1)
  %6 = root.linear "fc" %d outputs(4)
  root.output %6
}
