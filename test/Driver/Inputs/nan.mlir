// Every activation and pool, one behind the other.
root.network @nan(%image: !root.image<8x8x3>) classes(3) {
  %1 = root.relu %image
  %2 = root.conv2d "conv" %1 filters(8) kernel(3x3) pad(1)
  %3 = root.batch_norm "bn" %2
  %4 = root.relu %3
  %5 = root.max_pool %4 kernel(2x2) stride(2x2)
  %6 = root.clip %5 min(0) max(6)
  %7 = root.sigmoid %6
  %8 = root.hard_sigmoid %7 alpha(0.2) beta(0.5)
  %9 = root.hard_swish %8
  %10 = root.local_response_norm %9 size(3)
  %11 = root.dropout %10 rate(0.5)
  %12 = root.linear "f" %11 outputs(3)
  root.output %12
}
