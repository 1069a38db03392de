#!/usr/bin/env python3
"""What sound costs a virtual machine: vhost-user-snd beside QEMU's own virtio-sound-pci.

usage: bench/guest.py [--build=build] [--seconds=5] [--rounds=5] [--clean=0] [--sound=NAME,...] [--json]

A real Linux guest plays silence, S16 at 48 kHz on two channels.  There is a guest for each
sound device, all at the same time, of which one plays at a time, with each period and buffer
in turn: what else the machine does, or its own host, meets all of them alike.  The CPU time
of QEMU's threads and of the daemon is the kernel's, that of the idle guest, measured in each
round, taken off.  A ratio is that of two devices in the same round, and then the median.
KVM is used where it works, else TCG, which the output tells.

With --clean=SECONDS the smallest period and buffer are looked for that play so long
without an underrun while each processor is busy with something else, at the driver's
default settings and with its smallest period.

Devices (--sound, all that can run by default): null and pipewire are vhost-user-snd with
that back-end, qemu-none and qemu-wav are QEMU's own with that audiodev.
"""

import argparse
import contextlib
import json
import os
import pathlib
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.dont_write_bytecode = True
sys.path[:0] = [str(ROOT / "tests" / "guest"), str(ROOT / "tests" / "audio")]
import procs
# There is a `rig` in both folders: this one is that of the sound servers.
sys.path.insert(0, sys.path.pop(1))
import pipewire_host
from guest import Guest, GuestError, accelerator

RATE_HZ = 48000
SIZES = ((480, 1920), (96, 1536))
DEFAULT_SIZES = ((480, 960), (480, 1440), (480, 1920), (960, 3840))
SMALL_SIZES = ((48, 96), (48, 192), (96, 192), (96, 384), (96, 768), (240, 480), (240, 960), (480, 960),
               (480, 1920))
DRIVER = "modprobe virtio_snd"
SMALL = "pcm_period_ms_min=1"
LEAD_S = 3
KICKS_S = 1
TAIL_S = KICKS_S + 2
SETTLE_S = 2
LISTEN_S = 5
TRACED = "virtio_queue_notify"


class Vhost:
    """vhost-user-snd with a back-end."""

    def __init__(self, name, options=()):
        self.name, self.options = name, options
        self.daemon = self.host = None

    def usable(self):
        return True

    def start(self, build, folder):
        """QEMU's arguments."""
        command, options = [], list(self.options)
        if self.name == "pipewire":
            self.host = pipewire_host.Host(folder)
            self.host.start()
            options += self.host.options
            command = ["env", f"XDG_RUNTIME_DIR={self.host.runtime}"]
        path = folder / "snd.sock"
        self.daemon = procs.Child([*command, build / "vhost-user-snd", f"--socket-path={path}", *options],
                                  folder / "daemon.log")
        if not procs.wait_until(path.exists, LISTEN_S):
            raise GuestError(f"the daemon does not listen: {self.daemon.log_tail()}")
        return ["-chardev", f"socket,id=vsnd,path={path}", "-device", "vhost-user-snd-pci,chardev=vsnd"]

    def stop(self):
        if self.daemon:
            self.daemon.stop()
        if self.host:
            self.host.close()
        self.daemon = self.host = None


class Pipewire(Vhost):
    def usable(self):
        return all(shutil.which(tool) for tool in pipewire_host.Host.tools)


class Qemu:
    """QEMU's own device."""

    daemon = None

    def __init__(self, driver):
        self.name, self.driver = f"qemu-{driver}", driver

    def usable(self):
        return True

    def start(self, build, folder):
        del build
        path = f",path={folder}/out.wav" if self.driver == "wav" else ""
        return ["-audiodev", f"{self.driver},id=snd{path}", "-device", "virtio-sound-pci,audiodev=snd"]

    def stop(self):
        pass


DEVICES = (Vhost("null"), Pipewire("pipewire"), Qemu("none"), Qemu("wav"))


def threads(child):
    """{tid: (name, CPU time in ns, times that it went to sleep)}."""
    found = {}
    for task in pathlib.Path(f"/proc/{child.process.pid}/task").iterdir():
        with contextlib.suppress(OSError):
            switches = re.search(r"^voluntary_ctxt_switches:\s+(\d+)", (task / "status").read_text(), re.M)
            found[int(task.name)] = ((task / "comm").read_text().strip(),
                                     int((task / "schedstat").read_text().split()[0]),
                                     int(switches[1]))
    return found


class Reading:
    """The counters of QEMU, the daemon and the guest at one moment."""

    def __init__(self, machine):
        self.interrupts = machine.interrupts()
        self.at = time.monotonic()
        self.qemu = threads(machine.guest.qemu)
        self.daemon = threads(machine.device.daemon) if machine.device.daemon else {}
        self.main = machine.guest.qemu.process.pid
        self.daemon_main = machine.device.daemon.process.pid if machine.device.daemon else None

    def cost(self, before):
        """ms of CPU time per second since the reading before."""
        seconds = self.at - before.at
        cost = {"qemu_main": 0, "qemu_vcpu": 0, "qemu_other": 0, "daemon": 0}
        for now, then, group in ((self.qemu, before.qemu, self.qemu_group), (self.daemon, before.daemon, self.daemon_group)):
            for tid, (name, ns, _) in now.items():
                cost[group(tid, name)] += (ns - then.get(tid, ("", 0, 0))[1]) / 1e6 / seconds
        return cost

    def qemu_group(self, tid, name):
        return "qemu_main" if tid == self.main else "qemu_vcpu" if name.startswith("CPU ") else "qemu_other"

    def daemon_group(self, tid, name):
        del tid, name
        return "daemon"

    def daemon_main_wakes(self, before):
        """A kick wakes the daemon's main thread, which has nothing else to do while a stream plays."""
        now, then = (r.daemon.get(self.daemon_main) for r in (self, before))
        return now[2] - then[2] if now and then else None


class Machine:
    """A guest with one of the sound devices."""

    def __init__(self, device, build, folder, module=SMALL):
        self.device, self.folder = device, folder
        folder.mkdir()
        self.trace = folder / "trace"
        self.guest = None
        try:
            sound = device.start(build, folder)
            self.accel = accelerator(folder)
            self.guest = Guest(folder, ["-name", "vm,debug-threads=on", "-D", self.trace, *sound], self.accel)
            self.guest.wait_ready()
            self.guest.check(f"{DRIVER} {module}")
            self.virtio = self.guest.check("cd /sys/bus/virtio/drivers/virtio_snd && echo virtio*").strip()
            time.sleep(SETTLE_S)
        except BaseException:
            self.close()
            raise

    def close(self):
        if self.guest:
            self.guest.close()
        self.device.stop()

    def interrupts(self):
        """Those of the sound device so far: of all its queues, where it has but one."""
        return sum(int(word) for line in self.guest.check("cat /proc/interrupts").splitlines()
                   if re.match(rf"{self.virtio}(-|$)", line.split()[-1]) for word in line.split()[1:3])

    def play(self, period, buffer, seconds, options=""):
        command = (f"aplay {options} -D hw:0,0 -t raw -f S16_LE -c 2 -r {RATE_HZ} --period-size={period} "
                   f"--buffer-size={buffer} -v -d {seconds} /dev/zero")
        return self.guest.start(command, seconds + 30)

    def kicks(self, seconds):
        """Of QEMU's own device, through its trace."""
        switch = f"trace-event {TRACED} "
        before = self.traced()
        self.guest.qmp.run("human-monitor-command", **{"command-line": switch + "on"})
        time.sleep(seconds)
        self.guest.qmp.run("human-monitor-command", **{"command-line": switch + "off"})
        return self.traced() - before

    def traced(self):
        return self.trace.read_text(errors="replace").count(f"{TRACED} ")

    def measure(self, period, buffer, seconds):
        ticket = self.play(period, buffer, int(seconds + LEAD_S + TAIL_S))
        time.sleep(LEAD_S)
        before = Reading(self)
        time.sleep(seconds)
        after = Reading(self)
        cost = after.cost(before)
        periods = (after.at - before.at) * RATE_HZ / period
        kicks = after.daemon_main_wakes(before)
        cost["interrupts_per_period"] = (after.interrupts - before.interrupts) / periods
        if kicks is None:
            kicks, periods = self.kicks(KICKS_S), KICKS_S * RATE_HZ / period
        cost["kicks_per_period"] = kicks / periods
        done = self.guest.finish(ticket, 3 * seconds + 60)
        cost["underruns"] = done.text.count("underrun")
        if done.status:
            cost["failed"] = done.text.strip().splitlines()[-1]
        return cost

    def is_clean(self, period, buffer, seconds):
        """None if it was, or why not."""
        done = self.guest.finish(self.play(period, buffer, seconds, "--fatal-errors"), 2 * seconds + 60)
        if done.status:
            return "; ".join(done.text.strip().splitlines()[-1:])[:100] or f"status {done.status}"
        sizes = [int(re.findall(rf"^ *{what}_size *: *(\d+)", done.text, re.M)[-1]) for what in ("period", "buffer")]
        if sizes != [period, buffer]:
            return f"the driver makes it {sizes[0]}/{sizes[1]}"
        return "an underrun" if "underrun" in done.text else None


@contextlib.contextmanager
def load():
    """Each processor has something else to do."""
    busy = [subprocess.Popen([sys.executable, "-c", "while True: pass"], preexec_fn=lambda: os.nice(5))
            for _ in range(os.cpu_count())]
    try:
        yield
    finally:
        for process in busy:
            process.kill()
            process.wait()


def idle(machines, seconds):
    """{device: cost}, of all at the same time."""
    before = {name: Reading(m) for name, m in machines.items()}
    time.sleep(seconds)
    return {name: Reading(m).cost(before[name]) for name, m in machines.items()}


def play_round(args, machines, number):
    """{device: {size: cost}}, and what they cost when idle."""
    found = {name: {} for name in machines}
    rest = idle(machines, args.seconds)
    order = list(machines)
    for period, buffer in SIZES:
        for name in order[number % len(order):] + order[:number % len(order)]:
            found[name][f"{period}/{buffer}"] = machines[name].measure(period, buffer, args.seconds)
            time.sleep(SETTLE_S)
    return found, rest


def take_off(cost, rest):
    """The idle guest's part, and the sums."""
    for name, ms in rest.items():
        cost[name] -= ms
    cost["idle"] = sum(rest.values())
    cost["qemu"] = cost["qemu_main"] + cost["qemu_vcpu"] + cost["qemu_other"]
    cost["outside_vcpu"] = cost["qemu_main"] + cost["qemu_other"] + cost["daemon"]
    cost["all"] = cost["qemu"] + cost["daemon"]


def play_rounds(args, devices, work, result):
    """[{device: {size: cost}}], idle taken off."""
    rounds, rests = [], []
    with contextlib.ExitStack() as stack:
        machines = {}
        for device in devices:
            machines[device.name] = Machine(device, args.build, work / device.name)
            stack.callback(machines[device.name].close)
        result["accelerator"] = machines[devices[0].name].accel[1].split(",")[0]
        for number in range(args.rounds):
            found, rest = play_round(args, machines, number)
            rounds.append(found)
            rests.append(rest)
    for name in machines:
        rest = median([r[name] for r in rests])
        for found in rounds:
            for cost in found[name].values():
                take_off(cost, rest)
    return rounds


def ratios(rounds):
    """{size: {"one / other": ratio of all that they cost}}, of each device with each of QEMU's own."""
    names = list(rounds[0])
    found = {}
    for size in rounds[0][names[0]]:
        found[size] = {}
        for name, other in ((n, o) for o in names if o.startswith("qemu-") for n in names if not n.startswith("qemu-")):
            of = [r[name][size]["all"] / r[other][size]["all"] for r in rounds]
            found[size][f"{name} / {other}"] = {"median": statistics.median(of), "min": min(of), "max": max(of)}
    return found


def smallest(args, device, folder, module, sizes):
    """The first clean size, and what was wrong with those before."""
    machine = Machine(device, args.build, folder, module)
    wrong = {}
    try:
        with load():
            for period, buffer in sizes:
                reason = machine.is_clean(period, buffer, args.clean)
                print(f"# {device.name} {module or 'default'} {period}/{buffer}: {reason or 'clean'}",
                      file=sys.stderr, flush=True)
                if reason is None:
                    return {"smallest": f"{period}/{buffer}", "not": wrong}
                wrong[f"{period}/{buffer}"] = reason
        return {"smallest": None, "not": wrong}
    finally:
        machine.close()


def median(rounds):
    """Of each figure; text stays as it is."""
    return {name: statistics.median(values) if not isinstance(values[0], str) else values[0]
            for name in rounds[0] if (values := [r[name] for r in rounds if name in r])}


def run(args, work):
    devices = [d for d in DEVICES if d.usable() and (not args.sound or d.name in args.sound.split(","))]
    result = {"seconds": args.seconds, "rounds": args.rounds, "devices": {}}
    rounds = play_rounds(args, devices, work, result)
    for device in devices:
        result["devices"][device.name] = {size: median([r[device.name][size] for r in rounds])
                                          for size in rounds[0][device.name]}
        for size in rounds[0][device.name]:
            print(f"# {device.name} {size}: " + ", ".join(f"{r[device.name][size]['all']:.1f}" for r in rounds) + " ms/s",
                  file=sys.stderr, flush=True)
    result["ratios"] = ratios(rounds)
    for device in devices if args.clean else ():
        for key, module, sizes in (("clean_default", "", DEFAULT_SIZES), ("clean_small", SMALL, SMALL_SIZES)):
            result["devices"][device.name][key] = smallest(args, device, work / f"{device.name}-{key}", module, sizes)
    if args.clean:
        result["clean_seconds"] = args.clean
    return result


def print_table(result):
    print(f"{result['accelerator']}, ms of CPU time per second of sound, idle taken off; medians of {result['rounds']}")
    columns = ("all", "daemon", "qemu", "qemu_main", "qemu_vcpu", "qemu_other", "interrupts_per_period",
               "kicks_per_period", "underruns")
    print(f"{'':24}" + "".join(f"{c.replace('_per_period', '/per').replace('qemu_', ''):>15}" for c in columns))
    for name, device in result["devices"].items():
        for size, cost in device.items():
            if "/" in size:
                print(f"{name + ' ' + size:24}" + "".join(f"{cost[c]:15.2f}" for c in columns))
        for key in ("clean_default", "clean_small"):
            if key in device:
                print(f"{name + ' ' + key:24} {device[key]['smallest'] or 'none'}")
    for size, of in result["ratios"].items():
        for pair, ratio in of.items():
            print(f"{pair + ' ' + size:44} {ratio['median']:.2f} ({ratio['min']:.2f} to {ratio['max']:.2f})")


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build")
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--clean", type=int, default=0, metavar="SECONDS")
    parser.add_argument("--sound", metavar="NAME,...", help="null, pipewire, qemu-none, qemu-wav")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    args.build = args.build.resolve()
    return args


def main():
    procs.catch_signals()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    args = arguments()
    work = pathlib.Path(tempfile.mkdtemp(prefix="vsnd-bench-"))
    try:
        result = run(args, work)
    finally:
        procs.kill_all()
        shutil.rmtree(work, ignore_errors=True)
    if args.json:
        print(json.dumps(result, indent=1))
    else:
        print_table(result)


if __name__ == "__main__":
    main()
