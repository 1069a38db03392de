#!/usr/bin/env python3
"""How vhost-user-snd starts and ends: options, sockets, signals, exit statuses.

usage: tests/daemon/options.py DAEMON [-k WORD] [--no-systemd]

Prints `ok NAME` or `not ok NAME: reason` for each case; PRG-n are the rows of
the vhost-user back-end program conventions that a case is about.
"""

import argparse
import contextlib
import json
import os
import pathlib
import signal
import socket
import stat
import struct
import subprocess
import sys

sys.dont_write_bytecode = True
from rig import START_S, Daemon, Fault, connect, expect, judge

GET_FEATURES = 1
VERSION_1 = 1 << 32


def ask_features(front):
    """The one exchange that shows that somebody serves."""
    front.settimeout(START_S)
    front.sendall(struct.pack("=III", GET_FEATURES, 1, 0))
    answer = b""
    while len(answer) < 20:
        piece = front.recv(20 - len(answer))
        expect(piece, "hung up on GET_FEATURES")
        answer += piece
    request, flags, size, features = struct.unpack("=IIIQ", answer)
    expect((request, flags & 7, size) == (GET_FEATURES, 5, 8), "an odd answer")
    expect(features & VERSION_1, "VERSION_1 is not offered")


def run(*options, status, limit_s=START_S, **popen):
    """Run to the end; the exit status must be as said.  stdout, stderr."""
    with Daemon(*options, **popen) as daemon:
        got, out, err = daemon.end(limit_s)
    expect(got == status, f"{' '.join(options)}: exit status {got} instead of {status}: {err}")
    return out, err


def refused(*options, status, **popen):
    out, err = run(*options, status=status, **popen)
    expect(out == "", f"{options}: standard output is not empty")
    expect(err.count("\n") == 1 and err.endswith("\n"), f"{options}: not one line: {err!r}")
    return err


# PRG-3, PRG-9, PRG-14.
BAD_OPTIONS = {
    "no socket": [],
    "properties that JACK has not": ["--socket-path=s", "--audio=jack", "--properties={ a = b }"],
    "unknown option": ["--bogus"],
    "unknown short option": ["-x"],
    "no abbreviations": ["--socket-pat=s"],
    "operand": ["s.sock"],
    "no value": ["--socket-path"],
    "empty path": ["--socket-path="],
    "path too long": ["--socket-path=" + "a" * 108],
    "value for a flag": ["--socket-path=s", "--once=yes"],
    "path and fd": ["--socket-path=s", "--fd=3"],
    "path and socket-fd": ["--socket-path=s", "--socket-fd=3"],
    "fd and socket-fd": ["--fd=3", "--socket-fd=4"],
    "fd -1": ["--fd=-1"],
    "fd x": ["--fd=x"],
    "fd 3x": ["--fd=3x"],
    "fd too large": ["--fd=99999999999999999999"],
    "empty fd": ["--fd="],
    "socket-fd x": ["--socket-fd=x"],
    "audio unknown": ["--socket-path=s", "--audio=tape"],
    "file without a name": ["--socket-path=s", "--audio=file"],
    "name without file": ["--socket-path=s", "--file-out=a.wav"],
    "bad suffix": ["--socket-path=s", "--audio=file", "--file-out=a.mp3"],
    "bad percent": ["--socket-path=s", "--audio=file", "--file-out=%d.wav"],
    "one name for two": ["--socket-path=s", "--audio=file", "--file-out=a.wav", "--streams=2"],
    "bad pace": ["--socket-path=s", "--audio=file", "--file-out=a.wav", "--file-pace=slow"],
    "bad pace of null": ["--socket-path=s", "--null-pace=slow"],
    "null's pace without null": ["--socket-path=s", "--audio=file", "--file-out=a.wav",
                                 "--null-pace=fast"],
    "no streams": ["--socket-path=s", "--streams=0,0"],
    "no inputs said": ["--socket-path=s", "--streams=1,"],
    "no outputs said": ["--socket-path=s", "--streams=,1"],
    "three counts": ["--socket-path=s", "--streams=1,1,1"],
    "too many together": ["--socket-path=s", "--streams=32,33"],
    "inputs x": ["--socket-path=s", "--streams=1,x"],
    "file-in without file": ["--socket-path=s", "--file-in=a.wav"],
    "loop without file-in": ["--socket-path=s", "--audio=file", "--file-out=a.wav",
                             "--file-in-loop"],
    "bad capture": ["--socket-path=s", "--audio=pipewire", "--capture=yes"],
    "capture of files": ["--socket-path=s", "--audio=file", "--file-in=a.wav", "--capture=on"],
    "value for controls": ["--socket-path=s", "--controls=on"],
    "too many streams": ["--socket-path=s", "--streams=65"],
    "streams +1": ["--socket-path=s", "--streams=+1"],
    "bad format": ["--socket-path=s", "--formats=S16,S17"],
    "ADPCM": ["--socket-path=s", "--formats=IMA_ADPCM"],
    "bad rate": ["--socket-path=s", "--rates=44101"],
    "rates too new": ["--socket-path=s", "--rates=12000,24000"],
    "no channels": ["--socket-path=s", "--channels=0"],
    "too many channels": ["--socket-path=s", "--channels=19"],
    "bad profile": ["--socket-path=s", "--profile=loud"],
    "empty config": ["--socket-path=s", "--config="],
    "no config": ["--socket-path=s", "--config=/nowhere/vsnd.conf"],
    "config is a folder": ["--socket-path=s", "--config=/"],
    "bad level": ["--socket-path=s", "--log-level=loud"],
}


def bad_options(folder):
    """PRG-3, PRG-9, PRG-14: bad options end with status 2 and one line"""
    for name, options in BAD_OPTIONS.items():
        try:
            refused(*options, status=2, cwd=folder)
        except Fault as fault:
            raise Fault(f"{name}: {fault}") from fault
    expect(not list(folder.iterdir()), "something was left behind")


BAD_CONFIGS = {
    "bad format": ("[device]\n\nformats = S17\n", 3),
    "no section": ("formats = S16\n", 1),
    "no stream": ("[device]\n[jack x]\ndevice = 5\n", 2),
    "no such option": ("[audio]\nsocket-path = x\n", 2),
    "bad audio": ("[audio]\naudio = tape\n", 2),
    "bad suffix": ("[audio]\naudio = file\nfile-out = a.mp3\n", 3),
}


def bad_configs(folder):
    """A bad file ends with status 2 and FILE:LINE: REASON, before listening"""
    conf, sock = folder / "c", folder / "s"
    for name, (text, line) in BAD_CONFIGS.items():
        conf.write_text(text)
        err = refused(f"--socket-path={sock}", f"--config={conf}", status=2)
        expect(f"{conf}:{line}: " in err, f"{name}: says {err!r}")
        expect(not sock.exists(), f"{name}: the socket was made")


def print_config(folder):
    """--print-config prints what, read again, is printed again; options win"""
    conf, again = folder / "c", folder / "d"
    conf.write_text("[device]\nformats = U8\n[audio]\naudio = file\nfile-out = a%s.wav\n")
    options = ["--rates=8000", "--channels=6", "--streams=2", "--file-pace=fast",
               "--file-out=b %s.wav"]
    for more in ([], [f"--config={conf}"], ["--profile=simple"], ["--formats=all", "--rates=all"]):
        audio = [] if f"--config={conf}" in more else ["--backend=file"]
        first, err = run("--print-config", *more, *audio, *options, status=0, cwd=folder)
        expect(err == "", f"standard error: {err}")
        again.write_text(first)
        second, _ = run("--print-config", f"--config={again}", status=0, cwd=folder)
        expect(first == second, f"{more}: {first!r} became {second!r}")
        expect("file-out = b %s.wav\n" in first and "file-pace = fast\n" in first, first)
    expect(not (folder / "b 0.wav").exists(), "a file was made")


def capture(folder):
    """An input is there with the host's sound, too, and says whether it may record"""
    conf = folder / "c"
    out, _ = run("--print-config", "--audio=pipewire", status=0)
    expect("direction = input\n" in out and "capture" not in out, out)
    out, _ = run("--print-config", "--audio=pipewire", "--capture=on", status=0)
    expect(out.endswith("[audio]\naudio = pipewire\ncapture = on\n"), out)
    conf.write_text("[stream a]\ndirection = input\ncapture = off\n"
                    "[stream b]\ndirection = input\n[audio]\naudio = pipewire\ncapture = on\n")
    out, _ = run("--print-config", f"--config={conf}", "--capture=off", status=0)
    expect(out.count("capture = off\n") == 2 and "capture = on" not in out, out)


def bad_start(folder):
    """PRG-3, PRG-9: what cannot start ends with status 1 and one line"""
    gone = folder / "gone"
    refused(f"--socket-path={gone}/s", status=1)
    refused("--fd=99", status=1)
    refused("--socket-fd=99", status=1)
    refused("--fd=0", status=1)
    sock = folder / "s"
    refused(f"--socket-path={sock}", "--audio=file", f"--file-out={gone}/a.wav", status=1)
    for name, data in (("gone", None), ("odd.wav", b"RIFF")):
        if data:
            (folder / name).write_bytes(data)
        refused(f"--socket-path={sock}", "--audio=file", f"--file-in={folder / name}", status=1)
    (folder / "d.wav").mkdir()
    refused(f"--socket-path={sock}", "--audio=file", f"--file-out={folder}/d.wav", status=1)
    expect(not sock.exists(), "the socket was made")


def capabilities(folder):
    """PRG-10, PRG-11: --print-capabilities, whatever else is there"""
    sock = folder / "s"
    for options in ([], ["--bogus", f"--socket-path={sock}", "--fd=x", "--audio=tape"],
                    ["--audio=file", "--file-out=/nowhere/a.mp3", "operand"]):
        out, err = run("--print-capabilities", *options, status=0)
        expect(err == "", f"standard error: {err}")
        found = json.loads(out)
        expect(found == {"type": "sound"}, f"capabilities are {found}")
        out, _ = run(*options, "--print-capabilities", status=0)
        expect(json.loads(out) == {"type": "sound"}, "as the last option")
    expect(not sock.exists(), "the socket was made")


def help_and_version(_):
    """PRG-14: --help and --version on standard output"""
    for option, word in (("--help", "usage:"), ("--version", "vhost-user-snd ")):
        out, err = run(option, status=0)
        expect(out.startswith(word) and err == "", f"{option}: {out!r} {err!r}")


def listens(folder):
    """PRG-7, PRG-13: listens at --socket-path and its aliases, SIGTERM removes the file"""
    sock = folder / "s"
    for options in ([f"--socket-path={sock}"], [f"--socket={sock}"], ["-s", str(sock)],
                    [f"-s{sock}"], ["--socket-path", str(sock)]):
        with Daemon(*options) as daemon:
            with daemon.wait_ready(sock) as front:
                ask_features(front)
            daemon.terminate()
        expect(not sock.exists(), "the socket file is still there")


def signals(folder):
    """PRG-6, PRG-13: SIGTERM and SIGINT end at once, SIGHUP and SIGPIPE do nothing"""
    sock = folder / "s"
    for sig in (signal.SIGTERM, signal.SIGINT):
        for mid_message in (False, True):
            with Daemon(f"--socket-path={sock}") as daemon, daemon.wait_ready(sock) as front:
                ask_features(front)
                if mid_message:
                    front.sendall(b"\1\0\0")
                for harmless in (signal.SIGHUP, signal.SIGPIPE):
                    daemon.process.send_signal(harmless)
                ask = connect(sock)     # waits in the backlog
                daemon.terminate(sig)
                ask.close()
            expect(not sock.exists(), "the socket file is still there")


def blocked_signals(folder):
    """SIGTERM also works when the parent had it blocked"""
    sock = folder / "s"
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
    try:
        daemon = Daemon(f"--socket-path={sock}")
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGTERM])
    with daemon:
        daemon.wait_ready(sock).close()
        daemon.terminate()


def foreground(folder):
    """PRG-4: stays in the foreground"""
    sock = folder / "s"
    with Daemon(f"--socket-path={sock}") as daemon:
        daemon.wait_ready(sock).close()
        fields = pathlib.Path(f"/proc/{daemon.process.pid}/stat").read_text().rsplit(")")[1].split()
        expect(int(fields[1]) == os.getpid(), "has another parent")
        expect(int(fields[3]) == os.getsid(0), "has another session")
        daemon.terminate()


def standard_fds(folder):
    """PRG-5: /dev/null, closed pipes and closed descriptors as 0, 1, 2"""
    sock = folder / "s"
    reader, writer = os.pipe()
    os.close(reader)
    for fds in ({"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL},
                {"stdout": writer, "stderr": writer},
                {"preexec_fn": lambda: [os.close(fd) for fd in (0, 1, 2)]}):
        with Daemon(f"--socket-path={sock}", "--log-level=debug", **fds) as daemon:
            for _ in range(3):
                with daemon.wait_ready(sock) as front:
                    ask_features(front)
                    front.sendall(b"\xff" * 64)
            daemon.terminate()
    os.close(writer)


def stuck_log(folder):
    """A reader of standard error that stands still stops nothing"""
    sock = folder / "s"
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    with contextlib.suppress(BlockingIOError):
        while True:
            os.write(writer, b"x" * 4096)
    os.set_blocking(writer, True)
    with Daemon(f"--socket-path={sock}", "--log-level=debug", stderr=writer) as daemon:
        for _ in range(5):
            with daemon.wait_ready(sock) as front:
                ask_features(front)
        daemon.terminate()
    os.close(reader)
    os.close(writer)


def stale_socket(folder):
    """PRG-13: a stale socket is replaced, a live one and other files are not"""
    sock = folder / "s"
    with Daemon(f"--socket-path={sock}") as daemon:
        daemon.wait_ready(sock).close()
        err = refused(f"--socket-path={sock}", status=1)
        expect("in use" in err, f"says {err!r}")
        daemon.wait_ready(sock).close()
        daemon.process.kill()
        daemon.process.wait()
        expect(sock.exists(), "SIGKILL removed the file?")
    with Daemon(f"--socket-path={sock}") as daemon:
        with daemon.wait_ready(sock) as front:
            ask_features(front)
        daemon.terminate()
    for make in (lambda: sock.write_text("mine"), sock.mkdir, lambda: os.mkfifo(sock)):
        make()
        refused(f"--socket-path={sock}", status=1)
        expect(sock.exists(), "somebody's file was removed")
        sock.rmdir() if sock.is_dir() else sock.unlink()


def full_backlog(folder):
    """PRG-13: a listener whose backlog is full is alive"""
    sock = folder / "s"
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(str(sock))
        listener.listen(0)
        waiting = [connect(sock)]
        refused(f"--socket-path={sock}", status=1)
        expect(sock.exists(), "the file was removed")
        waiting[0].close()


def foreign_file_stays(folder):
    """PRG-13: at the end only the file that it made is removed"""
    sock = folder / "s"
    with Daemon(f"--socket-path={sock}") as daemon:
        daemon.wait_ready(sock).close()
        sock.unlink()
        sock.write_text("another's")
        daemon.terminate()
    expect(sock.exists(), "another's file was removed")


def socket_mode(folder):
    """The mode of the socket is 0777 less the umask"""
    sock = folder / "s"
    for umask in (0o022, 0o077, 0o007):
        with Daemon(f"--socket-path={sock}", umask=umask) as daemon:
            daemon.wait_ready(sock).close()
            mode = stat.S_IMODE(sock.stat().st_mode)
            expect(mode == 0o777 & ~umask, f"mode {mode:o} under umask {umask:o}")
            daemon.terminate()


def once(folder):
    """PRG-15: accepts again by default, ends after the first session with --once"""
    sock = folder / "s"
    with Daemon(f"--socket-path={sock}") as daemon:
        for _ in range(3):
            with daemon.wait_ready(sock) as front:
                ask_features(front)
        daemon.terminate()
    with Daemon(f"--socket-path={sock}", "--once") as daemon:
        with daemon.wait_ready(sock) as front:
            ask_features(front)
        status, _, err = daemon.end()
        expect(status == 0, f"exit status {status}: {err}")
    expect(not sock.exists(), "the socket file is still there")


def connected_fd(_):
    """PRG-8, PRG-15: --fd serves a connected socket and ends with it"""
    ours, theirs = socket.socketpair()
    with Daemon(f"--fd={theirs.fileno()}", pass_fds=[theirs.fileno()]) as daemon:
        theirs.close()
        ask_features(ours)
        ours.close()
        status, _, err = daemon.end()
        expect(status == 0, f"exit status {status}: {err}")
    ours, theirs = socket.socketpair()
    with ours, Daemon(f"--fd={theirs.fileno()}", pass_fds=[theirs.fileno()]) as daemon:
        theirs.close()
        ask_features(ours)
        daemon.terminate()


def wrong_fds(folder):
    """PRG-9: --fd wants a connected UNIX socket, --socket-fd a listening one"""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener, \
            socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as idle, \
            socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as datagrams, \
            socket.socket(socket.AF_INET, socket.SOCK_STREAM) as inet, \
            open(folder / "f", "w") as file:
        listener.bind(str(folder / "s"))
        listener.listen()
        inet.bind(("127.0.0.1", 0))
        inet.listen()
        refused(f"--fd={listener.fileno()}", status=1, pass_fds=[listener.fileno()])
        for other in (idle, datagrams, inet, file):
            for option in ("--fd", "--socket-fd"):
                refused(f"{option}={other.fileno()}", status=1, pass_fds=[other.fileno()])


def listening(folder):
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(str(folder / "s"))
    listener.listen()
    return listener


def listening_fd(folder):
    """--socket-fd serves a listening socket and leaves its file alone"""
    sock = folder / "s"
    with listening(folder) as listener:
        with Daemon(f"--socket-fd={listener.fileno()}", pass_fds=[listener.fileno()]) as daemon:
            for _ in range(2):
                with connect(sock) as front:
                    ask_features(front)
            daemon.terminate()
    expect(sock.exists(), "the file was removed")


def activated(listener, notify, count=1):
    """Start the daemon as systemd does: the socket is descriptor 3."""
    fd = listener.fileno()
    script = (f"import os, sys\nos.dup2({fd}, 3)\nos.dup2({fd}, 4)\n"
              "os.environ['LISTEN_PID'] = str(os.getpid())\n"
              f"os.environ['LISTEN_FDS'] = '{count}'\n"
              "os.execv(sys.argv[1], sys.argv[1:])")
    command = [sys.executable, "-c", script, Daemon.program]
    daemon = Daemon.__new__(Daemon)
    daemon.process = subprocess.Popen(command, pass_fds=[fd, 3, 4] if fd > 4 else [fd],
                                      stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                      stderr=subprocess.PIPE,
                                      env={**os.environ, "NOTIFY_SOCKET": str(notify)})
    return daemon


def socket_activation(folder):
    """LISTEN_FDS: serves systemd's socket and tells when it is ready"""
    sock = folder / "s"
    with listening(folder) as listener, \
            socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
        notify.bind(str(folder / "notify"))
        notify.settimeout(START_S)
        # Descriptors 3 and 4 exist here, so that pass_fds may name them.
        held = [os.open("/dev/null", os.O_RDONLY) for _ in range(3)]
        with activated(listener, folder / "notify") as daemon:
            expect(notify.recv(100) == b"READY=1", "READY=1 did not come")
            with connect(sock) as front:
                ask_features(front)
            daemon.terminate()
        with activated(listener, folder / "notify", count=2) as daemon:
            status, _, err = daemon.end()
            expect(status == 1, f"two sockets: exit status {status}: {err}")
        for fd in held:
            os.close(fd)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
        notify.bind(b"\0vsnd-test-" + folder.name.encode())
        notify.settimeout(START_S)
        abstract = "@" + notify.getsockname()[1:].decode()
        with Daemon(f"--socket-path={folder}/other", env={
                **os.environ, "NOTIFY_SOCKET": abstract, "LISTEN_PID": "1",
                "LISTEN_FDS": "1"}) as daemon:
            expect(notify.recv(100) == b"READY=1", "READY=1 did not come to an abstract socket")
            daemon.terminate()
            expect(notify.recv(100) == b"STOPPING=1", "STOPPING=1 did not come")
    with Daemon(env={**os.environ, "LISTEN_PID": "1", "LISTEN_FDS": "1"}) as daemon:
        status, _, err = daemon.end()
        expect(status == 2, f"a socket for somebody else: exit status {status}: {err}")
    expect(sock.exists(), "systemd's file was removed")


def environment(folder):
    """VSND_LOG sets the log's level, --log-level wins"""
    sock = folder / "s"
    for env, options, shown in (("info", [], True), ("error", [], False),
                                ("error", ["--log-level=info"], True),
                                ("info", ["--log-level=error"], False), ("", [], False)):
        with Daemon(f"--socket-path={sock}", *options,
                    env={**os.environ, "VSND_LOG": env}) as daemon:
            daemon.wait_ready(sock).close()
            daemon.process.terminate()
            status, out, err = daemon.end()
        expect(status == 0 and out == "", f"exit status {status}, {out!r}")
        expect((": ready" in err) == shown, f"VSND_LOG={env} {options}: {err!r}")


def description(folder):
    """PRG-1, PRG-2: the description file beside the program is complete"""
    found = list(pathlib.Path(Daemon.program).resolve().parent.rglob("50-vhost-user-snd.json"))
    expect(len(found) == 1, f"{len(found)} files found in the build")
    about = json.loads(found[0].read_text())
    expect(about["type"] == "sound" and about["description"], "type and description")
    binary = pathlib.Path(about["binary"])
    expect(binary.is_absolute() and binary.name == "vhost-user-snd", f"binary is {binary}")


CASES = (bad_options, bad_configs, print_config, capture, bad_start, capabilities, help_and_version,
         listens, signals, blocked_signals, foreground, standard_fds, stuck_log, stale_socket, full_backlog,
         foreign_file_stays, socket_mode, once, connected_fd, wrong_fds, listening_fd,
         socket_activation, environment, description)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("daemon")
    parser.add_argument("-k", default="", metavar="WORD", help="only cases with this in the name")
    parser.add_argument("--no-systemd", action="store_true", help="it was built with -Dsystemd=disabled")
    args = parser.parse_args()
    Daemon.program = str(pathlib.Path(args.daemon).resolve())
    os.environ.pop("VSND_LOG", None)
    return judge([case for case in CASES if case is not socket_activation or not args.no_systemd],
                 args.k)


if __name__ == "__main__":
    sys.exit(main())
