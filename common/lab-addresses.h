/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The addresses of the lab's two hosts: upcase-lab gives them, and upcase, run in the lab, has its
 * server at the far one. Nothing of the real machine is needed or touched. */
#pragma once

#define LAB_NEAR_IPV4 "10.9.0.1"
#define LAB_NEAR_IPV6 "fd09::1"
#define LAB_FAR_IPV4 "10.9.0.2"
#define LAB_FAR_IPV6 "fd09::2"
