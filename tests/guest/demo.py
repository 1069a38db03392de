"""The demonstration: recorded speech, played in a real guest, lands in files on the host, to the frame.

With --audio it is heard instead, through the host's sound system: `auto` is the first that answers.
"""

import argparse
import json
import shutil
import subprocess
import sys
import time
from pathlib import Path

import apt
import compare
import image
import procs
import rig as rigs
import wavs
from guest import GuestError

ROW = "{:<22}{:>8}{:>10}{:>7}{:>9}{:>9}{:>7}"
HEARD = "{build}/vhost-user-snd --socket-path={socket} --control-path={control} --audio={audio} --streams=1,0"
VERDICTS = (("NOT every frame arrived once and unaltered", "every frame arrived once and unaltered"),
            ("NOT all of it went to the host's sound system", "all of it went to the host's sound system"))
COLUMNS = ("file", "sent", "received", "lost", "doubled", "altered", "gaps")


def say(start, text):
    print(f"[{time.monotonic() - start:5.1f} s] {text}", flush=True)


def play(rig, path):
    """One file, through the guest, to its last frame."""
    fmt, data = wavs.read(path)
    rig.out.mark()
    rig.put(path.name, fmt, data)
    rig.guest.check(rig.aplay(path.name, fmt), limit_s=60)
    rig.forget(path.name)
    return rig.judge(fmt, data)


def show(name, r):
    print(ROW.format(name, r.sent, r.received, r.lost, r.doubled, r.altered, sum(r.gaps)), flush=True)


def listen(args, work, start):
    """Whether all that the guest played went to the host's sound system."""
    speech = sorted((image.image() / "sounds").glob("*.wav"))
    say(start, "the guest boots")
    rig = rigs.Rig(args.build, work, HEARD.replace("{audio}", args.audio), streams=1, module="virtio_snd")
    name = json.loads(rig.host("--json", "status"))["audio"]["backend"]
    say(start, f"the guest is up ({rig.accelerator}); it plays {len(speech)} files through {name}")
    for path in speech:
        fmt, data = wavs.read(path)
        rig.put(path.name, fmt, data)
        say(start, f"{path.name}: {len(data) / fmt.frame / fmt.rate:.1f} s")
        rig.guest.check(rig.aplay(path.name, fmt), limit_s=60)
        rig.forget(path.name)
    print(rig.host("status"), flush=True)
    stream = json.loads(rig.host("--json", "status"))["streams"][0]
    return rig.close() == 0 and stream["frames"] > 0 and stream["discarded"] == 0


def total(results):
    whole = compare.Result()
    for r in results:
        for field in ("sent", "received", "lost", "doubled", "altered", "gaps"):
            setattr(whole, field, getattr(whole, field) + getattr(r, field))
    return whole


def draw(wav):
    """A spectrogram beside the recording, if sox is there to draw it."""
    if not shutil.which("sox"):
        return None
    png = wav.with_suffix(".png")
    subprocess.run(["sox", str(wav), "-n", "spectrogram", "-t", wav.name, "-c", "vsnd",
                    "-x", "1200", "-y", "257", "-o", str(png)], check=True, timeout=60)
    return png


def clear(out):
    """What an earlier run left."""
    out.mkdir(parents=True, exist_ok=True)
    for old in [*out.glob("*.wav"), *out.glob("*.png")]:
        old.unlink()


def demonstrate(args, work, start):
    """Whether every frame arrived, once, in order, as it was."""
    speech = sorted((image.image() / "sounds").glob("*.wav"))
    say(start, "the guest boots")
    rig = rigs.Rig(args.build, work, args.daemon, streams=1, out=args.out, module="virtio_snd")
    say(start, f"the guest is up ({rig.accelerator}); it plays {len(speech)} files")
    print("\n" + ROW.format(*COLUMNS))
    results = []
    for path in speech:
        results.append(play(rig, path))
        show(path.name, results[-1])
    whole = total(results)
    show("all", whole)
    print()
    ended = rig.close()
    for wav in sorted(args.out.glob("*.wav")):
        say(start, " ".join(str(p) for p in ("written:", wav, draw(wav) or "(no sox: no picture)")))
    if ended != 0:
        say(start, f"the daemon's exit status after SIGTERM: {ended}")
    return whole.exact and ended == 0


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", default=str(rigs.ROOT / "build"), help="where the daemon was built")
    parser.add_argument("--daemon", default=rigs.DAEMON,
                        help="command of the daemon, with {socket}, {control}, {out}, {source}, {streams}, {build}")
    parser.add_argument("--out", type=Path, default=rigs.ROOT / "demo-out", help="where the recordings go")
    parser.add_argument("--audio", help="do not write files: let it be heard through pipewire, pulse, alsa, jack, "
                        "or auto, the first that answers")
    return parser.parse_args()


def main():
    args, start = arguments(), time.monotonic()
    procs.catch_signals()
    work = rigs.work_directory()
    try:
        say(start, f"QEMU: {image.qemu()}; the guest's image: {image.image()}")
        if args.audio:
            good = listen(args, work, start)
        else:
            clear(args.out)
            good = demonstrate(args, work, start)
    except (apt.AptError, GuestError, rigs.Failed, subprocess.SubprocessError, OSError) as error:
        sys.exit(f"demo: {error}\ndemo: logs are in {work}")
    finally:
        procs.kill_all()
    shutil.rmtree(work)
    say(start, VERDICTS[bool(args.audio)][good])
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
