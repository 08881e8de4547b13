/* Loading the library, and what connections are made from. */
#include "library.h"
#include <limits.h>
#include <string.h>

struct copenssl_library copenssl;

int copenssl_load(const char **problem) {
  static int is_started;
  if (is_started) return 1;
  /* libcrypto comes with it, and its functions are found through it. */
  if ((*problem = cloader_load("libssl.so.3", FUNCTIONS(CLOADER_NAME), &copenssl))) return 0;
  /* The process ends after one delivery: tidying up at exit would only take time. */
  if (!copenssl.OPENSSL_init_ssl(OPENSSL_INIT_NO_ATEXIT, NULL)) {
    *problem = "libssl can't be started";
    return 0;
  }
  is_started = 1;
  return 1;
}

const char *copenssl_reason(void) {
  /* The oldest error is the cause, those after it are who passed it on. */
  unsigned long error = copenssl.ERR_peek_error();
  if (ERR_SYSTEM_ERROR(error)) return strerror(ERR_GET_REASON(error));
  const char *words = copenssl.ERR_reason_error_string(error);
  return words ? words : "no reason given";
}

copenssl_context *copenssl_context_new(void) {
  copenssl.ERR_clear_error();
  SSL_CTX *context = copenssl.SSL_CTX_new(copenssl.TLS_client_method());
  /* A server that starts over in the middle of a session could do so as somebody else. */
  if (context) copenssl.SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION);
  return context;
}

void copenssl_context_free(copenssl_context *context) { copenssl.SSL_CTX_free(context); }

int copenssl_minimum_version(copenssl_context *context) {
  return (int)copenssl.SSL_CTX_ctrl(context, SSL_CTRL_GET_MIN_PROTO_VERSION, 0, NULL);
}

int copenssl_set_versions(copenssl_context *context, int minimum, int maximum) {
  copenssl.ERR_clear_error();
  return copenssl.SSL_CTX_ctrl(context, SSL_CTRL_SET_MIN_PROTO_VERSION, minimum, NULL) > 0 &&
         copenssl.SSL_CTX_ctrl(context, SSL_CTRL_SET_MAX_PROTO_VERSION, maximum, NULL) > 0;
}

int copenssl_set_ciphers(copenssl_context *context, const char *list) {
  copenssl.ERR_clear_error();
  return copenssl.SSL_CTX_set_cipher_list(context, list) > 0;
}

int copenssl_set_cipher_suites(copenssl_context *context, const char *list) {
  copenssl.ERR_clear_error();
  return copenssl.SSL_CTX_set_ciphersuites(context, list) > 0;
}

void copenssl_set_security_level(copenssl_context *context, int level) { copenssl.SSL_CTX_set_security_level(context, level); }

int copenssl_use_certificate(copenssl_context *context, const char *file) {
  copenssl.ERR_clear_error();
  return copenssl.SSL_CTX_use_certificate_chain_file(context, file) > 0;
}

struct password {
  const void *bytes;
  size_t count;
};

/* OpenSSL's own would ask the terminal. */
static int give_password(char *buffer, int size, int writing, void *data) {
  const struct password *password = data;
  (void)writing;
  if (!password || !password->bytes || size < 0 || password->count > (size_t)size) return -1;
  memcpy(buffer, password->bytes, password->count);
  return (int)password->count;
}

enum copenssl_key copenssl_use_key(copenssl_context *context, const char *file, const void *bytes, size_t count) {
  struct password password = {bytes, count};
  copenssl.ERR_clear_error();
  copenssl.SSL_CTX_set_default_passwd_cb(context, give_password);
  copenssl.SSL_CTX_set_default_passwd_cb_userdata(context, &password);
  int usable = copenssl.SSL_CTX_use_PrivateKey_file(context, file, SSL_FILETYPE_PEM);
  copenssl.SSL_CTX_set_default_passwd_cb_userdata(context, NULL);
  if (usable > 0) return copenssl.SSL_CTX_check_private_key(context) ? copenssl_key_usable : copenssl_key_of_another;
  unsigned long error = copenssl.ERR_peek_last_error();
  int is_of_another = ERR_GET_LIB(error) == ERR_LIB_X509 && (ERR_GET_REASON(error) == X509_R_KEY_VALUES_MISMATCH ||
                                                             ERR_GET_REASON(error) == X509_R_KEY_TYPE_MISMATCH);
  return is_of_another ? copenssl_key_of_another : copenssl_key_unreadable;
}

/* Whoever names a certificate as trusted means it, be it a root or not. */
static int trust(copenssl_context *context, int loaded) {
  return loaded > 0 && copenssl.X509_VERIFY_PARAM_set_flags(copenssl.SSL_CTX_get0_param(context), X509_V_FLAG_PARTIAL_CHAIN);
}

int copenssl_trust_file(copenssl_context *context, const char *file) {
  copenssl.ERR_clear_error();
  return trust(context, copenssl.SSL_CTX_load_verify_file(context, file));
}

int copenssl_trust_directory(copenssl_context *context, const char *directory) {
  copenssl.ERR_clear_error();
  return trust(context, copenssl.SSL_CTX_load_verify_dir(context, directory));
}

void copenssl_set_depth(copenssl_context *context, int depth) { copenssl.SSL_CTX_set_verify_depth(context, depth); }

int copenssl_allow_dane(copenssl_context *context) {
  copenssl.ERR_clear_error();
  return copenssl.SSL_CTX_dane_enable(context) > 0;
}
