#include "CCrypto.h"
#include "CLoader.h"
#include <limits.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

_Static_assert(ccrypto_digest_limit == EVP_MAX_MD_SIZE, "the longest digest");

/* The functions of libcrypto that are used: one line each, resolved together. */
#define FUNCTIONS(each) \
  each(EVP_MD_fetch) \
  each(EVP_MD_free) \
  each(EVP_Digest) \
  each(HMAC)

static struct { FUNCTIONS(CLOADER_MEMBER) } library;

/* A digest may be missing though the library is there: by policy (MD5 in FIPS mode), or with the provider that has it. */
static EVP_MD *fetch(const char *name, const char **problem) {
  if ((*problem = cloader_load("libcrypto.so.3", FUNCTIONS(CLOADER_NAME), &library))) return NULL;
  EVP_MD *digest = library.EVP_MD_fetch(NULL, name, NULL);
  if (!digest) *problem = "libcrypto, as it is configured, doesn't have the digest";
  return digest;
}

size_t ccrypto_digest(
    const char *name, const void *bytes, size_t count, uint8_t result[ccrypto_digest_limit], const char **problem) {
  unsigned length = 0;
  EVP_MD *digest = fetch(name, problem);
  if (!digest) return 0;
  if (!library.EVP_Digest(bytes, count, result, &length, digest, NULL)) {
    *problem = "libcrypto fails";
    length = 0;
  }
  library.EVP_MD_free(digest);
  return length;
}

size_t ccrypto_hmac(
    const char *name, struct ccrypto_key key, const void *bytes, size_t count, uint8_t result[ccrypto_digest_limit],
    const char **problem) {
  /* A null pointer for an empty key would mean "the key of last time", and for an empty text nothing at all. */
  static const uint8_t nothing;
  unsigned length = 0;
  EVP_MD *digest = fetch(name, problem);
  if (!digest) return 0;
  if (key.count > INT_MAX ||
      !library.HMAC(
          digest, key.bytes ? key.bytes : &nothing, (int)key.count, bytes ? bytes : &nothing, count, result, &length)) {
    *problem = "libcrypto fails";
    length = 0;
  }
  library.EVP_MD_free(digest);
  return length;
}
