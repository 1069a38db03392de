/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What comes, so that nobody has to wait until it is asked for again.
 *
 * A server that comes up makes a socket in the user's runtime folder, and that is
 * watched while there is none, unless the user says that it is elsewhere.  If there is
 * no folder for the socket yet, it is the one above that is watched.
 *
 * A sink or source that comes may be what streams that failed are waiting for.
 */
#include "audio/pulse.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "audio/watch.h"

#define SOCKET "native"
#define FOLDER "pulse"

static void on_come(pa_mainloop_api *api, pa_io_event *event, int fd, pa_io_event_flags_t flags,
		void *data)
{
	struct vsnd_audio *a = data;

	(void)api, (void)event, (void)flags;
	if (watch_take(fd, a->watched))
		a->backoff = (struct backoff){ 0 };
}

static int try_folder(struct vsnd_audio *a, const char *folder, const char *name)
{
	a->watched = name;
	return watch_open(folder);
}

static int open_watch(struct vsnd_audio *a)
{
	const char *own = getenv("PULSE_RUNTIME_PATH"), *runtime = getenv("XDG_RUNTIME_DIR");
	char folder[PATH_MAX];
	int fd;

	if (getenv("PULSE_SERVER"))
		return -1;
	if (own)
		return try_folder(a, own, SOCKET);
	if (!runtime)
		return -1;
	snprintf(folder, sizeof(folder), "%s/" FOLDER, runtime);
	fd = try_folder(a, folder, SOCKET);
	return fd < 0 ? try_folder(a, runtime, FOLDER) : fd;
}

void pulse_watch(struct vsnd_audio *a)
{
	pa_mainloop_api *api = pa_mainloop_get_api(a->loop);

	/* The folder may have come by now, or be another of that name. */
	pulse_unwatch(a);
	a->watch = open_watch(a);
	if (a->watch >= 0)
		a->watch_event = api->io_new(api, a->watch, PA_IO_EVENT_INPUT, on_come, a);
}

void pulse_unwatch(struct vsnd_audio *a)
{
	if (a->watch_event)
		pa_mainloop_get_api(a->loop)->io_free(a->watch_event);
	a->watch_event = NULL;
	if (a->watch >= 0)
		close(a->watch);
	a->watch = -1;
}

static void on_event(pa_context *c, pa_subscription_event_type_t event, uint32_t index, void *data)
{
	struct vsnd_audio *a = data;
	pa_subscription_event_type_t facility = event & PA_SUBSCRIPTION_EVENT_FACILITY_MASK;

	(void)c;
	pulse_volume_changed(a, facility, index);
	if ((event & PA_SUBSCRIPTION_EVENT_TYPE_MASK) != PA_SUBSCRIPTION_EVENT_NEW ||
			(facility != PA_SUBSCRIPTION_EVENT_SINK &&
			facility != PA_SUBSCRIPTION_EVENT_SOURCE))
		return;
	for (struct vsnd_voice *v = a->voices; v; v = v->next)
		v->retry_ns = 0;
}

void pulse_watch_events(struct vsnd_audio *a)
{
	pa_operation *o;

	pa_context_set_subscribe_callback(a->context, on_event, a);
	o = pa_context_subscribe(a->context, PA_SUBSCRIPTION_MASK_SINK | PA_SUBSCRIPTION_MASK_SOURCE |
		PA_SUBSCRIPTION_MASK_SINK_INPUT | PA_SUBSCRIPTION_MASK_SOURCE_OUTPUT, NULL, NULL);
	if (o)
		pa_operation_unref(o);
}
