root.network @nearly_large(%image: !root.image<1x1x8192>) classes(65000) {
  %1 = root.linear "fc" %image outputs(65000)
  root.output %1
}
