/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Names of cmocka 2 for cmocka 1, whose own name of the check that an unsigned number is in a
 * range, assert_in_range, cmocka 2 warns of. Included after cmocka.h. */
#pragma once

#ifndef assert_uint_in_range
#define assert_uint_in_range assert_in_range
#endif
