"""What the tests of the host's sound systems share.

A host is a server of a test's own, in a directory of its own, which may come and go
(class Host).  A guest is a daemon that plays to it and a driver that plays through
the daemon (class Guest).  What was heard is compared with what was sent, frame by
frame: a guest that was late is heard as silence between frames, which is no fault
here but is told; a frame that is missing, doubled or changed is one.

A case is a function of (its name, the folder of the build, a Host); it raises Fault.
main() runs cases and prints `ok NAME`, `not ok NAME: reason` or `skip NAME: reason`.
"""

import argparse
import concurrent.futures
import contextlib
import fcntl
import functools
import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import traceback

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "probe"))
import wav

RATE = 48000
FRAME = 4
ATTEMPTS = 3
NO_ZERO = bytes([0x5A, *range(1, 256)])
ROOM = 2 << 30          # bytes, for the files of some cases at the same time
F_SETPIPE_SZ = 1031


class Fault(Exception):
    """Why a case failed."""


def end(process):
    if process.poll() is None:
        process.send_signal(signal.SIGCONT)
        process.kill()
    process.wait()


class Fifo:
    """The end of the sink: all that it played, and when the first sound came."""

    def __init__(self, path):
        os.mkfifo(path)
        self.fd = os.open(path, os.O_RDWR | os.O_NONBLOCK)
        fcntl.fcntl(self.fd, F_SETPIPE_SZ, 1 << 20)
        self.data = bytearray()
        self.sound_at = None
        self.ending = False
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        while not self.ending:
            try:
                piece = os.read(self.fd, 1 << 16)
            except BlockingIOError:
                time.sleep(0.02)
                continue
            if self.sound_at is None and piece.strip(b"\0"):
                self.sound_at = time.monotonic()
            self.data += piece

    def close(self):
        time.sleep(0.1)
        self.ending = True
        self.thread.join()
        os.close(self.fd)
        return bytes(self.data)


class Host:
    """A sound server of a test's own, and what it needs.  To be derived from."""

    tools = ()      # programs without which no case can run
    strip = ()      # beginnings of names of variables that a server must not get
    full = False    # cases that can take their time
    options = ()    # what makes a daemon play to this host

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.runtime = self.folder / "run"
        self.runtime.mkdir(mode=0o700)
        self.processes = []
        self.log = open(self.folder / "host.log", "ab")
        self.env = {key: value for key, value in os.environ.items()
                    if not key.startswith(("DBUS_", *self.strip))}
        for name, sub in (("XDG_RUNTIME_DIR", "run"), ("XDG_STATE_HOME", "state"),
                          ("XDG_CONFIG_HOME", "config"), ("HOME", "home")):
            (self.folder / sub).mkdir(exist_ok=True)
            self.env[name] = str(self.folder / sub)

    def spawn(self, *command, **kwargs):
        return subprocess.Popen(command, env=self.env, stdin=subprocess.DEVNULL,
                                stderr=self.log, **kwargs)

    def run(self, *command, **kwargs):
        """A process of the server, which ends with it."""
        process = self.spawn(*command, stdout=self.log, **kwargs)
        self.processes.append(process)
        return process

    def tool(self, *command):
        return subprocess.run(command, env=self.env, stdin=subprocess.DEVNULL, timeout=10,
                              capture_output=True, text=True, check=False).stdout

    def told(self, text):
        """How often a daemon or a server has said that."""
        return (self.folder / "host.log").read_text(errors="replace").count(text)

    def wait_for(self, what, is_there, seconds=10):
        limit = time.monotonic() + seconds
        while not is_there():
            if time.monotonic() > limit:
                raise Fault(f"{what} did not come up within {seconds} s")
            time.sleep(0.05)

    def end_processes(self):
        for process in self.processes:
            end(process)
        self.processes = []

    def close(self):
        self.end_processes()
        self.log.close()


def real_time():
    """The guest is no part of what is tested: it gets the processor when it wants it."""
    with contextlib.suppress(OSError):
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(20))


class Guest:
    """A daemon, and a driver that plays noise through it, or records."""

    # Waking the host at the start, noticing that it has gone, a long first cycle.
    patience_ms = 1600

    def __init__(self, build, host, seconds, period, buffer=None, *options):
        self.build, self.host, self.seconds = build, host, seconds
        self.start_daemon(build, host)
        command = [str(build / "vsnd-probe"), f"--socket-path={self.socket}", "--json",
                   f"--period={period}", f"--buffer={buffer or 4 * period}", *options,
                   *self.order(host)]
        self.started = time.monotonic()
        self.probe = host.spawn(*command, stdout=subprocess.PIPE, text=True,
                                preexec_fn=real_time)

    def order(self, host):
        """What the driver is to do."""
        self.sent = source(self.seconds)
        path = host.folder / "source.wav"
        self.sent.write(path)
        return "play", str(path)

    def start_daemon(self, build, host):
        self.socket = host.folder / "snd.sock"
        self.daemon = host.spawn(str(build / "vhost-user-snd"), f"--socket-path={self.socket}",
                                 f"--control-path={host.folder / 'control'}", *host.options,
                                 "--log-level=debug", stdout=host.log)
        limit = time.monotonic() + 5
        while not self.socket.exists():
            if time.monotonic() > limit or self.daemon.poll() is not None:
                end(self.daemon)
                raise Fault("the daemon did not start")
            time.sleep(0.02)
        time.sleep(0.3)

    def control(self, *command):
        """What vsndctl says to a daemon with --control-path, as JSON."""
        path = self.host.folder / "control"
        return json.loads(self.host.tool(str(self.build / "vsndctl"), f"--control-path={path}",
                                         "--json", *command))

    def until(self, seconds):
        time.sleep(max(0, self.started + seconds - time.monotonic()))

    def finish(self, pause_ms=0):
        """The stream's report, when the host has played all.  The guest has seen no error."""
        report = self.ended(pause_ms)
        time.sleep(1)   # what the host still has is played after the RELEASE
        return report

    def ended(self, pause_ms=0):
        """The stream's report.  The guest has seen no error, and the clock went on."""
        try:
            text = self.probe.communicate(timeout=self.seconds + 8)[0]
        except subprocess.TimeoutExpired:
            raise Fault("the guest hangs") from None
        if self.probe.returncode != 0 or not json.loads(text)["ok"]:
            raise Fault(f"the guest saw an error (exit status {self.probe.returncode})")
        self.ended = time.monotonic()
        self.whole = json.loads(text)
        report = self.whole.get("streams", [self.whole])[0]
        self.late_ms = report["real_ms"] - report["ideal_ms"] - pause_ms
        if self.late_ms > self.patience_ms:
            raise Fault(f"the guest's clock stood still: {self.late_ms:.0f} ms too late")
        return report

    def close(self):
        end(self.probe)
        self.daemon.terminate()
        try:
            status = self.daemon.wait(3)
        except subprocess.TimeoutExpired:
            end(self.daemon)
            raise Fault("the daemon does not end") from None
        if status != 0:
            raise Fault(f"the daemon's exit status is {status}")


@functools.cache
def source(seconds):
    """Noise without a byte of zero.  A shorter one is the beginning of a longer one."""
    data = random.Random(1).randbytes(RATE * FRAME * seconds).translate(NO_ZERO)
    return wav.Wav("S16", RATE, 2, data)


def without_silence(data, size=FRAME):
    """The frames of @size bytes that are no silence, and the lengths of the silences between them."""
    data = data[:len(data) - len(data) % size]
    kept, gaps = [], []
    at = end_of_silence(data, 0, size)
    while at < len(data):
        end = next_silence(data, at, size)
        kept.append(data[at:end])
        at = end_of_silence(data, end, size)
        if at < len(data):
            gaps.append((at - end) // size)
    return b"".join(kept), gaps


def next_silence(data, at, size):
    """Where the first silent frame from @at on is, or the end."""
    while True:
        at = data.find(bytes(size), at)
        if at < 0:
            return len(data)
        if at % size == 0:
            return at
        at += 1


def end_of_silence(data, at, size):
    """Where the first frame from @at on is that is none."""
    step = size << 12
    while data[at:at + step] == bytes(step):
        at += step
    while at < len(data) and data[at:at + size] == bytes(size):
        at += size
    return at


def common(a, a_at, b, b_at, size=FRAME):
    """Bytes, of whole frames, that are the same from there on."""
    low, high = 0, min(len(a) - a_at, len(b) - b_at)
    if a[a_at:a_at + high] == b[b_at:b_at + high]:
        return high
    while high - low > 1:
        middle = (low + high) // 2
        if a[a_at:a_at + middle] == b[b_at:b_at + middle]:
            low = middle
        else:
            high = middle
    return low - low % size


def differences(sent, heard, size=FRAME):
    """(frame of the source, frames lost there; negative: heard again) of each difference."""
    at = pos = 0
    while pos < len(heard):
        n = common(sent, at, heard, pos, size)
        at, pos = at + n, pos + n
        if pos == len(heard):
            break
        again = sent.find(heard[pos:pos + 8 * size])
        if again < 0 or again % size:
            raise Fault(f"after frame {at // size}: frames that were never sent")
        yield at // size, (again - at) // size
        at = again
    if at < len(sent):
        yield at // size, (len(sent) - at) // size


def say(line):
    """Whole lines, although cases run at the same time."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def stretches(sent, heard, size=FRAME):
    """(frame, frames) of each stretch of what was sent, as they were heard; silences between them."""
    kept, gaps = without_silence(heard, size)
    at, found = 0, []
    while at < len(kept):
        first = sent.find(kept[at:at + 4 * size])
        if first < 0 or first % size:
            raise Fault(f"frame {at // size} of what was heard was never sent")
        n = common(sent, first, kept, at, size)
        found.append((first // size, n // size))
        at += n
    return found, gaps


def tell(name, text):
    say(f"# {name}: {text}")


def check_exact(name, guest, heard, whole=False):
    """@whole: without gaps, which a guest that is late makes."""
    kept, gaps = without_silence(heard, guest.sent.frame_bytes)
    if gaps:
        tell(name, f"the guest was late: {len(gaps)} gaps, {sum(gaps)} frames of silence")
    if whole and gaps:
        raise Fault(f"gaps in what was heard: {gaps[:6]}")
    faults = list(differences(guest.sent.data, kept, guest.sent.frame_bytes))
    if faults:
        raise Fault("lost or doubled (at frame, how many): " + str(faults[:6])[1:-1])


@contextlib.contextmanager
def playing(*args, make=Guest, **kwargs):
    guest = make(*args, **kwargs)
    try:
        yield guest
    finally:
        guest.close()


def check_tail(guest, heard, since_frame):
    """From somewhere before @since_frame on, all of the source is heard."""
    kept, _ = without_silence(heard)
    first = guest.sent.data.find(kept[:8 * FRAME]) if kept else -1
    if first < 0:
        raise Fault("the sound did not come back")
    faults = list(differences(guest.sent.data[first:], kept))
    if faults:
        raise Fault(f"after it came back at frame {first // FRAME}, lost or doubled: {faults[:6]}")
    if first // FRAME > since_frame:
        raise Fault(f"the sound came back at frame {first // FRAME} only")
    return first // FRAME


def memory():
    """
    Where files are in memory, if there is room for a minute of everything.  On a disk who
    writes waits for others now and then, and be it for the time stamp of a FIFO.
    """
    place = pathlib.Path("/dev/shm")
    return place if place.is_dir() and shutil.disk_usage(place).free > ROOM else None


def attempt(name, case, build, make_host, keep):
    """Why it failed, or None.  A mistake in one case is no reason not to run the others."""
    folder = tempfile.mkdtemp(prefix="vsnd-host-", dir=memory())
    try:
        with contextlib.closing(make_host(folder)) as host:
            host.build = build
            case(name, build, host)
        return None
    except Fault as fault:
        return str(fault)
    except Exception as error:
        traceback.print_exc()
        return " ".join(f"{type(error).__name__}: {error}".split())
    finally:
        if keep:
            tell(name, f"kept {folder}")
        else:
            shutil.rmtree(folder, ignore_errors=True)


def run_case(name, case, build, make_host, keep):
    """A loaded machine makes the host miss cycles, so a case may be tried again, which is told."""
    for number in range(1, ATTEMPTS + 1):
        reason = attempt(name, case, build, make_host, keep)
        if reason is None:
            say(f"ok {name}")
            return True
        tell(name, f"attempt {number}: {reason}")
    say(f"not ok {name}: {reason}")
    return False


def main(make_host, cases):
    """
    Run @cases(quick): of each its name and function, and a class derived from Host where
    that is another than @make_host.
    """
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", type=pathlib.Path, required=True)
    parser.add_argument("-k", default="", help="only cases whose name contains this")
    parser.add_argument("--quick", action="store_true",
                        help="not those that a machine with other users makes fail now and then")
    parser.add_argument("--keep", action="store_true", help="keep the folders")
    parser.add_argument("--full", action="store_true",
                        help="a minute of what is compared for some seconds else")
    parser.add_argument("--jobs", type=int, default=1, help="cases at the same time (1)")
    args = parser.parse_args()
    Host.full = args.full

    def run(case):
        name, function, make = (*case, make_host)[:3]
        missing = [tool for tool in make.tools if not shutil.which(tool)]
        if missing:
            say(f"skip {name}: {missing[0]} is not installed")
            return True
        return run_case(name, function, args.build.resolve(), make, args.keep)

    with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        return 0 if all(list(pool.map(run, [c for c in cases(args.quick) if args.k in c[0]]))) else 1
