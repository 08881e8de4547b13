#include "CCrypto.h"
#include <dlfcn.h>
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

#define MEMBER(name) __typeof__(name) *name;
static struct { FUNCTIONS(MEMBER) } library;

static int load(const char **problem) {
  static int loaded;
  if (loaded) return 1;
  void *handle = dlopen("libcrypto.so.3", RTLD_NOW | RTLD_LOCAL);
  if (!handle) {
    *problem = "libcrypto can't be loaded";
    return 0;
  }
#define RESOLVE(name) \
  *(void **)&library.name = dlsym(handle, #name); \
  if (!library.name) { \
    *problem = "libcrypto lacks the function " #name; \
    return 0; \
  }
  FUNCTIONS(RESOLVE)
  loaded = 1;
  return 1;
}

/* A digest may be missing though the library is there: by policy (MD5 in FIPS mode), or with the provider that has it. */
static EVP_MD *fetch(const char *name, const char **problem) {
  if (!load(problem)) return NULL;
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
