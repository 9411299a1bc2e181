/* SPDX-License-Identifier: GPL-3.0-or-later */
/* cmocka's check that an unsigned number is in a range, by its name of cmocka 2; cmocka 1 calls it
 * assert_in_range, a name that cmocka 2 warns of. Included after cmocka.h. */
#pragma once

#ifndef assert_uint_in_range
#define assert_uint_in_range assert_in_range
#endif
