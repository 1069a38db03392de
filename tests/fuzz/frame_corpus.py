#!/usr/bin/env python3
"""Write the seeds of fuzz_frame: one valid message of each request, one per fault.

usage: frame_corpus.py DIRECTORY
"""

import pathlib
import struct
import sys

MEMFD, EVENT, BLOCKING, PIPE_READ, PIPE_WRITE, SOCKET, NULL, FOLDER = range(8)
PROTOCOL = 1 << 0 | 1 << 3 | 1 << 5 | 1 << 9 | 1 << 13 | 1 << 15 | 1 << 16
FEATURES = 1 << 32 | 1 << 30 | 1 << 29 | 1 << 28


def chunk(data, fds=0, kind=0):
    return struct.pack("<BH", fds | kind << 4, len(data)) + data


def event(what):
    return bytes([0xFF, what])


def message(request, payload=b"", fds=0, kind=0, flags=9, size=None):
    size = len(payload) if size is None else size
    return chunk(struct.pack("=III", request, flags, size) + payload, fds, kind)


def u64(request, value, fds=0, kind=0):
    return message(request, struct.pack("=Q", value), fds, kind)


def vring(request, index, num):
    return message(request, struct.pack("=II", index, num))


def region(i, size=0x100000):
    return struct.pack("=QQQQ", 0x40000000 + i * 0x1000000, size, 0x7000000000 + i * 0x1000000,
                       i * 0x100000)


def address(i, base=None):
    base = 0x7000000000 + i * 0x1000000 if base is None else base
    return message(9, struct.pack("=IIQQQQ", i, 0, base, base + 0x4000, base + 0x2000, 0))


def table(n, fds=None, kind=MEMFD):
    payload = struct.pack("=II", n, 0) + b"".join(region(i) for i in range(n))
    return message(5, payload, n if fds is None else fds, kind)


def config(request, offset, size, flags=0, data=None):
    data = bytes(size) if data is None else data
    return message(request, struct.pack("=III", offset, size, flags) + data)


START = u64(16, PROTOCOL)
MEMORY = START + u64(2, FEATURES) + table(4)


def ring(i, base=0):
    return (vring(8, i, 64) + vring(10, i, base) + address(i) + u64(12, i, 1, EVENT) +
            u64(13, i, 1, EVENT) + u64(14, i, 1, EVENT) + vring(18, i, 1))


UP = MEMORY + b"".join(ring(i) for i in range(4))

VALID = {
    "01-get-features": message(1),
    "02-set-features": u64(2, FEATURES),
    "03-set-owner": message(3),
    "04-reset-owner": message(4),
    "05-set-mem-table": table(4),
    "05-set-mem-table-full": message(5, struct.pack("=II", 1, 0) +
                                     b"".join(region(i) for i in range(8)), 1, MEMFD),
    "08-set-vring-num": vring(8, 1, 256),
    "09-set-vring-addr": address(2),
    "10-set-vring-base": vring(10, 3, 77),
    "11-get-vring-base": vring(11, 0, 0),
    "12-set-vring-kick": u64(12, 0, 1, EVENT),
    "12-set-vring-kick-nofd": u64(12, 0x100),
    "13-set-vring-call": u64(13, 2, 1, BLOCKING),
    "14-set-vring-err": u64(14, 3, 1, EVENT),
    "15-get-protocol-features": message(15),
    "16-set-protocol-features": START,
    "17-get-queue-num": START + message(17),
    "18-set-vring-enable": vring(18, 0, 1),
    "21-set-backend-req-fd": START + message(21, b"", 1, SOCKET),
    "24-get-config": START + config(24, 0, 16),
    "25-set-config": START + config(25, 0, 4, 1, b"\1\0\0\0"),
    "34-reset-device": UP + message(34),
    "36-get-max-mem-slots": START + message(36),
    "37-add-mem-reg": START + message(37, bytes(8) + region(5, 0x1000), 1, MEMFD),
    "38-rem-mem-reg": MEMORY + message(38, bytes(8) + region(1)),
    "39-set-status": START + u64(39, 0xF),
    "40-get-status": START + message(40),
    "50-qemu": UP + event(0x32) + b"".join(vring(18, i, 0) for i in range(4)) +
               b"".join(vring(11, i, 0) for i in range(4)) + table(4) +
               b"".join(ring(i, 0x32 if i == 2 else 0) for i in range(4)),
    "51-guest-reset": UP + event(0x30) + b"".join(vring(18, i, 0) for i in range(4)) +
                      b"".join(ring(i) for i in range(4)),
    "52-memory-moves": UP + message(38, bytes(8) + region(2)) +
                       message(37, bytes(8) + region(2), 1, MEMFD) + event(0x40) + table(3),
    "53-broken": UP + message(21, b"", 1, SOCKET) + u64(39, 0xF) + event(0x22) + message(40) +
                 vring(11, 2, 0) + ring(2) + u64(39, 0),
    "54-failed": UP + u64(39, 0x8F) + ring(1) + u64(39, 0xF),
    "55-events": UP + event(0) + event(0x13) + event(0x60) + event(0x70) + event(0x51) +
                 vring(11, 1, 0) + ring(1),
    "56-pieces": START[:3] + START[3:] + chunk(struct.pack("=III", 13, 9, 8)[:5], 1, EVENT) +
                 chunk(struct.pack("=III", 13, 9, 8)[5:]) + chunk(struct.pack("=Q", 1)),
}

FAULTS = {
    "version": message(1, flags=2),
    "reply-bit": message(1, flags=5),
    "size-big": message(2, flags=1, size=0x10000),
    "size-huge": message(2, flags=1, size=0xFFFFFFFF),
    "size-less": START + message(8, bytes(7)),
    "size-more": START + message(8, bytes(9)),
    "size-none": START + message(9),
    "truncated-header": message(1)[:9],
    "truncated-payload": message(9, bytes(10), size=40),
    "unknown": START + message(0) + message(44, bytes(30), 3, EVENT) + message(0xFFFFFFFF),
    "not-ours": START + message(31, bytes(24)) + message(42, bytes(8), 1, PIPE_READ),
    "index": START + vring(8, 4, 64) + vring(11, 255, 0) + u64(12, 4, 1, EVENT),
    "num": START + vring(8, 0, 3) + vring(18, 0, 2),
    "no-fd": START + u64(12, 0) + message(21) + table(4, 3),
    "many-fds": START + message(3, b"", 9, EVENT) + u64(13, 0, 15, 8),
    "kick-folder": UP + u64(12, 0, 1, FOLDER) + u64(12, 0, 1, MEMFD) + u64(12, 0, 1, NULL),
    "kick-pipe": UP + u64(12, 0, 1, PIPE_READ) + u64(12, 1, 1, PIPE_WRITE) +
                 u64(12, 2, 1, SOCKET),
    "call-kinds": UP + u64(13, 0, 1, PIPE_WRITE) + event(0) + u64(13, 0, 1, PIPE_READ) +
                  event(0) + u64(13, 0, 1, SOCKET) + event(0),
    "region-wraps": START + message(37, bytes(8) + struct.pack("=QQQQ", 2**64 - 0x1000, 0x2000,
                                                              0, 0), 1, MEMFD),
    "region-empty": START + message(37, bytes(8) + struct.pack("=QQQQ", 0, 0, 0, 0), 1, MEMFD),
    "region-beyond-file": START + message(37, bytes(8) + struct.pack("=QQQQ", 0, 0x1000, 0,
                                                                    0x400000), 1, MEMFD),
    "regions-overlap": START + table(2) + message(37, bytes(8) + region(1), 1, MEMFD),
    "memory-folder": START + table(1, 1, FOLDER) + table(1, 1, EVENT) + table(1, 1, NULL),
    "nine-regions": START + message(5, struct.pack("=II", 9, 0) + bytes(288), 8, MEMFD),
    "address-nowhere": MEMORY + vring(8, 0, 32768) + address(0) + address(0, 0x1000),
    "config-beyond": START + config(24, 250, 16) + config(24, 0, 0) + config(24, 2**32 - 1, 4),
    "config-written": START + config(25, 0, 16) + config(25, 0, 4, 2),
    "features": START + u64(2, 1 << 40) + u64(2, 0) + u64(16, 2**64 - 1),
    "status": START + u64(39, 0x100) + u64(39, 0x20),
    "running": UP + vring(8, 0, 8) + vring(10, 0, 1) + address(0, 0x7000001000) +
               u64(2, 1 << 32),
}


def main():
    if len(sys.argv) != 2:
        print(__doc__.strip(), file=sys.stderr)
        return 2
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for prefix, seeds in (("valid", VALID), ("fault", FAULTS)):
        for name, data in seeds.items():
            (folder / f"{prefix}-{name}").write_bytes(data)
    return 0


if __name__ == "__main__":
    sys.exit(main())
