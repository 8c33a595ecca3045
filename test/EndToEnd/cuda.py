#!/usr/bin/env python3
# Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""cuda.py ROOTC C++ NETWORK.mlir [FLAG...]: the network's CUDA C++ compiled by nvcc and linked into a plain C++ program.

Every kernel spills nothing. The program knows the model's header alone; it runs where there is a GPU, elsewhere it says why not.
"""
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

PROGRAM = r'''
#include "net.h"
#include <cstdio>
#include <cstdlib>
#include <vector>

int main() {
  const rootc_model *model = NAME_model();
  if (const char *why = model->unsupported()) {
    std::printf("unsupported: %s\n", why);
    return 0;
  }
  auto aligned = [](int64_t bytes) { return std::aligned_alloc(64, (bytes + 64) / 64 * 64); };
  auto *parameters = (float *)aligned(4 * model->parameter_count);
  auto *statistics = (float *)aligned(4 * model->statistic_count);
  for (int64_t i = 0; i < model->parameter_count; ++i)
    parameters[i] = float(i % 7) * 0.01f;
  for (int64_t i = 0; i < model->statistic_count; ++i)
    statistics[i] = 1;
  rootc_context context = {};
  auto workspace = [&](int program, int64_t batch) {
    context.workspace_bytes = model->workspace_bytes(program, batch);
    context.workspace = aligned(context.workspace_bytes);
  };
  void *prepared = aligned(model->prepared_bytes);
  std::vector<float> image(2 * model->height * model->width * model->channels, 1), logits(2 * model->classes);
  workspace(ROOTC_PREPARE, 1);
  int bad = model->prepare(&context, parameters, statistics, prepared);
  workspace(ROOTC_INFER, 2);
  bad = bad ? bad : model->infer(&context, 2, image.data(), prepared, logits.data());
  std::printf("ran: %d %s, logit %g\n", bad, context.error, logits[0]);
  return bad;
}
'''


def toolkit():
    """Of an installed one, or of the tests' Python packages: the folder of nvcc and the flags to link."""
    packages = pathlib.Path(__file__).resolve().parents[2] / '.venv/lib'
    for path in packages.glob('*/site-packages/nvidia/cu13'):
        return path, [f'-L{path}/lib']
    found = shutil.which('nvcc') or '/usr/local/cuda/bin/nvcc'
    root = pathlib.Path(found).resolve().parents[1]
    return root, [f'-L{root}/lib64', f'-L{root}/lib']


def call(*command):
    run = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    if run.returncode:
        sys.exit(f'{" ".join(map(str, command))}: {run.stdout}{run.stderr}')
    return run.stdout + run.stderr


def main():
    rootc, cxx, network, *flags = sys.argv[1:]
    root, libraries = toolkit()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        source = folder / 'net.cu'
        call(rootc, network, *flags, '-o', source)
        call(rootc, network, *flags, '-o', folder / 'net.h')
        report = call(root / 'bin/nvcc', '-std=c++17', '-gencode=arch=compute_80,code=sm_80', '-gencode=arch=compute_90,code=sm_90',
                      '-Xptxas=-v', '-Xcompiler=-Wall,-Werror', '-c', source, '-o', folder / 'net.o')
        spills = [int(count) for count in re.findall(r'(\d+) bytes spill', report)]
        registers = [int(count) for count in re.findall(r'Used (\d+) registers', report)]
        shared = [int(count) for count in re.findall(r'(\d+) bytes smem', report)]
        assert registers and max(spills) == 0, f'a kernel spills registers\n{report}'
        assert max(shared, default=0) <= 48 * 1024, report
        model = re.search(r'(\w+)_model\(void\);', (folder / 'net.h').read_text())[1]
        (folder / 'main.cpp').write_text(PROGRAM.replace('NAME', model))
        call(cxx, '-std=c++17', '-Wall', folder / 'main.cpp', folder / 'net.o', *libraries, '-lcudart_static', '-lpthread', '-ldl',
             '-lrt', '-o', folder / 'main')
        said = call(folder / 'main')
        assert re.match(r'unsupported: .*(driver|GPU)|ran: 0', said), said
        print(f'{len(registers) // 2} kernels, at most {max(registers)} registers; the program: {said.strip()}')


main()
