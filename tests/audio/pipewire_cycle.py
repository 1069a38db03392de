"""The cycle that PipeWire is asked for: a long one, once the guest has been in time for a while."""

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
    """It gets a long cycle, until it sleeps for more than its buffer."""
    host.start()
    with rig.playing(build, host, 6, PERIOD, BUFFER) as guest:
        guest.until(1)
        first = asked(host)
        host.wait_for("a longer cycle", lambda: asked(host) == LONG, 3)
        guest.until(3.5)
        guest.probe.send_signal(signal.SIGSTOP)
        time.sleep(0.15)
        guest.probe.send_signal(signal.SIGCONT)
        host.wait_for("a shorter cycle", lambda: asked(host) == SHORT, 3)
        guest.finish()
        heard = host.kill()
    kept, gaps = rig.without_silence(heard)
    rig.tell(name, f"asked for {first}, {LONG} and {SHORT}; silences {gaps}")
    if first != SHORT:
        raise rig.Fault(f"asked for {first} at the begin")
    if list(rig.differences(guest.sent.data, kept)):
        raise rig.Fault("lost or doubled")


def wished(name, build, host):
    """The host's user has the last word."""
    host.options = [*host.options, f"--properties={{ node.latency = {WISH} }}"]
    host.start()
    with rig.playing(build, host, 4, PERIOD, BUFFER) as guest:
        guest.until(2.5)
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
