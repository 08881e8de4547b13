/* libgsasl, loaded on first use: a delivery that doesn't authenticate doesn't pay for it. */
#ifndef CGSASL_H
#define CGSASL_H

#include <stddef.h>
#include <stdint.h>

/* One client's run of one mechanism. */
struct cgsasl_session;

/* What a session has to know, as libgsasl numbers it. */
enum cgsasl_property {
  cgsasl_user,
  cgsasl_password,
  cgsasl_service,
  cgsasl_host,
  cgsasl_realm,
  cgsasl_salted_password,
  cgsasl_tls_unique,
  cgsasl_tls_exporter,
  cgsasl_property_count
};

/* How a step went. */
enum cgsasl_result {
  cgsasl_done,
  /* The server has to say something more. */
  cgsasl_more,
  cgsasl_failed
};

/* Starts a session; null on failure, and then *problem says why. */
struct cgsasl_session *cgsasl_start(const char *mechanism, const char **problem);

/* Tells the session something; the bytes hold no null byte. 0 on failure. */
int cgsasl_set(struct cgsasl_session *session, enum cgsasl_property property, const void *bytes, size_t count);

/* Takes what the server said, and gives what it is to be told, to be freed with cgsasl_free; *problem says why it failed. */
enum cgsasl_result cgsasl_step(
    struct cgsasl_session *session, const void *input, size_t input_count, uint8_t **output, size_t *output_count,
    const char **problem);

/* Clears and frees an output. */
void cgsasl_free(uint8_t *output, size_t count);

/* Ends the session. What it was told is cleared. */
void cgsasl_finish(struct cgsasl_session *session);

/* The keys of SCRAM (RFC 5802 section 3). */
enum { cgsasl_key_limit = 32 };
enum cgsasl_hash { cgsasl_sha1, cgsasl_sha256 };
struct cgsasl_keys {
  uint8_t client[cgsasl_key_limit];
  uint8_t server[cgsasl_key_limit];
  uint8_t stored[cgsasl_key_limit];
};

/* From a password, a string, which is prepared by SASLprep; 0 on failure, and then *problem says why. */
int cgsasl_keys_from_password(
    enum cgsasl_hash hash, const char *password, unsigned iterations, const void *salt, size_t salt_count,
    struct cgsasl_keys *keys, const char **problem);

/* From what a password and a salt have made before, as long as the hash. */
int cgsasl_keys_from_salted(
    enum cgsasl_hash hash, const void *salted, struct cgsasl_keys *keys, const char **problem);

#endif
