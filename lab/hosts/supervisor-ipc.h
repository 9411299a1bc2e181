/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the relay and the keeper say to each other, over a SOCK_SEQPACKET pair: one message a letter, with the
 * devices' descriptors where there are any. */
#ifndef UPCASE_LAB_LETTER_H
#define UPCASE_LAB_LETTER_H

#include <sys/types.h>

#include "lab/hosts/hosts.h"
#include "lab/hosts/timestamp-tap.h"

/* The most descriptors in a letter: for each host one that hears, one that sends, two that stamp. */
#define LETTER_FDS 8

enum keeper_word {
	/* To the relay. */
	KEEPER_BORN,       /* the keeper speaks, before it does anything that may last */
	KEEPER_FAILED,     /* `failure`; the keeper is gone */
	KEEPER_MADE,       /* `report`, and the devices: near, far; with veth the injectors; the stampers, if any */
	KEEPER_FAR_READY,  /* the far command serves, or there is none */
	KEEPER_FAR_SLOW,   /* it does not tell that it serves; nothing is started on the near host */
	KEEPER_NEAR,       /* the near command's process speaks, before it executes it */
	KEEPER_STOPPED,    /* the near command was stopped */
	KEEPER_FAR_ENDED,  /* `value`: its wait status */
	KEEPER_NEAR_ENDED, /* `value`: its wait status */
	KEEPER_TRIAL,      /* `value`: of enum keeper_trial */
	KEEPER_BYE,        /* `overflow`; it ends now */
	/* To the keeper. */
	KEEPER_GO,         /* run the commands, or the trial */
	KEEPER_SIGNAL,     /* `value`: a signal for the near command */
	KEEPER_END,        /* end all */
};

/* What went through in a trial. */
enum keeper_trial {
	KEEPER_TRIAL_IPV4 = 1,
	KEEPER_TRIAL_IPV6 = 2,
};

struct keeper_message {
	enum keeper_word word;
	int value;
	struct explain_failure failure;
	struct host_report report;
	/* Packets that the hosts sent and their devices had no room for. */
	unsigned long long overflow[HOST_SIDES];
};

/* One message and what came along. */
struct keeper_letter {
	struct keeper_message message;
	/* Owned by the receiver. */
	int fds[LETTER_FDS];
	int fd_count;
	/* The process that sent it, as the receiver's process namespace knows it; 0 unless the receiver's end has
	 * SO_PASSCRED. */
	pid_t sender;
};

/* The hosts' devices from a KEEPER_MADE letter, for packets of `mtu` bytes. Returns 0, or -1 with errno. */
int letter_devices(const struct keeper_letter *letter, int mtu, struct device *devices[HOST_SIDES]);

/* The stampers that came along; false when none did. Takes over their descriptors, and closes those that do not work. */
bool letter_stampers(const struct keeper_letter *letter, struct stamper *stampers[HOST_SIDES]);

/* Returns 0, or -1 with errno (EPIPE: the peer is gone). `fds` may be NULL if `count` is 0. */
int letter_send(int fd, const struct keeper_message *message, const int *fds, int count);
/* The same for a word and a value. */
int letter_tell(int fd, enum keeper_word word, int value);
/* Reads one: 1; 0 if the peer is gone; -1 with errno (EAGAIN if the descriptor does not block). */
int letter_read(int fd, struct keeper_letter *letter);

#endif
