#!/usr/bin/env python3
"""Write the hand-made part of the corpora of fuzz_chain and fuzz_memory.

usage: make_corpus.py DIRECTORY

Each file is named for the fault, or the good case, it holds; see the head of the
two targets for the formats.  Files that a fuzzer found have a hash as name.
"""

import pathlib
import struct
import sys

NEXT, WRITE, INDIRECT = 1, 2, 4
F_INDIRECT, F_EVENT_IDX = 1, 2

(POP, READ, WRITE_TO, ZERO, SKIP, PUSH, PUBLISH, ADVANCE, INDEX, KICKS, TURN, MEM, RESTART,
 POKE) = range(14)

SIZE_LOG2 = 3
SIZE = 1 << SIZE_LOG2
AVAIL = 16 * SIZE
DATA = 0x100            # buffers and tables
END = 0x6000            # of the second region
TOP = (1 << 64) - 64    # the region at the end of the address space

# What a device does with a message: look, read, answer, give back.
SERVE = [(POP, 0), (READ, 2), (ZERO, 1), (PUSH, 0), (PUBLISH, 0), (KICKS, 1)]


def desc(addr, length, flags=0, following=0):
    return struct.pack("<QIHH", addr, length, flags, following)


def chain_file(table, heads=(0,), steps=(), features=F_INDIRECT | F_EVENT_IDX, base=0,
               avail_idx=None, more=()):
    """table: descriptors; more: (address, bytes) pairs elsewhere in memory."""
    memory = bytearray(END)

    def put(at, data):
        memory[at:at + len(data)] = data

    for i, d in enumerate(table):
        put(16 * i, d)
    idx = (base + len(heads)) & 0xffff if avail_idx is None else avail_idx
    put(AVAIL, struct.pack("<HH", 0, idx))
    for i, head in enumerate(heads):
        put(AVAIL + 4 + 2 * ((base + i) % SIZE), struct.pack("<H", head))
    for at, data in more:
        put(at, data)
    steps = list(steps) or SERVE * max(1, len(heads))
    head = struct.pack("<BBHB", SIZE_LOG2, features, base, len(steps))
    return head + bytes(b for step in steps for b in step) + bytes(memory).rstrip(b"\0")


def indirect(entries, *, length=None, flags=0, at=DATA, before=(), **more):
    """One chain whose last descriptor refers to a table at @at."""
    data = b"".join(entries)
    ref = desc(at, len(data) if length is None else length, INDIRECT | flags)
    where = [(at, data)] if at < END else []
    return chain_file([*before, ref], more=where, **more)


def chains():
    good = [desc(DATA, 4, NEXT, 1), desc(DATA + 4, 20, NEXT, 2), desc(DATA + 24, 8, WRITE)]
    inner = [desc(DATA, 4, NEXT, 1), desc(DATA + 4, 8, WRITE)]

    yield "good", chain_file(good)
    yield "good_ring_full", chain_file([desc(DATA, 8, WRITE)] * 8, heads=range(8))
    yield "good_wrap", chain_file(good, heads=(0,) * 1, base=0xffff)
    yield "good_held", chain_file(
        [desc(DATA, 8, WRITE)] * 8, heads=range(4),
        steps=[(POP, 0)] * 4 + [(TURN, 1), (PUSH, 0), (TURN, 2), (PUSH, 0), (PUBLISH, 0),
                                (KICKS, 0), (PUSH, 0), (PUSH, 0), (PUBLISH, 0), (KICKS, 1)])
    yield "good_dropped", chain_file(
        [desc(DATA, 8, WRITE)] * 8, heads=range(8),
        steps=[(POP, 0)] * 8 + [(PUSH, 1)] * 8 + [(ADVANCE, 3)] + SERVE)
    yield "good_no_event_idx", chain_file(good, features=0, steps=[(KICKS, 0)] + SERVE)
    yield "good_indirect", indirect(inner)
    yield "good_indirect_unaligned", indirect(inner, at=DATA + 7)
    yield "good_indirect_across_regions", indirect(inner, at=0xff8)
    yield "good_indirect_write_flag", indirect(inner, flags=WRITE)
    yield "good_direct_then_indirect", indirect(inner, before=[desc(DATA, 4, NEXT, 1)])
    yield "good_across_regions", chain_file([desc(0xff0, 32, WRITE)])
    yield "good_zero_length", chain_file(
        [desc(0, 0, NEXT, 1), desc(DATA, 8, NEXT, 2), desc(1 << 60, 0, WRITE | NEXT, 3),
         desc(DATA, 4, WRITE)])
    yield "good_reserved_flags", chain_file([desc(DATA, 4, 0xfff8)])
    yield "good_long_chains", indirect(
        [desc(DATA, 1, NEXT, (i + 1) % 40) if i < 39 else desc(DATA, 1) for i in range(40)],
        steps=[(POP, 0), (ADVANCE, 1)] * 7 + [(PUSH, 0)] * 7 + [(PUBLISH, 0)] + SERVE)
    yield "good_restart", chain_file(good, steps=[(POP, 0), (RESTART, 0), (RESTART, 2)] + SERVE)
    yield "good_mem_replaced", chain_file(
        [desc(0x1000, 8, NEXT, 1), desc(DATA, 8, WRITE)],
        steps=[(POP, 0), (READ, 1), (MEM, 1), (READ, 1), (ZERO, 1), (MEM, 0), (PUSH, 0)])

    yield "bad_head", chain_file(good, heads=(SIZE,))
    yield "bad_head_ffff", chain_file(good, heads=(0xffff,))
    yield "index_ahead", chain_file(good, avail_idx=SIZE + 1)
    yield "index_back", chain_file(good, avail_idx=0xffff)
    yield "index_back_later", chain_file(good, steps=SERVE + [(INDEX, 0), (POP, 0)])
    yield "loop_self", chain_file([desc(DATA, 1, NEXT, 0)])
    yield "loop_two", chain_file([desc(DATA, 1, NEXT, 1), desc(DATA, 1, NEXT, 0)])
    yield "loop_all", chain_file([desc(DATA, 1, NEXT, (i + 1) % SIZE) for i in range(SIZE)])
    yield "loop_empty", chain_file([desc(DATA, 0, NEXT, 0)])
    yield "loop_table", indirect([desc(DATA, 1, NEXT, 1), desc(DATA, 1, NEXT, 0)])
    yield "next_outside", chain_file([desc(DATA, 1, NEXT, SIZE)])
    yield "next_outside_table", indirect([desc(DATA, 1, NEXT, 1)])
    yield "table_not_negotiated", indirect(inner, features=F_EVENT_IDX)
    yield "table_nested", indirect([desc(DATA, 16, INDIRECT)])
    yield "table_and_next", indirect(inner, flags=NEXT)
    for length in (0, 8, 24):
        yield f"table_length_{length}", indirect(inner, length=length)
    yield "table_unmapped", indirect(inner, at=0x10000)
    yield "table_beyond_end", chain_file([desc(END - 16, 32, INDIRECT)])
    yield "table_wraps", indirect(inner, at=TOP, length=128)
    yield "table_4_gib", indirect(inner, length=0xfffffff0)
    # A loop, in a table long enough to have as many elements without one.
    yield "chain_too_long", indirect([desc(DATA, 1, NEXT, 0)], length=16 * 1026)
    yield "more_chains_than_descriptors", chain_file(
        [desc(DATA, 1)] * 8, heads=range(8),
        steps=[(POP, 0)] * 8 + [(PUSH, 0), (ADVANCE, 1), (POP, 0)])
    yield "ring_unmapped", chain_file(good, steps=[(POP, 0), (MEM, 2), (READ, 1)] + SERVE)

    status = desc(DATA, 8, WRITE)
    yield "bad_readable_unmapped", chain_file([desc(0x10000, 4, NEXT, 1), status])
    yield "bad_readable_beyond_end", chain_file([desc(END - 3, 4, NEXT, 1), status])
    yield "bad_readable_wraps", chain_file([desc(TOP + 60, 8, NEXT, 1), status])
    yield "bad_writable_unmapped", chain_file([desc(0x10000, 4, WRITE | NEXT, 1), status])
    yield "bad_status_unmapped", chain_file([desc(DATA, 4, NEXT, 1), desc(0x10000, 8, WRITE)])
    yield "bad_status_wraps", chain_file([desc(DATA, 4, NEXT, 1), desc(TOP + 60, 8, WRITE)])
    yield "bad_order", chain_file([desc(DATA, 8, WRITE | NEXT, 1), desc(DATA, 64)])
    yield "bad_4_gib", chain_file(
        [desc(DATA, 0x90000000, NEXT, 1), desc(DATA, 0x90000000, NEXT, 2), status])


def memory_file(regions, lookups=()):
    data = bytes([len(regions)])
    for gpa, size, host in regions:
        data += struct.pack("<QQQ", gpa, size, host)
    for gpa, length in lookups:
        data += struct.pack("<QQ", gpa, length)
    return data


def memories():
    last = (1 << 64) - 1
    around = [(0xfff, 1), (0x1000, 0x1000), (0x1fff, 2), (0x2000, 1), (last, 1), (last, 2),
              (0x1800, last), (0x1000, 0), (0, 0x3000)]

    yield "empty", memory_file([], around)
    yield "one", memory_file([(0x1000, 0x1000, 0x7000)], around)
    yield "adjacent", memory_file(
        [(0x2000, 0x1000, 0x9000), (0x1000, 0x1000, 0x7000), (0, 0x1000, 0x5000)], around)
    yield "hole", memory_file([(0, 0x1000, 0x5000), (0x1001, 0x1000, 0x7000)], around)
    yield "top", memory_file([(last - 0xfff, 0x1000, 0x5000), (0, 0x1000, 0x7000)], around)
    yield "all_of_it", memory_file([(0, last, 1)], around)
    yield "many", memory_file(
        [(0x1000 * (i * 7 % 32), 0x1000, 0x10000 + 0x1000 * i) for i in range(32)], around)
    yield "size_zero", memory_file([(0x1000, 0, 0x7000)])
    yield "wraps", memory_file([(last, 2, 0x7000)])
    yield "wraps_in_host", memory_file([(0, 0x1000, last - 0xffe)])
    yield "no_host", memory_file([(0, 0x1000, 0)])
    yield "overlap", memory_file([(0x1000, 0x1000, 0x7000), (0x1fff, 0x1000, 0x9000)])
    yield "same_twice", memory_file([(0x1000, 0x1000, 0x7000)] * 2)
    yield "inside", memory_file([(0x1000, 0x1000, 0x7000), (0x1800, 1, 0x9000)])
    yield "overlap_at_top", memory_file([(last, 1, 0x7000), (0, last, 0x9000), (last, 1, 0x70)])


def main():
    root = pathlib.Path(sys.argv[1])
    for kind, files in (("chain", chains()), ("memory", memories())):
        (root / kind).mkdir(parents=True, exist_ok=True)
        for name, data in files:
            (root / kind / name).write_bytes(data)


if __name__ == "__main__":
    main()
