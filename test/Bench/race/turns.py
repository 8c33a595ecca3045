"""Contenders that take turns, each a process of its own that answers lines with a time in ms (`rootrun bench --serve`, peer.py)."""
import subprocess
import sys
import time


class Process:
    """`log`: a file for what it says on standard error."""

    def __init__(self, command, log, environment=None):
        with open(log, 'w') as errors:
            self.process = subprocess.Popen([*map(str, command)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                            stderr=errors, env=environment)

    def turn(self):
        """The time in ms; none if the process has ended."""
        try:
            self.process.stdin.write('go\n')
            self.process.stdin.flush()
        except BrokenPipeError:
            return None
        line = self.process.stdout.readline()
        return float(line) if line else None

    def end(self):
        try:
            self.process.stdin.close()
        except BrokenPipeError:
            pass
        self.process.wait()


def round_of(contenders, times):
    """A turn of each, after a pause for the others' threads to fall asleep; adds to the lists of times."""
    for name, contender in contenders.items():
        time.sleep(0.25)
        answer = contender.turn()
        if answer is None:
            sys.exit(f'{name} ended early')
        times.setdefault(name, []).append(answer)


def wait_for_quiet(name):
    print(f'{name}: all have warmed up; press Enter once the machine is quiet', file=sys.stderr, flush=True)
    sys.stdin.readline()
