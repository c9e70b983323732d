/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "cli/bawn-cli-terminal.h"

#include "cli/bawn-cli-error.h"
#include "util/bawn-bytes.h"

#include <errno.h>
#include <glib/gi18n.h>
#include <signal.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

/* Longer than any key, password or token. */
#define MAX_LINE 65536

/* For the signal handler alone: what to put back before the process ends. */
static struct termios saved_mode;
static int saved_fd = -1;

static const int ending_signals[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };

static void
on_ending_signal (int number)
{
  tcsetattr (saved_fd, TCSAFLUSH, &saved_mode);
  signal (number, SIG_DFL);
  raise (number);
}

/**
 * bawn_cli_read_line:
 * @input_fd: an open file
 * @error: (out) (optional): %BAWN_CLI_ERROR_LOCAL, at its end too
 *
 * Reads byte by byte, so that what follows the line stays for whoever reads next. Blocks.
 *
 * Returns: (transfer full): a line; free with bawn_string_wipe_free()
 */
char *
bawn_cli_read_line (int input_fd, GError **error)
{
  g_auto (BawnBuffer) line = BAWN_BUFFER_INIT;

  while (line.size <= MAX_LINE)
    {
      char c = '\0';
      gssize n = read (input_fd, &c, 1);

      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0)
        return bawn_cli_fail_null (error, BAWN_CLI_ERROR_LOCAL,
                                   _ ("Cannot read the standard input: %s"), g_strerror (errno));
      if (n == 0 && line.size == 0)
        return bawn_cli_fail_null (error, BAWN_CLI_ERROR_LOCAL, _ ("The standard input is empty"));
      if (n == 0 || c == '\n')
        {
          if (line.size > 0 && line.data[line.size - 1] == '\r')
            bawn_buffer_truncate (&line, line.size - 1);
          return g_strndup ((const char *) line.data, line.size);
        }
      bawn_buffer_append_byte (&line, (guint8) c);
    }

  return bawn_cli_fail_null (error, BAWN_CLI_ERROR_LOCAL, _ ("The line is too long"));
}

static void
echo_off (int fd)
{
  struct termios quiet = saved_mode;
  struct sigaction action = { .sa_handler = on_ending_signal };

  saved_fd = fd;
  for (guint i = 0; i < G_N_ELEMENTS (ending_signals); i++)
    sigaction (ending_signals[i], &action, NULL);
  quiet.c_lflag &= ~(tcflag_t) ECHO;
  quiet.c_lflag |= ECHONL;
  /* Suspended with the echo off, a terminal is hard to use. */
  quiet.c_cc[VSUSP] = _POSIX_VDISABLE;
  tcsetattr (fd, TCSAFLUSH, &quiet);
}

static void
echo_on (int fd)
{
  tcsetattr (fd, TCSAFLUSH, &saved_mode);
  for (guint i = 0; i < G_N_ELEMENTS (ending_signals); i++)
    signal (ending_signals[i], SIG_DFL);
}

/**
 * bawn_cli_ask_secret:
 * @input_fd: the standard input
 * @prompt: what to print before, on a terminal
 * @interactive: %FALSE if nobody may be asked
 * @error: (out) (optional): %BAWN_CLI_ERROR_LOCAL
 *
 * Blocks. Main thread only, as it takes hold of signals meanwhile.
 *
 * Returns: (transfer full): what was entered, blanks around it removed; free with
 * bawn_string_wipe_free()
 */
char *
bawn_cli_ask_secret (int input_fd, const char *prompt, gboolean interactive, GError **error)
{
  if (tcgetattr (input_fd, &saved_mode) != 0)
    {
      char *line = bawn_cli_read_line (input_fd, error);
      return line != NULL ? g_strstrip (line) : NULL;
    }
  if (!interactive)
    return bawn_cli_fail_null (error, BAWN_CLI_ERROR_LOCAL,
                               _ ("Nobody may be asked, and the standard input is a terminal"));

  echo_off (input_fd);
  g_printerr ("%s", prompt);
  char *line = bawn_cli_read_line (input_fd, error);
  echo_on (input_fd);

  return line != NULL ? g_strstrip (line) : NULL;
}

/**
 * bawn_cli_wants_colour:
 * @fd: where text goes
 *
 * Returns: %TRUE if it goes to a terminal whose owner does not mind colours (https://no-color.org)
 */
gboolean
bawn_cli_wants_colour (int fd)
{
  const char *no_colour = g_getenv ("NO_COLOR");
  const char *terminal = g_getenv ("TERM");

  return isatty (fd) && (no_colour == NULL || no_colour[0] == '\0')
         && g_strcmp0 (terminal, "dumb") != 0;
}

/**
 * bawn_cli_make_harmless:
 * @text: anything
 * @size: its length
 *
 * A value may have been written by somebody else, and a terminal does what escape sequences say.
 *
 * Returns: (transfer full): valid UTF-8 without control characters but line ends and tabs; free
 * with bawn_string_wipe_free()
 */
char *
bawn_cli_make_harmless (const char *text, gsize size)
{
  g_autoptr (BawnWipedString) valid = g_utf8_make_valid (text, (gssize) size);
  g_auto (BawnBuffer) buffer = BAWN_BUFFER_INIT;

  for (const char *c = valid; *c != '\0'; c = g_utf8_next_char (c))
    {
      gunichar character = g_utf8_get_char (c);

      if (character != '\n' && character != '\t' && g_unichar_iscntrl (character))
        {
          g_autofree char *shown = g_strdup_printf ("\\x%02x", character);
          bawn_buffer_append_string (&buffer, shown);
        }
      else
        bawn_buffer_append (&buffer, c, (gsize) (g_utf8_next_char (c) - c));
    }

  return g_strndup ((const char *) buffer.data, buffer.size);
}

/**
 * bawn_cli_text_width:
 * @text: UTF-8 text
 *
 * Returns: how many columns it takes
 */
gsize
bawn_cli_text_width (const char *text)
{
  gsize width = 0;

  for (const char *c = text; *c != '\0'; c = g_utf8_next_char (c))
    {
      gunichar character = g_utf8_get_char (c);

      if (g_unichar_iszerowidth (character))
        continue;
      width += g_unichar_iswide (character) ? 2 : 1;
    }

  return width;
}
