"""What else may happen to a guest that plays: another sink, none any more, one that sleeps."""

import time

import pulse_host
import rig
from pipewire_change import check_two
from server_cases import tell_return

OTHER = "vsnd-test-other"


def default_changes(name, build, host):
    """A stream without a target follows the default sink, and back."""
    host.options = ("--audio=pulse",)
    host.start()
    host.add_sink(OTHER)
    host.tool("pactl", "set-default-sink", pulse_host.SINK)
    with rig.playing(build, host, 7, 480) as guest:
        guest.until(2)
        host.tool("pactl", "set-default-sink", OTHER)
        guest.until(4)
        host.tool("pactl", "set-default-sink", pulse_host.SINK)
        report = guest.finish()
        heard = host.kill()
    check_two(name, guest, heard, report)


def unloaded(name, build, host):
    """The target goes, and there is no other sink; then it comes back."""
    host.start()
    with rig.playing(build, host, 9, 480) as guest:
        guest.until(2)
        host.tool("pactl", "unload-module", host.sink)
        time.sleep(0.2)
        before = host.fifo.close()
        guest.until(4)
        host.add_sink(pulse_host.SINK)
        host.fifo = host.listen(pulse_host.SINK)
        back_at = time.monotonic()
        report = guest.finish()
        heard = host.kill()
    check_two(name, guest, before + heard, report)
    tell_return(name, host.fifo.sound_at - back_at, "the sink was there again")


def suspended(name, build, host):
    """A sink that is suspended, and goes on."""
    host.start()
    with rig.playing(build, host, 7, 480) as guest:
        guest.until(2)
        host.tool("pactl", "suspend-sink", pulse_host.SINK, "1")
        guest.until(4)
        host.tool("pactl", "suspend-sink", pulse_host.SINK, "0")
        report = guest.finish()
        heard = host.kill()
    check_two(name, guest, heard, report)


def cases(quick):
    yield "pulse: the default sink changes", default_changes
    yield "pulse: the target is unloaded and loaded again", unloaded
    if not quick:
        yield "pulse: the sink is suspended for 2 s", suspended
