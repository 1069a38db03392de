#!/usr/bin/env python3
"""Play to vhost-user-snd through a PipeWire of our own; what comes out must be what went in.

usage: tests/audio/pipewire.py --build=DIR [-k WORD] [--keep]

Prints `ok NAME`, `not ok NAME: reason` or `skip NAME: reason` for each case.  The
server runs in a directory of its own, without D-Bus and without devices; its sink
writes all that it gets into a FIFO, as the samples came in.  A guest that was late
is heard as silence between frames, which is no fault here but is told; a frame
that is missing, doubled or changed is one.  A server that is killed or stopped may
lose what was played meanwhile, and nothing else.
"""

import argparse
import contextlib
import fcntl
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "probe"))
import wav

RATE = 48000
FRAME = 4
SINK = "vsnd-test-sink"
ATTEMPTS = 3
TOOLS = ("pipewire", "wireplumber", "pw-metadata", "pw-cli")
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
                time.sleep(0.01)
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
    """A PipeWire server with a session manager, which may come and go."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.runtime = self.folder / "run"
        self.runtime.mkdir(mode=0o700)
        self.processes = []
        self.fifo = None
        self.log = open(self.folder / "host.log", "ab")
        self.env = {key: value for key, value in os.environ.items()
                    if not key.startswith(("PIPEWIRE_", "DBUS_", "WIREPLUMBER_"))}
        for name, sub in (("XDG_RUNTIME_DIR", "run"), ("XDG_STATE_HOME", "state"),
                          ("XDG_CONFIG_HOME", "config"), ("HOME", "home")):
            (self.folder / sub).mkdir(exist_ok=True)
            self.env[name] = str(self.folder / sub)

    def run(self, *command):
        process = subprocess.Popen(command, env=self.env, stdin=subprocess.DEVNULL,
                                   stdout=self.log, stderr=subprocess.STDOUT)
        self.processes.append(process)
        return process

    def tool(self, *command):
        return subprocess.run(command, env=self.env, stdin=subprocess.DEVNULL, timeout=10,
                              capture_output=True, text=True, check=False).stdout

    def wait_for(self, what, seconds=10):
        limit = time.monotonic() + seconds
        while SINK not in self.tool("pw-cli", "ls", "Node"):
            if time.monotonic() > limit:
                raise Fault(f"{what} did not come up within {seconds} s")
            time.sleep(0.05)

    def start(self):
        path = self.folder / "fifo"
        path.unlink(missing_ok=True)
        self.fifo = Fifo(path)
        config = self.folder / "pipewire.conf"
        config.write_text((HERE / "pipewire.conf.in").read_text().replace("@fifo@", str(path)))
        self.started = time.monotonic()
        self.server = self.run("pipewire", "-c", str(config))
        self.wait_for("pipewire")
        self.manager = self.run("wireplumber", "-c", "policy.conf")
        time.sleep(0.3)

    def quantum(self, frames):
        self.tool("pw-metadata", "-n", "settings", "0", "clock.force-quantum", str(frames))

    def kill(self):
        """What was heard of the server that ends here."""
        for process in self.processes:
            end(process)
        self.processes = []
        for name in ("pipewire-0", "pipewire-0.lock"):
            (self.runtime / name).unlink(missing_ok=True)
        return self.fifo.close()

    def close(self):
        if self.processes:
            self.kill()
        self.log.close()


def real_time():
    """The guest is no part of what is tested: it gets the processor when it wants it."""
    with contextlib.suppress(OSError):
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(20))


class Guest:
    """A daemon, and a driver that plays noise through it."""

    def __init__(self, build, host, seconds, period, buffer=None, *options):
        self.host, self.seconds = host, seconds
        self.sent = source(seconds)
        path = host.folder / "source.wav"
        self.sent.write(path)
        socket = host.folder / "snd.sock"
        self.daemon = host.run(str(build / "vhost-user-snd"), f"--socket-path={socket}",
                               "--audio=pipewire", f"--target={SINK}", "--log-level=debug")
        limit = time.monotonic() + 5
        while not socket.exists():
            if time.monotonic() > limit or self.daemon.poll() is not None:
                raise Fault("the daemon did not start")
            time.sleep(0.02)
        host.processes.remove(self.daemon)
        time.sleep(0.3)
        command = [str(build / "vsnd-probe"), f"--socket-path={socket}", "--json",
                   f"--period={period}", f"--buffer={buffer or 4 * period}", *options, "play",
                   str(path)]
        self.started = time.monotonic()
        self.probe = subprocess.Popen(command, env=host.env, stdin=subprocess.DEVNULL,
                                      stdout=subprocess.PIPE, stderr=host.log, text=True,
                                      preexec_fn=real_time)

    def until(self, seconds):
        time.sleep(max(0, self.started + seconds - time.monotonic()))

    def finish(self, pause_ms=0):
        """The stream's report.  The guest has seen no error, and the clock went on."""
        try:
            text = self.probe.communicate(timeout=self.seconds + 8)[0]
        except subprocess.TimeoutExpired:
            raise Fault("the guest hangs") from None
        if self.probe.returncode != 0 or not json.loads(text)["ok"]:
            raise Fault(f"the guest saw an error (exit status {self.probe.returncode})")
        report = json.loads(text)["streams"][0]
        late_ms = report["real_ms"] - report["ideal_ms"] - pause_ms
        # Waking the host at the start, noticing that it has gone, a long first cycle.
        if late_ms > 1600:
            raise Fault(f"the guest's clock stood still: {late_ms:.0f} ms too late")
        time.sleep(1)   # what the host still has is played after the RELEASE
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


def source(seconds, made={}):
    if seconds not in made:
        made[seconds] = wav.noise("S16", RATE, 2, RATE * seconds)
    return made[seconds]


def without_silence(data):
    """The frames that are no silence, and the lengths of the silences between them."""
    kept, gaps, run = [], [], 0
    for at in range(0, len(data) - FRAME + 1, FRAME):
        frame = data[at:at + FRAME]
        if frame == b"\0\0\0\0":
            run += 1
            continue
        if run and kept:
            gaps.append(run)
        run = 0
        kept.append(frame)
    return b"".join(kept), gaps


def common(a, a_at, b, b_at):
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
    return low - low % FRAME


def differences(sent, heard):
    """(frame of the source, frames lost there; negative: heard again) of each difference."""
    at = pos = 0
    while pos < len(heard):
        n = common(sent, at, heard, pos)
        at, pos = at + n, pos + n
        if pos == len(heard):
            break
        again = sent.find(heard[pos:pos + 8 * FRAME])
        if again < 0 or again % FRAME:
            raise Fault(f"after frame {at // FRAME}: frames that were never sent")
        yield at // FRAME, (again - at) // FRAME
        at = again
    if at < len(sent):
        yield at // FRAME, (len(sent) - at) // FRAME


def tell(name, text):
    print(f"# {name}: {text}", flush=True)


def check_exact(name, guest, heard):
    kept, gaps = without_silence(heard)
    if gaps:
        tell(name, f"the guest was late: {len(gaps)} gaps, {sum(gaps)} frames of silence")
    faults = list(differences(guest.sent.data, kept))
    if faults:
        raise Fault("lost or doubled (at frame, how many): " + str(faults[:6])[1:-1])


@contextlib.contextmanager
def playing(*args, **kwargs):
    guest = Guest(*args, **kwargs)
    try:
        yield guest
    finally:
        guest.close()


def exact(name, build, host, *, period, buffer=None, quantum=0, seconds=10):
    host.start()
    if quantum:
        host.quantum(quantum)
    with playing(build, host, seconds, period, buffer) as guest:
        report = guest.finish()
        heard = host.kill()
    tell(name, f"gap ms {report['gap_ms']}, latency bytes {report['latency_bytes']}")
    check_exact(name, guest, heard)


def small_quantum(name, build, host):
    """Cycles of 0.7 ms: a loaded machine misses some, which costs whole cycles of the host."""
    host.start()
    host.quantum(32)
    with playing(build, host, 4, 480, 960) as guest:
        guest.finish()
        heard = host.kill()
    kept, gaps = without_silence(heard)
    faults = list(differences(guest.sent.data, kept))
    lost = sum(n for _, n in faults)
    tell(name, f"{len(gaps)} gaps, {sum(gaps)} frames of silence; {lost} frames in cycles "
         f"that the host missed")
    if any(n < 0 or n % 32 for _, n in faults) or lost > RATE // 5:
        raise Fault("lost or doubled (at frame, how many): " + str(faults[:6])[1:-1])


def pause(name, build, host):
    """STOP, until the host's stream has been paused, and START, while it is read ahead."""
    host.start()
    host.quantum(8192)
    with playing(build, host, 3, 480, 960, "--pause-at=48000", "--pause-ms=1500") as guest:
        guest.finish(pause_ms=1500)
        heard = host.kill()
    check_exact(name, guest, heard)


def release(name, build, host):
    """STOP and RELEASE while a buffer of 200 ms is queued: the host gets it all the same."""
    host.start()
    with playing(build, host, 2, 960, 9600, "--release-early") as guest:
        guest.finish()
        heard = host.kill()
    check_exact(name, guest, heard)


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


def absent(name, build, host):
    with playing(build, host, 7, 480) as guest:
        guest.until(2)
        host.start()
        guest.finish()
        heard = host.kill()
    at = check_tail(guest, heard, 6 * RATE)
    tell(name, f"heard {host.fifo.sound_at - host.started:.2f} s after the server was started, "
         f"from frame {at}")


def restart(name, build, host):
    host.start()
    with playing(build, host, 8, 480) as guest:
        guest.until(2)
        before = host.kill()
        guest.until(3.5)
        host.start()
        guest.finish()
        heard = host.kill()
    kept, _ = without_silence(before)
    if len(kept) < RATE * FRAME or not guest.sent.data.startswith(kept):
        raise Fault("what was heard before the server was killed is not what was sent")
    at = check_tail(guest, heard, 7 * RATE)
    tell(name, f"heard {host.fifo.sound_at - host.started:.2f} s after the server was started again, "
         f"from frame {at}")


def stopped(name, build, host):
    host.start()
    with playing(build, host, 8, 480) as guest:
        guest.until(2)
        host.server.send_signal(signal.SIGSTOP)
        guest.until(4)
        host.server.send_signal(signal.SIGCONT)
        report = guest.finish()
        heard = host.kill()
    kept, _ = without_silence(heard)
    faults = list(differences(guest.sent.data, kept))
    tell(name, f"longest gap between completions {report['gap_ms']['max']:.0f} ms; lost (at "
         f"frame, how many): {faults}")
    if report["gap_ms"]["max"] > 500:
        raise Fault("the guest's clock stood still")
    if any(n < 0 or not RATE < at < RATE * 5 for at, n in faults):
        raise Fault("more was lost or doubled than while the server was stopped")


# The exact cases have a cycle of 5.3 ms, which a loaded machine rarely misses; what PipeWire
# would choose for the shortest periods is 1.3 ms.
def cases(quick):
    for period in (240, 480, 960) if quick else (120, 240, 480, 960):
        yield (f"pipewire: 10 s, periods of {period / 48:g} ms",
               lambda n, b, h, p=period: exact(n, b, h, period=p, quantum=256))
    yield ("pipewire: a cycle of 8192 frames, a buffer of 2 x 480",
           lambda n, b, h: exact(n, b, h, period=480, buffer=960, quantum=8192, seconds=4))
    yield "pipewire: a RELEASE that does not wait", release
    yield "pipewire: no server at the start", absent
    yield "pipewire: the server is killed and comes back", restart
    if not quick:
        yield "pipewire: STOP and START with a cycle of 8192 frames", pause
        yield "pipewire: a cycle of 32 frames", small_quantum
        yield "pipewire: the server is stopped for 2 s", stopped


def attempt(name, case, build, keep):
    folder = tempfile.mkdtemp(prefix="vsnd-pw-")
    host = Host(folder)
    try:
        case(name, build, host)
        return None
    except Fault as fault:
        return str(fault)
    finally:
        host.close()
        if keep:
            tell(name, f"kept {folder}")
        else:
            shutil.rmtree(folder, ignore_errors=True)


def run_case(name, case, build, keep):
    """A loaded machine makes the host miss cycles, so a case may be tried again, which is told."""
    for number in range(1, ATTEMPTS + 1):
        reason = attempt(name, case, build, keep)
        if reason is None:
            print(f"ok {name}", flush=True)
            return True
        tell(name, f"attempt {number}: {reason}")
    print(f"not ok {name}: {reason}", flush=True)
    return False


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", type=pathlib.Path, required=True)
    parser.add_argument("-k", default="", help="only cases whose name contains this")
    parser.add_argument("--quick", action="store_true",
                        help="not those that a machine with other users makes fail now and then")
    parser.add_argument("--keep", action="store_true", help="keep the folders")
    args = parser.parse_args()
    missing = [tool for tool in TOOLS if not shutil.which(tool)]
    good = True
    for name, case in cases(args.quick):
        if args.k not in name:
            continue
        if missing:
            print(f"skip {name}: {missing[0]} is not installed")
            continue
        good = run_case(name, case, args.build.resolve(), args.keep) and good
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
