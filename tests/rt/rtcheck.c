/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Count, by thread, what a real-time thread must not do: allocate, lock, log,
 * wait, make system calls.  A program is run with this library in LD_PRELOAD:
 *
 *	VSND_RTCHECK_OUT=FILE	where the counts go at exit (JSON); unset: no counting
 *	VSND_RTCHECK_FROM=S	counting begins S seconds after the start (0)
 *	VSND_RTCHECK_UNTIL=S	and ends here (never)
 *
 * Each wrapper counts and calls the real function.  The allocator's real names
 * are glibc's __libc_*, since dlsym() itself may allocate; all others are looked
 * up at first use.  A thread's counters lie in a slot of a static table, written
 * by that thread only; the name is asked of the kernel at each counted call, since
 * threads are named after they have begun to work.
 *
 * What libc calls inside itself (the write() of printf, the lock of malloc) is
 * not seen, because it does not come through the dynamic linker: printf and malloc
 * are counted themselves.  A raw syscall() or an io_uring is not seen either; the
 * trace that bench/steady.py takes shows those.
 */
#include <dlfcn.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#define THREADS_MAX 256
#define NAME_SIZE 16

enum what {
	ALLOC, FREE, MUTEX, COND, RWLOCK, SEM_WAIT, LOG, EVENTFD_WRITE, EVENTFD_READ,
	TIMERFD_READ, READ, WRITE, SOCKET, POLL, SLEEP, WHATS
};

static const char *const what_names[] = {
	[ALLOC] = "alloc",
	[FREE] = "free",
	[MUTEX] = "mutex",
	[COND] = "cond",
	[RWLOCK] = "rwlock",
	[SEM_WAIT] = "sem_wait",
	[LOG] = "log",
	[EVENTFD_WRITE] = "eventfd_write",
	[EVENTFD_READ] = "eventfd_read",
	[TIMERFD_READ] = "timerfd_read",
	[READ] = "read",
	[WRITE] = "write",
	[SOCKET] = "socket",
	[POLL] = "poll",
	[SLEEP] = "sleep",
};
_Static_assert(sizeof(what_names) / sizeof(what_names[0]) == WHATS, "a counter has no name");

struct slot {
	pid_t tid;
	char name[NAME_SIZE];
	uint64_t count[WHATS];
};

static struct slot slots[THREADS_MAX];
static atomic_uint slots_used;
static _Thread_local struct slot *my_slot;
static _Thread_local bool inside;	/* a wrapper of ours is at work on this thread */

static bool counting;
static int64_t from_ns, until_ns = INT64_MAX;

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t n, size_t size);
extern void *__libc_realloc(void *p, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);
extern void __libc_free(void *p);

static int64_t clock_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

static struct slot *slot_get(void)
{
	unsigned i;

	if (my_slot)
		return my_slot;
	i = atomic_fetch_add(&slots_used, 1);
	if (i >= THREADS_MAX)
		return NULL;
	my_slot = &slots[i];
	my_slot->tid = (pid_t)syscall(SYS_gettid);
	return my_slot;
}

static void count(enum what what)
{
	int saved = errno;
	struct slot *slot;
	int64_t now;

	if (!counting || inside)
		return;
	now = clock_ns();
	if (now < from_ns || now >= until_ns)
		return;
	inside = true;
	slot = slot_get();
	if (slot) {
		syscall(SYS_prctl, PR_GET_NAME, slot->name);
		slot->count[what]++;
	}
	inside = false;
	errno = saved;
}

/* The type of an anonymous inode ("[eventfd]"), or "". */
static void fd_type(int fd, char type[NAME_SIZE])
{
	static const char prefix[] = "anon_inode:";
	char path[32], target[64];
	ssize_t n;

	type[0] = '\0';
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	n = readlink(path, target, sizeof(target) - 1);
	if (n < 0)
		return;
	target[n] = '\0';
	if (strncmp(target, prefix, strlen(prefix)) == 0)
		snprintf(type, NAME_SIZE, "%.15s", target + strlen(prefix));
}

static void count_read(int fd, size_t len)
{
	int saved = errno;
	char type[NAME_SIZE];

	if (!counting || inside)
		return;
	inside = true;
	fd_type(len == 8 ? fd : -1, type);
	inside = false;
	errno = saved;
	if (strcmp(type, "[eventfd]") == 0)
		count(EVENTFD_READ);
	else
		count(strcmp(type, "[timerfd]") == 0 ? TIMERFD_READ : READ);
}

static void count_write(int fd, size_t len)
{
	int saved = errno;
	char type[NAME_SIZE];

	if (!counting || inside)
		return;
	inside = true;
	fd_type(len == 8 ? fd : -1, type);
	inside = false;
	errno = saved;
	if (strcmp(type, "[eventfd]") == 0)
		count(EVENTFD_WRITE);
	else
		count(fd == 1 || fd == 2 ? LOG : WRITE);
}

static int64_t seconds_from_env(const char *name, int64_t start, int64_t otherwise)
{
	const char *text = getenv(name);

	return text ? start + (int64_t)(strtod(text, NULL) * 1e9) : otherwise;
}

__attribute__((constructor)) static void begin(void)
{
	int64_t now = clock_ns();

	from_ns = seconds_from_env("VSND_RTCHECK_FROM", now, now);
	until_ns = seconds_from_env("VSND_RTCHECK_UNTIL", now, INT64_MAX);
	counting = getenv("VSND_RTCHECK_OUT") != NULL;
}

static void print_slot(FILE *out, const struct slot *slot)
{
	fprintf(out, "{\"tid\": %d, \"name\": \"", (int)slot->tid);
	for (const char *c = slot->name; *c; c++) {
		if (*c >= ' ' && *c != '"' && *c != '\\')
			fputc(*c, out);
	}
	fputc('"', out);
	for (int i = 0; i < WHATS; i++)
		fprintf(out, ", \"%s\": %llu", what_names[i], (unsigned long long)slot->count[i]);
	fputc('}', out);
}

__attribute__((destructor)) static void end(void)
{
	unsigned n = atomic_load(&slots_used);
	FILE *out;

	if (!counting)
		return;
	counting = false;
	out = fopen(getenv("VSND_RTCHECK_OUT"), "w");
	if (!out)
		return;
	fprintf(out, "{\"complete\": %s, \"threads\": [",
		clock_ns() >= until_ns && n <= THREADS_MAX ? "true" : "false");
	for (unsigned i = 0; i < n && i < THREADS_MAX; i++) {
		fputs(i ? ",\n" : "\n", out);
		print_slot(out, &slots[i]);
	}
	fputs("]}\n", out);
	fclose(out);
}

/* The real function behind a wrapper.  glibc on x86-64 has two pthread_cond_*
 * of each name; dlsym(RTLD_NEXT) would find the one of 2002. */
static void *real(const char *name, void **cache)
{
	bool was_inside = inside;

	if (*cache)
		return *cache;
	inside = true;	/* a failing dlvsym() allocates its message */
	*cache = dlvsym(RTLD_NEXT, name, "GLIBC_2.3.2");
	if (!*cache)
		*cache = dlsym(RTLD_NEXT, name);
	inside = was_inside;
	return *cache;
}

#define REAL(name) \
	({ \
		static void *cache; \
		(__typeof__(&name))real(#name, &cache); \
	})

/* A wrapper that counts @what and passes everything on. */
#define WRAP(what, type, name, params, args) \
	type name params \
	{ \
		count(what); \
		return REAL(name) args; \
	}

void *malloc(size_t size)
{
	count(ALLOC);
	return __libc_malloc(size);
}

void *calloc(size_t n, size_t size)
{
	count(ALLOC);
	return __libc_calloc(n, size);
}

void *realloc(void *p, size_t size)
{
	count(ALLOC);
	return __libc_realloc(p, size);
}

void free(void *p)
{
	if (p)
		count(FREE);
	__libc_free(p);
}

void *aligned_alloc(size_t alignment, size_t size)
{
	count(ALLOC);
	return __libc_memalign(alignment, size);
}

int posix_memalign(void **ret_p, size_t alignment, size_t size)
{
	void *p;

	count(ALLOC);
	if (alignment < sizeof(void *) || (alignment & (alignment - 1)))
		return EINVAL;
	p = __libc_memalign(alignment, size);
	if (!p)
		return ENOMEM;
	*ret_p = p;
	return 0;
}

WRAP(MUTEX, int, pthread_mutex_lock, (pthread_mutex_t *m), (m))
WRAP(MUTEX, int, pthread_mutex_trylock, (pthread_mutex_t *m), (m))
WRAP(MUTEX, int, pthread_mutex_unlock, (pthread_mutex_t *m), (m))
WRAP(MUTEX, int, pthread_spin_lock, (pthread_spinlock_t *l), (l))
WRAP(COND, int, pthread_cond_wait, (pthread_cond_t *c, pthread_mutex_t *m), (c, m))
WRAP(COND, int, pthread_cond_timedwait,
	(pthread_cond_t *c, pthread_mutex_t *m, const struct timespec *t), (c, m, t))
WRAP(COND, int, pthread_cond_signal, (pthread_cond_t *c), (c))
WRAP(COND, int, pthread_cond_broadcast, (pthread_cond_t *c), (c))
WRAP(RWLOCK, int, pthread_rwlock_rdlock, (pthread_rwlock_t *l), (l))
WRAP(RWLOCK, int, pthread_rwlock_wrlock, (pthread_rwlock_t *l), (l))
WRAP(RWLOCK, int, pthread_rwlock_unlock, (pthread_rwlock_t *l), (l))
WRAP(SEM_WAIT, int, sem_wait, (sem_t *s), (s))
WRAP(SEM_WAIT, int, sem_timedwait, (sem_t *s, const struct timespec *t), (s, t))

WRAP(POLL, int, poll, (struct pollfd *fds, nfds_t n, int timeout), (fds, n, timeout))
WRAP(POLL, int, ppoll, (struct pollfd *fds, nfds_t n, const struct timespec *t, const sigset_t *s),
	(fds, n, t, s))
WRAP(POLL, int, epoll_wait, (int fd, struct epoll_event *e, int n, int timeout), (fd, e, n, timeout))
WRAP(POLL, int, epoll_pwait,
	(int fd, struct epoll_event *e, int n, int timeout, const sigset_t *s), (fd, e, n, timeout, s))
WRAP(SLEEP, int, nanosleep, (const struct timespec *t, struct timespec *left), (t, left))
WRAP(SLEEP, int, clock_nanosleep,
	(clockid_t id, int flags, const struct timespec *t, struct timespec *left),
	(id, flags, t, left))
WRAP(SLEEP, int, usleep, (useconds_t us), (us))
WRAP(WRITE, ssize_t, writev, (int fd, const struct iovec *v, int n), (fd, v, n))
WRAP(SOCKET, ssize_t, recvmsg, (int fd, struct msghdr *m, int flags), (fd, m, flags))
WRAP(SOCKET, ssize_t, sendmsg, (int fd, const struct msghdr *m, int flags), (fd, m, flags))

ssize_t read(int fd, void *buf, size_t len)
{
	count_read(fd, len);
	return REAL(read)(fd, buf, len);
}

ssize_t write(int fd, const void *buf, size_t len)
{
	count_write(fd, len);
	return REAL(write)(fd, buf, len);
}

int eventfd_write(int fd, uint64_t value)
{
	count_write(fd, sizeof(value));
	return REAL(write)(fd, &value, sizeof(value)) == sizeof(value) ? 0 : -1;
}

int eventfd_read(int fd, uint64_t *value)
{
	count_read(fd, sizeof(*value));
	return REAL(read)(fd, value, sizeof(*value)) == sizeof(*value) ? 0 : -1;
}

/* Logging.  The names with _chk are what a fortified build calls. */
WRAP(LOG, int, vfprintf, (FILE *f, const char *format, va_list ap), (f, format, ap))
WRAP(LOG, int, puts, (const char *text), (text))
WRAP(LOG, int, fputs, (const char *text, FILE *f), (text, f))
WRAP(LOG, size_t, fwrite, (const void *p, size_t size, size_t n, FILE *f), (p, size, n, f))
WRAP(LOG, void, vsyslog, (int priority, const char *format, va_list ap), (priority, format, ap))
WRAP(LOG, int, vsnprintf, (char *s, size_t size, const char *format, va_list ap),
	(s, size, format, ap))
WRAP(LOG, int, vdprintf, (int fd, const char *format, va_list ap), (fd, format, ap))

/* The last two statements of a wrapper with variable arguments. */
#define PASS_ON(type, call) \
	({ \
		va_list ap; \
		type rc_; \
		count(LOG); \
		va_start(ap, format); \
		rc_ = call; \
		va_end(ap); \
		rc_; \
	})

int printf(const char *format, ...)
{
	return PASS_ON(int, REAL(vfprintf)(stdout, format, ap));
}

int fprintf(FILE *f, const char *format, ...)
{
	return PASS_ON(int, REAL(vfprintf)(f, format, ap));
}

int dprintf(int fd, const char *format, ...)
{
	return PASS_ON(int, REAL(vdprintf)(fd, format, ap));
}

int snprintf(char *s, size_t size, const char *format, ...)
{
	return PASS_ON(int, REAL(vsnprintf)(s, size, format, ap));
}

int __printf_chk(int flag, const char *format, ...);
int __printf_chk(int flag, const char *format, ...)
{
	(void)flag;
	return PASS_ON(int, REAL(vfprintf)(stdout, format, ap));
}

int __fprintf_chk(FILE *f, int flag, const char *format, ...);
int __fprintf_chk(FILE *f, int flag, const char *format, ...)
{
	(void)flag;
	return PASS_ON(int, REAL(vfprintf)(f, format, ap));
}

int __vfprintf_chk(FILE *f, int flag, const char *format, va_list ap);
int __vfprintf_chk(FILE *f, int flag, const char *format, va_list ap)
{
	(void)flag;
	count(LOG);
	return REAL(vfprintf)(f, format, ap);
}

int __snprintf_chk(char *s, size_t n, int flag, size_t size, const char *format, ...);
int __snprintf_chk(char *s, size_t n, int flag, size_t size, const char *format, ...)
{
	(void)flag;
	(void)size;
	return PASS_ON(int, REAL(vsnprintf)(s, n, format, ap));
}

void syslog(int priority, const char *format, ...)
{
	va_list ap;

	count(LOG);
	va_start(ap, format);
	REAL(vsyslog)(priority, format, ap);
	va_end(ap);
}
