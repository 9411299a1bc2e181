/* SPDX-License-Identifier: GPL-3.0-or-later */
/* "upcase-lab ctl": asks and changes the link of a running lab. */
#ifndef UPCASE_LAB_CTL_H
#define UPCASE_LAB_CTL_H

/* argv[0] is the program, the rest what follows "ctl". Returns the exit status: 0, 1 when the link
 * refused or there is no lab, 2 for wrong use. */
int ctl_run(int argc, char **argv);

#endif
