/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "net/resolve.h"

#include <errno.h>
#include <netdb.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/file.h"
#include "common/os.h"
#include "ledger/error-text.h"

/* The child writes it by one write(), which a pipe keeps whole up to PIPE_BUF. */
struct answer {
	int error;
	size_t count;
	struct addr list[RESOLVE_MAX];
};

_Static_assert(sizeof(struct answer) <= 4096, "an answer is written in one piece");

struct resolve {
	struct answer answer;
	int fd;      /* the pipe from the child; -1 once it has answered */
	pid_t child; /* -1 likewise */
};

static int no_address_of(int family)
{
	return family == AF_INET ? ERROR_NO_IPV4 : ERROR_NO_IPV6;
}

/* getaddrinfo()'s result as ledger/error-text.h has it. */
static int error_of(int eai, int family)
{
	(void)family;
	switch (eai) {
	case EAI_SYSTEM:
		return errno ? errno : error_from_eai(eai);
	case EAI_MEMORY:
		return ENOMEM;
	case EAI_FAMILY:
		return EAFNOSUPPORT;
#if HAVE_EAI_NODATA
	case EAI_ADDRFAMILY:
		return no_address_of(family);
#endif
	default:
		return error_from_eai(eai);
	}
}

static void lookup(const char *host, const char *port, int family, int flags, struct answer *answer)
{
	const struct addrinfo hints = {
		.ai_family = family,
		/* One entry an address; the port is the same for both transports. */
		.ai_socktype = SOCK_STREAM,
		.ai_flags = AI_NUMERICSERV | flags,
	};
	struct addrinfo *found = NULL;
	int eai;

	memset(answer, 0, sizeof *answer);
	errno = 0;
	eai = getaddrinfo(host, port, &hints, &found);
	for (struct addrinfo *a = found; a && answer->count < RESOLVE_MAX; a = a->ai_next) {
		struct addr *to = &answer->list[answer->count];

		if (a->ai_addrlen > sizeof to->storage)
			continue;
		memcpy(&to->storage, a->ai_addr, a->ai_addrlen);
		to->len = a->ai_addrlen;
		addr_unmap(to);
		answer->count++;
	}
	if (answer->count == 0)
		answer->error = error_of(eai ? eai : EAI_NONAME, family);
	if (found)
		freeaddrinfo(found);
}

/* Reads a numeric address without a child. Returns false when it is none. */
static bool lookup_numeric(const char *host, const char *port, int family, struct answer *answer)
{
	struct addr *a = &answer->list[0];
	uint16_t number;
	int given;

	if (addr_names_no_interface(host)) {
		answer->error = ERROR_WRONG_INTERFACE;
		return true;
	}
	if (addr_port_number(port, &number) < 0 || addr_numeric(host, number, a) < 0) {
		/* Other numeric forms that the library knows: "127.1". */
		lookup(host, port, family, AI_NUMERICHOST, answer);
		return answer->error != error_from_eai(EAI_NONAME);
	}
	given = a->sa.sa_family;
	addr_unmap(a);
	answer->count = family == AF_UNSPEC || family == given || family == a->sa.sa_family;
	answer->error = answer->count ? 0 : no_address_of(family);
	return true;
}

/* For one version of IP: the error says whether the host has only addresses of the other one. */
static void lookup_name(const char *host, const char *port, int family, struct answer *answer)
{
	struct answer any;

	lookup(host, port, family, 0, answer);
	if (!answer->error || family == AF_UNSPEC)
		return;
	lookup(host, port, AF_UNSPEC, 0, &any);
	if (!any.error)
		answer->error = no_address_of(family);
}

/* The child: answers and exits. It must not outlive the program, nor touch its terminal. */
static _Noreturn void child_main(int fd, const char *host, const char *port, int family,
    pid_t parent)
{
	struct answer answer;
	sigset_t none;

	os_end_with_parent(parent);
	signal(SIGINT, SIG_IGN);
	signal(SIGTERM, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	lookup_name(host, port, family, &answer);
	if (write(fd, &answer, sizeof answer) != (ssize_t)sizeof answer)
		_exit(1);
	_exit(0);
}

static int start_child(struct resolve *r, const char *host, const char *port, int family)
{
	const pid_t parent = getpid();
	int ends[2];

	if (os_pipe(ends, false) < 0)
		return -1;
	r->child = fork();
	if (r->child == 0)
		child_main(ends[1], host, port, family, parent);
	close(ends[1]);
	if (r->child < 0)
		return file_close(ends[0]);
	r->fd = ends[0];
	return 0;
}

struct resolve *resolve_start(const char *host, const char *port, int family)
{
	struct resolve *r = calloc(1, sizeof *r);

	if (!r)
		return NULL;
	r->fd = -1;
	r->child = -1;
	if (!lookup_numeric(host, port, family, &r->answer) &&
	    start_child(r, host, port, family) < 0) {
		free(r);
		return NULL;
	}
	return r;
}

static void end_child(struct resolve *r)
{
	if (r->child > 0) {
		kill(r->child, SIGKILL);
		while (waitpid(r->child, NULL, 0) < 0 && errno == EINTR)
			;
	}
	r->child = -1;
	r->fd = file_close(r->fd);
}

void resolve_free(struct resolve *r)
{
	if (r)
		end_child(r);
	free(r);
}

int resolve_fd(const struct resolve *r)
{
	return r->fd;
}

bool resolve_answer(struct resolve *r, struct addr list[RESOLVE_MAX], size_t *count, int *error)
{
	if (r->fd >= 0) {
		ssize_t n = read(r->fd, &r->answer, sizeof r->answer);

		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return false;
		if (n != (ssize_t)sizeof r->answer || r->answer.count > RESOLVE_MAX)
			r->answer = (struct answer){ .error = error_from_eai(EAI_SYSTEM) };
		end_child(r);
	}
	memcpy(list, r->answer.list, sizeof r->answer.list);
	*count = r->answer.count;
	*error = r->answer.error;
	return true;
}
