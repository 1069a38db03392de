"""A PulseAudio server with a null sink, whose monitor is recorded into a FIFO.

It runs without D-Bus and without devices; the sink has the rate and the format of
what is played, so the monitor has the samples as they came in.
"""

import time

import alsa_host
import rig

SINK = "vsnd-test-sink"
SOURCE = "vsnd-test-source"


class Host(rig.Host):
    """A PulseAudio server, which may come and go."""

    tools = ("pulseaudio", "pactl", "parec")
    strip = ("PULSE_",)
    options = ("--audio=pulse", f"--target={SINK}")
    make_fifo = rig.Fifo
    listen_ms = 50          # a sink's cycle is not longer than half of it

    def __init__(self, folder):
        super().__init__(folder)
        self.fifo = self.card = None
        self.env["PULSE_RUNTIME_PATH"] = str(self.runtime / "pulse")

    def start_server(self):
        self.started = time.monotonic()
        self.server = self.run(
            "pulseaudio", "-n", "--daemonize=no", "--exit-idle-time=-1", "--use-pid-file=no",
            "--log-level=info", "-L", "module-native-protocol-unix auth-anonymous=1")
        self.wait_for("pulseaudio", lambda: self.tool("pactl", "info"))

    def add_sink(self, name, *options):
        return self.tool("pactl", "load-module", "module-null-sink", f"sink_name={name}",
                         f"rate={rig.RATE}", "format=s16le", "channels=2", "norewinds=1",
                         *options).strip()

    def listen(self, name):
        """Record what @name plays."""
        path = self.folder / name
        path.unlink(missing_ok=True)
        fifo = self.make_fifo(path)
        with open(path, "wb") as out:
            self.processes.append(self.spawn(
                "parec", "--raw", f"--device={name}.monitor", f"--rate={rig.RATE}",
                "--format=s16le", "--channels=2", f"--latency-msec={self.listen_ms}", stdout=out))
        return fifo

    def start(self):
        self.start_server()
        self.sink = self.add_sink(SINK)
        self.fifo = self.listen(SINK)
        self.wait_for("parec", lambda: self.tool("pactl", "list", "short", "source-outputs"))

    def start_card(self, cycle):
        """
        A card whose cycles nobody can shorten, instead of the null sink: of @cycle frames, four
        of which it has.  What it has played is in its own file, what it records too.
        """
        self.card = self.folder / "card"
        self.card.mkdir()
        config = self.folder / "asound.conf"
        config.write_text(alsa_host.card(self.build, self.card, cycle))
        self.env["ALSA_CONFIG_PATH"] = str(config)
        (self.card / "source").write_bytes(rig.source(20).data)
        self.start_server()
        for what, name in (("sink", SINK), ("source", SOURCE)):
            self.tool("pactl", "load-module", f"module-alsa-{what}", "device=card", "control=none",
                      f"{what}_name={name}", f"rate={rig.RATE}", "format=s16le", "channels=2",
                      "tsched=0", "fragments=4", f"fragment_size={cycle * rig.FRAME}")

    def played(self, size):
        """What the card has played when the server ends, which it does when there may be @size bytes."""
        limit = time.monotonic() + 3
        while time.monotonic() < limit and len((self.card / "played").read_bytes().strip(b"\0")) < size:
            time.sleep(0.1)
        self.end_processes()
        return (self.card / "played").read_bytes()

    def kill(self):
        """What was heard of the server that ends here."""
        self.end_processes()
        return self.fifo.close()

    def close(self):
        if self.processes:
            self.end_processes()
        super().close()
