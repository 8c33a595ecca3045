#!/usr/bin/env python3
# Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""check_gpu_test.py SOURCE_DIR [ROOTC]: scripts/check-gpu.sh and scripts/race_gpu.py, with stand-ins for the GPU, for programs and for PyTorch.

With ROOTC: `check-gpu.sh --prepare` builds what it says for a small network, whose program for the CPU agrees with itself.
"""
import argparse
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time

root = pathlib.Path(sys.argv[1])
sys.path.insert(0, str(root / 'scripts'))
import race_gpu  # noqa: E402

# Takes 8 times as long eagerly as by torch.compile; is out of memory in training at 256; never ends in the mode HANGS.
TORCH = '''#!{python}
import os, sys, time
arguments = sys.argv[1:]
if arguments[0] == '-c':
    print('PyTorch 9.9')
    sys.exit(FOUND)
if '--serve' not in arguments:  # the race itself
    os.execv(sys.executable, [sys.executable, *arguments, '--python', __file__])
mode = arguments[arguments.index('--serve') + 1]
for name in arguments[5:]:
    if name.startswith('--'):
        continue
    for kind, batch in ('infer', 1), ('infer', 64), ('infer', 256), ('train', 64), ('train', 256):
        ms = batch * (8 if mode.startswith('eager') else 1) / (2 if mode.endswith('bf16') else 1)
        print(name, kind, batch, 'failed: out of memory' if (kind, batch) == ('train', 256) else f'{{ms:.3f}} ms', flush=True)
        if mode == HANGS:
            open(__file__ + '.hangs', 'w').close()
            time.sleep(1000)
'''
PROGRAM = '''#!/bin/sh
case $1 in
record) echo numbers >$2 ;;
check) grep -q numbers $2 && echo "logits 1e-7$3: RIGHT" ;;
time) echo "0.250 ms" ;;
esac
'''


def script(file, text):
    file.write_text(text)
    file.chmod(0o755)


def stand_in(folder, found=0, hangs=''):
    script(folder / 'python', TORCH.format(python=sys.executable).replace('FOUND', str(found)).replace('HANGS', repr(hangs)))
    return f'--python={folder}/python'


def call(*command, code=0, **environment):
    run = subprocess.run([str(part) for part in command], capture_output=True, text=True, env=os.environ | environment)
    assert run.returncode == code, (command, run.returncode, run.stdout, run.stderr)
    return run.stdout + run.stderr


def expect(text, *patterns):
    for pattern in patterns:
        assert re.search(pattern, text, re.M), f'no "{pattern}" in:\n{text}'


def check_median():
    """Of calls of 3, 1 and 2 ms; the fourth would begin behind the limit."""
    ticks = iter([0, 0, 0.003, 0.003, 0.003, 0.004, 0.004, 0.004, 0.006, 0.006])
    runs = []
    median = race_gpu.median_ms(lambda: runs.append('run'), lambda: runs.append('wait'), 0.005, clock=lambda: next(ticks), warm=2)
    assert abs(median - 2) < 1e-9 and runs == ['run', 'run', 'wait', *['run', 'wait'] * 3], (median, runs)


def check_race(folder):
    race = [sys.executable, root / 'scripts/race_gpu.py', '--folder', folder, '--ours', folder / 'ours']
    for name in 'layer-8', 'resnet-50', 'resnet-50-root-64':
        (folder / f'{name}.mlir').touch()
        (folder / f'{name}.json').touch()
    (folder / 'ours').write_text('layer-8 infer 1 3.000 ms\nlayer-8-tf32 infer 1 0.500 ms\nlayer-8-bf16 infer 1 0.100 ms\nlayer-8 train 64 16.000 ms\n'
                                 'resnet-50-root-64 infer 256 64.000 ms\nresnet-50 train 64 failed: no memory\n')
    text = call(*race, stand_in(folder), '--device=cpu', 'layer-8', 'resnet-50', 'resnet-50-root-64')
    expect(text, 'PyTorch 9.9 on cpu',
           r'^\| layer-8 \| inference, 1 \| 3.000 \| 0.500 \| 0.100 \| 8.000 \| 1.000 \| 4.000 \| 0.500 \| 0.50 \| 0.20 \|$',
           r'^\| layer-8 \| training, 64 \| 16.000 \| not timed \| not timed \| 512.000 \| 64.000 \| 256.000 \| 32.000 \| 0.25 \|  \|$',
           r'^\| layer-8 \| training, 256 \|( not timed \|){3}( failed: out of memory \|){4}  \|  \|$',
           r'^\| resnet-50 \| training, 64 \| failed: no memory \|', r'dense ResNet-50: 2.00 times as fast; 1.25 is wanted',
           'against itself: not timed', 'in the median: 2.00 times as fast; 2 is wanted')
    (folder / 'layer-8-tf32.bounds.json').write_text('{"NVIDIA H200": {"infer 1": 0.2, "train 64": 1}}')
    expect(call(*race, stand_in(folder), '--device=cpu', '--chip=NVIDIA H200', 'layer-8'), 'share of the bound',
           r'^\| layer-8 \| inference, 1 \| 3.000 \| 0.500 \(40%\) \| 0.100 \| 8.000 \|', r'^\| layer-8 \| training, 64 \| 16.000 \| not timed \|')
    expect(call(*race, stand_in(folder), '--device=cpu', '--chip=NVIDIA T4', 'layer-8'), "none for 'NVIDIA T4'", r'\| 3.000 \| 0.500 \| 0.100 \|')
    expect(call(*race, stand_in(folder, found=1), 'layer-8', code=2), 'PyTorch 9.9 was not timed: it finds no GPU', r'\| layer-8 \| inference, 1 \| 3.000')
    script(folder / 'bare', '#!/bin/sh\nexit 1\n')
    expect(call(*race, f'--python={folder}/bare', 'layer-8', code=2), 'has no torch', 'pip install torch')
    expect(call(*race, f'--python={folder}/none', 'layer-8', code=2), 'none: No such file')
    expect(call(*race, '--modes=eager,fast', 'layer-8', code=2), "'fast' is none of eager, compile")
    expect(call(*race, 'layer-9', code=2), 'no .*layer-9.mlir; .*--prepare')


def check_time_is_up(folder):
    """Within a process: what it had said counts."""
    python = stand_in(folder, hangs='compile').removeprefix('--python=')

    class Process(subprocess.Popen):
        """Its time is up as soon as it hangs."""

        def communicate(self, input=None, timeout=None):
            while timeout and self.poll() is None:
                if pathlib.Path(python + '.hangs').exists():
                    pathlib.Path(python + '.hangs').unlink()
                    raise subprocess.TimeoutExpired(self.args, timeout)
                time.sleep(0.01)
            return super().communicate()

    options = argparse.Namespace(names=['layer-8'], modes=['compile', 'eager'], python=python, folder=folder, device='cpu', quick=False)
    assert race_gpu.race_peers(options, 0) == {'compile': {}, 'eager': {}}
    popen, subprocess.Popen = subprocess.Popen, Process
    times = race_gpu.race_peers(options, 1000)
    subprocess.Popen = popen
    assert times['compile'] == {('layer-8', 'infer', 1): 1.0} and len(times['eager']) == 5, times


def check_script(folder, right=True, accuracy=None):
    """The whole script, on a machine whose nvidia-smi finds a GPU; it trains a library if there is one."""
    if accuracy:
        (folder / 'nin-root-8.so').touch()
        script(folder / 'rootrun', '#!/bin/sh\nfor last; do :; done\n'
               f"echo '{{\"epoch\":1,\"test_accuracy\":0.9}}\n{{\"epoch\":2,\"test_accuracy\":{accuracy},\"top5\":0.9}}' >$last/metrics.jsonl\n")
    for name in 'tiny', 'tiny-tf32', 'tiny-bf16', 'tiny-cpu':
        script(folder / name, PROGRAM.replace('RIGHT', 'WRONG' if name == 'tiny-bf16' and not right else 'right'))
    (folder / 'tiny.mlir').touch()
    (folder / 'tiny.json').touch()
    (folder / 'bundle').mkdir(exist_ok=True)
    script(folder / 'bundle/rootc-time', '#!/bin/sh\n[ -d $1 ] && echo rootc-time: 2 of 2 timed >&2\n')
    script(folder / 'nvidia-smi', '#!/bin/sh\necho NVIDIA Stand-in\n')
    text = call(root / 'scripts/check-gpu.sh', f'--folder={folder}', f'--report={folder}/report.md', '--seconds=400', stand_in(folder),
                code=0 if right and (accuracy or 1) >= 0.67 else 1, PATH=f'{folder}:{os.environ["PATH"]}', ROOTC_GPU_NETWORKS='tiny=tiny.mlir')
    assert text == (folder / 'report.md').read_text(), text
    expect(text, 'NVIDIA Stand-in', '^- tiny: logits 1e-7: right$', '^- tiny-tf32: logits 1e-73e-3: right$',
           f'^- tiny-bf16: logits 1e-72e-2: {"right" if right else "WRONG"}$', r'^\| tiny \| training, 64 \| 0.250 \| 0.250 \| 0.250 \|',
           r'^Schedules of tiny at a batch of 64: rootc-time: 2 of 2 timed. Back', f'--take={folder}/bundle',
           f'know: {accuracy} of the test images: {"right" if accuracy >= 0.67 else "WRONG"}$' if accuracy else 'Stand-in')


def check_prepare(folder, rootc):
    # Two, as the second finds libraries that the first has brought.
    networks = 'tiny=test/Driver/Inputs/tiny.mlir wide=test/Driver/Inputs/tiny.mlir,--image=16x16'
    call(root / 'scripts/check-gpu.sh', '--prepare', f'--folder={folder}', ROOTC=rootc, ROOTC_GPU_NETWORKS=networks,
         ROOTC_GPU_PRECISIONS='tf32', ROOTC_GPU_CANDIDATES='3')
    names = {file.name for file in folder.iterdir()}
    assert names == {'lib', 'bundle'} | {name + end for name in ('tiny', 'wide')
                                         for end in ('-tf32', '-tf32.bounds.json', '-cpu', '.mlir', '.json')}, names
    assert len((folder / 'bundle/jobs.jsonl').read_text().splitlines()) == 3
    expect(call(folder / 'bundle/rootc-time', folder / 'bundle'), 'rootc-time: 3 of 3 timed')  # no driver: each says so
    expect((folder / 'bundle/times.jsonl').read_text(), 'CUDA')
    call(folder / 'tiny-cpu', 'record', folder / 'numbers')
    expect(call(folder / 'tiny-cpu', 'check', folder / 'numbers'), '^logits 0.0e[+]00, .*: right$')
    expect(call(folder / 'tiny-cpu', 'time', 'train', '2', '0.01'), r'^[\d.]+ ms$')
    numbers = bytearray((folder / 'numbers').read_bytes())
    numbers[3] ^= 1  # the first logit's exponent
    (folder / 'numbers').write_bytes(numbers)
    expect(call(folder / 'tiny-cpu', 'check', folder / 'numbers', '2e-2', code=1), ': WRONG$')


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        if len(sys.argv) > 2:
            check_prepare(folder, sys.argv[2])
            return
        check_median()
        check_race(folder)
        check_time_is_up(folder)
        check_script(folder)
        check_script(folder, right=False)
        check_script(folder, accuracy=0.7)
        check_script(folder, accuracy=0.66)
        expect(call(root / 'scripts/check-gpu.sh', '--seconds=soon', code=1), 'whole seconds')
        expect(call(root / 'scripts/check-gpu.sh', '--fast', code=1), "unknown argument '--fast'")
        expect(call(root / 'scripts/check-gpu.sh', f'--folder={folder}/none', code=1), '--prepare')


main()
