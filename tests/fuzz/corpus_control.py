#!/usr/bin/env python3
"""Write the hand-made part of corpus/control: one file per request and fault.

usage: corpus_control.py DIRECTORY
"""

import pathlib
import struct
import sys

CONTROL, TX, PULL, CUT, EVENT, MEDDLE = 0, 1, 2, 32, 64, 128
RX = TX | EVENT
ROOM = {0: 0, 3: 1, 4: 2, 7: 3, 8: 4, 36: 5, 132: 6, 1000: 7}


def record(what, message, room=4):
    return bytes([what | ROOM[room] << 2, len(message)]) + message


def words(*values):
    return struct.pack(f"<{len(values)}I", *values)


def set_params(stream=0, buffer=7680, period=1920, features=0, channels=2, fmt=5, rate=7):
    return record(CONTROL, words(0x101, stream, buffer, period, features)
                  + bytes([channels, fmt, rate, 0]))


def pcm(code, stream=0):
    return record(CONTROL, words(code, stream))


PREPARE, RELEASE, START, STOP = 0x102, 0x103, 0x104, 0x105
RUN = set_params() + pcm(PREPARE) + pcm(START)
MESSAGE = record(TX | PULL, words(0) + bytes(range(200)), 8)

MIC = 2
RECORD = set_params(MIC) + pcm(PREPARE, MIC) + pcm(START, MIC)
PLACE = record(RX | PULL, words(MIC), 1000)
VOLUME, SWITCH, WIDE, CHOICE, BYTES, IEC958 = range(6)
BUFFER = record(EVENT, b"", 8)


def element(code, number, more=b"", room=4, what=CONTROL):
    return record(what, words(code, number) + more, room)


INPUTS = {
    "ctl_info": record(CONTROL, words(0x300, 0, 6, 96), 1000)
                + record(CONTROL, words(0x300, 0, 2, 92), 1000)
                + record(CONTROL, words(0x300, 5, 1, 40), 1000),
    "ctl_enum_items": element(0x301, CHOICE, room=132) + element(0x301, CHOICE, room=36)
                      + element(0x301, VOLUME, room=132),
    "ctl_read": b"".join(element(0x302, n, room=1000) for n in range(7))
                + element(0x302, VOLUME, room=8),
    "ctl_write": element(0x303, VOLUME, words(100, 90)) + element(0x303, VOLUME, words(100, 190))
                 + element(0x303, SWITCH, words(1)) + element(0x303, CHOICE, words(1, 0, 1))
                 + element(0x303, CHOICE, words(2, 0, 1)) + element(0x303, WIDE, bytes(200))
                 + element(0x303, VOLUME, words(1)) + element(0x303, IEC958, bytes(176)),
    "ctl_tlv_read": b"".join(element(0x304, n, room=1000) for n in range(7))
                    + element(0x304, VOLUME, room=8) + element(0x304, VOLUME, room=7),
    "ctl_tlv_write": element(0x305, BYTES, words(7, 16, 1, 2, 3, 4)) + element(0x304, BYTES, room=36)
                     + element(0x305, BYTES, words(7, 6, 1, 2)) + element(0x305, BYTES, words(7, 65536))
                     + element(0x305, BYTES, words(7, 8, 1)) + element(0x305, VOLUME, words(7, 0)),
    "ctl_tlv_command": element(0x306, IEC958, words(7, 4, 0)) + element(0x306, IEC958, words(7, 0))
                       + element(0x306, IEC958, words(7, 4, 95)) + element(0x306, BYTES, words(7, 0)),
    "ctl_volume": RUN + MESSAGE + element(0x303, VOLUME, words(60, 120)) + MESSAGE * 2
                  + element(0x303, SWITCH, words(1)) + MESSAGE * 2,
    "ctl_formats": b"".join(set_params(fmt=n) + pcm(PREPARE) + pcm(START) + MESSAGE
                            + element(0x303, VOLUME, words(n, 120 - n)) + MESSAGE + pcm(STOP)
                            + pcm(RELEASE) for n in range(1, 25)),
    "events": BUFFER * 3 + record(CONTROL | MEDDLE, words(1, 0, 1, 24), 36) + BUFFER * 9,
    "events_late": pcm(9) + record(MEDDLE, b"", 4) * 2 + record(EVENT, b"", 7) + BUFFER * 4,
    "events_readable": record(EVENT | CUT, bytes(8), 8) + record(MEDDLE, b"", 4) + BUFFER,
    "xrun": BUFFER + set_params(features=16) + pcm(PREPARE) + pcm(START) + MESSAGE
            + record(TX | PULL, b"", 8) * 3 + MESSAGE + BUFFER,
    "jack_info": record(CONTROL, words(1, 0, 1, 24), 36),
    "jack_remap": record(CONTROL, words(2, 0, 1, 1)),
    "pcm_info": record(CONTROL, words(0x100, 0, 2, 32), 132),
    "pcm_info_stride": record(CONTROL, words(0x100, 0, 2, 40), 1000),
    "pcm_info_wrap": record(CONTROL, words(0x100, 1, 0xffffffff, 32), 1000),
    "chmap_info": record(CONTROL, words(0x200, 0, 2, 24), 132),
    "unknown": record(CONTROL, words(0x300, 0, 2, 24), 132),
    "short": record(CONTROL, words(0x101, 0)),
    "no_room": record(CONTROL, words(0x104, 0), 3),
    "cut": record(CONTROL | CUT, words(0x100, 0, 2, 32), 132),
    "play": RUN + MESSAGE * 20 + pcm(STOP) + pcm(RELEASE),
    "pause": RUN + MESSAGE * 3 + pcm(STOP) + MESSAGE + pcm(START) + MESSAGE,
    "odd": RUN + record(TX | PULL, words(0) + bytes(7), 8) * 5 + MESSAGE,
    "release_full": set_params() + pcm(PREPARE) + MESSAGE * 10 + pcm(RELEASE),
    "prepare_again": set_params() + pcm(PREPARE) + MESSAGE * 2 + pcm(PREPARE) + set_params(),
    "tx_no_status": RUN + record(TX | PULL, words(0) + bytes(16), 7) + MESSAGE,
    "tx_short": RUN + record(TX | PULL, b"\0\0\0", 8),
    "tx_bad_stream": RUN + record(TX | PULL, words(9) + bytes(16), 8),
    "tx_no_frames": RUN + record(TX | PULL, words(0), 8),
    "bad_params": set_params(period=0) + set_params(buffer=1) + set_params(fmt=200)
                  + set_params(rate=64) + set_params(channels=0) + set_params(stream=7),
    "two_streams": RUN + set_params(1, channels=1) + pcm(PREPARE, 1) + pcm(START, 1)
                   + MESSAGE + record(TX | PULL, words(1) + bytes(40), 8) + pcm(STOP, 1),
    "record": RECORD + PLACE * 20 + pcm(STOP, MIC) + pcm(RELEASE, MIC),
    "record_pause": RECORD + PLACE * 3 + pcm(STOP, MIC) + PLACE + pcm(START, MIC) + PLACE,
    "record_odd": RECORD + record(RX | PULL, words(MIC), 36) * 5
                  + record(RX | CUT, words(MIC), 132) + PLACE,
    "record_late": RECORD + MESSAGE * 3 + PLACE * 3,
    "record_release": RECORD + record(RX, words(MIC), 1000) * 5 + PLACE + pcm(STOP, MIC)
                      + pcm(RELEASE, MIC) + PLACE,
    "rx_no_status": RECORD + record(RX | PULL, words(MIC), 7) + PLACE,
    "rx_only_status": RECORD + record(RX | PULL, words(MIC), 8) + PLACE,
    "rx_readable": RECORD + record(RX | PULL, words(MIC) + bytes(16), 1000) + PLACE,
    "rx_bad_stream": RECORD + record(RX | PULL, words(0), 1000) + record(RX, words(9), 132),
    "duplex": RUN + RECORD + (MESSAGE + PLACE) * 10,
}


def main():
    directory = pathlib.Path(sys.argv[1])
    directory.mkdir(parents=True, exist_ok=True)
    for name, data in INPUTS.items():
        (directory / name).write_bytes(data)


if __name__ == "__main__":
    main()
