#!/usr/bin/env python3
"""The control socket of vhost-user-snd, and vsndctl.

usage: tests/daemon/control.py DAEMON PROBE VSNDCTL [-k WORD]

Prints `ok NAME` or `not ok NAME: reason` for each case.
"""

import argparse
import contextlib
import json
import os
import pathlib
import pty
import re
import resource
import signal
import socket
import stat
import struct
import subprocess
import sys
import threading
import time

sys.dont_write_bytecode = True
from rig import END_S, START_S, Daemon, Fault, connect, expect, judge

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "probe"))
import wav

CLIENTS_MAX = 8
LINE_MAX = 65536
PROBE = VSNDCTL = None


class Client:
    """A connection to the control socket."""

    def __init__(self, path):
        self.socket = connect(path)
        self.socket.settimeout(START_S)
        self.file = self.socket.makefile("rb")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.file.close()
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)

    def answer(self):
        line = self.file.readline()
        expect(line.endswith(b"\n"), f"hung up: {line!r}")
        return json.loads(line)

    def ask(self, command, **arguments):
        self.send(json.dumps({"id": 1, "command": command, **arguments}).encode() + b"\n")
        return self.answer()

    def do(self, command, **arguments):
        """Ask for what must be done."""
        answer = self.ask(command, **arguments)
        expect(answer["ok"], f"{command}: {answer}")
        return answer

    def refused(self, word, command, **arguments):
        answer = self.ask(command, **arguments)
        expect(not answer["ok"] and word in answer["error"], f"{command} {arguments}: {answer}")

    def at_end(self):
        with contextlib.suppress(ConnectionResetError):
            return self.file.read() == b""
        return True


@contextlib.contextmanager
def running(folder, *options, **popen):
    """A daemon with a control socket; (daemon, path of the socket)."""
    path = folder / "control"
    with Daemon(f"--socket-path={folder / 's'}", f"--control-path={path}", *options,
                **popen) as daemon:
        daemon.wait_ready(folder / "s").close()
        yield daemon, path


def mode_and_life(folder):
    """control: the socket has mode 0600 whatever the umask is, and goes with the daemon"""
    for mask in (0, 0o022, 0o777):
        with running(folder, preexec_fn=lambda mask=mask: os.umask(mask)) as (daemon, path):
            mode = stat.S_IMODE(path.stat().st_mode)
            expect(mode == 0o600, f"umask {mask:o}: mode {mode:o}")
            daemon.terminate()
        expect(not path.exists(), "the socket stayed behind")
    with Daemon(f"--socket-path={folder / 's'}") as daemon:
        daemon.wait_ready(folder / "s").close()
        expect([p.name for p in folder.iterdir()] == ["s"], "a socket that nobody asked for")
        daemon.terminate()


def paths(folder):
    """control: a stale socket is replaced, what is in use or no socket is not"""
    path = folder / "control"
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(str(path))
    with running(folder) as (daemon, _), Client(path) as client:
        client.do("status")
        second = ("--socket-path=" + str(folder / "s2"), f"--control-path={path}")
        with Daemon(*second) as other:
            status, _, err = other.end()
        expect(status == 1 and err.count("\n") == 1, f"in use: {status}, {err!r}")
        expect(not (folder / "s2").exists(), "the other's socket stayed")
        client.do("status")
        daemon.terminate()
    path.write_text("mine")
    with Daemon(*second) as other:
        status, _, err = other.end()
    expect(status == 1 and path.read_text() == "mine", f"a file: {status}, {err!r}")
    for bad in ("", "a" * 108):
        with Daemon(f"--socket-path={folder / 's'}", f"--control-path={bad}") as other:
            status, _, err = other.end()
        expect(status == 2 and err.count("\n") == 1, f"a bad path: {status}, {err!r}")


def folder_goes(folder):
    """control: the daemon goes on when the socket's folder has gone"""
    inner = folder / "inner"
    inner.mkdir()
    with Daemon(f"--socket-path={folder / 's'}", f"--control-path={inner / 'c'}") as daemon:
        daemon.wait_ready(folder / "s").close()
        with Client(inner / "c") as client:
            (inner / "c").unlink()
            inner.rmdir()
            client.do("status")
            daemon.wait_ready(folder / "s").close()
            daemon.terminate()


def bad_lines(folder):
    """control: garbage, half lines and huge lines are answered, and the connection goes on"""
    bad = (b"{\n", b"\xff\xfe\n", b"[]\n", b"7\n", b"{}\n", b'{"command": 7}\n',
           b'{"command": "sing"}\n', b'{"command": "status", "loud": 1}\n', b"\0\n",
           b'{"command": "status", "command": "status"}\n', b"[" * 3000 + b"\n",
           b"x" * (LINE_MAX + 1) + b"\n", b"y" * 1000000 + b"\n")
    with running(folder) as (_, path), Client(path) as client:
        for line in bad:
            client.send(line)
            answer = client.answer()
            expect(answer["ok"] is False and answer["error"], f"{line[:40]}: {answer}")
            client.do("status")
        for piece in (b'{"id": {"a": [1]}, "comm', b'and": ', b'"status"}', b"\r\n\n \n"):
            time.sleep(0.02)
            client.send(piece)
        answer = client.answer()
        expect(answer["ok"] and answer["id"] == {"a": [1]}, f"in pieces: {answer}")
        # As long as may be, to the byte.
        client.send(b'{"command": "status", "id": "' + b"z" * (LINE_MAX - 31) + b'"}\n')
        expect(len(client.answer()["id"]) == LINE_MAX - 31, "the longest line")
        client.send(b'{"command": "half a line')
        client.socket.shutdown(socket.SHUT_WR)
        expect(client.at_end(), "an answer to half a line")


def wrong_types(folder):
    """control: wrong types, names and ranges are refused, with the reason"""
    with running(folder, "--controls") as (_, path), Client(path) as client:
        before = client.do("status")
        expect(before["version"] and before["audio"] == {"backend": "null", "connected": True}
               and not before["front_end"]["live"], f"{before}")
        client.refused("streams", "allow")
        client.refused("no stream", "allow", streams="x")
        client.refused("no stream", "deny", streams=2)
        client.refused("no stream", "deny", streams=-1)
        client.refused("no stream", "deny", streams=1 << 62)
        client.refused("neither", "deny", streams=[0])
        client.refused("neither", "deny", streams=True)
        client.refused("unpacked", "mute", stream=0)
        client.refused("volume", "volume")
        for volume in ("loud", "-10", "", "10 dB", "nandB", "infdB", "0x1dB", None, [], True):
            client.refused("like", "volume", volume=volume)
        for volume in (25, -145, "25dB", "-145dB", "300%", "-1%", 1e300):
            client.refused("from", "volume", volume=volume)
        client.refused("jack", "jack")
        client.refused("no jack", "jack", jack="tape", connected=True)
        client.refused("no jack", "jack", jack=2, connected=True)
        client.refused("true or false", "jack", jack=0, connected=1)
        client.refused("no control", "control", control="Slave Volume")
        client.refused("2 values", "control", control=0, values=[])
        client.refused("2 values", "control", control=0, values=[1, 2, 3])
        client.refused("2 values", "control", control=0, values="1")
        for value in ("loud", "on", [1], None, 1e300, "", "1x", "--1"):
            client.refused("bad value", "control", control=0, values=[value])
        client.refused("bad value", "control", control=1, values=["-3dB"])
        for value in (121, -1, "121", "6dB", "-90dB", "101%"):
            client.refused("range", "control", control=0, values=[value])
        expect(client.do("status") == before, "something was changed")


def names(folder):
    """control: streams, jacks and elements by name, by number, and by what they are"""
    (folder / "vsnd.conf").write_text(
        "[device]\ncontrols = yes\n[stream front]\n[stream rear]\n[stream mic]\ndirection = input\n"
        "[jack phones]\ntype = headphone\n")

    def said(answer, key):
        return [stream["name"] for stream in answer["streams"] if stream[key]]

    with running(folder, f"--config={folder / 'vsnd.conf'}") as (_, path), \
            Client(path) as client:
        expect(said(client.do("mute", streams="rear"), "mute") == ["rear"], "by name")
        expect(said(client.do("mute", streams=2), "mute") == ["mic"], "by number")
        expect(said(client.do("unmute", streams="2"), "mute") == [], "by number as text")
        expect(said(client.do("mute"), "mute") == ["front", "rear"], "outputs by default")
        client.do("unmute", streams="all")
        client.do("deny", streams="input")
        expect(said(client.do("status"), "mute") == [], "unmute all")
        expect(said(client.do("status"), "allowed") == ["front", "rear"], "deny input")
        for volume, db in ((-10, -10), ("-10.5dB", -10.5), ("50%", -18.06), ("0%", -144),
                           ("100%", 0), (24, 24), (-0.004, 0)):
            client.do("volume", streams="rear", volume=volume)
            now = [stream["volume_db"] for stream in client.do("status")["streams"]]
            expect(now == [0, db, 0], f"volume {volume}: {now}")
        jack = client.do("jack", jack="phones", connected=False)["jack"]
        expect(jack == {"number": 0, "name": "phones", "connected": False}, f"{jack}")
        expect(client.do("jack", jack=0)["jack"] == jack, "a jack's state")
        for value, values in ((["-10dB"], [100, 100]), ([120, "50%"], [120, 60]), (["0"], [0, 0])):
            got = client.do("control", control="PCM Playback Volume,1", values=value)["control"]
            expect(got["values"] == values and got["number"] == 4, f"{value}: {got}")
        expect(got["db"] == [None, None], f"silence in dB: {got}")
        for value, word in ((False, "off"), (True, "on"), (0, "off")):
            for said_so in (value, word):
                got = client.do("control", control=1, values=[said_so])["control"]
                expect(got["values"] == [bool(value)], f"{said_so}: {got}")


def clients(folder):
    """control: eight clients at once, whatever others do; the ninth is told"""
    with running(folder) as (_, path), contextlib.ExitStack() as stack:
        many = [stack.enter_context(Client(path)) for _ in range(CLIENTS_MAX)]
        for at, client in enumerate(many):
            client.send(b'{"id": %d, "command": "stat' % at)
        for client in many:
            client.send(b'us"}\n')
        for at, client in enumerate(many):
            expect(client.answer()["id"] == at, "an answer went to somebody else")
        with Client(path) as late:
            expect("too many" in late.answer()["error"] and late.at_end(), "the ninth")
        many[3].__exit__()
        # Which of the two the daemon sees first is not said.
        end = time.monotonic() + START_S
        answer = {"ok": False}
        while not answer["ok"]:
            expect(time.monotonic() < end, "no room after one went")
            with Client(path) as again, contextlib.suppress(ConnectionError):
                answer = again.ask("status")


def slow_reader(folder):
    """control: who does not read is disconnected, others wait for nobody"""
    with running(folder, "--streams=32,32") as (_, path), Client(path) as other, \
            Client(path) as slow:
        sent = 0
        with contextlib.suppress(ConnectionError):
            while sent < 1000:
                slow.send(b'{"command": "status"}\n')
                sent += 1
                began = time.monotonic()
                if sent % 20 == 0:
                    other.do("commands")
                    expect(time.monotonic() - began < END_S, "another client waited")
        expect(sent < 1000, "the slow reader is still there")
        other.do("status")
        # Who goes without reading does no harm, and has said what he said.
        with Client(path) as gone:
            gone.send(b'{"command": "status"}\n' * 3 + b'{"command": "deny", "streams": 1}\n')
        end = time.monotonic() + START_S
        while other.do("status")["streams"][1]["allowed"]:
            expect(time.monotonic() < end, "the last command of a client that went")


def hooks_are_for_harnesses(folder):
    """control: hooks are there with --audio=test, and a harness that goes leaves them as they are"""
    with running(folder) as (_, path), Client(path) as client:
        names = client.do("commands")["commands"]
        expect(not any(name.startswith("test-") for name in names), f"hooks: {names}")
        expect(not client.ask("test-reset")["ok"], "test-reset without the back-end for tests")
    with running(folder, "--audio=test") as (_, path):
        with Client(path) as client:
            expect(not client.ask("test-advance", frames=1)["ok"], "a clock that is not ours")
            client.do("test-clock", clock="manual")
            before = client.do("test-counters")["now_ns"]
        with Client(path) as client:
            now = client.do("test-advance", frames=480, cycles=100)["now_ns"]
            expect(now - before == 1000000000, f"{now - before} ns of 48000 frames")
            expect(client.do("test-counters")["voices"] == 0, "voices without a guest")


def ends_at_once(folder):
    """control: SIGTERM ends the daemon at once with clients connected"""
    with running(folder) as (daemon, path), contextlib.ExitStack() as stack:
        many = [stack.enter_context(Client(path)) for _ in range(CLIENTS_MAX)]
        many[0].send(b'{"command": "half')
        many[1].send(b'{"command": "status"}\n')
        daemon.terminate()
        for client in many[2:]:
            expect(client.at_end(), "a client is still connected")


# A stream that runs.

RATE = 48000
LEVEL = 16000
RAMP_MOST = 60          # between two frames; a ramp of 10 ms has 34
SETTLED = 2000          # frames without a change


def source(frames):
    """Left is constant, so that a gain can be seen; right is noise, so that a frame can."""
    noise = struct.unpack(f"<{frames}h", wav.noise("S16", RATE, 1, frames).data)
    data = bytearray()
    for sample in noise:
        data += struct.pack("<hh", LEVEL, sample)
    return wav.Wav("S16", RATE, 2, bytes(data))


def wait_for(client, number, frames):
    """Until a stream of the guest's has come so far."""
    end = time.monotonic() + 30
    while True:
        stream = client.do("status")["streams"][number]
        if sum(stream[key] for key in ("frames", "discarded", "silence")) >= frames:
            return
        expect(time.monotonic() < end, f"the stream stands still at {stream}")
        time.sleep(0.01)


def plateaus(left):
    """Levels that last, in order, with where they are."""
    found, start = [], 0
    for at in range(1, len(left) + 1):
        if at == len(left) or left[at] != left[start]:
            if at - start >= SETTLED:
                found.append((left[start], start, at))
            start = at
    return found


def check_heard(sent, heard, levels):
    """No click, no frame too many or too few, and the gains exact in every plateau."""
    expect(heard.frames == sent.frames, f"{heard.frames} frames of {sent.frames}")
    left, right = (struct.unpack(f"<{heard.frames * 2}h", heard.data)[ch::2] for ch in (0, 1))
    noise = struct.unpack(f"<{sent.frames * 2}h", sent.data)[1::2]
    steps = max(abs(a - b) for a, b in zip(left, left[1:]))
    expect(steps <= RAMP_MOST, f"a step of {steps}")
    found = plateaus(left)
    expect([level for level, _, _ in found] == levels, f"levels {[p[0] for p in found]}")
    for level, begin, end in found:
        gain = {LEVEL: 1, 0: 0}.get(level, 10 ** (-10 / 20))
        for at in range(begin, end):
            if abs(right[at] - noise[at] * gain) > 0.51:
                raise Fault(f"frame {at}: {noise[at]} became {right[at]} at gain {gain:.4f}")


def attempt_running_stream(folder):
    """The stream's counters, and what was sent and heard."""
    sent = source(3 * RATE)
    sent.write(folder / "in.wav")
    with running(folder, "--audio=file", f"--file-out={folder / 'out.wav'}") as (daemon, path):
        with Client(path) as client, subprocess.Popen(
                [PROBE, f"--socket-path={folder / 's'}", "--period=480", "--buffer=4800", "play",
                 folder / "in.wav"], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as probe:
            for at, command, arguments in (
                    (15000, "volume", {"volume": "-10dB", "streams": 0}), (35000, "mute", {}),
                    (55000, "unmute", {"streams": "output"}), (75000, "deny", {"streams": "all"}),
                    (95000, "allow", {"streams": 0}), (115000, "volume", {"volume": "100%"})):
                wait_for(client, 0, at)
                state = client.do(command, **arguments)["streams"][0]
                expect(state["state"] == "running" and state["rate"] == RATE
                       and state["period_frames"] == 480, f"{state}")
            _, err = probe.communicate(timeout=30)
            expect(probe.returncode == 0, f"vsnd-probe: {err.decode()}")
            stream = client.do("status")["streams"][0]
        daemon.terminate()
    return stream, sent, wav.read(folder / "out.wav")


def running_stream(folder):
    """control: volume, mute and permission act on a running stream, without a click or a lost frame"""
    for _ in range(3):
        stream, sent, heard = attempt_running_stream(folder)
        if stream["xruns"] == 0:
            break
    expect(stream["xruns"] == 0, "the machine is too busy: xruns in three attempts")
    expect(stream["frames"] + stream["discarded"] == sent.frames, f"the counters are {stream}")
    expect(stream["messages"] == sent.frames // 480 and stream["errors"] == 0, f"{stream}")
    expect(15000 < stream["discarded"] < 30000, f"denied for {stream['discarded']} frames")
    check_heard(sent, heard, [LEVEL, 5060, 0, 5060, 0, 5060, LEVEL])


def running_input(folder):
    """control: a denied input records silence, faded, and goes on when it is allowed"""
    source(4 * RATE).write(folder / "in.wav")
    with running(folder, "--audio=file", f"--file-in={folder / 'in.wav'}") as (_, path), \
            Client(path) as client, subprocess.Popen(
                [PROBE, f"--socket-path={folder / 's'}", "--period=480", "--buffer=9600",
                 "--seconds=2", "record", folder / "out.wav"], stdout=subprocess.DEVNULL) as probe:
        for at, command in ((20000, "deny"), (50000, "allow")):
            wait_for(client, 1, at)
            client.do(command, streams="input")
        expect(probe.wait(30) == 0, f"vsnd-probe: exit status {probe.returncode}")
        stream = client.do("status")["streams"][1]
    heard = wav.read(folder / "out.wav")
    expect(heard.frames == 2 * RATE, f"{heard.frames} frames recorded")
    left = struct.unpack(f"<{heard.frames * 2}h", heard.data)[::2]
    found = [level for level, _, _ in plateaus(left)]
    expect(found == [LEVEL, 0, LEVEL], f"levels {found}")
    steps = max(abs(a - b) for a, b in zip(left, left[1:]))
    expect(steps <= RAMP_MOST or stream["discarded"] > 0, f"a step of {steps}")
    expect(stream["silence"] >= 20000, f"the counters are {stream}")


class Watch:
    """vsnd-probe watch: the events that a driver gets."""

    def __init__(self, folder):
        self.process = subprocess.Popen(
            [PROBE, f"--socket-path={folder / 's'}", "--json", "watch"], stdout=subprocess.PIPE)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.communicate()

    def event(self):
        timer = threading.Timer(START_S, self.process.kill)
        timer.start()
        line = self.process.stdout.readline()
        timer.cancel()
        expect(line, "no event came")
        return json.loads(line)


def wait_live(client):
    end = time.monotonic() + START_S
    while not client.do("status")["front_end"]["live"]:
        expect(time.monotonic() < end, "no driver came up")
        time.sleep(0.01)


def full_disk(folder):
    """control: a full disk shows in the status, and costs the guest frames and nothing else"""
    out = folder / "out.wav"
    limit = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (100000, resource.RLIM_INFINITY))
    with running(folder, "--audio=file", f"--file-out={out}", "--file-pace=fast",
                 preexec_fn=limit) as (daemon, path), Client(path) as client:
        play = [PROBE, f"--socket-path={folder / 's'}", "--json", "play", str(folder / "in.wav")]
        status = lambda: client.do("status")
        # More than waits for a disk, and less.
        for seconds, room in (6, False), (2, True):
            wav.noise("S16", 48000, 2, 48000 * seconds).write(folder / "in.wav")
            if room:
                resource.prlimit(daemon.process.pid, resource.RLIMIT_FSIZE,
                                 (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
            before = status()["streams"][0]
            report = json.loads(subprocess.run(play, stdout=subprocess.PIPE, timeout=20,
                                               check=True).stdout)
            end = time.monotonic() + START_S
            while status()["audio"]["connected"] != room and time.monotonic() < end:
                time.sleep(0.02)
            after = status()
            expect(after["audio"] == {"backend": "file", "connected": room}, f"{after['audio']}")
            stream = after["streams"][0]
            frames, lost = (stream[key] - before[key] for key in ("frames", "discarded"))
            expect(report["ok"] and stream["errors"] == 0, f"the guest saw an error: {report}")
            expect(frames + lost == seconds * 48000, f"{frames} frames and {lost}")
            expect((lost == 0) if room else lost > 0, f"room {room}: {lost} frames lost")
        daemon.process.send_signal(signal.SIGTERM)
        _, _, err = daemon.end()
    said = [line for line in err.splitlines() if str(out) in line]
    expect(any("too large" in line for line in said) and any("frames lost" in line for line in said)
           and len(said) < 6, f"it says {said}")


def events(folder):
    """control: a plug and a changed element reach the driver as events"""
    with running(folder, "--controls") as (_, path), Client(path) as client, \
            Watch(folder) as watch:
        wait_live(client)
        for connected, word in ((False, "disconnected"), (True, "connected")):
            client.do("jack", jack="mic-0", connected=connected)
            event = watch.event()
            expect(event == {"event": f"jack {word}", "jack": 1}, f"{event}")
        client.do("control", control="Master Playback Volume", values=["-10dB", "-20dB"])
        event = watch.event()
        expect(event["control"] == 0 and event["changed"] == ["value"] and
               event["values"] == [100, 80], f"{event}")
        # What is so already is no event.
        client.do("jack", jack="mic-0", connected=True)
        client.do("control", control="Capture Switch", values=["off"])
        event = watch.event()
        expect(event["name"] == "Capture Switch" and event["values"] == [0], f"{event}")
        status = client.do("status")
        expect(status["guest"]["requests"] > 0 and status["guest"]["refused"] == 0, f"{status}")
        front = status["front_end"]
        expect(front["connected"] and front["sessions"] == 2 and front["refused"] == 0 and
               front["features"] >> 32 & 1, f"{front}")


# vsndctl.

def ctl(path, *arguments, status=0):
    """Run it to its end; stdout and stderr."""
    done = subprocess.run([VSNDCTL, f"--control-path={path}", *arguments], capture_output=True,
                          timeout=START_S, text=True, check=False)
    expect(done.returncode == status, f"{arguments}: exit status {done.returncode}: {done.stderr}")
    return done.stdout, done.stderr


def vsndctl(folder):
    """vsndctl: commands, tables, JSON and exit statuses"""
    with running(folder, "--controls") as (daemon, path):
        for arguments in (("mute",), ("unmute", "all"), ("volume", "-10dB"), ("volume", "50%", "1"),
                          ("deny", "input")):
            expect(ctl(path, *arguments) == ("", ""), f"{arguments} says something")
        expect(ctl(path, "jack", "mic-0", "unplug")[0].split() == ["1", "mic-0", "unplugged"],
               "jack unplug")
        expect("120 60 (0.00 -30.00 dB)" in
               ctl(path, "control", "Master Playback Volume", "0dB", "-30dB")[0], "control")
        table = ctl(path, "status")[0]
        for part in ("vhost-user-snd", "null, connected", "front-end   none", "-10.0", "denied",
                     "unplugged", "Master Playback Volume     120 60"):
            expect(part in table, f"'{part}' is not in the table:\n{table}")
        answer = json.loads(ctl(path, "status", "--json")[0])
        expect(answer["ok"] and answer["streams"][1]["volume_db"] == -18.06, f"{answer}")
        for arguments, status in ((("jack", "7"), 1), (("deny", "7"), 1), (("volume", "7"), 1),
                                  (("sing",), 2), ((), 2), (("deny",), 2), (("jack", "0", "pull"), 2),
                                  (("status", "now"), 2), (("--loud", "status"), 2),
                                  (("jack", "\udcff"), 2)):
            out, err = ctl(path, *arguments, status=status)
            expect(out == "" and err.count("\n") == 1, f"{arguments}: {out!r} {err!r}")
        out = json.loads(ctl(path, "--json", "jack", "7", status=1)[0])
        expect(out["ok"] is False, f"{out}")
        (folder / "vsnd-control").symlink_to(path)
        for env, status in (({"VSND_CONTROL": str(path)}, 0), ({"XDG_RUNTIME_DIR": str(folder)}, 0),
                            ({"VSND_CONTROL": "/", "XDG_RUNTIME_DIR": str(folder)}, 1), ({}, 2)):
            done = subprocess.run([VSNDCTL, "status"], env=env, capture_output=True, check=False)
            expect(done.returncode == status, f"{env}: {done}")
        daemon.terminate()
    ctl(path, "status", status=1)
    for option in ("--help", "--version"):
        expect(ctl(path, option)[0].startswith(("usage: vsndctl", "vsndctl ")), option)


def long_names(folder):
    """vsndctl: the table's columns stand below each other, however long a name is"""
    config = folder / "card.conf"
    config.write_text("[stream the-speakers-of-the-living]\ndirection = output\n"
                      "[stream mic]\ndirection = input\n")
    with running(folder, f"--config={config}") as (_, path):
        lines = ctl(path, "status")[0].splitlines()
        at = next(n for n, line in enumerate(lines) if line.startswith("stream"))
        expect(len({len(line) for line in lines[at:at + 3]}) == 1, f"the table: {lines}")


def top_ends(folder):
    """vsndctl: top shows the status until ^C, a closed output or the daemon's end"""
    with running(folder) as (daemon, path):
        command = [VSNDCTL, f"--control-path={path}", "top"]
        ours, theirs = pty.openpty()
        with subprocess.Popen(command, stdout=theirs, stderr=subprocess.PIPE) as top:
            os.close(theirs)
            seen = b""
            while seen.count(b"daemon ") < 2:
                seen += os.read(ours, 65536)
            top.send_signal(signal.SIGINT)
            expect(top.wait(START_S) == 0, f"^C: exit status {top.returncode}")
            seen += os.read(ours, 65536)
            expect(seen.endswith(b"\033[?25h"), "the cursor is still hidden")
        os.close(ours)
        with subprocess.Popen(command, stdout=subprocess.PIPE) as top:
            expect(top.stdout.readline().startswith(b"daemon "), "no picture")
            top.stdout.close()
            expect(top.wait(START_S) == 0, f"closed output: exit status {top.returncode}")
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as top:
            top.stdout.readline()
            daemon.terminate()
            _, err = top.communicate(timeout=START_S)
            expect(top.returncode == 1 and err.count(b"\n") == 1, f"{top.returncode}: {err}")


def keys_of(json_value):
    """The names of all members, at any depth."""
    if isinstance(json_value, dict):
        yield from json_value
        json_value = json_value.values()
    if isinstance(json_value, (list, type({}.values()))):
        for member in json_value:
            yield from keys_of(member)


def status_is_documented(folder):
    """vsndctl(1) names each member of the status and no other; top prints it with --json"""
    page = (pathlib.Path(__file__).resolve().parents[2] / "doc/man/vsndctl.1.scd").read_text()
    section = page.split("The answer to *status*")[1].split("*mute*, *unmute*")[0]
    sound = folder / "sound.wav"
    wav.noise("S16", 48000, 2, 9600).write(sound)
    with running(folder, "--controls") as (_, path), Client(path) as client:
        probe = [PROBE, f"--socket-path={folder / 's'}", "play", sound]
        with subprocess.Popen(probe, stdout=subprocess.DEVNULL) as playing:
            status = {}
            while "format" not in status.get("streams", [{}])[0] and playing.poll() is None:
                status = client.do("status")
            expect(playing.wait(30) == 0, f"vsnd-probe: exit status {playing.returncode}")
        command = [VSNDCTL, f"--control-path={path}", "--json", "top"]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as top:
            lines = [json.loads(top.stdout.readline()) for _ in range(2)]
            top.stdout.close()
            expect(top.wait(START_S) == 0, f"top --json: exit status {top.returncode}")
    expect("streams" in lines[0] and "streams" in lines[1], f"top --json: {lines}")
    found = set(keys_of(status)) - {"id", "ok"}
    told = set(re.findall(r"(?<!\w)\*([a-z_]+)\*", section))
    expect(found == told, f"only in the answer: {found - told}, only in the page: {told - found}")


CASES = (mode_and_life, paths, folder_goes, bad_lines, wrong_types, names, clients, slow_reader,
         hooks_are_for_harnesses, ends_at_once, running_stream, running_input, full_disk, events, vsndctl,
         long_names, top_ends, status_is_documented)


def main():
    global PROBE, VSNDCTL
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    for program in ("daemon", "probe", "vsndctl"):
        parser.add_argument(program, type=lambda name: str(pathlib.Path(name).resolve()))
    parser.add_argument("-k", default="", metavar="WORD", help="only cases with this in the name")
    args = parser.parse_args()
    Daemon.program, PROBE, VSNDCTL = args.daemon, args.probe, args.vsndctl
    os.environ.pop("VSND_LOG", None)
    return judge(CASES, args.k)


if __name__ == "__main__":
    sys.exit(main())
