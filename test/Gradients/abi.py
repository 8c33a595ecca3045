"""A generated library through its C interface (runtime/include/rootc/model.h)."""

import ctypes as c

import numpy as np

Parallel = c.CFUNCTYPE(c.c_int, c.c_void_p, c.c_void_p, c.c_void_p, c.c_int64)
TRAIN, PROGRAMS = 2, 8


class Context(c.Structure):
    _fields_ = [('workspace', c.c_void_p), ('workspace_bytes', c.c_size_t), ('parallel_for', c.c_void_p),
                ('pool', c.c_void_p), ('call_hook', c.c_void_p), ('call_hook_state', c.c_void_p),
                ('device', c.c_void_p), ('error', c.c_char * 512)]


class Tensor(c.Structure):
    _fields_ = [('name', c.c_char_p), ('role', c.c_char_p), ('rank', c.c_int32), ('statistic', c.c_int32),
                ('shape', c.c_int64 * 4), ('offset', c.c_int64), ('fan_in', c.c_int64)]


class Batch(c.Structure):
    _fields_ = [('size', c.c_int64), ('image', c.c_void_p), ('labels', c.c_void_p), ('samples', c.c_void_p),
                ('seed', c.c_int64), ('epoch', c.c_int64)]


def _entry(*arguments):
    return c.CFUNCTYPE(c.c_int, c.POINTER(Context), *arguments)


class Model(c.Structure):
    _fields_ = [
        ('abi_version', c.c_uint32), ('struct_size', c.c_uint32), ('name', c.c_char_p), ('target', c.c_char_p),
        ('device_kind', c.c_char_p), ('description', c.c_char_p), ('height', c.c_int64), ('width', c.c_int64), ('channels', c.c_int64),
        ('classes', c.c_int64), ('tensors', c.POINTER(Tensor)), ('tensor_count', c.c_int64),
        ('responses', c.c_void_p), ('response_count', c.c_int64),
        ('parameter_count', c.c_int64), ('decayed_count', c.c_int64), ('statistic_count', c.c_int64),
        ('prepared_bytes', c.c_int64), ('has_training', c.c_int32), ('reserved', c.c_int32),
        ('call_labels', c.c_void_p * PROGRAMS), ('call_work', c.c_void_p * PROGRAMS), ('call_count', c.c_int32 * PROGRAMS),
        ('unsupported', c.CFUNCTYPE(c.c_char_p)),
        ('workspace_bytes_of', c.CFUNCTYPE(c.c_int64, c.c_int32, c.c_int64)),
        ('prepare', c.c_void_p), ('infer', c.c_void_p),
        ('train', _entry(c.POINTER(Batch), c.c_void_p, c.c_void_p, c.c_void_p, c.c_void_p)),
        ('grad', c.c_void_p),
        ('update', _entry(c.c_int64, c.c_void_p, c.c_void_p, c.c_void_p, c.c_float, c.c_float, c.c_float, c.c_int32)),
        ('adamw', c.c_void_p), ('clip', c.c_void_p), ('average', c.c_void_p),
        ('pool_create', c.CFUNCTYPE(c.c_void_p, c.c_int32)), ('pool_destroy', c.CFUNCTYPE(None, c.c_void_p)),
        ('parallel_for', c.c_void_p), ('weights', c.c_void_p), ('classify', c.c_void_p),
        ('next_target', c.c_void_p), ('device_functions', c.c_void_p * 12),
    ]


def aligned(count, dtype=np.float32):
    """Zeros at a multiple of 64 bytes; one if there would be none, for a pointer to be had."""
    size = max(count, 1) * np.dtype(dtype).itemsize
    raw = np.zeros(size + 64, np.uint8)
    start = -raw.ctypes.data % 64
    return raw[start:start + size].view(dtype)


class Trainer:
    """Parameters, statistics and velocity of a library's model, and SGD steps on them."""

    def __init__(self, path, name, threads=2):
        self.library = c.CDLL(path)
        entry = getattr(self.library, name + '_model')
        entry.restype = c.POINTER(Model)
        self.model = entry().contents
        if self.model.struct_size != c.sizeof(Model):
            raise RuntimeError(f'rootc_model has {self.model.struct_size} bytes, not {c.sizeof(Model)}')
        reason = self.model.unsupported()
        if reason:
            raise RuntimeError(reason.decode())
        self.tensors = [self.model.tensors[i] for i in range(self.model.tensor_count)]
        self.parameters, self.gradients, self.velocity = (aligned(self.model.parameter_count) for _ in range(3))
        self.statistics = aligned(self.model.statistic_count)
        self.context = Context()
        self.pool = self.model.pool_create(threads)
        self.context.pool, self.context.parallel_for = self.pool, self.model.parallel_for

    def close(self):
        self.model.pool_destroy(self.pool)

    def _view(self, tensor):
        arena = self.statistics if tensor.statistic else self.parameters
        shape = list(tensor.shape)[:tensor.rank]
        return arena[tensor.offset:tensor.offset + int(np.prod(shape))].reshape(shape)

    def load(self, arrays):
        for tensor in self.tensors:
            self._view(tensor)[...] = arrays[tensor.name.decode()]

    def arrays(self):
        return {tensor.name.decode(): self._view(tensor).copy() for tensor in self.tensors}

    def _checked(self, status):
        if status:
            raise RuntimeError(f'status {status}: {self.context.error.decode()}')

    def step(self, image, labels, samples, seed, epoch, rate, momentum, decay):
        """One forward, backward and update; the loss before it."""
        workspace = aligned(self.model.workspace_bytes_of(TRAIN, len(image)), np.uint8)
        workspace[:] = 0xFF
        self.context.workspace, self.context.workspace_bytes = workspace.ctypes.data, workspace.size
        image, labels, samples = (np.ascontiguousarray(values, dtype) for values, dtype in
                                  ((image, np.float32), (labels, np.int64), (samples, np.int64)))
        loss = np.full(1, np.nan, np.float32)
        batch = Batch(len(image), image.ctypes.data, labels.ctypes.data, samples.ctypes.data, seed, epoch)
        self._checked(self.model.train(c.byref(self.context), c.byref(batch), self.parameters.ctypes.data,
                                       self.statistics.ctypes.data, self.gradients.ctypes.data, loss.ctypes.data))
        decayed = self.model.decayed_count
        for begin, end, pull in ((0, decayed, decay), (decayed, self.model.parameter_count, 0.0)):
            if end > begin:
                at = [values[begin:].ctypes.data for values in (self.parameters, self.gradients, self.velocity)]
                self._checked(self.model.update(c.byref(self.context), end - begin, *at, rate, momentum, pull, 0))
        return float(loss[0])
