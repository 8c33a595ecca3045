// RUN: rootc-opt %s --root-print-cost -o /dev/null | FileCheck %s --check-prefix=TEXT --strict-whitespace --match-full-lines
// RUN: rootc-opt %s --root-print-cost=format=csv -o /dev/null | FileCheck %s --check-prefix=CSV --match-full-lines
// RUN: rootc-opt %s --root-print-cost=format=json -o /dev/null | FileCheck %s --check-prefix=JSON --match-full-lines
// RUN: rootc-opt %s --root-infer-shapes --root-print-cost=format=csv -o /dev/null | FileCheck %s --check-prefix=CSV --match-full-lines
// RUN: rootc-opt %s --root-print-cost -o /dev/null 2>&1 >/dev/null | FileCheck %s --check-prefix=UNUSED
// RUN: not rootc-opt %s --root-print-cost=format=xml 2>&1 | FileCheck %s --check-prefix=FORMAT

//      TEXT:small
// TEXT-NEXT:layer  op      groups        params              macs
// TEXT-NEXT:one    conv2d       1            76               436
// TEXT-NEXT:three  conv2d       2            72               144
// TEXT-NEXT:fc     linear       1            40                40
// TEXT-NEXT:total                           188               620
// TEXT-NEXT:normalisations and learnt factors, which are not counted, have 8 parameters

//      CSV: name,op,groups,params,macs
// CSV-NEXT: one,conv2d,1,76,436
// CSV-NEXT: three,conv2d,2,72,144
// CSV-NEXT: fc,linear,1,40,40
// CSV-NEXT: total,,,188,620

//      JSON: {
// JSON-NEXT:   "network": "small",
// JSON-NEXT:   "params": 188,
// JSON-NEXT:   "macs": 620,
// JSON-NEXT:   "layers": [
// JSON-NEXT:     {
// JSON-NEXT:       "name": "one",
// JSON-NEXT:       "op": "conv2d",
// JSON-NEXT:       "groups": 1,
// JSON-NEXT:       "params": 76,
// JSON-NEXT:       "macs": 436
// JSON-NEXT:     },
// JSON:        "name": "fc",
// JSON-NEXT:   "op": "linear",

// UNUSED: cost-formats.mlir:[[# @LINE + 11]]:8: warning: layer 'unused' is left out: no output or auxiliary classifier depends on it

// FORMAT: error: cost format 'xml' is not text, json or csv

root.network @small(%image: !root.image<4x3x2>) classes(5) {
  %0 = root.conv2d "one" %image filters(4) kernel(3x3) pad(0,0,1,1)
  %1 = root.batch_norm "bn" %0
  %2 = root.conv2d "three" %1 filters(4) kernel(3x3) pad(1) stride(2) groups(2) no_bias
  %3 = root.relu %2
  %4 = root.max_pool %3 kernel(2x1)
  %5 = root.linear "fc" %3 outputs(5) no_bias
  %6 = root.conv2d "unused" %4 filters(7) kernel(1)
  %7 = root.batch_norm "unused_bn" %6
  root.output %5
}
