/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Ports by name, and what they are connected to.  All of it on `vsnd-jack`.
 *
 * A target is a list of words with commas between.  A word without a colon is the name
 * of a client, and stands for its ports in their order; a word with one is a port, or
 * else a pattern (a POSIX extended regular expression) of ports.  So a target comes to a list of
 * ports, and the stream's channels take them one by one.  Without a target it is the
 * host's physical ports; of one channel, the first two.  "none" connects nothing.
 *
 * What the user has disconnected stays so: each channel is connected once, as soon as
 * there is something to connect it to; and again if that goes, and is there again.
 */
#include "audio/jack.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define TARGET_MAX 512
/* A channel beyond these is not connected. */
#define PEERS_MAX (2 * VSND_CHANNELS_MAX)

/* The ports that a target comes to. */
struct peers {
	const char *name[PEERS_MAX];
	size_t count;
	/* Where the names are, to be given back to JACK. */
	const char **list[PEERS_MAX];
	size_t lists;
};

struct jack_own_port *jack_port_get(struct vsnd_audio *a, const char *name, bool input)
{
	struct jack_own_port *p;

	for (p = a->ports; p; p = p->next) {
		if (strcmp(p->name, name) == 0) {
			p->users++;
			return p;
		}
	}
	p = calloc(1, sizeof(*p));
	if (!p)
		return NULL;
	strncpy(p->name, name, sizeof(p->name) - 1);
	p->port = jack_port_register(a->client, name, JACK_DEFAULT_AUDIO_TYPE,
		JackPortIsTerminal | (input ? JackPortIsInput : JackPortIsOutput), 0);
	if (!p->port) {
		free(p);
		return NULL;
	}
	p->users = 1;
	p->next = a->ports;
	a->ports = p;
	return p;
}

void jack_port_put(struct vsnd_audio *a, struct jack_own_port *p, bool gone)
{
	struct jack_own_port **link = &a->ports;

	if (--p->users > 0)
		return;
	while (*link != p)
		link = &(*link)->next;
	*link = p->next;
	if (!gone)
		jack_port_unregister(a->client, p->port);
	free(p);
}

/* The ports of @list, which may be NULL, that belong to @client if that is given. */
static void add_list(struct peers *peers, const char **list, const char *client)
{
	size_t length = client ? strlen(client) : 0;

	if (!list)
		return;
	if (peers->lists == PEERS_MAX) {
		jack_free(list);
		return;
	}
	peers->list[peers->lists++] = list;
	for (; *list && peers->count < PEERS_MAX; list++) {
		if (!client || (strncmp(*list, client, length) == 0 && (*list)[length] == ':'))
			peers->name[peers->count++] = *list;
	}
}

static void add_word(struct peers *peers, jack_client_t *client, const char *word,
		unsigned long flags)
{
	const char *type = JACK_DEFAULT_AUDIO_TYPE;
	const char *name;
	jack_port_t *port;

	if (!strchr(word, ':')) {
		add_list(peers, jack_get_ports(client, NULL, type, flags), word);
		return;
	}
	port = jack_port_by_name(client, word);
	name = port ? jack_port_name(port) : NULL;
	if (name && peers->count < PEERS_MAX)
		peers->name[peers->count++] = name;
	else
		add_list(peers, jack_get_ports(client, word, type, flags), NULL);
}

/* Changes @target.  NULL: physical ports. */
static void find_peers(struct peers *peers, jack_client_t *client, char *target,
		unsigned long flags)
{
	char *rest = NULL;

	*peers = (struct peers){ .count = 0 };
	if (!target) {
		add_list(peers, jack_get_ports(client, NULL, JACK_DEFAULT_AUDIO_TYPE,
			flags | JackPortIsPhysical), NULL);
		return;
	}
	for (char *word = strtok_r(target, ",", &rest); word; word = strtok_r(NULL, ",", &rest))
		add_word(peers, client, word, flags);
}

static void free_peers(struct peers *peers)
{
	while (peers->lists > 0)
		jack_free(peers->list[--peers->lists]);
}

static bool join(const struct jack_link *l, unsigned channel, const char *peer)
{
	const char *own = jack_port_name(l->port[channel]->port);
	int err = l->input ? jack_connect(l->client, peer, own) : jack_connect(l->client, own, peer);

	return err == 0 || err == EEXIST;
}

/* Forget what has gone.  Returns the channels that are connected, up to the last of them. */
static unsigned connected(struct jack_link *l)
{
	unsigned count = 0;

	for (unsigned i = 0; i < l->channels; i++) {
		if (l->peer[i] && !jack_port_by_name(l->client, l->peer[i])) {
			free(l->peer[i]);
			l->peer[i] = NULL;
		}
		if (l->peer[i])
			count = i + 1;
	}
	return count;
}

static bool connect_channel(struct jack_link *l, unsigned channel, const char *peer)
{
	if (!join(l, channel, peer))
		return false;
	l->peer[channel] = strdup(peer);
	return l->peer[channel];
}

static bool connect_channels(struct jack_link *l, const struct peers *peers)
{
	bool good = true;

	for (unsigned i = 0; good && i < l->channels && i < peers->count; i++) {
		if (l->peer[i])
			continue;
		atomic_store(&l->connects, JACK_JOINING);
		good = connect_channel(l, i, peers->name[i]);
		if (good && l->channels == 1 && peers->count > 1 && !l->input)
			good = join(l, 0, peers->name[1]);
	}
	return good;
}

static bool is_complete(const struct jack_link *l)
{
	for (unsigned i = 0; i < l->channels; i++) {
		if (!l->peer[i])
			return false;
	}
	return true;
}

bool jack_link_connect(struct jack_link *l)
{
	const struct vsnd_audio *a = l->voice->audio;
	const char *wanted = a->config->stream[l->voice->hosted.params.stream].target;
	char target[TARGET_MAX];
	struct peers peers;
	bool good;

	if (wanted && strcmp(wanted, "none") == 0)
		return true;
	atomic_store(&l->connects, connected(l));
	if (is_complete(l))
		return true;
	if (wanted) {
		strncpy(target, wanted, sizeof(target) - 1);
		target[sizeof(target) - 1] = '\0';
	}
	find_peers(&peers, l->client, wanted ? target : NULL,
		l->input ? JackPortIsOutput : JackPortIsInput);
	good = connect_channels(l, &peers);
	free_peers(&peers);
	atomic_store(&l->connects, connected(l));
	return good;
}
