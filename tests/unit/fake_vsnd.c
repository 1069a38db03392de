/* SPDX-License-Identifier: BSD-3-Clause */
#include "fake_vsnd.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct vsnd fake;

/* Not assert(): the contract is to be held in builds without it, too. */
#define CHECK(x)                                                                                   \
	do {                                                                                       \
		if (!(x)) {                                                                        \
			fprintf(stderr, "libvsnd misused: %s, in %s\n", #x, __func__);             \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

static void note(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

static void note(const char *fmt, ...)
{
	size_t left = sizeof(fake.log) - fake.log_len;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(fake.log + fake.log_len, left, fmt, ap);
	va_end(ap);
	if (n > 0 && (size_t)n < left)
		fake.log_len += (size_t)n;
	fake.log[fake.log_len] = 0;
}

void fake_forget(void)
{
	fake.log_len = 0;
	fake.log[0] = 0;
}

bool fake_called(const char *want)
{
	bool same = !strcmp(fake.log, want);

	if (!same)
		fprintf(stderr, "called:\n%swanted:\n%s", fake.log, want);
	fake_forget();
	return same;
}

static bool mapped(uint64_t gpa, uint64_t len)
{
	unsigned i;

	for (i = 0; i < fake.regions; i++) {
		const struct vsnd_mem_region *r = &fake.region[i];

		if (gpa >= r->gpa && gpa - r->gpa < r->size && len <= r->size - (gpa - r->gpa))
			return true;
	}
	return false;
}

void vsnd_settings_init(struct vsnd_settings *s)
{
	memset(s, 0, sizeof(*s));
}

int vsnd_create(const struct vsnd_settings *s, struct vsnd **ret_dev)
{
	CHECK(!fake.alive);
	memset(&fake, 0, sizeof(fake));
	fake.alive = true;
	fake.cb = s->callbacks;
	fake.ctx = s->ctx;
	*ret_dev = &fake;
	return 0;
}

void vsnd_destroy(struct vsnd **dev)
{
	if (*dev)
		fake.alive = false;
	*dev = NULL;
}

uint64_t vsnd_features(const struct vsnd *dev)
{
	CHECK(dev == &fake);
	return FAKE_FEATURES;
}

int vsnd_set_features(struct vsnd *dev, uint64_t features)
{
	unsigned q;

	if ((features & ~FAKE_FEATURES) || !(features & (UINT64_C(1) << VSND_F_VERSION_1)))
		return -EINVAL;
	for (q = 0; q < VSND_QUEUES; q++)
		CHECK(!dev->queue[q].started || features == dev->features);
	dev->features = features;
	note("features %llx\n", (unsigned long long)features);
	return 0;
}

void vsnd_config_read(const struct vsnd *dev, uint32_t offset, void *buf, size_t len)
{
	static const uint8_t config[VSND_CONFIG_SIZE] = { 1, 0, 0, 0, 2, 0, 0, 0, 3 };
	size_t i;

	CHECK(dev->alive);
	for (i = 0; i < len; i++)
		((uint8_t *)buf)[i] = offset + i < sizeof(config) ? config[offset + i] : 0;
}

void vsnd_reset(struct vsnd *dev)
{
	unsigned q;

	for (q = 0; q < VSND_QUEUES; q++)
		dev->queue[q] = (struct fake_queue){ .kicks = dev->queue[q].kicks };
	dev->resets++;
	note("reset\n");
}

void vsnd_reset_state(struct vsnd *dev)
{
	dev->state_resets++;
	note("reset_state\n");
}

int vsnd_set_memory(struct vsnd *dev, const struct vsnd_mem_region *regions, unsigned n)
{
	volatile uint8_t sum = 0;
	unsigned i, q;

	CHECK(n <= VSND_MEM_REGIONS_MAX);
	if (dev->fail_memory && n) {
		int err = dev->fail_memory;

		dev->fail_memory = 0;
		return err;
	}
	for (i = 0; i < n; i++) {
		const uint8_t *p = regions[i].host;

		CHECK(regions[i].size && regions[i].gpa <= UINT64_MAX - (regions[i].size - 1));
		sum = (uint8_t)(sum + p[0] + p[regions[i].size - 1]);
		dev->region[i] = regions[i];
	}
	dev->regions = n;
	for (q = 0; q < VSND_QUEUES; q++) {
		const struct fake_queue *fq = &dev->queue[q];

		CHECK(!fq->started || mapped(fq->setup.desc, 16 * (uint64_t)fq->setup.size));
	}
	note("memory %u\n", n);
	return 0;
}

bool vsnd_mem_fault(struct vsnd *dev, void *addr)
{
	(void)dev;
	(void)addr;
	return false;
}

int vsnd_queue_start(struct vsnd *dev, unsigned queue, const struct vsnd_queue_setup *s)
{
	struct fake_queue *fq = &dev->queue[queue];

	CHECK(queue < VSND_QUEUES && !fq->started && dev->features);
	if (dev->fail_start) {
		int err = dev->fail_start;

		dev->fail_start = 0;
		return err;
	}
	if ((s->desc & 15) || (s->driver & 1) || (s->device & 3))
		return -EINVAL;
	CHECK(s->size && !(s->size & (s->size - 1)));
	CHECK(mapped(s->desc, 16 * (uint64_t)s->size));
	CHECK(mapped(s->driver, 4 + 2 * (uint64_t)s->size));
	CHECK(mapped(s->device, 4 + 8 * (uint64_t)s->size));
	CHECK(!s->resume || (fq->starts && s->base == fq->stopped_at && s->size == fq->setup.size));
	fq->started = true;
	fq->broken = false;
	fq->setup = *s;
	fq->next = s->base;
	fq->starts++;
	note("start %u base %u%s\n", queue, s->base, s->resume ? " resume" : "");
	return 0;
}

int vsnd_queue_stop(struct vsnd *dev, unsigned queue, uint32_t *ret_base)
{
	struct fake_queue *fq = &dev->queue[queue];

	CHECK(queue < VSND_QUEUES && fq->started);
	fq->started = false;
	fq->stopped_at = fq->next & 0xffff;
	*ret_base = fq->stopped_at;
	note("stop %u\n", queue);
	return 0;
}

int vsnd_queue_enable(struct vsnd *dev, unsigned queue, bool enable)
{
	CHECK(queue < VSND_QUEUES);
	if (dev->queue[queue].enabled != enable)
		note("%s %u\n", enable ? "enable" : "disable", queue);
	dev->queue[queue].enabled = enable;
	return 0;
}

void vsnd_queue_kick(struct vsnd *dev, unsigned queue)
{
	CHECK(queue < VSND_QUEUES);
	dev->queue[queue].kicks++;
}

bool vsnd_queue_broken(const struct vsnd *dev, unsigned queue)
{
	return dev->queue[queue].broken;
}

void vsnd_run(struct vsnd *dev)
{
	dev->runs++;
}

int vsnd_stream_stats(const struct vsnd *dev, unsigned stream, struct vsnd_stream_stats *ret)
{
	(void)dev;
	(void)stream;
	(void)ret;
	return -EINVAL;
}
