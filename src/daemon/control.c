/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The clients of the control socket.
 *
 * A client is closed in one place, client_settle(), once all that came with an event is
 * done: who serves it may find out in between that it is gone.
 */
#include "daemon/control.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <sys/socket.h>
#include <unistd.h>

#include "daemon/lines.h"
#include "daemon/log.h"
#include "vhost_user/listener.h"
#include "vhost_user/outbox.h"

struct control_client {
	struct control *control;
	struct loop_fd source;
	int fd;
	bool gone;		/* to be closed */
	bool deaf;		/* will hear no more; what it has said is still done */
	bool at_end;		/* will say no more */
	struct lines lines;
	struct outbox out;
	uint8_t out_bytes[CONTROL_OUT_MAX];
};

struct control {
	struct loop *loop;
	struct listener listener;
	struct control_tables tables;
	struct control_client *client[CONTROL_CLIENTS_MAX];
};

static void client_close(struct control_client *c)
{
	struct control *control = c->control;

	for (unsigned i = 0; i < CONTROL_CLIENTS_MAX; i++) {
		if (control->client[i] == c)
			control->client[i] = NULL;
	}
	loop_remove(control->loop, &c->source);
	close(c->fd);
	free(c);
}

/* Close it or wait for what it is to do next. */
static void client_settle(struct control_client *c)
{
	bool sent = outbox_empty(&c->out);

	if (c->gone || (c->at_end && sent))
		client_close(c);
	else
		loop_modify(c->control->loop, &c->source,
			(c->at_end ? 0 : (uint32_t)EPOLLIN) | (sent ? 0 : (uint32_t)EPOLLOUT));
}

static void client_flush(struct control_client *c)
{
	if (outbox_send(&c->out, c->fd) == 0)
		return;
	c->deaf = true;
	outbox_clear(&c->out);
}

static void client_put(struct control_client *c, json_t *answer)
{
	static const char no_memory[] = "{\"id\": null, \"ok\": false, \"error\": \"out of memory\"}";
	char *text = answer ? json_dumps(answer, JSON_REAL_PRECISION(15)) : NULL;
	const char *line = text ? text : no_memory;

	if (!c->deaf) {
		if (outbox_put(&c->out, line, strlen(line)) < 0 || outbox_put(&c->out, "\n", 1) < 0)
			c->gone = true;
		client_flush(c);
	}
	free(text);
	json_decref(answer);
}

static bool is_blank(const char *line, size_t len)
{
	while (len > 0 && strchr(" \t\r", line[len - 1]) && line[len - 1])
		len--;
	return len == 0;
}

static void client_serve_lines(struct control_client *c)
{
	const char *line;
	size_t len;
	int err;

	while (!c->gone && (err = lines_next(&c->lines, &line, &len)) != -EAGAIN) {
		if (err < 0)
			client_put(c, control_answer(NULL, NULL, "the line is too long"));
		else if (!is_blank(line, len))
			client_put(c, control_serve(&c->control->tables, line, len));
	}
}

static void client_receive(struct control_client *c)
{
	size_t size;
	char *room = lines_room(&c->lines, &size);
	ssize_t n = recv(c->fd, room, size, MSG_DONTWAIT);

	if (n > 0)
		lines_added(&c->lines, (size_t)n);
	else if (n == 0)
		c->at_end = true;
	else if (errno != EAGAIN && errno != EINTR)
		c->gone = true;
	client_serve_lines(c);
}

static void on_client(void *arg, uint32_t events)
{
	struct control_client *c = arg;

	if (events & EPOLLOUT)
		client_flush(c);
	if (events & EPOLLIN)
		client_receive(c);
	else if (events & (EPOLLHUP | EPOLLERR))
		c->gone = true;
	client_settle(c);
}

static struct control_client **free_place(struct control *control)
{
	for (unsigned i = 0; i < CONTROL_CLIENTS_MAX; i++) {
		if (!control->client[i])
			return &control->client[i];
	}
	return NULL;
}

static void refuse(int fd)
{
	static const char line[] = "{\"id\": null, \"ok\": false, \"error\": \"too many clients\"}\n";

	(void)!send(fd, line, sizeof(line) - 1, MSG_DONTWAIT | MSG_NOSIGNAL);
	close(fd);
}

static int client_open(struct control *control, int fd)
{
	struct control_client **place = free_place(control), *c;
	int err;

	if (!place) {
		refuse(fd);
		return 0;
	}
	c = calloc(1, sizeof(*c));
	err = c ? loop_add(control->loop, &c->source, fd, EPOLLIN, on_client, c) : -ENOMEM;
	if (err < 0) {
		free(c);
		close(fd);
		return err;
	}
	c->control = control;
	c->fd = fd;
	c->out = (struct outbox){ .data = c->out_bytes, .size = sizeof(c->out_bytes) };
	*place = c;
	return 0;
}

static int on_accepted(void *ctx, int fd, int err)
{
	struct control *control = ctx;

	if (!err)
		err = client_open(control, fd);
	if (err < 0)
		log_line(LOG_LEVEL_WARN, "the control socket cannot accept: %s", strerror(-err));
	return err;
}

int control_create(struct loop *loop, struct control **ret_control)
{
	struct control *control = calloc(1, sizeof(*control));

	if (!control)
		return -ENOMEM;
	control->loop = loop;
	*ret_control = control;
	return 0;
}

void control_destroy(struct control **control_ptr)
{
	struct control *control = *control_ptr;

	if (!control)
		return;
	listener_close(&control->listener);
	for (unsigned i = 0; i < CONTROL_CLIENTS_MAX; i++) {
		if (control->client[i])
			client_close(control->client[i]);
	}
	free(control);
	*control_ptr = NULL;
}

void control_add(struct control *control, const struct control_command *commands, unsigned n,
		void *ctx)
{
	struct control_tables *t = &control->tables;

	assert(t->tables < CONTROL_TABLES_MAX);
	t->table[t->tables++] = (struct control_table){
		.command = commands,
		.commands = n,
		.ctx = ctx,
	};
}

int control_listen(struct control *control, int fd)
{
	return listener_open(&control->listener, control->loop, fd, on_accepted, control);
}
