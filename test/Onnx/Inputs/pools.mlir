// Pools whose last windows hang over the map, with padding on every side, where engines differ in what they divide by
// and in which windows they drop.
root.network @pools(%image: !root.image<11x14x2>) classes(18) {
  %1 = root.average_pool %image kernel(3x3) stride(2) rounding(ceil)
  %2 = root.average_pool %image kernel(3x4) stride(2x3) pad(2,1,0,3) rounding(ceil)
  %3 = root.average_pool %image kernel(3x4) stride(2x3) pad(2,1,0,3) rounding(ceil) exclude_pad
  %4 = root.average_pool %image kernel(3x4) stride(4x3) pad(0,1,2,3)
  %5 = root.average_pool %image kernel(3x4) stride(4x3) pad(0,1,2,3) exclude_pad
  %6 = root.average_pool %image kernel(2x2) stride(3x5) pad(0,0,1,1) rounding(ceil)
  %7 = root.max_pool %image kernel(3x4) stride(2x3) pad(2,1,0,3) rounding(ceil)
  %8 = root.max_pool %image kernel(2x2) stride(3x5) pad(0,0,1,1) rounding(ceil)
  %9 = root.max_pool %image kernel(4x2) stride(3x1) pad(1,0,3,1)
  %a = root.linear "a" %1 outputs(2)
  %b = root.linear "b" %2 outputs(2)
  %c = root.linear "c" %3 outputs(2)
  %d = root.linear "d" %4 outputs(2)
  %e = root.linear "e" %5 outputs(2)
  %f = root.linear "f" %6 outputs(2)
  %g = root.linear "g" %7 outputs(2)
  %h = root.linear "h" %8 outputs(2)
  %i = root.linear "i" %9 outputs(2)
  %all = root.concat %a, %b, %c, %d, %e, %f, %g, %h, %i
  root.output %all
}
