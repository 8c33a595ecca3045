

// A network, and a header    
// of two lines.


   root.network   @untidy( %image :!root.image<8x8x3> )
   classes( 4 ){   // behind the brace

  // first stage
%1=root.conv2d"conv1"%image kernel(3)pad(1,1,1,1)filters(16) // behind a layer
       %2   =   root.relu %1


    %in = root.conv2d "in"
      // filters as in the paper
      %2 filters(8)
      kernel(1 ) stride( 2x2 ) // the last word
    no_bias
    %3 = root.batch_norm "bn" %in epsilon( 1e-5 ) {note = "a, b", other = [1,2], third = 3 : i64}  %4 = root.pad %3 pad(1,0,1,0)
  // two
  // together

  %5 = root.resize %4 size(9) mode(bilinear)
  %cat = root.concat %5 ,%5
  %6 = root.max_pool %cat rounding(ceil) kernel(2x3) pad(0,0,1,1)
  %7 = root.global_average_pool %6
  %8 = root.linear "fc" %7 outputs(4)
  root.auxiliary %8 weight(0.5) root.output %8 // the logits
  // the end

}
// after all
