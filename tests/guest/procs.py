"""Child processes that never outlive the test: own session each, killed by pid, die with their parent."""

import ctypes
import glob
import os
import signal
import subprocess
import time

PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)
_running = []


def _die_with_parent():
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def _stop_on_signal(signum, _frame):
    raise SystemExit(128 + signum)


def catch_signals():
    """SIGTERM and SIGHUP unwind like an exception, so that every finally runs."""
    for signum in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(signum, _stop_on_signal)


class Child:
    """A process group of our own with its output in a file."""

    def __init__(self, command, log):
        self.log = log
        with open(log, "ab") as out:
            # preexec_fn is safe here: the harness has one thread.
            self.process = subprocess.Popen(
                [str(word) for word in command], stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                start_new_session=True, preexec_fn=_die_with_parent)
        _running.append(self)

    def alive(self):
        return self.process.poll() is None

    def signal(self, signum):
        if self.alive():
            os.killpg(self.process.pid, signum)

    def wait(self, limit_s):
        """The exit status, or None when it is still running after limit_s."""
        try:
            return self.process.wait(limit_s)
        except subprocess.TimeoutExpired:
            return None

    def stop(self, limit_s=5.0):
        """SIGTERM, then SIGKILL.  The exit status; None when it had to be killed."""
        self.signal(signal.SIGTERM)
        self.signal(signal.SIGCONT)
        status = self.wait(limit_s)
        if status is None:
            self.kill()
        if self in _running:
            _running.remove(self)
        return status

    def kill(self):
        self.signal(signal.SIGKILL)
        self.process.wait()

    def starved_s(self):
        """How long its threads, together, were ready and had no CPU, since the start."""
        total_ns = 0
        for path in glob.glob(f"/proc/{self.process.pid}/task/*/schedstat"):
            try:
                with open(path, encoding="ascii") as f:
                    total_ns += int(f.read().split()[1])
            except (OSError, IndexError):
                pass  # the thread has ended, or the kernel does not count
        return total_ns / 1e9

    def log_tail(self, lines=15):
        with open(self.log, encoding="utf-8", errors="replace") as f:
            return "".join(f.readlines()[-lines:])


def kill_all():
    """What is still running when the test ends, however it ends."""
    for child in list(_running):
        child.kill()
        _running.remove(child)


def wait_until(true, limit_s, step_s=0.02):
    """Whether true() became so within limit_s."""
    end = time.monotonic() + limit_s
    while not true():
        if time.monotonic() > end:
            return False
        time.sleep(step_s)
    return True
