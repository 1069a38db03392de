"""The cycle that PipeWire is asked for: a long one, while the guest is not late for it."""

import signal
import time

import rig

PLAYS = "vhost-user-snd.playback.0"
PERIOD, BUFFER = 480, 1920
WISH = f"256/{rig.RATE}"
LONG, SHORT = f"1024/{rig.RATE}", f"{PERIOD}/{rig.RATE}"


def asked(host):
    node = host.nodes().get(PLAYS)
    return node and node["info"]["props"].get("node.latency")


def late(name, build, host):
    """The guest sleeps for more than its buffer."""
    host.start()
    with rig.playing(build, host, 5, PERIOD, BUFFER) as guest:
        guest.until(1.5)
        before = asked(host)
        guest.probe.send_signal(signal.SIGSTOP)
        time.sleep(0.15)
        guest.probe.send_signal(signal.SIGCONT)
        host.wait_for("a shorter cycle", lambda: asked(host) == SHORT, 3)
        guest.finish()
        heard = host.kill()
    kept, gaps = rig.without_silence(heard)
    rig.tell(name, f"asked for {before}, then {SHORT}; silences {gaps}")
    if before != LONG:
        raise rig.Fault(f"asked for {before}")
    if list(rig.differences(guest.sent.data, kept)):
        raise rig.Fault("lost or doubled")


def wished(name, build, host):
    """The host's user has the last word."""
    host.options = [*host.options, f"--properties={{ node.latency = {WISH} }}"]
    host.start()
    with rig.playing(build, host, 3, PERIOD, BUFFER) as guest:
        guest.until(1)
        guest.probe.send_signal(signal.SIGSTOP)
        time.sleep(0.15)
        guest.probe.send_signal(signal.SIGCONT)
        time.sleep(0.5)
        latency = asked(host)
        guest.finish()
    rig.tell(name, f"asked for {latency}")
    if latency != WISH:
        raise rig.Fault("not what the option says")


def cases(quick):
    yield "pipewire: a guest that was late gets shorter cycles", late
    if not quick:
        yield "pipewire: the host's user chooses the cycle", wished
