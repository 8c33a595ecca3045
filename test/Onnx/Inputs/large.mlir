root.network @large(%image: !root.image<1x1x8192>) classes(65536) {
  %1 = root.linear "fc" %image outputs(65536)
  root.output %1
}
