/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Each picture is made in memory and written at once, so that it does not flicker.
 * Signals are taken only while waiting: the terminal is left as it was found.
 */
#include "ctl/top.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

#include "ctl/client.h"
#include "ctl/show.h"

#define HOME "\033[H"
#define CLEAR_REST "\033[J"
#define CLEAR_LINE "\033[K"
#define HIDE_CURSOR "\033[?25l"
#define SHOW_CURSOR "\033[?25h"

static volatile sig_atomic_t stopped;

static void on_signal(int sig)
{
	(void)sig;
	stopped = 1;
}

/* The former mask in *@ret_mask is the one to wait with. */
static void catch_signals(sigset_t *ret_mask)
{
	struct sigaction sa = { .sa_handler = on_signal };
	sigset_t blocked;

	sigemptyset(&blocked);
	sigaddset(&blocked, SIGINT);
	sigaddset(&blocked, SIGTERM);
	sigprocmask(SIG_BLOCK, &blocked, ret_mask);
	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
	signal(SIGPIPE, SIG_IGN);
}

/* @text with what a terminal needs to draw it over the last one. */
static bool draw(const char *text, bool terminal)
{
	if (terminal)
		fputs(HIDE_CURSOR HOME, stdout);
	for (; *text; text++) {
		if (*text == '\n' && terminal)
			fputs(CLEAR_LINE, stdout);
		putchar(*text);
	}
	fputs(terminal ? CLEAR_REST : "\n", stdout);
	return fflush(stdout) == 0;
}

/* As people read it.  1 to go on, 0 when nobody reads, -1 for want of memory. */
static int show(const json_t *status, bool terminal)
{
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);
	int more;

	if (!f)
		return -1;
	show_status(status, f);
	fclose(f);
	more = draw(text, terminal);
	free(text);
	return more;
}

/* 1 to go on, 0 when nobody reads, -1 when the daemon does not answer. */
static int picture(struct client *c, bool json, bool terminal)
{
	json_t *status = client_ask(c, json_pack("{s:s}", "command", "status"));
	int more = -1;

	if (!status || client_judge(status) < 0)
		goto out;
	more = json ? client_print(status) == 0 : show(status, terminal);
out:
	json_decref(status);
	return more;
}

/* False when it is time to stop. */
static bool wait_second(const sigset_t *mask)
{
	const struct timespec second = { .tv_sec = 1 };
	struct pollfd out = { .fd = STDOUT_FILENO };
	int n = ppoll(&out, 1, &second, mask);

	/* What cannot be polled is no pipe or terminal, and stays. */
	return !stopped && (n == 0 || (n < 0 && errno == EINTR) ||
		(n > 0 && (out.revents & POLLNVAL)));
}

int top_run(struct client *c, bool json)
{
	bool terminal = !json && isatty(STDOUT_FILENO);
	sigset_t mask;
	int more;

	catch_signals(&mask);
	if (terminal)
		fputs(HOME CLEAR_REST, stdout);
	do
		more = picture(c, json, terminal);
	while (more > 0 && wait_second(&mask));
	if (terminal) {
		fputs(SHOW_CURSOR, stdout);
		fflush(stdout);
	}
	return more < 0 ? -1 : 0;
}
