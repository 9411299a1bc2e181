/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where the user's files stand: the XDG Base Directory Specification's folders. */
#ifndef UPCASE_PATHS_H
#define UPCASE_PATHS_H

/* $XDG_CONFIG_HOME/upcase/config, or ~/.config/upcase/config. malloc()ed; NULL if neither is to be had. */
char *paths_configuration(void);
/* $XDG_STATE_HOME/upcase/history, or ~/.local/state/upcase/history. */
char *paths_history(void);

#endif
