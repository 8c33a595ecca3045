"""wheel_test.py SOURCE: `pip install .` in a fresh environment, by the commands of docs/python.md; then the tests of the
package, which know nothing but what was installed."""

import glob
import os
import re
import subprocess
import sys
import tempfile

source = os.path.abspath(sys.argv[1])
here = os.path.dirname(os.path.abspath(__file__))


def run(*command, **options):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options)
    if done.returncode:
        sys.exit(f'{command}: {done.returncode}\n{done.stdout}')
    return done.stdout


with open(f'{source}/docs/python.md') as file:
    apt, *pip = re.search(r'^```sh\n(.*?)^```', file.read(), re.S | re.M)[1].splitlines()

with tempfile.TemporaryDirectory() as folder:
    venv = f'{folder}/rootc'
    environment = {name: value for name, value in os.environ.items() if name.startswith(('CCACHE_', 'PIP_'))}
    environment |= {'PATH': '/usr/bin:/bin', 'HOME': folder, 'ROOTC_CACHE': f'{folder}/cache'}
    # That the line names what is needed, without becoming root.
    assert apt.startswith('sudo apt-get install -y '), apt
    run('bash', '-ec', apt.replace('sudo apt-get install -y', 'dpkg-query --show'), cwd=source)
    run('bash', '-ec', '\n'.join(pip), cwd=source, env=environment)
    print('installed', flush=True)

    package = run(f'{venv}/bin/python', '-c', 'import rootc; print(rootc.__path__[0])', cwd=folder, env=environment).strip()
    assert package.startswith(venv), package
    with open(*glob.glob(f'{package}-*.dist-info/WHEEL')) as file:
        assert 'Tag: cp310-abi3-' in file.read(), package
    assert {'_runtime.abi3.so', '_runtime.pyi', 'py.typed'} <= set(os.listdir(package)), package
    libraries = run('ldd', f'{package}/bin/rootc-kernel')
    assert re.search(r'libHalide\.so\S* => ' + re.escape(package), libraries), libraries
    assert re.match(r'rootc \d', run(f'{venv}/bin/rootc', '--version', env=environment))
    print(run(f'{venv}/bin/python', f'{here}/python_test.py', f'{venv}/bin/rootrun', source, cwd=folder, env=environment))
