# SPDX-License-Identifier: GPL-3.0-or-later
# Every call of the server's to the system may fail: the very object files of the server, linked so
# that their calls go by faults.c.
SCRIPT_TESTS += %D%/server_faults.py %D%/server_faults_start.py
check_PROGRAMS += %D%/upcased-faults %D%/upcased-plain-faults
FAULTS_SOURCES = %D%/faults.c %D%/faults-calls.c %D%/faults.h
FAULTS_LINK = $(AM_LDFLAGS) $(NO_LTO) \
	-Wl,--wrap=accept,--wrap=accept4,--wrap=aligned_alloc,--wrap=bind,--wrap=calloc,--wrap=clock_gettime,--wrap=close,--wrap=connect \
	-Wl,--wrap=epoll_create1,--wrap=epoll_ctl,--wrap=epoll_wait,--wrap=fchmod,--wrap=fcntl \
	-Wl,--wrap=fork,--wrap=fstat,--wrap=getifaddrs,--wrap=getrandom,--wrap=getrlimit \
	-Wl,--wrap=getsockname,--wrap=getsockopt,--wrap=ioctl,--wrap=listen,--wrap=lstat,--wrap=malloc \
	-Wl,--wrap=mkstemp,--wrap=mmap,--wrap=open,--wrap=poll,--wrap=prctl,--wrap=pselect,--wrap=read \
	-Wl,--wrap=realloc,--wrap=recv,--wrap=recvmmsg,--wrap=recvmsg,--wrap=rename,--wrap=send \
	-Wl,--wrap=sendmmsg,--wrap=sendmsg,--wrap=setrlimit,--wrap=setsockopt,--wrap=shutdown \
	-Wl,--wrap=socket,--wrap=socketpair,--wrap=stat,--wrap=syscall,--wrap=unlink,--wrap=write \
	-Wl,--wrap=__open_2,--wrap=__poll_chk
tests_faults_upcased_faults_SOURCES = $(FAULTS_SOURCES)
tests_faults_upcased_faults_LDFLAGS = $(FAULTS_LINK)
tests_faults_upcased_faults_LDADD = $(server_upcased_OBJECTS) $(server_upcased_LDADD)
tests_faults_upcased_plain_faults_SOURCES = $(FAULTS_SOURCES)
tests_faults_upcased_plain_faults_LDFLAGS = $(FAULTS_LINK)
tests_faults_upcased_plain_faults_LDADD = $(tests_e2e_server_upcased_plain_OBJECTS) \
	$(tests_e2e_server_upcased_plain_LDADD)
# So many schedules as one asks for: make faults UPCASE_TEST_SCHEDULES=100000
faults: %D%/upcased-faults %D%/upcased-plain-faults
	$(AM_TESTS_ENVIRONMENT) $(PYTHON) $(srcdir)/%D%/server_faults.py
.PHONY: faults
