"""The daemon, a guest that plays through it, and the files that come out: what every guest test stands on."""

import re
import shlex
import signal
import subprocess
import tempfile
from pathlib import Path

import compare
import wavs
from guest import Guest, GuestError, accelerator
from procs import Child, wait_until

ROOT = Path(__file__).resolve().parents[2]
DAEMON = ("{build}/vhost-user-snd --socket-path={socket} --control-path={control} --audio=file --file-out={out} "
          "--file-in={source} --streams={streams}")
MODULE = "virtio_snd pcm_period_ms_min=1"
LISTEN_LIMIT_S = 5
COMMAND_LIMIT_S = 10
QUIET_S = 0.4  # files that have not grown for so long are complete: a daemon may write now and then
QUIET_LIMIT_S = 5
KILLED = 128 + signal.SIGKILL


class Failed(Exception):
    """A test's verdict; the text is the reason."""


class OutFiles:
    """The daemon's files, and how much of each has been seen."""

    def __init__(self, directory):
        self.directory = directory
        self._seen = {}
        self._settled = {}

    def mark(self):
        """What is there now is old."""
        self._settle()
        self._seen = {path: self._seen.get(path, 0) + len(data)
                      for path, (_, data) in self._read().items()}

    def fresh(self):
        """{path: (format, samples)} that came since the mark."""
        self._settle()
        return {path: found for path, found in self._read().items() if found[1]}

    def _read(self):
        return {path: wavs.read(path, self._seen.get(path, 0))
                for path, size in self._sizes().items() if size > 0}

    def _sizes(self):
        return {p: p.stat().st_size for p in sorted(self.directory.glob("*.wav"))}

    def _settle(self):
        """Wait until nothing grows; not again if nothing has grown since."""
        def quiet():
            before, self._settled = self._settled, self._sizes()
            return before == self._settled

        wait_until(quiet, QUIET_LIMIT_S, QUIET_S)


class Daemon:
    def __init__(self, template, work, **values):
        self.socket, self.control = work / "snd.sock", work / "control"
        words = [word.format(socket=self.socket, control=self.control, **values) for word in shlex.split(template)]
        self.child = Child(words, work / "daemon.log")
        if not wait_until(lambda: self.socket.exists() or not self.child.alive(), LISTEN_LIMIT_S) \
                or not self.child.alive():
            raise Failed(f"the daemon does not listen:\n{self.child.log_tail()}")

    def stop(self):
        """Its exit status; None when SIGTERM did not end it."""
        return self.child.stop()


class Rig:
    """A daemon and a guest.  Plays, and says what arrived."""

    def __init__(self, build, work, daemon=DAEMON, streams=2, out=None, module=MODULE, device=""):
        self.work = Path(work)
        self.build, self.device = build, device
        self.out = OutFiles(Path(out) if out else self.work / "out")
        self.out.directory.mkdir(parents=True, exist_ok=True)
        self.source = self.work / "source.wav"  # what the guest records, anew with each recording
        self.speak(wavs.Format(2, 1, 48000), b"\1\1")
        self.module = module
        self.guest = None
        self.daemon = Daemon(daemon, self.work, build=build, streams=streams,
                             out=self.out.directory / "%s.wav", source=self.source)
        self.boot()

    def boot(self):
        sound = ["-chardev", f"socket,id=vsnd,path={self.daemon.socket}",
                 "-device", f"vhost-user-snd-pci,chardev=vsnd,id=snd{self.device}"]
        accel = accelerator(self.work)
        self.accelerator = accel[1].split(",")[0].upper()
        self.guest = Guest(self.work, sound, accel)
        self.guest.wait_ready()
        self.probe()

    def probe(self):
        """Load the driver; learn the playback devices and whether they take mono."""
        self.guest.check(f"modprobe {self.module}")
        self.devices = subdevices(self.guest.check("aplay -l"))
        self.microphones = subdevices(self.guest.run("arecord -l").text)
        if not self.devices:
            raise GuestError("no playback device in the guest")
        self.limits = hw_limits(self.dump_hw_params())

    def dump_hw_params(self):
        """What the driver allows, from an attempt that it refuses: nothing is played."""
        return self.guest.run(f"aplay -D {self.devices[0]} --dump-hw-params -c 255 /dev/zero").text

    def host(self, *words):
        """vsndctl: what the host's user does to the daemon that runs."""
        done = subprocess.run([f"{self.build}/vsndctl", f"--control-path={self.daemon.control}", *words],
                              capture_output=True, text=True, timeout=COMMAND_LIMIT_S, check=False)
        if done.returncode != 0:
            raise Failed(f"vsndctl {' '.join(words)}: {done.stderr.strip()}")
        return done.stdout

    def close(self):
        """The daemon's exit status, after the guest is gone."""
        if self.guest:
            self.guest.close()
        return self.daemon.stop()

    # -- playing

    def put(self, name, fmt, data):
        """A WAV into the guest's memory, so that reading it disturbs nothing."""
        wavs.write(self.guest.share / name, fmt, data)
        self.guest.check(f"cp /mnt/{name} /tmp/{name}", limit_s=60)
        (self.guest.share / name).unlink()

    def forget(self, name):
        self.guest.check(f"rm /tmp/{name}")

    def aplay(self, name, fmt, options="", device=0):
        """The command; plughw only where the device does not take mono."""
        direct = self.limits["CHANNELS"][0] <= fmt.channels
        where = self.devices[device] if direct else f"plug{self.devices[device]}"
        return f"aplay -v -D {where} {options} /tmp/{name}"

    def arriving(self, fmt, data):
        """The format and content that the device gets for what is played."""
        if self.limits["CHANNELS"][0] <= fmt.channels:
            return fmt, data
        samples = [data[i:i + fmt.width] * 2 for i in range(0, len(data), fmt.width)]
        return wavs.Format(fmt.width, 2, fmt.rate), b"".join(samples)

    # -- recording

    def speak(self, fmt, data):
        """What the next recording is to get, from its first frame on."""
        fresh = self.source.with_suffix(".new")
        wavs.write(fresh, fmt, data)
        fresh.replace(self.source)

    def arecord(self, name, fmt, frames, options=""):
        if not self.microphones:
            raise Failed("no capture device in the guest")
        return (f"arecord -v -D {self.microphones[0]} -f S{8 * fmt.width}_LE -c {fmt.channels} -r {fmt.rate} "
                f"--samples={frames} {options} /tmp/{name}")

    def fetch(self, name):
        """(format, samples) of a recording, which is then gone from the guest."""
        self.guest.check(f"cp /tmp/{name} /mnt/{name} && rm /tmp/{name}", limit_s=60)
        path = self.guest.share / name
        found = wavs.read(path)
        path.unlink()
        return found

    def judge(self, fmt, data):
        """Compare what was played with what came since the mark, in whichever file is closest."""
        fmt, data = self.arriving(fmt, data)
        results = [compare.compare(data, received, fmt.frame)
                   for found, received in self.out.fresh().values() if found == fmt]
        if not results:
            raise Failed(f"nothing arrived as {fmt}, but {self.describe_fresh()}")
        return min(results, key=lambda r: (r.lost, r.doubled, r.altered))

    def describe_fresh(self):
        found = [f"{p.name}: {fmt}, {len(data) // fmt.frame} frames"
                 for p, (fmt, data) in self.out.fresh().items()]
        return "; ".join(found) or "nothing at all"


def subdevices(text):
    """hw names of every subdevice in the output of aplay -l or arecord -l."""
    names, card = [], None
    for line in text.splitlines():
        if m := re.match(r"card (\d+): .*, device (\d+):", line):
            card = f"hw:{m[1]},{m[2]}"
        elif m := re.match(r"\s+Subdevice #(\d+):", line):
            names.append(f"{card},{m[1]}")
    return names


def hw_limits(text):
    """{NAME: (least, most)} of aplay --dump-hw-params."""
    limits = {}
    for name, value in re.findall(r"^([A-Z_]+): *(.*)$", text, re.MULTILINE):
        numbers = [int(n) for n in re.findall(r"\d+", value)]
        if numbers:
            limits[name] = (numbers[0], numbers[-1])
    if "PERIOD_SIZE" not in limits:
        raise GuestError(f"no hw params in the guest: {text.strip()}")
    return limits


def work_directory():
    """Short, as socket paths have to be."""
    return Path(tempfile.mkdtemp(prefix="vsnd-guest-"))
