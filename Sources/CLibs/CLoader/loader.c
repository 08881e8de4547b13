#include "CLoader.h"
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

/* "libcrypto.so.3" is libcrypto to whoever reads about it. */
static const char *because(const char *file, const char *words, const char *name) {
  static char text[128];
  const char *end = strstr(file, ".so");
  snprintf(text, sizeof text, "%.*s %s%s", (int)(end ? (size_t)(end - file) : strlen(file)), file, words, name);
  return text;
}

const char *cloader_load(const char *file, const char *names, void *table) {
  void **functions = table;
  if (*functions) return NULL;
  void *handle = dlopen(file, RTLD_NOW | RTLD_LOCAL);
  if (!handle) return because(file, "can't be loaded", "");
  void *first = dlsym(handle, names);
  for (const char *name = names; *name; name += strlen(name) + 1, functions++) {
    void *function = dlsym(handle, name);
    if (!function) return because(file, "lacks the function ", name);
    if (functions != table) *functions = function;
  }
  /* Last, because it tells that all are there. */
  *(void **)table = first;
  return NULL;
}
