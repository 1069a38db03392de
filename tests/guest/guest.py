"""A Linux guest under QEMU: boot it, run commands in it, stop, continue, reset it.

QEMU connects to three sockets of ours: QMP, the control channel that the
guest's /init serves (see there), and a terminal for programs that want keys.  Every wait has a limit; GuestError says
what did not come.
"""

import json
import os
import select
import signal
import socket
import time
from dataclasses import dataclass
from pathlib import Path

import image
from procs import Child

MEMORY = "512M"
KERNEL_ARGS = "console=ttyS0 quiet panic=-1 mitigations=off i8042.nokbd i8042.noaux no_timer_check"
READY = b"ready 0 0\n"
BOOT_LIMIT_S = 60
KVM_LIMIT_S = 4
CONNECT_LIMIT_S = 10
TCG = ["-accel", "tcg,thread=multi", "-cpu", "qemu64"]
KVM = ["-accel", "kvm", "-cpu", "host"]


class GuestError(RuntimeError):
    """The guest, or QEMU, did not do what it was asked in time."""


@dataclass
class Output:
    status: int
    text: str


class Listener:
    """A socket that QEMU connects to, and the bytes that came from it."""

    def __init__(self, path):
        self.path = path
        self.buffer = bytearray()
        self.peer = None
        self._server = socket.socket(socket.AF_UNIX)
        self._server.bind(str(path))
        self._server.listen(1)

    def accept(self, limit_s):
        self._server.settimeout(limit_s)
        try:
            self.peer, _ = self._server.accept()
        except TimeoutError as late:
            raise GuestError(f"QEMU did not connect to {self.path.name}") from late

    def send(self, data, limit_s=10):
        self.peer.settimeout(limit_s)
        self.peer.sendall(data)

    def more(self, until):
        """Wait for bytes; raises when QEMU is gone or the time is over."""
        left = until - time.monotonic()
        ready = left > 0 and select.select([self.peer], [], [], left)[0]
        if not ready:
            raise GuestError("no answer in time")
        try:
            data = self.peer.recv(1 << 16)
        except ConnectionError:
            data = b""
        if not data:
            raise GuestError("QEMU ended")
        self.buffer += data

    def line(self, until):
        while b"\n" not in self.buffer:
            self.more(until)
        line, _, rest = bytes(self.buffer).partition(b"\n")
        self.buffer = bytearray(rest)
        return line

    def take(self, size, until):
        while len(self.buffer) < size:
            self.more(until)
        data = bytes(self.buffer[:size])
        del self.buffer[:size]
        return data

    def skip_past(self, mark, until):
        while mark not in self.buffer:
            self.more(until)
        del self.buffer[:self.buffer.index(mark) + len(mark)]

    def close(self):
        if self.peer:
            self.peer.close()
        self._server.close()
        self.path.unlink(missing_ok=True)


class Qmp:
    """QEMU's monitor: one command at a time, events skipped."""

    def __init__(self, listener, limit_s=10):
        self._link = listener
        self._link.accept(limit_s)
        self._link.line(time.monotonic() + limit_s)
        self.run("qmp_capabilities")

    def run(self, command, limit_s=20, **arguments):
        request = {"execute": command, "arguments": arguments}
        self._link.send(json.dumps(request).encode() + b"\n")
        until = time.monotonic() + limit_s
        while True:
            answer = json.loads(self._link.line(until))
            if "return" in answer:
                return answer["return"]
            if "error" in answer:
                raise GuestError(f"QMP {command}: {answer['error']['desc']}")


class Guest:
    """One QEMU.  sound: the arguments that give it its sound device."""

    def __init__(self, work, sound, accel):
        work = Path(work)
        self.share = work / "share"
        self.share.mkdir(parents=True, exist_ok=True)
        self._links = [Listener(work / f"{name}.sock") for name in ("qmp", "ctl", "tty")]
        qmp, self._control, self._terminal = self._links
        self._replies = {}
        self._next_id = 0
        self.serial_log = work / "serial.log"
        self.qemu = Child(self._command(work, sound, accel), work / "qemu.log")
        try:
            self._control.accept(CONNECT_LIMIT_S)
            self._terminal.accept(CONNECT_LIMIT_S)
            self.qmp = Qmp(qmp)
        except GuestError:
            self.close()
            raise

    def _command(self, work, sound, accel):
        parts = image.image()
        return [
            image.qemu(), "-nodefaults", "-no-user-config", "-display", "none", *accel,
            "-machine", "q35,memory-backend=mem", "-m", MEMORY, "-smp", "2",
            "-object", f"memory-backend-memfd,id=mem,size={MEMORY},share=on",
            "-kernel", parts / "vmlinuz", "-initrd", parts / "initrd", "-append", KERNEL_ARGS,
            "-serial", f"file:{self.serial_log}",
            "-chardev", f"socket,id=qmp,path={work / 'qmp.sock'}", "-mon", "qmp,mode=control",
            "-chardev", f"socket,id=ctl,path={work / 'ctl.sock'}",
            "-device", "virtio-serial-pci",
            "-device", "virtserialport,chardev=ctl,name=vsnd.control",
            "-chardev", f"socket,id=tty,path={work / 'tty.sock'}",
            "-device", "virtconsole,chardev=tty",
            "-fsdev", f"local,id=share,path={self.share},security_model=none",
            "-device", "virtio-9p-pci,fsdev=share,mount_tag=host",
            *sound]

    def wait_ready(self, limit_s=BOOT_LIMIT_S):
        """Until /init serves the control channel.  A QEMU that gave up ends the wait at once."""
        end = time.monotonic() + limit_s
        while True:
            try:
                self._control.skip_past(READY, min(end, time.monotonic() + 0.5))
                return
            except GuestError:
                self._give_up_early(end)

    def _give_up_early(self, end):
        if not self.qemu.alive():
            raise GuestError(f"QEMU ended:\n{self.qemu.log_tail()}")
        if self.qmp.run("query-status")["status"] == "internal-error":
            raise GuestError("QEMU met an internal error")
        if time.monotonic() > end:
            raise GuestError("the guest did not boot in time")

    # -- commands

    def start(self, command, limit_s=30):
        """Start a shell command in the guest; the guest kills it after limit_s."""
        self._next_id += 1
        line = command.replace("\n", "; ")
        self._control.send(f"{self._next_id} {limit_s} {line}\n".encode())
        return self._next_id

    def finish(self, ticket, limit_s=30):
        until = time.monotonic() + limit_s
        while ticket not in self._replies:
            name, status, size = self._control.line(until).split()
            text = self._control.take(int(size), until).decode(errors="replace")
            self._replies[int(name)] = Output(int(status), text)
        return self._replies.pop(ticket)

    def run(self, command, limit_s=30):
        # The guest's own limit comes first, so that a hang is told from a dead guest.
        return self.finish(self.start(command, limit_s), limit_s + 10)

    def check(self, command, limit_s=30):
        done = self.run(command, limit_s)
        if done.status != 0:
            raise GuestError(f"in the guest: {command}: status {done.status}: {done.text.strip()}")
        return done.text

    def press(self, keys):
        """On the guest's terminal, /dev/hvc0."""
        self._terminal.send(keys.encode())

    def wait_terminal(self, mark, limit_s=10):
        """Until the guest has written this to its terminal."""
        self._terminal.skip_past(mark, time.monotonic() + limit_s)

    # -- the machine

    def pause(self):
        self.qmp.run("stop")

    def resume(self):
        self.qmp.run("cont")

    def freeze(self):
        self.qemu.signal(signal.SIGSTOP)

    def thaw(self):
        self.qemu.signal(signal.SIGCONT)

    def reset(self):
        """A hard reset; returns when the guest is up again."""
        self._replies.clear()
        self.qmp.run("system_reset")
        self.wait_ready()

    def reboot(self):
        """The guest reboots itself, without a shutdown; returns when it is up again."""
        self._replies.clear()
        self.start("reboot -f")
        self.wait_ready()

    def close(self):
        self.qemu.stop(3)
        for link in self._links:
            link.close()


_accel = None


def accelerator(work):
    """KVM if this machine's KVM really boots this kernel, else TCG; tried once, without a sound device."""
    global _accel
    if _accel is None:
        _accel = KVM if os.access("/dev/kvm", os.R_OK | os.W_OK) and _boots(work, KVM) else TCG
    return _accel


def _boots(work, accel):
    probe = None
    try:
        probe = Guest(Path(work) / "kvm", [], accel)
        probe.wait_ready(KVM_LIMIT_S)
        return True
    except GuestError:
        return False
    finally:
        if probe:
            probe.close()
