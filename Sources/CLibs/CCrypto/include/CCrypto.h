/* Digests of OpenSSL's libcrypto, loaded on first use: a delivery that computes none doesn't pay for the library. */
#ifndef CCRYPTO_H
#define CCRYPTO_H

#include <stddef.h>
#include <stdint.h>

/* The longest digest there is. */
enum { ccrypto_digest_limit = 64 };

/* The digest of `bytes` by the algorithm that OpenSSL knows under `name`, and its length; 0 on failure, and then *problem says why
 * and is not to be freed. */
size_t ccrypto_digest(
    const char *name, const void *bytes, size_t count, uint8_t digest[ccrypto_digest_limit], const char **problem);

struct ccrypto_key {
  const void *bytes;
  size_t count;
};

/* Likewise RFC 2104's keyed digest. */
size_t ccrypto_hmac(
    const char *name, struct ccrypto_key key, const void *bytes, size_t count, uint8_t digest[ccrypto_digest_limit],
    const char **problem);

#endif
