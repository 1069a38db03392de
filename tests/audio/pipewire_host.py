"""A PipeWire server with a session manager and a sink that writes into a FIFO.

It runs without D-Bus and without devices; the sink writes all that it gets, as the
samples came in.
"""

import time

import rig

SINK = "vsnd-test-sink"


class Host(rig.Host):
    """A PipeWire server, which may come and go."""

    tools = ("pipewire", "wireplumber", "pw-metadata", "pw-cli")
    strip = ("PIPEWIRE_", "WIREPLUMBER_")
    options = ("--audio=pipewire", f"--target={SINK}")

    def __init__(self, folder):
        super().__init__(folder)
        self.fifo = None

    def start(self):
        path = self.folder / "fifo"
        path.unlink(missing_ok=True)
        self.fifo = rig.Fifo(path)
        config = self.folder / "pipewire.conf"
        config.write_text((rig.HERE / "pipewire.conf.in").read_text().replace("@fifo@", str(path)))
        self.started = time.monotonic()
        self.server = self.run("pipewire", "-c", str(config))
        self.wait_for("pipewire", lambda: SINK in self.tool("pw-cli", "ls", "Node"))
        self.manager = self.run("wireplumber", "-c", "policy.conf")
        time.sleep(0.3)

    def quantum(self, frames):
        self.tool("pw-metadata", "-n", "settings", "0", "clock.force-quantum", str(frames))

    def kill(self):
        """What was heard of the server that ends here."""
        self.end_processes()
        for name in ("pipewire-0", "pipewire-0.lock"):
            (self.runtime / name).unlink(missing_ok=True)
        return self.fifo.close()

    def close(self):
        if self.processes:
            self.kill()
        super().close()
