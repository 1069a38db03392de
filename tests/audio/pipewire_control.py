"""Who may play and record, and how loud, while it happens: vsndctl and PipeWire's own mixer."""

import time

import pipewire_host
import pipewire_record
import recorder
import rig

PLAYS = "vhost-user-snd.playback.0"
RECORDS = "vhost-user-snd.capture.1"
VOLUME, SWITCH = "Master Playback Volume", "Master Playback Switch"


def wait_until(what, is_so, seconds=3):
    limit = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > limit:
            raise rig.Fault(what)
        time.sleep(0.05)


def there(host, node):
    return node in host.nodes()


def microphone(name, build, host):
    """Denied, allowed and denied again while the guest records."""
    host.start()
    host.quantum(pipewire_record.CYCLE)
    pipewire_record.speak(host)
    with pipewire_record.recording(build, host, 6, 480, options=()) as guest:
        guest.until(1.5)
        if there(host, RECORDS):
            raise rig.Fault("a denied input has a node")
        guest.control("allow", "input")
        wait_until("an allowed input has no node", lambda: there(host, RECORDS))
        guest.until(4)
        guest.control("deny", "input")
        wait_until("a denied input still has a node", lambda: not there(host, RECORDS))
        denied_at = time.monotonic() - guest.started
        guest.finish()
    heard = guest.recorded()
    frames = [at for at in range(0, len(heard), rig.FRAME) if heard[at:at + 4] != b"\0\0\0\0"]
    first, last = (at // rig.FRAME / rig.RATE for at in (frames[0], frames[-1]))
    rig.tell(name, f"heard from {first:.2f} to {last:.2f} s, the node was gone at {denied_at:.2f} s")
    if first < 1.4 or last > denied_at or last - first < 1.5:
        raise rig.Fault("not heard as long as it was allowed")
    if "records silence" not in (host.folder / "host.log").read_text():
        raise rig.Fault("the daemon does not say why there is silence")
    # Between the fades it is what was said.
    middle = heard[frames[0] + rig.RATE * rig.FRAME:frames[-1] - rig.RATE * rig.FRAME // 4]
    found, gaps = recorder.segments(middle)
    recorder.check_gaps(gaps, pipewire_record.CYCLE)
    if len(found) != 1:
        raise rig.Fault(f"what was heard is no stretch of what was said: {found} {gaps}")


def output(name, build, host):
    """Denied and allowed again while the guest plays."""
    host.start()
    with rig.playing(build, host, 6, 480) as guest:
        guest.until(1.5)
        guest.control("deny", "output")
        wait_until("a denied output still has a node", lambda: not there(host, PLAYS))
        guest.until(3)
        guest.control("allow", "output")
        wait_until("an allowed output has no node", lambda: there(host, PLAYS))
        report = guest.finish()
        status = guest.control("status")["streams"][0]
        heard = host.kill()
    kept, gaps = rig.without_silence(heard)
    rig.tell(name, f"silences {gaps}, longest gap between completions "
             f"{report['gap_ms']['max']:.0f} ms, discarded {status['discarded']}")
    if not kept.startswith(guest.sent.data[:rig.RATE * rig.FRAME]):
        raise rig.Fault("what was heard before is not what was sent")
    if not kept.endswith(guest.sent.data[-rig.RATE * rig.FRAME:]):
        raise rig.Fault("what was heard after it is not what was sent")
    if report["gap_ms"]["max"] > 300 or not 1 < status["discarded"] / rig.RATE < 3:
        raise rig.Fault("not discarded at pace")


class Mixer:
    """The guest's elements, and the host's knob of the same stream."""

    def __init__(self, guest):
        self.guest, self.host = guest, guest.host

    def element(self, name, *value):
        return self.guest.control("control", name, *value)["control"]["values"]

    def knob(self):
        params = self.host.nodes()[PLAYS]["info"]["params"]["Props"][0]
        return [round(v, 3) for v in params["channelVolumes"]], params["mute"]

    def turn(self, props):
        self.host.tool("pw-cli", "set-param", str(self.host.nodes()[PLAYS]["id"]), "Props", props)

    def expect_knob(self, volumes, mute):
        wait_until(f"the host's knob is {self.knob()}", lambda: self.knob() == (volumes, mute))

    def expect_element(self, name, values):
        wait_until(f"{name} is {self.element(name)}", lambda: self.element(name) == values)


def volume(name, build, host):
    """The guest's volume is the host's, and the other way round."""
    host.start()
    host.options = (*host.options, "--controls")
    with rig.playing(build, host, 7, 480) as guest:
        mixer = Mixer(guest)
        guest.until(1)
        mixer.expect_knob([1, 1], False)
        mixer.element(VOLUME, "-6dB")
        mixer.expect_knob([0.501, 0.501], False)
        mixer.turn("{ channelVolumes: [ 0.3, 0.1 ], mute: true }")
        mixer.expect_element(VOLUME, [99, 80])
        mixer.expect_element(SWITCH, [0])
        mixer.expect_knob([0.3, 0.1], True)
        mixer.element(SWITCH, "on")
        mixer.expect_knob([0.3, 0.1], False)
        guest.finish()


def volume_of_the_next(name, build, host):
    """A stream without elements is as the host has it, whatever it was before."""
    host.start()
    with rig.playing(build, host, 4, 480) as guest:
        mixer = Mixer(guest)
        guest.until(1)
        mixer.turn("{ channelVolumes: [ 0.5, 0.25 ] }")
        mixer.expect_knob([0.5, 0.25], False)
        guest.finish()


def configured(name, build, host):
    """
    What the options say of a stream is on its node, and PIPEWIRE_PROPS above that, as with
    every program of PipeWire.  That it has nothing to play to is told, once, and that it plays again.
    """
    host.start()
    host.options = ("--audio=pipewire", "--name=vm", f"--target={pipewire_host.PLUG}",
                    "--properties={ media.role = Movie node.dont-fallback = true }")
    host.env["PIPEWIRE_PROPS"] = "{ media.role = Game media.name = env }"
    with rig.playing(build, host, 6, 480) as guest:
        del host.env["PIPEWIRE_PROPS"]
        host.run(str(build / "vhost-user-snd"), f"--socket-path={host.folder / 'other'}",
                 "--audio=pipewire", "--properties={ media.role = ")
        wait_until("bad properties are not told of", lambda: host.told("bad properties: { media.role"))
        wait_until("it is not told that it is not heard",
                   lambda: host.told("; trying again\n"), 6)
        host.plug()
        wait_until("it does not run", lambda: host.told("PipeWire: stream 0 runs"), 6)
        seen = host.nodes()["vm.playback.0"]["info"]["props"]
        guest.finish()
    for key, value in (("application.name", "vm"), ("media.class", "Stream/Output/Audio"),
                       ("media.role", "Game"), ("media.name", "env"), ("node.dont-fallback", True),
                       ("target.object", pipewire_host.PLUG)):
        if seen.get(key) != value:
            raise rig.Fault(f"{key} is {seen.get(key)}")
    if host.told("; trying again\n") != 1:
        raise rig.Fault(f"it was told {host.told('; trying again')} times")


def cases(quick):
    yield "pipewire: options, environment and a target that is not there", configured
    yield "pipewire: a microphone that is allowed and denied while it is recorded", microphone
    yield "pipewire: the guest's mixer is the host's", volume
    if not quick:
        yield "pipewire: an output that is denied and allowed while it plays", output
        yield "pipewire: a guest without a mixer leaves the host's alone", volume_of_the_next
