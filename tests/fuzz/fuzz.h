/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* What a target is: takes any bytes, returns 0, and ends the process if it finds something wrong.
 */
int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);
