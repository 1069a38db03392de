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

TUNNEL = """    { name = libpipewire-module-pipe-tunnel
        args = {
            tunnel.mode = sink
            pipe.filename = "@fifo@"
            audio.format = S16LE
            audio.rate = 48000
            audio.channels = 2
            audio.position = [ FL FR ]
            stream.props = { media.class = Audio/Sink node.name = @name@ }
        } }
"""


class Host(rig.Host):
    """A PipeWire server, which may come and go."""

    tools = ("pipewire", "wireplumber", "pw-metadata", "pw-cli", "pw-cat", "pw-dump")
    strip = ("PIPEWIRE_", "WIREPLUMBER_")
    options = ("--audio=pipewire", f"--target={SINK}")
    make_fifo = rig.Fifo
    sinks = (SINK,)

    def __init__(self, folder):
        super().__init__(folder)
        self.fifos = []
        self.server = None

    @property
    def fifo(self):
        return self.fifos[0]

    def with_fifos(self, config, make, *names):
        """Run a PipeWire with sinks of these names, each of which writes into a FIFO."""
        fifos, sinks = [], ""
        for name in names:
            path = self.folder / f"{name}.fifo"
            path.unlink(missing_ok=True)
            fifos.append(make(path))
            sinks += TUNNEL.replace("@fifo@", str(path)).replace("@name@", name)
        file = self.folder / f"{config}.conf"
        file.write_text((rig.HERE / f"{config}.conf.in").read_text().replace("@sinks@", sinks))
        return fifos, self.run("pipewire", "-c", str(file))

    def start(self, manager=True):
        self.started = time.monotonic()
        self.fifos, self.server = self.with_fifos("pipewire", self.make_fifo, *self.sinks)
        self.wait_for("pipewire", lambda: self.nodes().keys() >= set(self.sinks))
        if manager:
            self.manage()

    def manage(self):
        self.manager = self.run("wireplumber", *self.policy())
        time.sleep(0.3)

    def plug(self):
        """Another sink.  Its FIFO, and the process that is its plug."""
        (fifo,), process = self.with_fifos("plug", rig.Fifo, PLUG)
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
        return self.kill_all()[0]

    def kill_all(self):
        """... at each of its sinks."""
        self.end_processes()
        for name in ("pipewire-0", "pipewire-0.lock"):
            (self.runtime / name).unlink(missing_ok=True)
        return [fifo.close() for fifo in self.fifos]

    def close(self):
        if self.processes:
            self.kill_all()
        super().close()
