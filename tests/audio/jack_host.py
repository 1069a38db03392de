"""A JACK server without a device, and a client that hears what is played or is recorded.

The server is synchronous: a cycle is over when every client has had it, so a busy
machine makes cycles late but does not take them from a client.
"""

import os
import pathlib
import subprocess
import time

import rig


class Host(rig.Host):
    """A JACK server, which may come and go."""

    tools = ("jackd", "jack_lsp", "jack_bufsize", "jack_disconnect", "jack_metro")
    strip = ("JACK_",)
    options = ("--audio=jack", "--target=tap", "--target-in=tap", "--capture=on")
    make_fifo = rig.Fifo

    def __init__(self, folder):
        super().__init__(folder)
        self.name = f"vsnd-test-{os.getpid()}-{self.folder.name[-8:]}"
        self.env["JACK_DEFAULT_SERVER"] = self.name
        self.env["JACK_NO_AUDIO_RESERVATION"] = "1"
        self.server = self.tap = self.fifo = None
        self.cycle, self.what = 256, "hear"     # what: as of jack_tap

    def start(self):
        self.start_server()
        self.start_tap()

    def start_tap(self):
        if self.what == "count":
            self.tap = self.spawn_tap("count")
        else:
            self.fifo, self.tap = self.listen("tap")

    def listen(self, name):
        """What the client @name hears, and the client."""
        path = self.folder / f"{name}.fifo"
        path.unlink(missing_ok=True)
        return self.make_fifo(path), self.spawn_tap(self.what, str(path), name)

    def spawn_tap(self, *words):
        tap = self.spawn(str(self.build / "tests/audio/jack_tap"), *words, stdout=subprocess.PIPE,
                         text=True)
        if tap.stdout.readline() != "ready\n":
            rig.end(tap)
            raise rig.Fault("the tap did not start")
        return tap

    def start_server(self):
        self.started = time.monotonic()
        self.server = self.run("jackd", "-S", "-r", "-t", "5000", "-d", "dummy", "-r", str(rig.RATE),
                               "-p", str(self.cycle))
        self.wait_for("jackd", lambda: "system:" in self.tool("jack_lsp"))

    def end_tap(self):
        """Cycles that the tap missed: nothing can be said of what was in them."""
        tap, self.tap = self.tap, None
        return self.missed(tap)

    @staticmethod
    def missed(tap):
        tap.terminate()
        try:
            last = tap.communicate(timeout=10)[0].split()
        except subprocess.TimeoutExpired:
            rig.end(tap)
            raise rig.Fault("the tap does not end") from None
        return int(last[-1]) if last else 0

    def kill(self, strict=False):
        """What was heard of the server that ends here.  @strict: all that was played."""
        if strict:
            self.check_tap()
        self.end_processes()
        if self.tap:
            self.end_tap()
        return self.fifo.close() if self.fifo else b""

    def check_tap(self):
        missed = self.end_tap()
        if missed:
            raise rig.Fault(f"the machine was too busy: the tap missed {missed} cycles")

    def tidy(self):
        """A server that was killed has kept one of the machine's eight places, until it is back."""
        self.start_server()
        self.server.terminate()
        self.server.wait(10)
        for path in pathlib.Path("/dev/shm").glob(f"jack_sem.*_{self.name}_*"):
            path.unlink()   # of clients that did not close

    def close(self):
        if self.processes or self.tap:
            self.kill()
        if self.server:
            self.tidy()
        super().close()
