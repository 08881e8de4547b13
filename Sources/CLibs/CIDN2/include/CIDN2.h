/* libidn2, loaded on first use: a delivery without an internationalised domain doesn't pay for it. */
#ifndef CIDN2_H
#define CIDN2_H

#include <stdint.h>

enum cidn2_result {
  cidn2_converted,
  /* The name is no valid internationalised domain. */
  cidn2_refused,
  /* The library isn't there, or is too old. */
  cidn2_unavailable
};

/* Converts a UTF-8 domain to its A-label by IDNA2008, after normalisation to NFC.
 * On success *converted is a string to be freed with cidn2_free; else *problem says why, and is not to be freed. */
enum cidn2_result cidn2_to_a_label(const uint8_t *domain, char **converted, const char **problem);
void cidn2_free(char *converted);

#endif
