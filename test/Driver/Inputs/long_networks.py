"""Prints a network of N equal parts: long_networks.py residual|chain N."""

import sys


def residual(i):
    return f"""  %a{i} = root.conv2d "c{i}a" %x{i} filters(32) kernel(3x3) pad(1) groups(4) no_bias
  %b{i} = root.batch_norm "n{i}a" %a{i}
  %c{i} = root.relu %b{i}
  %d{i} = root.conv2d "c{i}b" %c{i} filters(32) kernel(1x1) no_bias
  %e{i} = root.batch_norm "n{i}b" %d{i}
  %f{i} = root.add %x{i}, %e{i}
  %x{i + 1} = root.relu %f{i}"""


def chain(i):
    op = ["relu", "hard_sigmoid", "hard_swish", "sigmoid"][i % 4]
    return f"  %x{i + 1} = root.{op} %x{i}"


def network(kind, count):
    part = {"residual": residual, "chain": chain}[kind]
    lines = [f"root.network @{kind}(%image: !root.image<16x16x3>) classes(10) {{"]
    lines.append('  %x0 = root.conv2d "stem" %image filters(32) kernel(3x3) pad(1)')
    lines += [part(i) for i in range(count)]
    lines.append(f"  %pool = root.global_average_pool %x{count}")
    lines.append('  %logits = root.linear "fc" %pool outputs(10)')
    lines.append("  root.output %logits\n}\n")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.stdout.write(network(sys.argv[1], int(sys.argv[2])))
