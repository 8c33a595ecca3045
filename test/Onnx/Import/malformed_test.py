#!/usr/bin/env python3
"""rootc-import on malformed ONNX files: exit code 1 and one line that names the place, or a list of nodes
below it, or for bytes changed at random perhaps a network; never a crash, a hang, much memory, or half a result.

    malformed_test.py ROOTC_IMPORT [--only PATTERN] [--memory MEBIBYTES]
"""
import argparse
import fnmatch
import os
import re
import subprocess
import sys
import tempfile
import time

import malformed

SECONDS = 20


def run(folder, *command):
    """Exit code, standard error, largest memory in MiB, seconds."""
    start = time.time()
    with open(os.path.join(folder, 'errors'), 'wb') as errors:
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=errors)
    deadline = start + SECONDS
    while True:
        done, status, usage = os.wait4(process.pid, os.WNOHANG)
        if done:
            break
        if time.time() > deadline:
            process.kill()
            os.wait4(process.pid, 0)
            raise AssertionError(f'ran for {SECONDS} s')
        time.sleep(0.002)
    process.returncode = os.waitstatus_to_exitcode(status)
    with open(os.path.join(folder, 'errors'), 'rb') as file:
        errors = file.read().decode('utf-8', 'backslashreplace')
    return process.returncode, errors, usage.ru_maxrss // 1024, time.time() - start


def check(importer, make, message, memory):
    """`message`: a part of what must be said; None if the file may be whole."""
    with tempfile.TemporaryDirectory() as folder:
        model = make(folder) if callable(make) else make
        data = model if isinstance(model, bytes) else model.SerializeToString()
        with open(os.path.join(folder, 'model.onnx'), 'wb') as file:
            file.write(data)
        code, errors, used, seconds = run(folder, importer, os.path.join(folder, 'model.onnx'), '-o',
                                          os.path.join(folder, 'net.mlir'))
        lines = [line for line in errors.splitlines() if not line.startswith('rootc-import: note: ')]
        written = [name for name in ('net.mlir', 'net.safetensors') if os.path.exists(os.path.join(folder, name))]
        if code not in ((1,) if message is not None else (0, 1)):
            raise AssertionError(f'exit code {code}: {errors[-3000:]}')
        if code == 1:
            # Several nodes are a list below the line.
            listed = [line for line in lines[1:] if line.startswith('  ')]
            if len(lines) != 1 + len(listed) or not lines[0].startswith('rootc-import: error: ') or \
                    max(map(len, lines)) > 2000 or len(lines) > 25:
                raise AssertionError(f'no single line: {errors[:3000]}')
            lines = ['\n'.join(lines)]
            if os.path.join(folder, 'model.onnx') not in lines[0] and 'data.bin' not in lines[0]:
                raise AssertionError(f'the file is not named: {lines[0]}')
            if re.search(r'[^\n\x20-\x7e]', lines[0]):
                raise AssertionError(f'unprintable: {lines[0]!r}')
            if message is not None and message not in lines[0]:
                raise AssertionError(f'says not "{message}" but: {lines[0]}')
            if written:
                raise AssertionError(f'it wrote {written}')
        elif len(written) != 2:
            raise AssertionError(f'it wrote {written} only')
        # A file of n bytes is held, parsed and converted.
        if used > memory + 20 * len(data) / (1 << 20):
            raise AssertionError(f'it took {used} MiB')
        return used, seconds


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('importer')
    parser.add_argument('--only', default='*')
    parser.add_argument('--memory', type=int, default=100, help='MiB, beside what grows with the file')
    arguments = parser.parse_args()
    cases = [(name, make, message) for name, (make, message) in malformed.cases()]
    cases += [(name, data, '') for name, data in malformed.truncated()]
    cases += [(name, data, None) for name, data in malformed.damaged(100)]
    failures, worst, slowest, count = 0, (0, ''), (0, ''), 0
    for name, make, message in cases:
        if not fnmatch.fnmatch(name, arguments.only):
            continue
        count += 1
        try:
            used, seconds = check(arguments.importer, make, message, arguments.memory)
            worst, slowest = max(worst, (used, name)), max(slowest, (seconds, name))
        except AssertionError as error:
            failures += 1
            print(f'{name}: {error}', flush=True)
    print(f'{count - failures} of {count} files are refused as they should; at most {worst[0]} MiB ({worst[1]}), '
          f'{slowest[0]:.1f} s ({slowest[1]})')
    return 1 if failures or not count else 0


if __name__ == '__main__':
    sys.exit(main())
