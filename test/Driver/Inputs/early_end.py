"""Ends rootc early, by signals, too little memory and a full disk: early_end.py NETWORK FOLDER.

Each time nothing stays behind, and what can be said is one line."""
import os
import pathlib
import resource
import shutil
import signal
import subprocess
import sys
import time

network, folder = sys.argv[1], pathlib.Path(sys.argv[2])
shutil.rmtree(folder, ignore_errors=True)
temporary = folder / "tmp"
temporary.mkdir(parents=True)
environment = dict(os.environ, TMPDIR=str(temporary))


def start(cache, prepare=lambda: None):
    def run():
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_DFL)  # whatever started this test had them ignored
        prepare()

    command = ["rootc", network, "--mode=infer", "-o", str(folder / "out.so")]
    cache = dict(environment, ROOTC_CACHE=str(folder / cache))
    return subprocess.Popen(command, env=cache, stderr=subprocess.PIPE, text=True, preexec_fn=run)


def children(process):
    """The processes that it has started and theirs: those with its folder open or its id as an ancestor."""
    family, grown = {process}, True
    parents = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                text = pathlib.Path("/proc", entry, "stat").read_text()
                parents[int(entry)] = int(text.rpartition(")")[2].split()[1])
            except OSError:
                pass
    while grown:
        more = {child for child, parent in parents.items() if parent in family} - family
        family |= more
        grown = bool(more)
    return family - {process}


def is_alive(process):
    try:
        return pathlib.Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def interrupt(number, code):
    process = start("interrupted")
    deadline = time.time() + 60
    while not (workers := children(process.pid)) or not list(temporary.glob("rootc-*/*")):
        assert process.poll() is None and time.time() < deadline, "no kernel was begun"
        time.sleep(0.01)
    process.send_signal(number)
    errors = process.communicate(timeout=60)[1]
    assert process.returncode == code, (number, process.returncode, errors)
    assert not list(temporary.iterdir()), f"{number}: {list(temporary.iterdir())}"
    deadline = time.time() + 5
    while any(map(is_alive, workers)):
        assert time.time() < deadline, f"{number}: processes stay"
        time.sleep(0.01)
    shutil.rmtree(folder / "interrupted", ignore_errors=True)
    return errors


def check_memory():
    """Whatever the limit is, there is a library or a reason."""
    assert start("warm").wait() == 0
    codes = set()
    for megabytes in range(400, 1000, 25):
        limit = megabytes << 20
        process = start("warm", lambda: resource.setrlimit(resource.RLIMIT_AS, (limit, limit)))
        errors = process.communicate()[1]
        codes.add(process.returncode)
        if process.returncode == 127:  # not even rootc's libraries fit
            continue
        assert process.returncode in (0, 1), (megabytes, process.returncode, errors)
        lines = errors.splitlines()
        if process.returncode:
            assert len(lines) == 1 and lines[0].startswith("rootc: error: "), (megabytes, errors)
            assert len(lines[0].removeprefix("rootc: error: linking failed:")) > 10, (megabytes, errors)
        assert not list(temporary.iterdir()), (megabytes, list(temporary.iterdir()))
    assert 1 in codes, "no limit was too low"


def check_full_disk():
    """On file systems of several sizes, so that each of the steps finds one full."""
    unshare = ["unshare", "-m"] if os.getuid() == 0 else ["unshare", "-rm"]
    if subprocess.run([*unshare, "mount", "-t", "tmpfs", "none", temporary], capture_output=True).returncode:
        print("no file system can be made: full disks were not tested")
        return
    for size in (4, 64, 128, 256, 300):
        for output in ("out.so", "out.a"):
            script = f"mount -t tmpfs -o size={size}k none {temporary} && rootc {network} --mode=infer -o {folder}/{output}"
            cache = dict(environment, ROOTC_CACHE=str(folder / ("warm" if size > 4 else "cold")))
            result = subprocess.run([*unshare, "sh", "-c", script], env=cache, capture_output=True, text=True)
            expected = (f"rootc: error: intermediate files cannot be written to '{temporary}': No space left on device; "
                        "set TMPDIR to a folder with more room\n")
            assert (result.returncode, result.stderr) == (1, expected), (size, output, result)


for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
    interrupt(number, -number)
assert interrupt(signal.SIGSEGV, 1).startswith("rootc: error: the compiler crashed")
process = start("ignored", lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN))
time.sleep(0.1)
process.send_signal(signal.SIGHUP)
assert process.wait() == 0, "SIGHUP counts under nohup"
check_memory()
check_full_disk()
