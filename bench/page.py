#!/usr/bin/env python3
"""Write doc/performance.md and its plots from the figures that bench/run.sh has measured.

usage: bench/page.py FIGURES DOC
"""

import json
import pathlib
import sys

sys.dont_write_bytecode = True
import plot

HEAD = """# Performance

Written by `bench/run.sh` ({date} UTC) from what it measured on {machine}, Linux {kernel}, {processors} processors; not to be
edited. All figures are medians over the rounds. CPU time is that of all threads of the daemon, as the scheduler counts it.
The limit of a sound device is one copy of the samples and one notification per period; the tables say how close we are.
"""

MESSAGES = """
## What a message costs

`vsnd-probe bench messages`, with `--null-pace=fast`: the device takes all that is queued, as fast as it can, and copies it to
where a host's buffer would be. The queue holds up to 256 messages, so that the way of a message is measured and not the
wake-ups of both sides, which so many share. *Copy* is `memcpy()` of the same bytes from the same guest memory, *notification* one
`write()` to an eventfd for which nobody waits; both are measured in the same run, in the driver's process.

{table}

![CPU time of a message](performance/messages.svg)

What bounds it: below 2 KiB the ring's own cache lines, which the driver has just written on another processor; from 16 KiB on
the copy. The device looks at each descriptor once, translates it once, and publishes and notifies once per cycle.
"""

STEADY = """
## What playing on costs

`vsnd-probe bench steady`: one stream of S16, 48 kHz, two channels, with 40 ms of buffer, at a sound card's pace. Wake-ups, system
calls and notifications are per period and of the whole daemon; system calls are counted by strace, in a stretch of their own.

{table}

What bounds it: a cycle is one `ppoll()` and one `write()`, and most of its time is the kernel's way out of sleep and back. Periods
share a cycle, of up to 10 ms, where the buffer is long (see `doc/decisions.md`). The file's writer looks once a
second and makes four calls then. With PipeWire the cycle, its wake-ups and its system calls are PipeWire's own.
"""

LATENCY = """
## How evenly and how soon

`vsnd-probe bench latency`, in microseconds, the driver's own wake-up included. Completions are held against an ideal clock that
begins so that none is early. *Kick to completion* is a message for a stream that does not exist, which comes back at once.

{table}
"""

SCALE = """
## Many at once

`vsnd-probe bench scale`: streams of 48 kHz stereo at 10 ms in one device that has one processor, and as many daemons with a
stream each on all processors. CPU is in percent of one processor; *short* is how many periods the slowest stream was behind the
clock at the end; *starved* counts looks of the driver that found a buffer all but empty.

{table}

![CPU by streams and daemons](performance/scale.svg)

What bounds it: streams of one device share its wake-up, so 64 of them cost little more than one; daemons do not.
"""

START = """
## Start and memory

`vsnd-probe bench start`: from the fork of the shell that starts the daemon to the first frame. Memory in KiB, idle before a
front-end has come. *Small* is a build of null and file alone.

{table}

What bounds it: the libraries. Those of PulseAudio and JACK alone are half of what an idle daemon with all back-ends weighs.
"""

GUEST = """
## In a virtual machine

`bench/guest.py`: a Linux guest with two processors under QEMU ({accelerator}) plays silence with `aplay`; ms of CPU time per second
of sound, what the idle guest takes taken off, medians of {rounds} rounds of {seconds} s. There is a guest for each device at the same
time, and they play in turn. *qemu-none* and *qemu-wav* are QEMU's own `virtio-sound-pci` with that audiodev; *null* and *pipewire*
are vhost-user-snd. Interrupts and kicks are per period.

{table}

All that ours costs as a part of what QEMU's own costs in the same round, medians and extremes of the rounds:

{ratios}

What bounds it: the guest's own way through an interrupt and its program's wake-up, about a ms of an emulated processor, so that the number
of interrupts decides. With PipeWire it is that of cycles of 1,024 frames, as long as the guest's buffer leaves time for it
(`doc/decisions.md`); null has the guest's periods, or as many as make 10 ms. QEMU gives `vhost-user-snd-pci` one INTx for all
queues, its own device MSI-X, which makes an interrupt of ours the dearer one.

For comparison, measured earlier on a machine like this one: vhost-device-sound with PipeWire takes 7.1 ms in the daemon and 68 ms in
QEMU at 480/1920, 11.3 and 83 at 96/1536; QEMU's own device with WAV output 146 and 167 in all.
"""

CLEAN = """
The smallest period/buffer that played {seconds} s without an underrun while each processor was busy with something else, of those
that were tried in ascending order; with the driver's defaults, which allow no period below 10 ms, and with `pcm_period_ms_min=1`:

{table}
"""


def load(folder, name):
    path = folder / f"{name}.json"
    return json.loads(path.read_text()) if path.exists() else None


def rows(figures, part):
    return {row["row"]: row for row in figures["parts"].get(part, [])} if figures else {}


def value(row, side, name):
    return row.get(side, {}).get(name, {}).get("median")


def cell(number):
    if number is None:
        return "–"
    return f"{number:.0f}" if abs(number) >= 100 else f"{number:.1f}" if abs(number) >= 10 else f"{number:.2f}"


def table(head, body):
    lines = ["| " + " | ".join(head) + " |", "| --- " + "| ---: " * (len(head) - 1) + "|"]
    return "\n".join(lines + ["| " + " | ".join([line[0], *map(cell, line[1:])]) + " |" for line in body])


def messages(figures, plots):
    body, series = [], {"device": [], "copy": [], "copy + notification": []}
    for name, row in rows(figures, "messages").items():
        size = int(name.split()[0])
        cpu, copy, notify = value(row, "subject", "cpu_ns"), value(row, "reference", "copy_ns"), \
            value(row, "reference", "notify_ns")
        body.append([name, cpu, copy, notify, value(row, "subject", "to_copy_and_notify"),
                     value(row, "subject", "beyond_copy_ns"), value(row, "subject", "wall_ns"),
                     value(row, "reference", "queued")])
        for line, y in zip(series.values(), (cpu, copy, copy + notify)):
            line.append((size, y))
    plots["messages"] = plot.lines("CPU time of an output message", "bytes", "ns", series)
    return MESSAGES.format(table=table(
        ["message", "device, ns", "copy, ns", "notification, ns", "device / (copy + notification)",
         "beyond the copy, ns", "wall, ns", "in flight"], body))


def by_backend(sources, part, names):
    """A line for each row and each back-end: (figures, side, back-end) of sources."""
    body = []
    for name in {row: None for figures, _, _ in sources for row in rows(figures, part)}:
        for figures, side, backend in sources:
            row = rows(figures, part).get(name)
            if row and side in row:
                body.append([f"{name}, {backend}", *(value(row, side, n) for n in names)])
    return body


def steady(sources):
    names = ["cpu_ms_per_s", "cpu_us_per_period", "wake_ups", "system_calls", "notifications", "kicks"]
    return STEADY.format(table=table(["period, back-end", "CPU, ms/s", "CPU, µs/period", "wake-ups", "system calls",
                                      "notifications", "kicks"], by_backend(sources, "steady", names)))


def latency(sources):
    names = ["min_us", "median_us", "p99_us", "max_us"]
    return LATENCY.format(table=table(["what, back-end", "min", "median", "p99", "max"],
                                      by_backend(sources, "latency", names)))


def scale(figures, long, plots):
    names = ["cpu_percent", "cpu_us_per_period", "wake_ups_per_s", "rss_kib", "xruns", "driver_starved",
             "slowest_periods_short"]
    body, series = [], {"streams, one core": [], "daemons": []}
    for name, row in rows(figures, "scale").items():
        body.append([name, *(value(row, "subject", n) for n in names)])
        series["streams, one core" if "stream" in name else "daemons"].append(
            (int(name.split()[0]), value(row, "subject", "cpu_percent")))
    for name, row in rows(long, "scale").items():
        body.append([f"{name}, {long['seconds']} s", *(value(row, "subject", n) for n in names)])
    plots["scale"] = plot.lines("CPU by number of streams or daemons", "number", "% of a processor", series)
    return SCALE.format(table=table(["", "CPU, %", "µs/period", "wake-ups/s", "RSS, KiB", "xruns", "starved", "short"], body))


def start(sources):
    body = []
    for figures, side, backend in sources:
        found = rows(figures, "start")
        if found and side in found["idle"]:
            body.append([backend, *(value(found[row], side, name) for row, name in (
                ("exec to", "up_ms"), ("exec to", "first_frame_ms"), ("idle", "rss_kib"), ("idle", "pss_kib"),
                ("idle", "wake_ups_per_s"), ("playing", "rss_kib")))])
    return START.format(table=table(["back-end", "up, ms", "first frame, ms", "idle RSS", "idle PSS",
                                     "idle wake-ups/s", "playing RSS"], body))


def guest_ratios(ratios):
    pairs = list(next(iter(ratios.values())))
    lines = ["| | " + " | ".join(ratios) + " |", "| --- |" + " ---: |" * len(ratios)]
    for pair in pairs:
        of = [[round(ratios[size][pair][n], 2) for n in ("median", "min", "max")] for size in ratios]
        lines.append(f"| {pair} | " + " | ".join(f"{m:.2f} ({a:.2f} to {b:.2f})" for m, a, b in of) + " |")
    return "\n".join(lines)


def guest(figures):
    names = ["all", "daemon", "qemu", "qemu_main", "qemu_vcpu", "outside_vcpu", "interrupts_per_period",
             "kicks_per_period", "underruns"]
    body = [[f"{size}, {name}", *(cost.get(n) for n in names)]
            for size in next(iter(figures["devices"].values())) if "/" in size
            for name, device in figures["devices"].items() if (cost := device.get(size))]
    text = GUEST.format(table=table(["period/buffer, device", "all", "daemon", "QEMU", "QEMU main", "vCPUs",
                                     "outside the vCPUs", "interrupts", "kicks", "underruns"], body),
                        ratios=guest_ratios(figures["ratios"]), accelerator=figures["accelerator"].upper(), rounds=figures["rounds"],
                        seconds=figures["seconds"])
    if "clean_seconds" in figures:
        lines = ["| device | default driver | smallest periods |", "| --- | --- | --- |"]
        for name, device in figures["devices"].items():
            lines.append(f"| {name} | " + " | ".join(
                device[key]["smallest"] or "none" for key in ("clean_default", "clean_small")) + " |")
        text += CLEAN.format(seconds=figures["clean_seconds"], table="\n".join(lines))
    return text


def main():
    folder, doc = map(pathlib.Path, sys.argv[1:])
    plots = {}
    found = {name: load(folder, name) for name in ("messages", "steady", "latency", "start", "start-small", "scale",
                                                   "scale64", "pipewire", "guest")}
    pair = lambda name: [(found[name], "subject", "null"), (found[name], "versus", "file"),
                         (found["pipewire"], "subject", "pipewire")]
    text = HEAD.format(**found["messages"])
    text += messages(found["messages"], plots) + steady(pair("steady")) + latency(pair("latency"))
    text += scale(found["scale"], found["scale64"], plots)
    text += start(pair("start") + [(found["start-small"], "subject", "null, small"),
                                   (found["start-small"], "versus", "file, small")])
    if found["guest"]:
        text += guest(found["guest"])
    (doc / "performance").mkdir(exist_ok=True)
    for name, svg in plots.items():
        (doc / "performance" / f"{name}.svg").write_text(svg)
    (doc / "performance.md").write_text(text)


if __name__ == "__main__":
    main()
