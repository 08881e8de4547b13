#define _GNU_SOURCE
#include "CGSASL.h"
#include "CLoader.h"
#include <gsasl.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(cgsasl_key_limit == GSASL_HASH_MAX_SIZE, "the longest key");

/* The functions of libgsasl that are used: one line each, resolved together. */
#define FUNCTIONS(each) \
  each(gsasl_init) \
  each(gsasl_done) \
  each(gsasl_client_start) \
  each(gsasl_property_set_raw) \
  each(gsasl_property_fast) \
  each(gsasl_step) \
  each(gsasl_finish) \
  each(gsasl_free) \
  each(gsasl_strerror) \
  each(gsasl_scram_secrets_from_password) \
  each(gsasl_scram_secrets_from_salted_password)

static struct { FUNCTIONS(CLOADER_MEMBER) } library;

static int load(const char **problem) {
  *problem = cloader_load("libgsasl.so.18", FUNCTIONS(CLOADER_NAME), &library);
  return !*problem;
}

struct cgsasl_session {
  Gsasl *context;
  Gsasl_session *session;
};

static const Gsasl_property properties[cgsasl_property_count] = {
  [cgsasl_user] = GSASL_AUTHID,
  [cgsasl_password] = GSASL_PASSWORD,
  [cgsasl_service] = GSASL_SERVICE,
  [cgsasl_host] = GSASL_HOSTNAME,
  [cgsasl_realm] = GSASL_REALM,
  [cgsasl_salted_password] = GSASL_SCRAM_SALTED_PASSWORD,
  [cgsasl_tls_unique] = GSASL_CB_TLS_UNIQUE,
  [cgsasl_tls_exporter] = GSASL_CB_TLS_EXPORTER,
};

struct cgsasl_session *cgsasl_start(const char *mechanism, const char **problem) {
  struct cgsasl_session *session = NULL;
  int status;
  if (!load(problem)) return NULL;
  session = calloc(1, sizeof *session);
  if (!session) {
    *problem = "no memory";
    return NULL;
  }
  status = library.gsasl_init(&session->context);
  if (status == GSASL_OK) {
    status = library.gsasl_client_start(session->context, mechanism, &session->session);
    if (status == GSASL_OK) return session;
    library.gsasl_done(session->context);
  }
  *problem = library.gsasl_strerror(status);
  free(session);
  return NULL;
}

int cgsasl_set(struct cgsasl_session *session, enum cgsasl_property property, const void *bytes, size_t count) {
  return library.gsasl_property_set_raw(session->session, properties[property], bytes ? bytes : "", count) == GSASL_OK;
}

enum cgsasl_result cgsasl_step(
    struct cgsasl_session *session, const void *input, size_t input_count, uint8_t **output, size_t *output_count,
    const char **problem) {
  /* The library takes texts for strings, though it asks for their lengths. */
  char *text = malloc(input_count + 1), *answer = NULL;
  int status;
  *output = NULL;
  *output_count = 0;
  if (!text) {
    *problem = "no memory";
    return cgsasl_failed;
  }
  if (input_count) memcpy(text, input, input_count);
  text[input_count] = 0;
  status = library.gsasl_step(session->session, text, input_count, &answer, output_count);
  free(text);
  if (status != GSASL_OK && status != GSASL_NEEDS_MORE) {
    *problem = library.gsasl_strerror(status);
    *output_count = 0;
    return cgsasl_failed;
  }
  *output = (uint8_t *)answer;
  return status == GSASL_OK ? cgsasl_done : cgsasl_more;
}

void cgsasl_free(uint8_t *output, size_t count) {
  if (!output) return;
  explicit_bzero(output, count);
  library.gsasl_free(output);
}

void cgsasl_finish(struct cgsasl_session *session) {
  for (int i = 0; i < cgsasl_property_count; i++) {
    /* The library's own copy, which it would only free. */
    char *value = (char *)library.gsasl_property_fast(session->session, properties[i]);
    if (value) explicit_bzero(value, strlen(value));
  }
  library.gsasl_finish(session->session);
  library.gsasl_done(session->context);
  free(session);
}

static const Gsasl_hash hashes[] = {[cgsasl_sha1] = GSASL_HASH_SHA1, [cgsasl_sha256] = GSASL_HASH_SHA256};

int cgsasl_keys_from_password(
    enum cgsasl_hash hash, const char *password, unsigned iterations, const void *salt, size_t salt_count,
    struct cgsasl_keys *keys, const char **problem) {
  char salted[GSASL_HASH_MAX_SIZE];
  int status;
  if (!load(problem)) return 0;
  status = library.gsasl_scram_secrets_from_password(
      hashes[hash], password, iterations, salt, salt_count, salted, (char *)keys->client, (char *)keys->server,
      (char *)keys->stored);
  explicit_bzero(salted, sizeof salted);
  if (status != GSASL_OK) *problem = library.gsasl_strerror(status);
  return status == GSASL_OK;
}

int cgsasl_keys_from_salted(enum cgsasl_hash hash, const void *salted, struct cgsasl_keys *keys, const char **problem) {
  int status;
  if (!load(problem)) return 0;
  status = library.gsasl_scram_secrets_from_salted_password(
      hashes[hash], salted, (char *)keys->client, (char *)keys->server, (char *)keys->stored);
  if (status != GSASL_OK) *problem = library.gsasl_strerror(status);
  return status == GSASL_OK;
}
