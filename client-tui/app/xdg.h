/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The paths of the user's files, in the folders of the XDG Base Directory Specification. */
#ifndef UPCASE_XDG_H
#define UPCASE_XDG_H

/* Returns $XDG_CONFIG_HOME/upcase/config, or ~/.config/upcase/config. malloc()ed; NULL if neither
 * folder is known. */
char *xdg_configuration(void);
/* Returns $XDG_STATE_HOME/upcase/history, or ~/.local/state/upcase/history, likewise. */
char *xdg_history(void);

#endif
