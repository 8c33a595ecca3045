// RUN: rootc-opt %s --root-autodiff --split-input-file --verify-diagnostics

root.model @no_loss image(1x1x2) classes(2) {
  // expected-error @+1 {{stores no loss, so it has no gradients}}
  root.program @train kind(train) {
  }
}

// -----

root.model @twice image(1x1x2) classes(2) {
  root.program @train kind(train) {
  }
  // expected-error @+1 {{exists already: root-autodiff makes it}}
  root.program @grad kind(grad) {
  }
}

// -----

root.model @differentiated image(1x1x2) classes(2) {
  root.program @train kind(train) {
    %0 = root.parameter "p" : tensor<1xf32>
    root.store loss %0 : tensor<1xf32>
    // expected-error @+1 {{is a gradient: the program has its backward network already}}
    root.store gradient "p" %0 : tensor<1xf32>
  }
}

// -----

root.model @no_rule image(1x1x2) classes(2) {
  root.program @train kind(train) {
    %x = root.argument image : tensor<?x1x1x2xf32>
    %labels = root.argument labels : tensor<?xi64>
    %v = root.parameter "bn.scale" : tensor<2xf32>
    // Running statistics have no place between a parameter and the loss.
    // expected-error @+1 {{has no backward rule: it cannot lie between a parameter and the loss}}
    %y = root.prim.batch_norm_normalize %x, %v, %v, %v, %v {epsilon = 1.0e-5 : f64} : (tensor<?x1x1x2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>) -> tensor<?x1x1x2xf32>
    %loss = root.prim.softmax_cross_entropy %y, %labels : (tensor<?x1x1x2xf32>, tensor<?xi64>) -> tensor<1xf32>
    root.store loss %loss : tensor<1xf32>
  }
}

// -----

root.model @unreached image(1x1x2) classes(2) {
  root.program @train kind(train) {
    %x = root.argument image : tensor<?x1x1x2xf32>
    %labels = root.argument labels : tensor<?xi64>
    // expected-error @+1 {{has no gradient: the loss does not depend on it}}
    %v = root.parameter "bn.scale" : tensor<2xf32>
    %loss = root.prim.softmax_cross_entropy %x, %labels : (tensor<?x1x1x2xf32>, tensor<?xi64>) -> tensor<1xf32>
    root.store loss %loss : tensor<1xf32>
  }
}

// -----

root.model @no_image image(1x1x2) classes(2) {
  // expected-error @+1 {{has no image to differentiate by}}
  root.program @train kind(train) {
    %x = root.parameter "x" : tensor<1x1x1x2xf32>
    %labels = root.argument labels : tensor<1xi64>
    %loss = root.prim.softmax_cross_entropy %x, %labels : (tensor<1x1x1x2xf32>, tensor<1xi64>) -> tensor<1xf32>
    root.store loss %loss : tensor<1xf32>
  }
}
