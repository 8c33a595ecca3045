"""Compares the last numbers of each line of two files: compare.py A B LIMIT, relative to the largest."""
import sys

a, b = ([float(line.split()[-1]) for line in open(name)] for name in sys.argv[1:3])
largest = max(map(abs, a))
error = max(abs(x - y) for x, y in zip(a, b, strict=True)) / largest
assert largest > 0 and error <= float(sys.argv[3]), f"error {error}: {a} and {b}"
