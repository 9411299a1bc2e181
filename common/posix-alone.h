/* SPDX-License-Identifier: GPL-3.0-or-later */
/* --enable-portable, the end of config.h: the system's headers show only what POSIX has. */
#pragma once

#undef _GNU_SOURCE
#undef _DEFAULT_SOURCE
#undef _XOPEN_SOURCE
#define _XOPEN_SOURCE 700
