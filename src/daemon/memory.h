/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The program's memory is not paged out, where that is allowed: the audio thread
 * shall not wait for a disk.
 *
 * What is mapped now, before there is a guest's memory, and private is meant: each
 * page of it stays once it was touched.  What is shared with a sound server is for
 * its library to lock.
 *
 * mlockall(MCL_CURRENT | MCL_ONFAULT) would have been shorter, but it walks the address
 * space after it has marked it, and touches all of what another thread maps meanwhile:
 * libpulse's thread maps 64 MiB at the start.
 */
#ifndef VSND_DAEMON_MEMORY_H
#define VSND_DAEMON_MEMORY_H

/* 0, or a negative errno, and nothing is locked. */
int memory_lock(void);

#endif
