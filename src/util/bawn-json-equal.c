/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "util/bawn-json.h"

#include <string.h>

/* Exponents beyond this are compared as they are written. */
#define MAX_EXPONENT G_GINT64_CONSTANT (1000000000000000)

/* A number as 0.d1d2d3… × 10^exponent without zeros on either side; the digits stay where they are
 * in the text, with the point among them. */
typedef struct
{
  gboolean negative;
  const char *first;
  const char *behind;
  gint64 exponent;
  gboolean exact;
} Decimal;

static void
decimal_read_exponent (Decimal *self, const char *at, const char *end)
{
  gboolean negative = at < end && *at == '-';
  gint64 value = 0;

  if (at < end && !g_ascii_isdigit (*at))
    at++;
  for (; at < end; at++)
    {
      value = value * 10 + (*at - '0');
      if (value > MAX_EXPONENT)
        {
          self->exact = FALSE;
          return;
        }
    }

  self->exponent += negative ? -value : value;
}

static Decimal
decimal_read (const BawnJsonNode *node)
{
  const char *at = node->raw;
  const char *end = node->raw + node->raw_size;
  Decimal self = { .negative = *at == '-', .exact = TRUE };
  gboolean fraction = FALSE;

  if (self.negative)
    at++;
  for (; at < end && *at != 'e' && *at != 'E'; at++)
    {
      if (*at == '.')
        {
          fraction = TRUE;
          continue;
        }
      if (self.first == NULL && *at == '0')
        {
          self.exponent -= fraction ? 1 : 0;
          continue;
        }
      if (self.first == NULL)
        self.first = at;
      if (*at != '0')
        self.behind = at + 1;
      self.exponent += fraction ? 0 : 1;
    }
  if (self.first == NULL)
    return (Decimal){ .exact = TRUE };
  if (at < end)
    decimal_read_exponent (&self, at + 1, end);

  return self;
}

static char
decimal_next_digit (const char **at, const char *behind)
{
  if (*at < behind && **at == '.')
    (*at)++;

  return *at < behind ? *(*at)++ : '\0';
}

static gboolean
numbers_equal (const BawnJsonNode *a, const BawnJsonNode *b)
{
  if (a->raw_size == b->raw_size && memcmp (a->raw, b->raw, a->raw_size) == 0)
    return TRUE;

  Decimal x = decimal_read (a);
  Decimal y = decimal_read (b);

  if (!x.exact || !y.exact || x.exponent != y.exponent || x.negative != y.negative)
    return FALSE;

  const char *p = x.first;
  const char *q = y.first;
  char digit = '\0';

  do
    {
      digit = decimal_next_digit (&p, x.behind);
      if (digit != decimal_next_digit (&q, y.behind))
        return FALSE;
    }
  while (digit != '\0');

  return TRUE;
}

static int
compare_names (const BawnJsonNode *a, const BawnJsonNode *b)
{
  int order = memcmp (a->name, b->name, MIN (a->name_size, b->name_size));

  return order != 0 ? order : (a->name_size > b->name_size) - (a->name_size < b->name_size);
}

/* By name, and members of one name by their place. */
static int
compare_members (gconstpointer a, gconstpointer b)
{
  const BawnJsonNode *x = *(const BawnJsonNode *const *) a;
  const BawnJsonNode *y = *(const BawnJsonNode *const *) b;
  int order = compare_names (x, y);

  return order != 0 ? order : (x->raw > y->raw) - (x->raw < y->raw);
}

/* The members that count, in the order of their names. */
static GPtrArray *
sort_members (const BawnJsonNode *object)
{
  GPtrArray *members = g_ptr_array_sized_new (object->n_children);
  guint kept = 0;

  for (const BawnJsonNode *child = object->children; child != NULL; child = child->next)
    g_ptr_array_add (members, (gpointer) child);
  g_ptr_array_sort (members, compare_members);
  for (guint i = 0; i < members->len; i++)
    {
      gboolean last =
          i + 1 == members->len || compare_names (members->pdata[i], members->pdata[i + 1]) != 0;

      if (last)
        members->pdata[kept++] = members->pdata[i];
    }
  g_ptr_array_set_size (members, (int) kept);

  return members;
}

static gboolean
objects_equal (const BawnJsonNode *a, const BawnJsonNode *b)
{
  g_autoptr (GPtrArray) x = sort_members (a);
  g_autoptr (GPtrArray) y = sort_members (b);

  if (x->len != y->len)
    return FALSE;
  for (guint i = 0; i < x->len; i++)
    if (compare_names (x->pdata[i], y->pdata[i]) != 0
        || !bawn_json_node_equal (x->pdata[i], y->pdata[i]))
      return FALSE;

  return TRUE;
}

static gboolean
arrays_equal (const BawnJsonNode *a, const BawnJsonNode *b)
{
  if (a->n_children != b->n_children)
    return FALSE;

  const BawnJsonNode *y = b->children;

  for (const BawnJsonNode *x = a->children; x != NULL; x = x->next, y = y->next)
    if (!bawn_json_node_equal (x, y))
      return FALSE;

  return TRUE;
}

/**
 * bawn_json_node_equal:
 * @a: (nullable): a value
 * @b: (nullable): a value, maybe of another document
 *
 * Compares what is meant, not how it is written: numbers by their exact value (1, 1.0 and 10e-1
 * are the same; so are 0 and -0), strings after decoding, objects in any order and with the last of
 * members of the same name. Recursion is as deep as a document can be. Two absent values are equal.
 * Numbers with an exponent beyond 10^15 are only equal if written alike.
 *
 * Returns: whether they are equal
 */
gboolean
bawn_json_node_equal (const BawnJsonNode *a, const BawnJsonNode *b)
{
  if (a == NULL || b == NULL)
    return a == b;
  if (a->kind != b->kind)
    return FALSE;

  switch (a->kind)
    {
    case BAWN_JSON_NULL:
    case BAWN_JSON_FALSE:
    case BAWN_JSON_TRUE:
      return TRUE;
    case BAWN_JSON_NUMBER:
      return numbers_equal (a, b);
    case BAWN_JSON_STRING:
      return a->string_size == b->string_size && memcmp (a->string, b->string, a->string_size) == 0;
    case BAWN_JSON_ARRAY:
      return arrays_equal (a, b);
    case BAWN_JSON_OBJECT:
      return objects_equal (a, b);
    }

  return FALSE;
}
