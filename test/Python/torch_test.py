"""torch_test.py BUILD SOURCE: examples/python, and the page's part on PyTorch, in an environment that has it, which is
made in the build folder once."""

import os
import re
import subprocess
import sys

build, source = (os.path.abspath(path) for path in sys.argv[1:])
python = f'{build}/torch-venv/bin/python'
ready = f'{build}/torch-venv/ready'


def run(*command, **options):
    done = subprocess.run(command, capture_output=True, text=True, **options)
    if done.returncode:
        sys.exit(f'{command}: {done.returncode}\n{done.stdout}\n{done.stderr}')
    return done.stdout


if not os.path.exists(ready):
    run(sys.executable, '-m', 'venv', f'{build}/torch-venv')
    run(python, '-m', 'pip', 'install', '-q', 'torch==2.15.0', 'onnx==1.23.2', 'numpy', 'nanobind-backend==1.0.0')
    with open(ready, 'w'):
        pass
environment = os.environ | {'PYTHONPATH': f'{build}/python'}

output = run(python, f'{source}/examples/python/pytorch_root.py', f'{source}/data/cifar10-quick', '2', env=environment)
print(output)
accuracy = float(re.findall(r'epoch 2: .*test accuracy (\S+)', output)[0])
theirs, difference = re.search(r'PyTorch: test accuracy (\S+); .* at most (\S+)', output).groups()
assert accuracy > 0.3 and abs(accuracy - float(theirs)) < 0.002, output
assert float(difference) < 1e-4, output

with open(f'{source}/docs/python.md') as file:
    blocks = re.findall(r'^```python\n(.*?)^```', file.read(), re.S | re.M)
text, = (block for block in blocks if 'import torch' in block)
print(run(python, '-c', f'import numpy as np\nimport rootc\n{text}\n'
          'x = np.random.default_rng(0).standard_normal((4, 32, 32, 3), np.float32)\n'
          'y = module.eval()(torch.tensor(x).permute(0, 3, 1, 2)).detach().numpy()\n'
          'assert np.abs(model(x) - y).max() < 1e-4', env=environment))
