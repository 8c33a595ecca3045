"""install_test.py BUILD SOURCE: the Debian packages hold all that a program elsewhere needs: made here, unpacked, and
used by programs that know nothing else."""

import os
import subprocess
import sys
import tempfile
import time

build, source = (os.path.abspath(path) for path in sys.argv[1:])
python_tools = os.path.dirname(sys.executable)
begin = time.time()


def run(*command, **options):
    result = subprocess.run([str(part) for part in command], capture_output=True, text=True, **options)
    if result.returncode:
        sys.exit(f'{command}: {result.returncode}\n{result.stdout}\n{result.stderr}')
    return result.stdout


def tell(what):
    print(f'{time.time() - begin:.1f} s: {what}', flush=True)


def pack(folder):
    run(f'{python_tools}/cpack', '--config', f'{build}/CPackConfig.cmake', '-B', folder)
    packages = {name.split('_')[0]: f'{folder}/{name}' for name in os.listdir(folder) if name.endswith('.deb')}
    assert sorted(packages) == ['rootc', 'rootc-runtime'], packages
    needs = {name: run('dpkg-deb', '-f', path, 'Depends') for name, path in packages.items()}
    for library in ('libmlir-22', 'rootc-runtime (='):
        assert library in needs['rootc'], needs
    for library in ('libjpeg62-turbo', 'libpng16-16'):
        assert library in needs['rootc-runtime'], needs
    assert 'mlir' not in needs['rootc-runtime'].lower() and 'llvm' not in needs['rootc-runtime'].lower(), needs
    for path in packages.values():
        run('dpkg-deb', '-x', path, f'{folder}/root')
    return f'{folder}/root/usr'


def write_network(path, name):
    with open(f'{source}/test/Driver/Inputs/tiny.mlir') as file:
        text = file.read().replace('@tiny', f'@{name}')
    with open(path, 'w') as file:
        file.write(text)


def check_command_files(prefix):
    for program in ('rootc', 'rootc-import', 'rootc-tune', 'rootrun'):
        with open(f'{prefix}/share/man/man1/{program}.1') as file:
            assert file.read().startswith(f'.TH {program.upper()} 1 '), program
    ask = '''for program in rootc rootrun; do . "$0/$program"; done
ask() { COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); "_$1" "$1" "${!#}"; echo "${COMPREPLY[@]}"; }
ask rootrun pre; ask rootrun predict --to; ask rootc --winog; ask rootc /et'''
    answers = run('bash', '-c', ask, f'{prefix}/share/bash-completion/completions').split()
    assert answers == ['predict', '--top', '--winograd', '/etc'], answers


def use_from_c(prefix, folder, environment):
    project = f'{folder}/consumer'
    run('cp', '-r', f'{source}/test/Install/consumer', project)
    for name in ('first', 'second'):
        write_network(f'{project}/{name}.mlir', name)
    run(f'{prefix}/bin/rootc', f'{project}/second.mlir', '-o', f'{folder}/second.so', env=environment)
    run(f'{prefix}/bin/rootrun', 'init', f'{folder}/second.so', '--seed', '3', '-o', f'{folder}/init', env=environment)
    run(sys.executable, f'{source}/test/Driver/Inputs/classifier_files.py', f'{folder}/init', project, 8, 8)
    run(f'{python_tools}/cmake', '-S', project, '-B', f'{project}/build', f'-DCMAKE_PREFIX_PATH={prefix}',
        '-DCMAKE_C_FLAGS=-Wall -Wextra -Werror', '-DCMAKE_BUILD_TYPE=Release', env=environment)
    run(f'{python_tools}/cmake', '--build', f'{project}/build', env=environment)
    tell('built with CMake')
    print(run(f'{project}/build/consumer', f'{project}/build/plugin.so', env=environment))


def use_from_cpp(prefix, folder, environment):
    """The runtime library, by pkg-config."""
    pkg = dict(environment, PKG_CONFIG_PATH=f'{prefix}/lib/pkgconfig')
    flags = run('pkg-config', '--cflags', '--libs', 'rootc', env=pkg).split()
    run('c++', '-std=c++20', '-Wall', '-Werror', f'{source}/examples/train.cpp', '-o', f'{folder}/train', *flags)
    print(run(f'{folder}/train', f'{folder}/second.so', f'{folder}/trained.safetensors'))
    run(f'{prefix}/bin/rootc', f'{folder}/consumer/second.mlir', f'--weights={folder}/trained.safetensors',
        '-o', f'{folder}/trained.onnx', env=environment)


with tempfile.TemporaryDirectory() as folder:
    prefix = pack(folder)
    tell('packed and unpacked')
    check_command_files(prefix)
    environment = {'PATH': '/usr/bin:/bin', 'ROOTC_CACHE': f'{folder}/cache', 'HOME': folder}
    use_from_c(prefix, folder, environment)
    use_from_cpp(prefix, folder, environment)
tell('done')
