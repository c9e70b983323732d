/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "util/bawn-config.h"

G_BEGIN_DECLS

/* Stands in @file for a value that came from the environment, and for no place at all. */
#define BAWN_CONFIG_ENVIRONMENT (G_MAXUINT - 1)
#define BAWN_CONFIG_NOWHERE 0

/* Where something stands; @file counts the files in the order they were read, from 1. */
typedef struct
{
  guint file;
  guint line;
} BawnConfigPlace;

typedef struct
{
  char *key;
  /* as it is written in a file, with escapes */
  char *value;
  /* NULL, or the one of the environment that it came from */
  char *variable;
  BawnConfigPlace place;
} BawnConfigEntry;

typedef struct
{
  char *name;
  BawnConfigPlace place;
  GPtrArray *entries;
  /* keys that somebody asked for */
  GHashTable *asked;
  /* (element-type utf8 GStrv): of keys that have variables of their own */
  GHashTable *variables;
  gboolean opened;
} BawnConfigSection;

typedef struct
{
  char *text;
  BawnConfigPlace place;
} BawnConfigProblem;

struct _BawnConfig
{
  gatomicrefcount refs;
  /* The values do not change after the load; what was asked and found does. */
  GMutex mutex;
  GPtrArray *files;
  GPtrArray *sections;
  GPtrArray *problems;
  GHashTable *families;
  GStrv environment;
};

struct _BawnConfigGroup
{
  gatomicrefcount refs;
  BawnConfig *config;
  BawnConfigSection *section;
};

/* All of these are called with the lock held, or before anybody else knows the configuration. */
BawnConfigSection *bawn_config_lookup_section (BawnConfig *config, const char *name);
BawnConfigSection *bawn_config_ensure_section (BawnConfig *config, const char *name);
BawnConfigEntry *bawn_config_lookup_entry (const BawnConfigSection *section, const char *key);
void bawn_config_note (BawnConfig *config, BawnConfigPlace place, const char *text);
void bawn_config_note_at (BawnConfig *config,
                          BawnConfigPlace place,
                          const BawnConfigSection *section,
                          const char *key,
                          const char *text);
void bawn_config_read_data (BawnConfig *config, const char *name, const char *data, gsize size);
GPtrArray *bawn_config_find_unknown (BawnConfig *config);

char *bawn_config_variable_name (const char *group, const char *key);
const char *bawn_config_nearest (const char *word, const char *const *candidates);
char *bawn_config_describe (const BawnConfig *config,
                            BawnConfigPlace place,
                            const BawnConfigSection *section,
                            const char *key,
                            const char *text);
BawnConfigProblem *bawn_config_problem_new (BawnConfigPlace place, char *text);
void bawn_config_problem_free (BawnConfigProblem *problem);

G_END_DECLS
