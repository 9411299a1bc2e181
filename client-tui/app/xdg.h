/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where the user's files stand: the XDG Base Directory Specification's folders. */
#ifndef UPCASE_XDG_H
#define UPCASE_XDG_H

/* $XDG_CONFIG_HOME/upcase/config, or ~/.config/upcase/config. malloc()ed; NULL if neither is to be
 * had. */
char *xdg_configuration(void);
/* $XDG_STATE_HOME/upcase/history, or ~/.local/state/upcase/history. */
char *xdg_history(void);

#endif
