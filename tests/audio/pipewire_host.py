"""A PipeWire server with a session manager and a sink that writes into a FIFO.

It runs without D-Bus and without devices; the sink writes all that it gets, as the
samples came in.
"""

import json
import time

import rig

SINK = "vsnd-test-sink"
MIC = "vsnd-test-mic"
PLUG = "vsnd-test-plug"


class Host(rig.Host):
    """A PipeWire server, which may come and go."""

    tools = ("pipewire", "wireplumber", "pw-metadata", "pw-cli", "pw-cat", "pw-dump")
    strip = ("PIPEWIRE_", "WIREPLUMBER_")
    options = ("--audio=pipewire", f"--target={SINK}")
    make_fifo = rig.Fifo

    def __init__(self, folder):
        super().__init__(folder)
        self.fifo = None
        self.server = None

    def with_fifo(self, config, make):
        """Run a PipeWire whose configuration names a FIFO."""
        path = self.folder / f"{config}.fifo"
        path.unlink(missing_ok=True)
        fifo = make(path)
        file = self.folder / f"{config}.conf"
        file.write_text((rig.HERE / f"{config}.conf.in").read_text().replace("@fifo@", str(path)))
        return fifo, self.run("pipewire", "-c", str(file))

    def start(self, manager=True):
        self.started = time.monotonic()
        self.fifo, self.server = self.with_fifo("pipewire", self.make_fifo)
        self.wait_for("pipewire", lambda: SINK in self.tool("pw-cli", "ls", "Node"))
        if manager:
            self.manage()

    def manage(self):
        self.manager = self.run("wireplumber", *self.policy())
        time.sleep(0.3)

    def plug(self):
        """Another sink.  Its FIFO, and the process that is its plug."""
        fifo, process = self.with_fifo("plug", rig.Fifo)
        self.wait_for("the plug", lambda: PLUG in self.nodes())
        return fifo, process

    def unplug(self, process):
        rig.end(process)
        self.processes.remove(process)

    def default_sink(self, node):
        self.tool("pw-metadata", "0", "default.audio.sink", json.dumps({"name": node}),
                  "Spa:String:JSON")

    def policy(self):
        """What makes WirePlumber link streams, and nothing else: a profile since 0.5."""
        if "--profile" in self.tool("wireplumber", "--help"):
            return "--profile", "policy"
        return "-c", "policy.conf"

    def quantum(self, frames):
        self.tool("pw-metadata", "-n", "settings", "0", "clock.force-quantum", str(frames))

    def nodes(self):
        """What the server has, by name."""
        # pw-dump prints another list when something changes while it looks.
        found = json.loads("[" + self.tool("pw-dump").replace("\n]\n[\n", "\n],\n[\n") + "]")
        return {o["info"]["props"].get("node.name"): o for objects in found for o in objects
                if o.get("type", "").endswith("Node") and o.get("info")}

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
