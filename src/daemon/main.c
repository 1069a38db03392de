/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * vhost-user-snd: libvsnd behind a vhost-user socket.
 *
 * The order of things at start: options, what can be checked of the sound's
 * side, the loop and the signals, the device, and last the socket: what fails,
 * fails before a front-end can connect.  The device lives as long as the program,
 * over all front-ends.  The program stays in the foreground.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "daemon/card.h"
#include "daemon/commands.h"
#include "daemon/control.h"
#include "daemon/hooks.h"
#include "daemon/log.h"
#include "daemon/memory.h"
#include "daemon/options.h"
#include "daemon/signals.h"
#include "daemon/socket.h"
#include "daemon/sound.h"
#include "daemon/systemd.h"
#include "vhost_user/loop.h"
#include "vhost_user/server.h"

struct program {
	struct options options;
	struct sound sound;
	struct card card;
	struct loop *loop;
	struct vu_server *server;
	struct commands commands;
	struct control *control;	/* NULL: not asked for */
	struct hooks hooks;
	struct socket_file socket_file, control_file;
};

/* No file that we open is to become standard error. */
static void have_standard_fds(void)
{
	int fd;

	do {
		fd = open("/dev/null", O_RDWR);
	} while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
}

static void ended(void *ctx)
{
	struct program *p = ctx;

	loop_stop(p->loop);
}

static int init_server(struct program *p)
{
	struct vu_server_settings settings = {
		.once = p->options.once,
		.ended = ended,
		.log = log_syslog,
		.ctx = p,
	};
	int err;

	card_init(&p->card, &p->options.config, &settings.device);
	err = sound_init(&p->sound, &p->options, &settings.device);
	if (err < 0)
		return err;
	if (p->sound.is_test && p->options.config.controls)
		hooks_elements(&settings.device, p->card.ctl);
	err = loop_create(&p->loop);
	if (err < 0)
		goto fail;
	signals_init(p->loop);
	err = vu_server_create(p->loop, &settings, &p->server);
	if (err < 0)
		goto fail;
	sound_permit(&p->sound, &p->options, vu_server_device(p->server));
	signals_set_device(vu_server_device(p->server));
	p->hooks = (struct hooks){
		.dev = vu_server_device(p->server),
		.audio = p->sound.test_audio,
		.settings = settings.device,
	};
	return 0;

fail:
	log_always("cannot start: %s", strerror(-err));
	return err;
}

/* The control socket, and what can be asked for there. */
static int init_control(struct program *p)
{
	int fd, err;

	if (!p->options.control_path)
		return 0;
	err = control_create(p->loop, &p->control);
	if (err < 0) {
		log_always("cannot start: %s", strerror(-err));
		return err;
	}
	p->commands = (struct commands){
		.dev = vu_server_device(p->server),
		.server = p->server,
		.config = &p->options.config,
		.card = &p->card,
		.audio = p->sound.backend,
	};
	commands_add(p->control, &p->commands);
	if (p->hooks.audio) {
		control_add(p->control, hooks_commands, hooks_command_count, &p->hooks);
		control_add(p->control, hooks_card_commands, hooks_card_command_count, &p->hooks);
	}
	fd = socket_listen(p->options.control_path, 0600, &p->control_file);
	if (fd < 0)
		return fd;
	err = control_listen(p->control, fd);
	if (err < 0) {
		log_always("%s cannot be served", p->options.control_path);
		close(fd);
	}
	return err;
}

/* Hand an inherited socket to the server. */
static int serve_inherited(struct program *p, int fd, bool may_listen, bool may_be_connected)
{
	bool listens;

	if (socket_check(fd, &listens) < 0)
		return STATUS_FAILED;
	if (listens ? !may_listen : !may_be_connected) {
		log_always("descriptor %d: the socket %s", fd, listens ? "listens" : "does not listen");
		return STATUS_FAILED;
	}
	fcntl(fd, F_SETFD, FD_CLOEXEC);
	if ((listens ? vu_server_listen(p->server, fd) : vu_server_attach(p->server, fd)) < 0) {
		log_always("descriptor %d cannot be served", fd);
		return STATUS_FAILED;
	}
	return STATUS_OK;
}

static int serve_path(struct program *p)
{
	int fd = socket_listen(p->options.socket_path, 0, &p->socket_file);

	if (fd < 0)
		return STATUS_FAILED;
	if (vu_server_listen(p->server, fd) < 0) {
		log_always("%s cannot be served", p->options.socket_path);
		close(fd);
		return STATUS_FAILED;
	}
	return STATUS_OK;
}

static int serve_systemd(struct program *p, int fd)
{
	if (fd == -ENOENT) {
		log_always("one of --socket-path, --fd and --socket-fd is needed (see --help)");
		return STATUS_USAGE;
	}
	if (fd < 0) {
		log_always("LISTEN_FDS: %s", fd == -E2BIG ? "more than one socket" : strerror(-fd));
		return STATUS_FAILED;
	}
	return serve_inherited(p, fd, true, true);
}

static int serve(struct program *p)
{
	if (p->options.socket_path)
		return serve_path(p);
	if (p->options.fd >= 0)
		return serve_inherited(p, p->options.fd, false, true);
	if (p->options.socket_fd >= 0)
		return serve_inherited(p, p->options.socket_fd, true, false);
	return serve_systemd(p, systemd_socket());
}

static int run(struct program *p)
{
	int status = serve(p), err;

	if (status != STATUS_OK)
		return status;
	err = memory_lock();
	if (err < 0)
		log_line(LOG_LEVEL_DEBUG, "memory may be paged out: %s", strerror(-err));
	systemd_notify("READY=1");
	log_line(LOG_LEVEL_INFO, "ready");
	err = loop_run(p->loop);
	systemd_notify("STOPPING=1");
	if (err < 0) {
		log_line(LOG_LEVEL_ERROR, "the event loop failed: %s", strerror(-err));
		return STATUS_FAILED;
	}
	return STATUS_OK;
}

int main(int argc, char **argv)
{
	static struct program program;
	struct program *p = &program;
	int status;

	have_standard_fds();
	status = options_parse(argc, argv, &p->options);
	if (status >= 0)
		return status;
	status = init_server(p) < 0 || init_control(p) < 0 ? STATUS_FAILED : run(p);

	/* The names go first: nobody shall connect to what is ending. */
	socket_remove(&p->socket_file);
	socket_remove(&p->control_file);
	signals_set_device(NULL);
	control_destroy(&p->control);
	vu_server_destroy(&p->server);
	loop_destroy(&p->loop);
	return status;
}
