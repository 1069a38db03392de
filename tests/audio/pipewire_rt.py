"""What the audio thread does while it plays through PipeWire: tests/rt/rtcheck.c counts it."""

import json

import rig

LEAD_S, COUNT_S = 2, 4
FORBIDDEN = ("alloc", "free", "mutex", "cond", "rwlock", "sem_wait", "log", "sleep", "socket")
QUANTUM, PERIOD = 256, 480


class Counted(rig.Guest):
    def start_daemon(self, build, host):
        self.out = host.folder / "rtcheck.json"
        former, host.env = host.env, {
            **host.env, "LD_PRELOAD": str(build / "tests/rt/rtcheck.so"),
            "VSND_RTCHECK_OUT": str(self.out), "VSND_RTCHECK_FROM": str(LEAD_S),
            "VSND_RTCHECK_UNTIL": str(LEAD_S + COUNT_S)}
        try:
            super().start_daemon(build, host)
        finally:
            host.env = former

    def counts(self):
        """Of the audio thread, once the daemon has ended."""
        return next(t for t in json.loads(self.out.read_text())["threads"]
                    if t["name"] == "vsnd-audio")


def quiet(name, build, host):
    host.start()
    host.quantum(QUANTUM)
    with rig.playing(build, host, LEAD_S + COUNT_S + 1, PERIOD, make=Counted) as guest:
        guest.finish()
    counts = guest.counts()
    cycles, periods = counts["eventfd_read"], COUNT_S * rig.RATE // PERIOD
    wrong = {what: counts[what] for what in FORBIDDEN if counts[what]}
    rig.tell(name, f"{cycles} cycles, {periods} periods: {counts}")
    if wrong:
        raise rig.Fault(f"the audio thread's calls: {wrong}")
    if cycles < COUNT_S * rig.RATE / QUANTUM / 2:
        raise rig.Fault("too few cycles to say anything")
    # PipeWire tells its driver in each cycle; the rest are notifications of the guest.
    notifications = counts["eventfd_write"] - cycles
    if not periods / 2 < notifications <= periods + 2:
        raise rig.Fault(f"{notifications} notifications in {periods} periods")


def cases(quick):
    yield "pipewire: the audio thread neither allocates nor waits", quiet
