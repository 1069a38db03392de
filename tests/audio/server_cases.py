"""What any sound server is put through: it is absent, killed, stopped, or left early.

Each case wants of its Host: start(), kill() which returns what was heard, `server`
(the process), `started` (when) and `fifo`, see rig.Fifo.
"""

import contextlib
import json
import signal
import socket
import threading
import time

import rig


def tell_return(name, seconds, what, rest=""):
    """After what has judged it: what every case of a server's absence comes to."""
    rig.tell(name, f"guest saw no error, frames after the return right, {seconds:.2f} s after {what}"
             f"{rest}")


def tell_start(name, host, at):
    tell_return(name, host.fifo.sound_at - host.started, "the server's last start",
                f", from frame {at}")


def release(name, build, host):
    """STOP and RELEASE while a buffer of 200 ms is queued: the host gets it all the same."""
    host.start()
    with rig.playing(build, host, 2, 960, 9600, "--release-early") as guest:
        guest.finish()
        heard = host.kill()
    rig.check_exact(name, guest, heard)


def absent(name, build, host):
    with rig.playing(build, host, 7, 480) as guest:
        guest.until(2)
        host.start()
        guest.finish()
        heard = host.kill()
    at = rig.check_tail(guest, heard, 6 * rig.RATE)
    tell_start(name, host, at)


def restart(name, build, host):
    host.start()
    with rig.playing(build, host, 8, 480) as guest:
        guest.until(2)
        before = host.kill()
        guest.until(3.5)
        host.start()
        guest.finish()
        heard = host.kill()
    kept, _ = rig.without_silence(before)
    if len(kept) < rig.RATE * rig.FRAME or not guest.sent.data.startswith(kept):
        raise rig.Fault("what was heard before the server was killed is not what was sent")
    at = rig.check_tail(guest, heard, 7 * rig.RATE)
    tell_start(name, host, at)


def stopped(name, build, host):
    host.start()
    with rig.playing(build, host, 8, 480) as guest:
        guest.until(2)
        host.server.send_signal(signal.SIGSTOP)
        guest.until(4)
        host.fifo.sound_at = None
        went_on = time.monotonic()
        host.server.send_signal(signal.SIGCONT)
        report = guest.finish()
        heard = host.kill()
    kept, _ = rig.without_silence(heard)
    faults = list(rig.differences(guest.sent.data, kept))
    rig.tell(name, f"longest gap between completions {report['gap_ms']['max']:.0f} ms; lost (at "
             f"frame, how many): {faults}")
    if report["gap_ms"]["max"] > 500:
        raise rig.Fault("the guest's clock stood still")
    if any(n < 0 or not rig.RATE < at < rig.RATE * 5 for at, n in faults):
        raise rig.Fault("more was lost or doubled than while the server was stopped")
    tell_return(name, host.fifo.sound_at - went_on, "the server went on")


class Asker:
    """Asks the daemon for its status, again and again: how long the longest answer took."""

    def __init__(self, path):
        self.longest, self.asked, self.ending = 0, 0, False
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(10)
        self.socket.connect(str(path))
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        with self.socket, self.socket.makefile("rb") as answers:
            while not self.ending:
                began = time.monotonic()
                self.socket.sendall(json.dumps({"command": "status"}).encode() + b"\n")
                answers.readline()
                self.longest = max(self.longest, time.monotonic() - began)
                self.asked += 1
                time.sleep(0.005)

    def close(self):
        self.ending = True
        self.thread.join()


class Stops(rig.Guest):
    """The server stops just before the driver comes, which plays on two streams, twice."""

    def order(self, host):
        host.server.send_signal(signal.SIGSTOP)
        self.asker = Asker(host.folder / "control")
        return "--streams=0,1", "--repeat=2", *super().order(host)

    def close(self):
        self.asker.close()
        super().close()


def neighbours(name, build, host, late_ms):
    """
    A server that has just stopped: no request of any stream, and no other, waits for it.  The
    guest's clock does, once, until it is known.
    """
    host.options = (*host.options, "--streams=2,1")
    host.start()
    with contextlib.closing(Stops(build, host, 1, 480)) as guest:
        guest.finish()
    asker, whole = guest.asker, guest.whole
    rig.tell(name, f"the longest of {whole['requests']} control requests took "
             f"{whole['request_ms_max']:.1f} ms, of {asker.asked} questions for the status "
             f"{asker.longest * 1000:.1f} ms; two passes were {guest.late_ms:.0f} ms late")
    # A turn of the audio thread, and a busy machine.
    if max(whole["request_ms_max"], asker.longest * 1000) > 100:
        raise rig.Fault("a request has waited")
    if guest.late_ms > late_ms:
        raise rig.Fault("the guest's clock stood still")
