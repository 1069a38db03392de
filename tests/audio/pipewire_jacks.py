"""A headphone jack of the guest's, and a socket of a card of the host's that is not there."""

import signal
import subprocess
import time

import pipewire_host
import rig
from pipewire_control import wait_until

CARD_SINK = "vsnd-test-card-sink"
CONFIG = """[stream out]
[jack headphones]
type = headphone
connected = {connected}
[jack line]
type = line-out
[jack builtin]
type = speaker
port = fixed
[audio]
audio = pipewire
{target}
"""


def card(build, host):
    """The process that is the card, whose sink is there."""
    process = host.spawn(str(build / "tests/audio/fake_card"), stdout=subprocess.PIPE, text=True)
    host.processes.append(process)
    number = process.stdout.readline().strip()
    if not number.isdigit():
        raise rig.Fault("the card did not come up")
    host.tool("pw-cli", "create-node", "adapter", "{ factory.name = support.null-audio-sink "
              f"node.name = {CARD_SINK} media.class = Audio/Sink audio.position = [ FL FR ] "
              f"object.linger = true device.id = {number} }}")
    host.wait_for("the card's sink", lambda: CARD_SINK in host.nodes())
    return process


def follow(name, build, host, *, by_target):
    """By the stream's target, or by the host's default."""
    target = f"target = {CARD_SINK}" if by_target else ""
    config = host.folder / "card.conf"
    config.write_text(CONFIG.format(connected="yes", target=target))
    host.options = (f"--config={config}",)
    host.start()
    process = card(build, host)
    if not by_target:
        host.default_sink(pipewire_host.MIC)
    with rig.playing(build, host, 5, 480) as guest:
        def plugs():
            return {j["name"]: j["connected"] for j in guest.control("status")["jacks"]}

        if not by_target:
            # A sink without a card says nothing of plugs.
            guest.until(0.5)
            if plugs() != {"headphones": True, "line": True, "builtin": True}:
                raise rig.Fault(f"the jacks are {plugs()} without a card")
            host.default_sink(CARD_SINK)
        wait_until("the headphones are not out", lambda: plugs() == {
            "headphones": False, "line": True, "builtin": True})
        process.send_signal(signal.SIGUSR1)
        wait_until("the headphones are not in", lambda: plugs()["headphones"])
        guest.control("jack", "headphones", "unplug")
        if plugs()["headphones"]:
            raise rig.Fault("vsndctl cannot say otherwise")
        process.send_signal(signal.SIGUSR1)
        time.sleep(0.3)
        process.send_signal(signal.SIGUSR1)
        wait_until("the next plug is not told", lambda: plugs()["headphones"])
        guest.finish()


def cases(quick):
    yield ("pipewire: a jack follows the plug at the target's card",
           lambda n, b, h: follow(n, b, h, by_target=True))
    if not quick:
        yield ("pipewire: a jack follows the plug at the default sink's card",
               lambda n, b, h: follow(n, b, h, by_target=False))
