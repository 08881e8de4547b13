#include "CIDN2.h"
#include <dlfcn.h>
#include <idn2.h>
#include <stddef.h>

/* The functions of libidn2 that are used: one line each, resolved together. */
static struct {
  int (*lookup_u8)(const uint8_t *, uint8_t **, int);
  const char *(*strerror)(int);
  void (*free)(void *);
} library;

static int load(const char **problem) {
  static int loaded;
  if (loaded) return 1;
  void *handle = dlopen("libidn2.so.0", RTLD_NOW | RTLD_LOCAL);
  if (!handle) {
    *problem = "libidn2 can't be loaded";
    return 0;
  }
  *(void **)&library.lookup_u8 = dlsym(handle, "idn2_lookup_u8");
  *(void **)&library.strerror = dlsym(handle, "idn2_strerror");
  *(void **)&library.free = dlsym(handle, "idn2_free");
  if (!library.lookup_u8 || !library.strerror || !library.free) {
    *problem = "libidn2 lacks a function";
    return 0;
  }
  loaded = 1;
  return 1;
}

enum cidn2_result cidn2_to_a_label(const uint8_t *domain, char **converted, const char **problem) {
  uint8_t *name = NULL;
  if (!load(problem)) return cidn2_unavailable;
  int status = library.lookup_u8(domain, &name, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL);
  if (status == IDN2_OK) {
    *converted = (char *)name;
    return cidn2_converted;
  }
  *problem = library.strerror(status);
  return status == IDN2_MALLOC ? cidn2_unavailable : cidn2_refused;
}

void cidn2_free(char *converted) { library.free(converted); }
