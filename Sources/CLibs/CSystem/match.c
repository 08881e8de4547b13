/* Patterns that the C library matches: shell patterns and regular expressions. */
#define _GNU_SOURCE
#include "CSystem.h"
#include <fnmatch.h>
#include <regex.h>

int csys_shell_pattern_matches(const char *pattern, const char *text) {
  return fnmatch(pattern, text, FNM_PATHNAME | FNM_CASEFOLD) == 0;
}

int csys_regex_matches(const char *pattern, const char *text, char *problem, size_t size) {
  regex_t compiled;
  int status = regcomp(&compiled, pattern, REG_EXTENDED | REG_NOSUB);
  if (status) {
    regerror(status, &compiled, problem, size);
    return -1;
  }
  status = regexec(&compiled, text, 0, 0, 0);
  /* Out of memory is not "no": the mail would take another way. */
  if (status && status != REG_NOMATCH) regerror(status, &compiled, problem, size);
  regfree(&compiled);
  return status == 0 ? 1 : status == REG_NOMATCH ? 0 : -1;
}
