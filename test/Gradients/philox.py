"""Philox4x32-10 and the dropout mask that docs/architecture.md defines, in numpy."""

import numpy as np

MASK = np.uint64(0xFFFFFFFF)


def philox(counter, key):
    """Four arrays of 32-bit words from four counter and two key words (arrays or integers)."""
    c = [np.asarray(word, np.uint64) for word in counter]
    k0, k1 = (int(word) for word in key)
    for _ in range(10):
        p0, p1 = np.uint64(0xD2511F53) * c[0], np.uint64(0xCD9E8D57) * c[2]
        c = [(p1 >> np.uint64(32)) ^ c[1] ^ np.uint64(k0), p1 & MASK,
             (p0 >> np.uint64(32)) ^ c[3] ^ np.uint64(k1), p0 & MASK]
        k0, k1 = (k0 + 0x9E3779B9) & 0xFFFFFFFF, (k1 + 0xBB67AE85) & 0xFFFFFFFF
    return c


def dropout_mask(shape, rate, ordinal, seed, epoch, samples):
    """True where a value of `shape` [N, H, W, C] is kept."""
    per_sample = int(np.prod(shape[1:]))
    blocks = np.arange((per_sample + 3) // 4, dtype=np.uint64)
    rows = []
    for sample in samples:
        words = philox((blocks, int(sample) & 0xFFFFFFFF, epoch & 0xFFFFFFFF, ordinal),
                       (seed & 0xFFFFFFFF, (seed >> 32) & 0xFFFFFFFF))
        rows.append(np.stack(np.broadcast_arrays(*words), axis=1).reshape(-1)[:per_sample])
    return (np.stack(rows).astype(np.float64) * 2.0**-32 >= rate).reshape(shape)


def sample_mask(rate, ordinal, seed, epoch, samples):
    """True for images that a drop path keeps: the first word of dropout's for their first value."""
    return dropout_mask((len(samples), 1, 1, 1), rate, ordinal, seed, epoch, samples)
