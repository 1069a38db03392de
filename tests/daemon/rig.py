"""What the tests of the daemon share: a run of the program, and how a case is judged."""

import contextlib
import pathlib
import signal
import socket
import subprocess
import tempfile
import time

START_S = 5.0           # a loaded machine takes its time
END_S = 1.0             # SIGTERM to the end (PRG-6)


class Fault(Exception):
    """Why a case failed."""


def expect(condition, what):
    if not condition:
        raise Fault(what)


class Daemon:
    """One run of the program, ended at the latest with the case."""

    program = None

    def __init__(self, *options, **popen):
        popen = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE,
                 "stderr": subprocess.PIPE, **popen}
        self.process = subprocess.Popen([self.program, *options], **popen)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()

    def end(self, limit_s=START_S):
        """(status, stdout, stderr), and it must end by itself."""
        try:
            out, err = self.process.communicate(timeout=limit_s)
        except subprocess.TimeoutExpired as late:
            raise Fault(f"still runs after {limit_s} s") from late
        return self.process.returncode, (out or b"").decode(), (err or b"").decode()

    def terminate(self, sig=signal.SIGTERM):
        began = time.monotonic()
        self.process.send_signal(sig)
        status, _, err = self.end(END_S)
        expect(status == 0, f"exit status {status} after a signal: {err}")
        return time.monotonic() - began

    def wait_ready(self, path):
        """Until a front-end can connect; the connection."""
        end = time.monotonic() + START_S
        while time.monotonic() < end:
            with contextlib.suppress(OSError):
                return connect(path)
            expect(self.process.poll() is None, "ended instead of listening")
            time.sleep(0.005)
        raise Fault("does not listen")


def connect(path):
    front = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        front.connect(str(path))
    except OSError:
        front.close()
        raise
    return front


def verdict(case):
    with tempfile.TemporaryDirectory(prefix="vsnd-") as folder:
        try:
            case(pathlib.Path(folder))
        except (Fault, OSError, ValueError, KeyError) as fault:
            reason = " ".join(str(fault).split()) or type(fault).__name__
            print(f"not ok daemon {case.__doc__}: {reason}", flush=True)
            return False
    print(f"ok daemon {case.__doc__}", flush=True)
    return True


def judge(cases, word):
    """Run the cases with a word in their name; the exit status."""
    chosen = [case for case in cases if word in case.__name__ or word in case.__doc__]
    return int(not all([verdict(case) for case in chosen]))
