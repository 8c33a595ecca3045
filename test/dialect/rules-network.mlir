// One refusal a rule of the network; the rules are in docs/language.md.
// RUN: rootc-opt %s --split-input-file --verify-diagnostics

// expected-error @+1 {{(N1) the network's name must be a C identifier of at most 200 characters}}
root.network @"my-net"(%image: !root.image<1x1x2>) classes(2) {
  root.output %image
}

// -----

// expected-error @+1 {{(N2) classes is 0; it must be from 1}}
root.network @n2(%image: !root.image<1x1x2>) classes(0) {
  root.output %image
}

// -----

// expected-error @+1 {{(N3) image is 0; it must be from 1}}
root.network @n3(%image: !root.image<1x0x2>) classes(2) {
  root.output %image
}

// -----

// expected-error @+1 {{(N3) image is 9223372036854775807; it must be from 1 to 2147483647}}
root.network @n3_huge(%image: !root.image<9223372036854775807x9223372036854775807x3>) classes(2) {
  root.output %image
}

// -----

// expected-error @+1 {{(N3) the image's values, 65536x65536x1, exceed 2147483647 elements}}
root.network @n3_product(%image: !root.image<65536x65536x1>) classes(2) {
  root.output %image
}

// -----

// expected-error @+1 {{(N3) image has 2 values; it must have 3}}
"root.network"() <{sym_name = "n3_rank", classes = 2, image = array<i64: 1, 2>}> ({
^bb0(%image: !root.image):
  "root.output"(%image) : (!root.image) -> ()
}) : () -> ()

// -----

// expected-error @+1 {{(N4) the body must have one argument, a !root.image}}
"root.network"() <{sym_name = "n4", classes = 2, image = array<i64: 1, 1, 2>}> ({
^bb0(%image: !root.image, %more: !root.image):
  "root.output"(%image) : (!root.image) -> ()
}) : () -> ()

// -----

// expected-error @+1 {{(N4) the body must have one argument, a !root.image}}
"root.network"() <{sym_name = "n4_type", classes = 2, image = array<i64: 1, 1, 2>}> ({
^bb0(%image: i32):
}) : () -> ()

// -----

root.network @n5(%image: !root.image<1x1x2>) classes(2) {
  // expected-error @+1 {{(N5) only layers, root.auxiliary and root.output may stand in a network}}
  builtin.module {}
  root.output %image
}

// -----

// expected-error @+1 {{(N6) there is no root.output; end with root.output %logits}}
root.network @n6(%image: !root.image<1x1x2>) classes(2) {
}

// -----

root.network @n6_two(%image: !root.image<1x1x2>) classes(2) {
  // expected-note @+1 {{the first one}}
  root.output %image
  // expected-error @+1 {{(N6) a network has one root.output; use root.auxiliary for further classifiers}}
  root.output %image
}

// -----

root.network @n7(%image: !root.image<1x1x2>) classes(2) {
  // expected-note @+1 {{the first one}}
  %0 = root.conv2d "a" %image filters(2) kernel(1x1)
  // expected-error @+1 {{(N7) the name "a" is taken; rename one of the two}}
  %1 = root.batch_norm "a" %0
  root.output %1
}

// -----

root.network @n8(%image: !root.image<1x1x2>) classes(2) {
  // expected-error @+1 {{(N8) reads a value that is made later; move this layer behind it}}
  %0 = root.relu %1
  %1 = root.relu %image
  root.output %0
}

// -----

root.network @n9(%image: !root.image<1x1x2>) classes(2) shaped {
  // expected-error @+1 {{(N9) a value's type is '!root.image<1x1x3>' where the layers give '!root.image<1x1x2>'; leave the types out}}
  %0 = root.relu %image : (!root.image<1x1x2>) -> !root.image<1x1x3>
  root.output %0 : !root.image<1x1x3>
}

// -----

root.network @n9_mixed(%image: !root.image<1x1x2>) classes(2) {
  // expected-error @+1 {{(N9) a value's type is '!root.image<1x1x2>' where the layers give '!root.image'}}
  %0 = root.relu %image : (!root.image) -> !root.image<1x1x2>
  root.output %0 : !root.image<1x1x2>
}

// -----

// expected-error @+1 {{(N10) a network called "rootc" would make the function rootc_model, which is a type of the library's header; rename the network}}
root.network @rootc(%image: !root.image<1x1x2>) classes(2) {
  root.output %image
}

// -----

// expected-error @+1 {{'root.relu' op expects parent op 'root.network'}}
%0 = "root.relu"(%0) : (!root.image) -> !root.image
