/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "util/bawn-error.h"

/* Each gives the expression a GError named `error` of its own. */
#define assert_works(expression)                                                                   \
  G_STMT_START                                                                                     \
  {                                                                                                \
    g_autoptr (GError) error = NULL;                                                               \
    gboolean works_ = (expression);                                                                \
    g_assert_no_error (error);                                                                     \
    g_assert_true (works_);                                                                        \
  }                                                                                                \
  G_STMT_END

#define assert_fails(expression, code_)                                                            \
  G_STMT_START                                                                                     \
  {                                                                                                \
    g_autoptr (GError) error = NULL;                                                               \
    gboolean works_ = (expression);                                                                \
    g_assert_error (error, BAWN_ERROR, code_);                                                     \
    g_assert_false (works_);                                                                       \
  }                                                                                                \
  G_STMT_END
