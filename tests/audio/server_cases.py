"""What any sound server is put through: it is absent, killed, stopped, or left early.

Each case wants of its Host: start(), kill() which returns what was heard, `server`
(the process), `started` (when) and `fifo`, see rig.Fifo.
"""

import signal

import rig


def tell_return(name, host, at):
    rig.tell(name, f"heard {host.fifo.sound_at - host.started:.2f} s after the server's last "
             f"start, from frame {at}")


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
    tell_return(name, host, at)


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
    tell_return(name, host, at)


def stopped(name, build, host):
    host.start()
    with rig.playing(build, host, 8, 480) as guest:
        guest.until(2)
        host.server.send_signal(signal.SIGSTOP)
        guest.until(4)
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
