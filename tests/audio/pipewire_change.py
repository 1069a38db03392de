"""What else may happen to a guest that plays: no sink, another sink, none any more."""

import signal
import time

import pipewire_host
import rig


class Freezing(rig.Guest):
    """The server stops after the daemon has connected to it, and before the guest plays."""

    def order(self, host):
        host.server.send_signal(signal.SIGSTOP)
        return super().order(host)


def started_late(report):
    return report["real_ms"] - report["ideal_ms"]


def frozen(name, build, host):
    """START with a server that does not answer."""
    host.start()
    with rig.playing(build, host, 6, 480, make=Freezing) as guest:
        guest.until(2)
        host.server.send_signal(signal.SIGCONT)
        report = guest.finish()
        heard = host.kill()
    at = rig.check_tail(guest, heard, 4 * rig.RATE)
    rig.tell(name, f"{started_late(report):.0f} ms late, heard from frame {at}")
    if started_late(report) > 700:
        raise rig.Fault("the guest waited for the server")


def unlinked(name, build, host):
    """Nobody links the stream until a session manager comes."""
    host.start(manager=False)
    with rig.playing(build, host, 6, 480) as guest:
        guest.until(2)
        host.manage()
        report = guest.finish()
        heard = host.kill()
    at = rig.check_tail(guest, heard, 5 * rig.RATE)
    rig.tell(name, f"{started_late(report):.0f} ms late, heard from frame {at}")
    if started_late(report) > 500:
        raise rig.Fault("the guest waited for a sink")


def check_two(name, guest, heard, report):
    """Heard from the begin on, for some time not, and then to the end."""
    found, _ = rig.stretches(guest.sent.data, heard)
    rig.tell(name, f"stretches (from, frames) {found}, longest gap between completions "
             f"{report['gap_ms']['max']:.0f} ms")
    if report["gap_ms"]["max"] > 300:
        raise rig.Fault("the guest's clock stood still")
    if not found or found[0][0] != 0 or found[0][1] < rig.RATE:
        raise rig.Fault("not heard from the begin on")
    if sum(found[-1]) * rig.FRAME != len(guest.sent.data) or found[-1][1] < rig.RATE:
        raise rig.Fault("not heard to the end")
    if len(found) > 3:
        raise rig.Fault("more was lost than while it was away")


def default_changes(name, build, host):
    """The session manager moves a stream without a target to another sink, and back."""
    host.options = ("--audio=pipewire",)
    host.start()
    host.default_sink(pipewire_host.SINK)
    with rig.playing(build, host, 7, 480) as guest:
        guest.until(2)
        host.default_sink(pipewire_host.MIC)
        guest.until(4)
        host.default_sink(pipewire_host.SINK)
        report = guest.finish()
        heard = host.kill()
    check_two(name, guest, heard, report)


def unplugged(name, build, host):
    """
    The target goes, and comes back.  There is no other sink that a session manager might
    move the stream to, as it would then leave it there.
    """
    host.options = ("--audio=pipewire", f"--target={pipewire_host.PLUG}")
    host.start()
    fifo, plug = host.plug()
    with rig.playing(build, host, 9, 480) as guest:
        guest.until(2)
        host.unplug(plug)
        before = fifo.close()
        guest.until(4)
        fifo, plug = host.plug()
        report = guest.finish()
        time.sleep(0.5)
        host.kill()
    check_two(name, guest, before + fifo.close(), report)


class Wide(rig.Guest):
    """Six channels, of nothing."""

    def order(self, host):
        path = host.folder / "wide.raw"
        path.write_bytes(bytes(12 * rig.RATE * self.seconds))
        return ("--raw", "--format=S16", "--channels=6", f"--rate={rig.RATE}", "play", str(path))


def channel_map(name, build, host):
    """The guest's channels are where its map has them."""
    positions = ["FL", "FR", "FC", "LFE", "SL", "SR"]
    config = host.folder / "card.conf"
    config.write_text("[stream out]\nchannels = 6\n[chmap map]\n"
                      f"positions = {' '.join(positions)}\n")
    host.options = (f"--config={config}", *host.options)
    host.start()
    with rig.playing(build, host, 2, 480, make=Wide) as guest:
        guest.until(1)
        node = host.nodes()["vhost-user-snd.playback.0"]
        found = node["info"]["params"]["Format"][0]["position"]
        guest.finish()
    if found != positions:
        raise rig.Fault(f"the channels are {found}")


def cases(quick):
    yield "pipewire: the default sink changes", default_changes
    if not quick:
        yield "pipewire: the guest's channel map is the node's", channel_map
        yield "pipewire: START with a server that is stuck", frozen
        yield "pipewire: START with nothing to be linked to", unlinked
        yield "pipewire: the target is unplugged and plugged in again", unplugged
