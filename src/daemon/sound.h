/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The back-ends by name, and the choice of one.
 *
 * A name may be `auto`: the first of the host's sound systems that answers, else
 * the files that were named, else null.
 */
#ifndef VSND_DAEMON_SOUND_H
#define VSND_DAEMON_SOUND_H

#include "audio/audio.h"
#include "audio/test.h"
#include "daemon/options.h"

/* The configuration of the back-end that was chosen.  Stays in place as long as the device. */
struct sound {
	const char *backend;	/* its name */
	bool is_host;	/* it plays into the host's sound system */
	struct audio_null_config null;
	struct audio_file_config file;
	struct audio_host_config host;
	struct audio_host_stream stream[VSND_STREAMS_MAX];
	struct audio_host_jack jack[VSND_JACKS_MAX];
	struct audio_test_config test;
	bool is_test;			/* that one is chosen */
	struct vsnd_audio *test_audio;	/* once there is the device */
};

/* Whether there is such a back-end, in this build or another one. */
bool sound_is_known(const char *name);
/* ... one that plays into the host's sound system. */
bool sound_is_host(const char *name);

/* Choose, and set @device's back-end.  0 or a negative errno, logged. */
int sound_init(struct sound *s, const struct options *o, struct vsnd_settings *device);

/*
 * Before the device is served: deny its inputs the host's microphones, unless they are
 * allowed by the options.  What is not the host's sound is nobody's secret.
 */
void sound_permit(const struct sound *s, const struct options *o, struct vsnd *dev);

#endif
