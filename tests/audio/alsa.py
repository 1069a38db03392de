#!/usr/bin/env python3
"""Play to and record from vhost-user-snd through ALSA; what comes out must be what went in.

usage: tests/audio/alsa.py --build=DIR [-k WORD] [--quick] [--full] [--jobs=N] [--keep]

There is a sound card without hardware (pcm_vsnd_test.c) that keeps all that it played
and has accidents when told to, and there are ALSA's own pcms without a clock.  What
a device drops is told by it, and is all that may be lost.  How samples are compared
and what is printed: rig.py.
"""

import json
import os
import random
import sys
import time

sys.dont_write_bytecode = True
import rig
from alsa_host import Host

import formats
import wav


def play(name, build, host, *, period, buffer=None, seconds=10, pcm="card", options=()):
    """What the card played is what the guest sent."""
    host.use(pcm)
    host.start()
    with rig.playing(build, host, seconds, period, buffer, *options) as guest:
        report = guest.finish()
    heard = host.played()
    rig.tell(name, f"gap ms {report['gap_ms']}, latency bytes {report['latency_bytes']}, "
             f"{host.count('xrun')} xruns")
    rig.check_exact(name, guest, heard)
    return report


def raw_words(sample, path, count=2):
    return ("--raw", f"--format={sample}", f"--rate={rig.RATE}", f"--channels={count}", "play",
            str(path))


class Raw(rig.Guest):
    """A guest that plays random frames of a format."""

    sample = "S16"
    count = 2

    def order(self, host):
        frame = formats.width(self.sample) * self.count
        data = random.Random(1).randbytes(rig.RATE * self.seconds * frame)
        self.sent = wav.Wav(self.sample, rig.RATE, self.count, data, silent=bytes(frame))
        path = host.folder / "source.raw"
        path.write_bytes(data)
        return raw_words(self.sample, path, self.count)


def raw(**members):
    return type("Raw", (Raw,), members)


def play_format(name, build, host, *, sample):
    """Bit by bit, where silence is zeros."""
    host.start()
    host.options.append(f"--formats={sample}")
    with rig.playing(build, host, 2, 480, make=raw(sample=sample)) as guest:
        guest.finish()
    rig.check_exact(name, guest, host.played())


ALSA_NAMES = {
    "MU_LAW": "MU_LAW", "A_LAW": "A_LAW", "S8": "S8", "U8": "U8", "S16": "S16_LE",
    "U16": "U16_LE", "S18_3": "S18_3LE", "U18_3": "U18_3LE", "S20_3": "S20_3LE",
    "U20_3": "U20_3LE", "S24_3": "S24_3LE", "U24_3": "U24_3LE", "S20": "S20_LE",
    "U20": "U20_LE", "S24": "S24_LE", "U24": "U24_LE", "S32": "S32_LE", "U32": "U32_LE",
    "FLOAT": "FLOAT_LE", "FLOAT64": "FLOAT64_LE", "DSD_U8": "DSD_U8", "DSD_U16": "DSD_U16_LE",
    "DSD_U32": "DSD_U32_LE", "IEC958_SUBFRAME": "IEC958_SUBFRAME_LE",
}


def all_formats(name, build, host):
    """Each reaches the card as what it is, frame by frame, after silence of its own."""
    host.start()
    host.options.append("--formats=all")
    with rig.playing(build, host, 1, 480, make=Raw) as guest:
        guest.finish()
        for sample, wanted in ALSA_NAMES.items():
            frame = formats.width(sample) * 2
            data = random.Random(2).randbytes(4800 * frame)
            (host.folder / "source.raw").write_bytes(data)
            before = len(host.played())
            probe = host.spawn(str(build / "vsnd-probe"),
                               f"--socket-path={host.folder / 'snd.sock'}", "--period=480",
                               "--buffer=1920", *raw_words(sample, host.folder / "source.raw"),
                               stdout=host.log)
            if probe.wait(10) != 0:
                raise rig.Fault(f"{sample}: the guest saw an error")
            limit = time.monotonic() + 3
            while host.events()[-1][0] != "close" and time.monotonic() < limit:
                time.sleep(0.02)
            params = [rest for event, rest in host.events() if event == "params"][-1]
            heard = host.played()[before:]
            at = heard.find(data)
            if not params.startswith(wanted + " "):
                raise rig.Fault(f"{sample} became {params}")
            silent = formats.silence(sample) * 2
            if at < 0 or heard[:at] != silent * (at // len(silent)):
                raise rig.Fault(f"{sample}: other frames than were sent")


def refused(name, build, host):
    """A card that has no such format: the guest plays on, and the log says what would help."""
    host.use("cd")
    host.start()
    host.options.append("--formats=S32")
    with rig.playing(build, host, 3, 480, make=raw(sample="S32")) as guest:
        guest.until(1.5)
        check_connected(guest, False, "it refuses")
        report = guest.finish()
        check_connected(guest, True, "released")
    lines = host.log_lines("refuses the format of S32, 2 channels, 48000 Hz")
    if len(lines) != 1 or "plug:cd" not in lines[0]:
        raise rig.Fault(f"the log says {lines}")
    if host.played():
        raise rig.Fault("something was played")
    rig.tell(name, lines[0])
    rig.tell(name, f"gap ms {report['gap_ms']}")


def converted(name, build, host):
    """The same through a `plug`: the upper 16 bits are heard."""
    host.use("plugged")
    host.start()
    host.options.append("--formats=S32")
    with rig.playing(build, host, 2, 480, make=raw(sample="S32")) as guest:
        guest.finish()
    sent = guest.sent.data
    upper = b"".join(sent[at + 2:at + 4] for at in range(0, len(sent), 4))
    kept, _ = rig.without_silence(host.played())
    if kept != upper:
        raise rig.Fault("what was heard is not what was sent")


def accident(name, build, host, *, command, count=3, seconds=6, longest_ms=500, pcm="card"):
    """Something happens to the card, which may lose what it says it dropped, and nothing else."""
    host.use(pcm)
    host.start()
    with rig.playing(build, host, seconds, 480) as guest:
        for number in range(count):
            guest.until(1 + number * (seconds - 2) / count)
            host.command(command)
        report = guest.finish()
    kept, gaps = rig.without_silence(host.played())
    faults = list(rig.differences(guest.sent.data, kept))
    lost = sum(n for _, n in faults)
    rig.tell(name, f"silences of {gaps} frames; lost {faults}, dropped by the card "
             f"{host.dropped()}; gap ms {report['gap_ms']}")
    if any(n < 0 for _, n in faults):
        raise rig.Fault("heard twice: " + str(faults))
    if report["gap_ms"]["max"] > longest_ms:
        raise rig.Fault("the guest's clock stood still")
    return lost, host.dropped()


def runs_dry(name, build, host):
    lost, _ = accident(name, build, host, command="xrun")
    if lost or host.count("xrun") < 3:
        raise rig.Fault(f"lost {lost} frames in {host.count('xrun')} xruns")


def takes_half(name, build, host, pcm):
    lost, _ = accident(name, build, host, command="short", pcm=pcm)
    if lost or host.count("short") < 3:
        raise rig.Fault(f"lost {lost} frames at {host.count('short')} short writes")


def wakes_up(name, build, host):
    """Suspended for shorter than the voice is patient, and resumed: nothing is lost."""
    lost, dropped = accident(name, build, host, command="suspend 40")
    if lost or dropped or host.count("resumed") < 3:
        raise rig.Fault(f"lost {lost} frames, {host.count('resumed')} times resumed")


def sleeps(name, build, host):
    """Suspended, and cannot be resumed: what its buffer had is lost."""
    lost, dropped = accident(name, build, host, command="sleep")
    if host.count("suspended") < 3 or not lost <= dropped:
        raise rig.Fault(f"lost {lost} frames, of which the card dropped {dropped}")


def stands_still(name, build, host, command):
    """For a second: the guest goes on meanwhile, and only that is lost."""
    lost, _ = accident(name, build, host, command=command, count=1, seconds=5)
    if lost > 1.3 * rig.RATE:
        raise rig.Fault(f"lost {lost} frames")


def check_return(name, guest, host, first, since_frame):
    heard = host.played()[first:]
    at = rig.check_tail(guest, heard, since_frame)
    rig.tell(name, f"heard again from frame {at}")


def check_connected(guest, wanted, when):
    """What `vsndctl status` says of the card."""
    connected = guest.control("status")["audio"]["connected"]
    if connected != wanted:
        raise rig.Fault(f"{when}: connected is {connected}")


def unplugged(name, build, host):
    host.start()
    with rig.playing(build, host, 6, 480) as guest:
        guest.until(1.5)
        check_connected(guest, True, "while it plays")
        host.command("gone")
        guest.until(3)
        check_connected(guest, False, "unplugged")
        before = len(host.played())
        host.command("back")
        waited = host.wait_for_sound(before)
        check_connected(guest, True, "back")
        report = guest.finish()
    kept, _ = rig.without_silence(host.played()[:before])
    if len(kept) < rig.RATE * rig.FRAME or not guest.sent.data.startswith(kept):
        raise rig.Fault("what was heard before is not what was sent")
    rig.tell(name, f"{waited:.2f} s until it was heard again, gap ms {report['gap_ms']}")
    if report["gap_ms"]["max"] > 500:
        raise rig.Fault("the guest's clock stood still")
    check_return(name, guest, host, before, 5.3 * rig.RATE)
    if len(host.log_lines("is gone")) != 1:
        raise rig.Fault(f"the log says {host.log_lines('is gone')}")


def absent(name, build, host):
    """No card, and not even a configuration of ALSA that names one, when the guest starts."""
    with rig.playing(build, host, 6, 480) as guest:
        guest.until(1.5)
        check_connected(guest, False, "no card")
        host.start()
        waited = host.wait_for_sound()
        check_connected(guest, True, "there is one")
        report = guest.finish()
    rig.tell(name, f"{waited:.2f} s until it was heard, gap ms {report['gap_ms']}")
    check_return(name, guest, host, 0, 4.5 * rig.RATE)


def pause(name, build, host):
    """STOP, until the card rests, and START."""
    play(name, build, host, period=480, seconds=3, options=("--pause-at=48000", "--pause-ms=700"))


def release(name, build, host):
    play(name, build, host, period=960, buffer=9600, seconds=2, options=("--release-early",))


def again(name, build, host):
    """RELEASE and PREPARE at once, while the card still plays what came before."""
    host.start()
    with rig.playing(build, host, 1, 480, None, "--repeat=4") as guest:
        guest.seconds = 5
        guest.finish()
    guest.sent = wav.Wav("S16", rig.RATE, 2, guest.sent.data * 4)
    kept, _ = rig.without_silence(host.played())
    if kept != guest.sent.data:
        raise rig.Fault(f"{len(kept) // rig.FRAME} of {guest.sent.frames} frames, or others")


def without_clock(name, build, host, pcm):
    """It takes all at once, and would for ever: the guest plays at its own rate."""
    host.use(pcm)
    host.start()
    with rig.playing(build, host, 5, 480) as guest:
        report = guest.finish()
    off_ms = report["real_ms"] - report["ideal_ms"]
    rig.tell(name, f"{off_ms:+.1f} ms in 5 s, gap ms {report['gap_ms']}")
    if not -30 < off_ms < 100:
        raise rig.Fault("not at the guest's rate")
    if pcm == "file":
        rig.check_exact(name, guest, (host.folder / "out").read_bytes())


def blocked_fifo(name, build, host):
    """Nobody reads: opening blocks, then writing does.  Neither the guest nor the end waits."""
    host.use("fifo")
    host.start()
    os.mkfifo(host.folder / "fifo")
    with rig.playing(build, host, 6, 480) as guest:
        guest.until(2.5)
        check_connected(guest, False, "it is being opened")
        fd = os.open(host.folder / "fifo", os.O_RDONLY | os.O_NONBLOCK)
        os.set_blocking(fd, True)
        heard = b""
        while len(heard) < rig.RATE * rig.FRAME:
            heard += os.read(fd, 4096)
        check_connected(guest, True, "it is read")
        # It reads no more, and the FIFO is full at once.
        report = guest.finish()
        begin = time.monotonic()
    rig.tell(name, f"gap ms {report['gap_ms']}, the daemon ended in {time.monotonic() - begin:.2f} s")
    os.close(fd)
    kept, _ = rig.without_silence(heard)
    at = guest.sent.data.find(kept[:8 * rig.FRAME])
    if at < 0 or guest.sent.data[at:at + len(kept)] != kept:
        raise rig.Fault("what came out of the FIFO is not what was sent")
    # The first second is waited for the device, as for any.
    if report["gap_ms"]["max"] > 1300:
        raise rig.Fault("the guest's clock stood still")


class Recorder(rig.Guest):
    """A daemon, and a driver that records."""

    def order(self, host):
        self.path = host.folder / "recorded.wav"
        self.sent = rig.source(self.seconds + 5)
        (host.card / "source").write_bytes(self.sent.data)
        return f"--seconds={self.seconds}", "record", str(self.path)

    def heard(self):
        return wav.read(self.path).data


def record(name, build, host, *, period, seconds=10, pcm="card"):
    host.use("card", pcm)
    host.start()
    with rig.playing(build, host, seconds, period, make=Recorder) as guest:
        report = guest.finish()
        if host.events()[-1][0] != "close":
            raise rig.Fault("the card is still open")
    data = guest.heard()
    kept, gaps = rig.without_silence(data)
    rig.tell(name, f"gap ms {report['gap_ms']}, latency bytes {report['latency_bytes']}, "
             f"{(len(data) - len(kept)) // rig.FRAME} frames of silence, {host.count('xrun')} xruns")
    if gaps or len(data) != seconds * rig.RATE * rig.FRAME:
        raise rig.Fault(f"{len(data) // rig.FRAME} frames, silences {gaps}")
    if not guest.sent.data.startswith(kept) or len(kept) < (seconds - 1) * rig.RATE * rig.FRAME:
        raise rig.Fault(f"lost or doubled: {list(rig.differences(guest.sent.data, kept))[:4]}")


def record_denied(name, build, host):
    host.use("card", "card")
    host.options.remove("--capture=on")
    host.start()
    with rig.playing(build, host, 2, 480, make=Recorder) as guest:
        guest.finish()
    if guest.heard().strip(b"\0") or host.events():
        raise rig.Fault(f"the card was used: {host.events()[:3]}")


def record_accident(name, build, host, command, back=None):
    """In the middle; before and after it, what is recorded is what the card had."""
    host.use("card", "card")
    host.start()
    with rig.playing(build, host, 5, 480, make=Recorder) as guest:
        guest.until(1.5)
        host.command(command)
        if back:
            guest.until(2.5)
            host.command(back)
        report = guest.finish()
    kept, gaps = rig.without_silence(guest.heard())
    # The card begins anew when it is opened again, and so does what it records.
    opened = host.count("open") - 1
    again = guest.sent.data[:8 * rig.FRAME]
    at = kept.find(again, 8 * rig.FRAME)
    parts = [kept] if not opened else [kept[:at], kept[at:]]
    faults = [list(rig.differences(guest.sent.data, part)) for part in parts]
    # What is not recorded any more at the end of each is no loss.
    lost = sum(n for found in faults for _, n in found[:-1])
    rig.tell(name, f"silences {gaps}, lost {lost}, opened again {opened} times, gap ms "
             f"{report['gap_ms']}")
    if report["gap_ms"]["max"] > 500 or lost > rig.RATE:
        raise rig.Fault("the guest's clock stood still, or too much was lost")
    if any(n < 0 for found in faults for _, n in found):
        raise rig.Fault(f"doubled: {faults}")
    if len(kept) < 3 * rig.RATE * rig.FRAME:
        raise rig.Fault("it did not come back")


def auto(name, build, host):
    """`auto` takes ALSA when there is no server, and its default pcm can be opened."""
    host.start()
    host.options = ["--audio=auto"]
    host.env["PIPEWIRE_REMOTE"] = host.env["PULSE_SERVER"] = "/nonexistent"
    host.env["JACK_NO_START_SERVER"] = "1"
    with rig.playing(build, host, 2, 480) as guest:
        guest.finish()
    if not host.log_lines("--audio=auto: alsa"):
        raise rig.Fault("the daemon took something else")
    rig.check_exact(name, guest, host.played())


class Both(Recorder):
    """A guest that plays, too."""

    def order(self, host):
        path = host.folder / "source.wav"
        rig.source(self.seconds - 2).write(path)
        return f"--play={path}", *super().order(host)


def both(name, build, host):
    """Play and record at once: three threads that take turns."""
    host.use("card", "rw")
    host.start()
    with rig.playing(build, host, 6, 240, make=Both) as guest:
        guest.finish()
    kept, gaps = rig.without_silence(guest.heard())
    if gaps or not guest.sent.data.startswith(kept) or len(kept) < 5 * rig.RATE * rig.FRAME:
        raise rig.Fault(f"recorded {len(kept) // rig.FRAME} frames, silences {gaps}")
    guest.sent = rig.source(guest.seconds - 2)
    rig.check_exact(name, guest, host.played())


def channels(name, build, host):
    """Six channels, and where they are heard."""
    host.start()
    host.options.append("--channels=6")
    with rig.playing(build, host, 1, 480, make=raw(count=6)) as guest:
        guest.finish()
    rig.check_exact(name, guest, host.played())
    maps = [rest for event, rest in host.events() if event == "map"]
    if maps != ["FL FR RL RR FC LFE"]:
        raise rig.Fault(f"the card's map: {maps}")


def frozen(name, build, host):
    """It says that it runs, and does not move: it is opened again."""
    host.start()
    with rig.playing(build, host, 7, 480) as guest:
        guest.until(1)
        host.command("freeze")
        guest.until(2)
        before = len(host.played())
        host.command("none")
        waited = host.wait_for_sound(before)
        report = guest.finish()
    rig.tell(name, f"heard again {1 + waited:.2f} s later, gap ms {report['gap_ms']}")
    if report["gap_ms"]["max"] > 500:
        raise rig.Fault("the guest's clock stood still")
    check_return(name, guest, host, before, 6 * rig.RATE)


def costs(name, build, host):
    """What 200 periods of 10 ms cost the thread of a stream: as rtcheck.c counts."""
    library = build / "tests/rt/rtcheck.so"
    if not library.exists():
        rig.tell(name, "not counted in a build with a sanitizer")
        return
    out = host.folder / "counts.json"
    host.use("null")
    host.start()
    # The guest counts, too, but ends first.
    host.env |= {"LD_PRELOAD": str(library), "VSND_RTCHECK_OUT": str(out),
                 "VSND_RTCHECK_FROM": "1.5", "VSND_RTCHECK_UNTIL": "3.5"}
    with rig.playing(build, host, 4, 480) as guest:
        guest.finish()
    counts = {thread["name"]: thread for thread in json.loads(out.read_text())["threads"]}
    line, audio = counts["vsnd-alsa-0"], counts["vsnd-audio"]
    rig.tell(name, f"{line}")
    if line["alloc"] or line["free"] or line["log"] or line["sem_wait"] or line["cond"]:
        raise rig.Fault("it allocates, logs or waits")
    if line["eventfd_write"] > 205 or line["poll"] > 240 or audio["poll"] > 40:
        raise rig.Fault("more than one notification, or one wait, per period")
    if audio["mutex"]:
        raise rig.Fault("the audio thread locks")


def cases(quick):
    seconds = 60 if Host.full else 10
    for period in () if quick else (48, 120, 240, 480, 960):
        yield (f"alsa: periods of {period / 48:g} ms",
               lambda n, b, h, p=period: play(n, b, h, period=p, seconds=seconds))
    # Longer, and recorded at the same time: minute.py.
    yield "alsa: a card that cannot be mapped", lambda n, b, h: play(
        n, b, h, period=480, seconds=2, pcm="rw")
    yield "alsa: a card that jumps by 4096 frames, a buffer of 2 x 480", lambda n, b, h: play(
        n, b, h, period=480, buffer=960, seconds=3, pcm="jumps")
    for sample in ("S24_3", "S32", "FLOAT"):
        yield f"alsa: {sample}", lambda n, b, h, s=sample: play_format(n, b, h, sample=s)
    yield "alsa: a format that the card has not", refused
    yield "alsa: a converter before it", converted
    yield "alsa: the card runs dry", runs_dry
    yield "alsa: the card takes half", lambda n, b, h: takes_half(n, b, h, "card")
    yield "alsa: the card is suspended and resumed", wakes_up
    yield "alsa: the card is suspended and cannot be resumed", sleeps
    yield "alsa: the card is unplugged and comes back", unplugged
    yield "alsa: no card at the start", absent
    yield "alsa: STOP and START", pause
    yield "alsa: a RELEASE that does not wait", release
    yield "alsa: `file`, which has no clock", lambda n, b, h: without_clock(n, b, h, "file")
    yield "alsa: a FIFO that nobody reads", blocked_fifo
    yield "alsa: the card is unplugged while it records", lambda n, b, h: record_accident(
        n, b, h, "gone", "back")
    yield "alsa: a guest that may not record", record_denied
    yield "alsa: play and record at once", both
    yield "alsa: six channels", channels
    yield "alsa: what a period costs", costs
    yield "alsa: auto", auto
    if quick:
        return
    for period in (48, 120, 240, 480, 960):
        yield (f"alsa: record, periods of {period / 48:g} ms",
               lambda n, b, h, p=period: record(n, b, h, period=p, seconds=seconds))
    yield "alsa: record from a card that cannot be mapped", lambda n, b, h: record(
        n, b, h, period=480, seconds=5, pcm="rw")
    yield "alsa: record from a card that jumps", lambda n, b, h: record(
        n, b, h, period=480, seconds=5, pcm="jumps")
    yield "alsa: the card overflows while it records", lambda n, b, h: record_accident(
        n, b, h, "xrun")
    yield "alsa: the card takes half, not mapped", lambda n, b, h: takes_half(n, b, h, "rw")
    yield "alsa: the card is suspended for 1 s", lambda n, b, h: stands_still(
        n, b, h, "suspend 1000")
    yield "alsa: the card does not answer for 1 s", lambda n, b, h: stands_still(
        n, b, h, "stall 1000")
    yield "alsa: the card runs and does not move", frozen
    yield "alsa: `null`", lambda n, b, h: without_clock(n, b, h, "null")
    yield "alsa: RELEASE and PREPARE at once", again
    yield "alsa: every format", all_formats
    yield "alsa: a card whose clock is fast", lambda n, b, h: play(
        n, b, h, period=480, seconds=seconds, pcm="fast")


if __name__ == "__main__":
    sys.exit(rig.main(Host, cases))
