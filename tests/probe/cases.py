"""What the probe does to the daemon, as a table: each case is one run of vsnd-probe."""

import dataclasses

import formats

FRONT_ENDS = ("qemu", "crosvm", "libkrun", "cloud-hypervisor")


@dataclasses.dataclass
class Case:
    """One run.  `options` are the probe's, `daemon` are added to the daemon's."""
    name: str
    options: tuple = ()
    daemon: tuple = ()
    sample: str = "S16"
    rate: int = 48000
    channels: int = 2
    frames: int = 24000
    streams: int = 1
    pace: str = "realtime"
    order: tuple = ()           # channel i of the file is channel order[i] that was played
    mask: int = 0               # WAV's mask of the positions
    check: str = "all"          # how to judge: judge_… in run.py
    quick: bool = False         # also run under sanitizers
    limit_s: float = 30


def queue_cases():
    """Queue sizes with and without the two ring features."""
    for size in (64, 128, 256, 1024):
        for indirect in (True, False):
            for event_idx in (True, False):
                options = [f"--queue-size={size}"]
                options += [] if indirect else ["--no-indirect"]
                options += [] if event_idx else ["--no-event-idx"]
                name = f"queue {size}{'' if indirect else ', no indirect'}" \
                       f"{'' if event_idx else ', no event index'}"
                yield Case(name, tuple(options), quick=size in (64, 1024))


def front_end_cases():
    for who in FRONT_ENDS:
        yield Case(f"front-end {who}", (f"--front-end={who}",), quick=True)
        yield Case(f"front-end {who}, reset", (f"--front-end={who}", "--reset-at=9600"),
                   check="after_reset")
        if who != "libkrun":        # it cannot pause a VM
            yield Case(f"front-end {who}, suspend",
                       (f"--front-end={who}", "--suspend-at=9600", "--suspend-ms=300"), quick=True)


def driver_cases():
    """What a guest's driver does."""
    yield Case("late fill", ("--late-fill",), quick=True)
    yield Case("pause", ("--pause-at=9600", "--pause-ms=200"), quick=True)
    yield Case("pieces 7", ("--pieces=7",), quick=True)
    yield Case("pieces 7, no indirect", ("--pieces=7", "--no-indirect"))
    yield Case("scattered descriptors, 8 regions", ("--scatter", "--regions=8"), quick=True)
    yield Case("repeat", ("--repeat=3",), frames=4800, check="repeat", quick=True)
    yield Case("release when all is queued", ("--release-early",), quick=True)
    yield Case("release early", ("--release-early=9600",), check="prefix", quick=True)
    yield Case("two streams", ("--streams=0,1",), daemon=("--streams=2",), streams=2, quick=True)
    yield Case("four streams", ("--streams=0,1,2,3",), daemon=("--streams=4",), streams=4)
    yield Case("fast", pace="fast", quick=True)
    yield Case("fast, pieces 7", ("--pieces=7",), pace="fast")


def size_cases():
    """Periods of 1 to 80 ms; buffers of 1 to 16 periods."""
    for period in (48, 441, 480, 1024, 3840):
        for periods in (1, 2, 4, 16):
            yield Case(f"period {period}, buffer of {periods}",
                       (f"--period={period}", f"--buffer={period * periods}"),
                       quick=(period, periods) in ((48, 4), (3840, 2)))


def format_cases():
    for sample in ("S16", "S32", "FLOAT"):
        for channels in (1, 2):
            for rate in (44100, 48000, 96000):
                yield Case(f"{sample}, {channels} channels, {rate} Hz", sample=sample, rate=rate,
                           channels=channels, frames=rate // 2,
                           quick=(channels, rate) in ((1, 44100), (2, 96000)))


def record_cases():
    """What the daemon's file is comes out of the probe's input stream."""
    def case(name, *options, **rest):
        return Case(f"record, {name}", options, **{"check": "record", **rest})

    for size, options in ((64, ()), (256, ("--no-indirect",)), (1024, ("--no-event-idx",)),
                          (64, ("--no-indirect", "--no-event-idx"))):
        yield case(f"queue {' '.join((str(size), *options))}", f"--queue-size={size}", *options,
                   quick=size == 64)
    for who in FRONT_ENDS:
        yield case(f"front-end {who}", f"--front-end={who}")
        if who != "libkrun":
            yield case(f"front-end {who}, suspend", f"--front-end={who}", "--suspend-at=9600",
                       quick=who == "qemu")
    yield case("pause", "--pause-at=9600", "--pause-ms=200", quick=True)
    yield case("pieces 7", "--pieces=7", "--no-indirect")
    yield case("scattered descriptors, 8 regions", "--scatter", "--regions=8")
    yield case("fast", pace="fast", quick=True)
    yield case("fast, looped", "--frames=100000", pace="fast", daemon=("--file-in-loop",),
               frames=9999, check="record_loop", quick=True)
    yield case("overrun", "--starve-at=4800", "--starve-ms=300", "--frames=14400",
               frames=48000, check="record_overrun", quick=True)
    yield case("longer than the file", "--frames=30000", frames=20000, check="record_end")
    yield case("while it plays", frames=24000, check="record_and_play", quick=True)
    for period, periods in ((48, 4), (441, 2), (1024, 4), (3840, 2)):
        yield case(f"period {period}, buffer of {periods}", f"--period={period}",
                   f"--buffer={period * periods}")
    for sample in ("S16", "S32", "FLOAT"):
        for channels, rate in ((1, 44100), (2, 96000)):
            yield case(f"{sample}, {channels} channels, {rate} Hz", sample=sample, rate=rate,
                       channels=channels, frames=rate // 2)


ALL = ("--formats=all", "--rates=all", "--channels=18")


def raw_cases():
    """Everything that the specification has, as bare frames."""
    for sample in formats.NAMES:
        for channels in (1, 2):
            yield Case(f"raw {sample}, {channels} channels", sample=sample, channels=channels,
                       rate=44100, frames=11025, daemon=ALL, check="raw", quick=channels == 1)
    for rate in formats.RATES:
        yield Case(f"raw {rate} Hz", rate=rate, frames=rate // 2 + 7, daemon=ALL, check="raw",
                   quick=rate in (5512, 384000))
    yield Case("raw FLOAT64, 18 channels, 384000 Hz", sample="FLOAT64", rate=384000, channels=18,
               frames=38400, daemon=ALL, check="raw")


# Masks are FL 1, FR 2, FC 4, LFE 8, RL 10, RR 20, RC 100, SL 200, SR 400, TFL 1000,
# TFR 4000, TRL 8000, TRR 20000.
LAYOUTS = {3: ((0, 1, 2), 0xb), 4: ((0, 1, 2, 3), 0x33), 5: ((0, 1, 4, 2, 3), 0x37),
           6: ((0, 1, 4, 5, 2, 3), 0x3f), 7: ((0, 1, 4, 5, 6, 2, 3), 0x70f),
           8: ((0, 1, 4, 5, 2, 3, 6, 7), 0x63f),
           12: ((0, 1, 4, 5, 2, 3, 6, 7, 8, 9, 10, 11), 0x2d63f), 9: ((), 0), 18: ((), 0)}


def layout_cases():
    """ALSA's orders of channels become WAV's."""
    for channels, (order, mask) in LAYOUTS.items():
        for sample in ("S16", "U20"):
            yield Case(f"layout of {channels} channels, {sample}", sample=sample, rate=48000,
                       channels=channels, frames=12000, daemon=ALL, check="raw", order=order,
                       mask=mask, quick=channels == 6)


def hostile_cases():
    for seed in (1, 2, 3):      # a round takes about 2 s
        yield Case(f"hostile, seed {seed}", (f"--seed={seed}", "--rounds=2"), check="hostile",
                   frames=0, quick=seed == 1, limit_s=90)


def daemon_cases():
    """What happens to the daemon meanwhile."""
    yield Case("info with controls", daemon=("--streams=2", "--controls"), frames=0,
               check="controls", quick=True)
    yield Case("play with controls", daemon=("--controls",), quick=True)
    yield Case("hostile with controls", ("--seed=4",), daemon=("--controls",), check="hostile",
               frames=0, quick=True, limit_s=90)
    yield Case("SIGTERM while it plays", frames=96000, check="terminated", quick=True)


def all_cases():
    for group in (queue_cases, front_end_cases, driver_cases, size_cases, format_cases,
                  raw_cases, layout_cases, record_cases, hostile_cases, daemon_cases):
        yield from group()
