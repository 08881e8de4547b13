#include "CIDN2.h"
#include "CLoader.h"
#include <idn2.h>
#include <stddef.h>

/* The functions of libidn2 that are used: one line each, resolved together. */
#define FUNCTIONS(each) \
  each(idn2_lookup_u8) \
  each(idn2_strerror) \
  each(idn2_free)

static struct { FUNCTIONS(CLOADER_MEMBER) } library;

enum cidn2_result cidn2_to_a_label(const uint8_t *domain, char **converted, const char **problem) {
  uint8_t *name = NULL;
  if ((*problem = cloader_load("libidn2.so.0", FUNCTIONS(CLOADER_NAME), &library))) return cidn2_unavailable;
  int status = library.idn2_lookup_u8(domain, &name, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL);
  if (status == IDN2_OK) {
    *converted = (char *)name;
    return cidn2_converted;
  }
  *problem = library.idn2_strerror(status);
  return status == IDN2_MALLOC ? cidn2_unavailable : cidn2_refused;
}

void cidn2_free(char *converted) { library.idn2_free(converted); }
