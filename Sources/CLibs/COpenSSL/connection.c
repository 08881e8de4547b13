/* One connection: its bytes come and go through two buffers in memory. */
#include "library.h"
#include <limits.h>
#include <string.h>

copenssl_connection *copenssl_connection_new(copenssl_context *context) {
  copenssl.ERR_clear_error();
  SSL *connection = copenssl.SSL_new(context);
  BIO *input = copenssl.BIO_new(copenssl.BIO_s_mem());
  BIO *output = copenssl.BIO_new(copenssl.BIO_s_mem());
  if (!connection || !input || !output) {
    copenssl.BIO_free(input);
    copenssl.BIO_free(output);
    copenssl.SSL_free(connection);
    return NULL;
  }
  copenssl.SSL_set_bio(connection, input, output);
  copenssl.SSL_set_connect_state(connection);
  return connection;
}

void copenssl_connection_free(copenssl_connection *connection) { copenssl.SSL_free(connection); }

int copenssl_ask_for(copenssl_connection *connection, const char *name) {
  copenssl.ERR_clear_error();
  return copenssl.SSL_ctrl(connection, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, (void *)name) > 0;
}

void copenssl_demand_chain(copenssl_connection *connection) { copenssl.SSL_set_verify(connection, SSL_VERIFY_PEER, NULL); }

int copenssl_use_dane(copenssl_connection *connection, const char *base) {
  copenssl.ERR_clear_error();
  copenssl.SSL_set_hostflags(connection, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  if (copenssl.SSL_dane_enable(connection, base) <= 0) return 0;
  /* RFC 7672 section 3.1.1: a record for the certificate itself says everything about it. */
  copenssl.SSL_dane_set_flags(connection, DANE_FLAG_NO_DANE_EE_NAMECHECKS);
  return 1;
}

int copenssl_add_name(copenssl_connection *connection, const char *name) {
  copenssl.ERR_clear_error();
  return copenssl.SSL_add1_host(connection, name) > 0;
}

int copenssl_add_record(copenssl_connection *connection, const struct copenssl_record *record) {
  copenssl.ERR_clear_error();
  return copenssl.SSL_dane_tlsa_add(
      connection, record->usage, record->selector, record->matching, record->association, record->count);
}

static enum copenssl_progress progress(copenssl_connection *connection, int result) {
  if (result > 0) return copenssl_done;
  switch (copenssl.SSL_get_error(connection, result)) {
    case SSL_ERROR_WANT_READ: return copenssl_wants_input;
    case SSL_ERROR_ZERO_RETURN: return copenssl_ended;
    default: return copenssl_failed;
  }
}

enum copenssl_progress copenssl_handshake(copenssl_connection *connection) {
  copenssl.ERR_clear_error();
  return progress(connection, copenssl.SSL_do_handshake(connection));
}

enum copenssl_progress copenssl_read(copenssl_connection *connection, void *bytes, size_t limit, size_t *count) {
  copenssl.ERR_clear_error();
  return progress(connection, copenssl.SSL_read_ex(connection, bytes, limit, count));
}

enum copenssl_progress copenssl_write(copenssl_connection *connection, const void *bytes, size_t count) {
  size_t written = 0;
  copenssl.ERR_clear_error();
  return progress(connection, copenssl.SSL_write_ex(connection, bytes, count, &written));
}

void copenssl_end(copenssl_connection *connection) {
  copenssl.ERR_clear_error();
  copenssl.SSL_shutdown(connection);
}

int copenssl_feed(copenssl_connection *connection, const void *bytes, size_t count) {
  if (count > INT_MAX) return 0;
  return count == 0 || copenssl.BIO_write(copenssl.SSL_get_rbio(connection), bytes, (int)count) == (int)count;
}

size_t copenssl_output_count(copenssl_connection *connection) {
  return copenssl.BIO_ctrl_pending(copenssl.SSL_get_wbio(connection));
}

size_t copenssl_take_output(copenssl_connection *connection, void *bytes, size_t limit) {
  int count = copenssl.BIO_read(copenssl.SSL_get_wbio(connection), bytes, limit > INT_MAX ? INT_MAX : (int)limit);
  return count > 0 ? (size_t)count : 0;
}

static enum copenssl_chain chain(long result, const char **words) {
  *words = copenssl.X509_verify_cert_error_string(result);
  switch (result) {
    case X509_V_OK: return copenssl_chain_verified;
    case X509_V_ERR_DANE_NO_MATCH: return copenssl_chain_no_record;
    case X509_V_ERR_HOSTNAME_MISMATCH: return copenssl_chain_other_name;
    default: return copenssl_chain_unverified;
  }
}

enum copenssl_chain copenssl_chain(copenssl_connection *connection, const char **words) {
  return chain(copenssl.SSL_get_verify_result(connection), words);
}

enum copenssl_chain copenssl_chain_by_anchors(
    copenssl_connection *connection, copenssl_context *context, const char **words) {
  long result = X509_V_ERR_OUT_OF_MEM;
  X509 *leaf = copenssl.SSL_get1_peer_certificate(connection);
  X509_STORE_CTX *check = copenssl.X509_STORE_CTX_new();
  copenssl.ERR_clear_error();
  if (leaf && check &&
      copenssl.X509_STORE_CTX_init(
          check, copenssl.SSL_CTX_get_cert_store(context), leaf, copenssl.SSL_get_peer_cert_chain(connection)) &&
      copenssl.X509_STORE_CTX_set_default(check, "ssl_server") &&
      copenssl.X509_VERIFY_PARAM_set1(
          copenssl.X509_STORE_CTX_get0_param(check), copenssl.SSL_CTX_get0_param(context))) {
    int verified = copenssl.X509_verify_cert(check);
    result = copenssl.X509_STORE_CTX_get_error(check);
    if (verified <= 0 && result == X509_V_OK) result = X509_V_ERR_UNSPECIFIED;
  }
  copenssl.X509_STORE_CTX_free(check);
  copenssl.X509_free(leaf);
  return chain(result, words);
}

const char *copenssl_version(copenssl_connection *connection) { return copenssl.SSL_get_version(connection); }

const char *copenssl_cipher(copenssl_connection *connection) {
  return copenssl.SSL_CIPHER_get_name(copenssl.SSL_get_current_cipher(connection));
}

static int is_version13(copenssl_connection *connection) {
  return strcmp(copenssl.SSL_get_version(connection), "TLSv1.3") == 0;
}

size_t copenssl_exporter(copenssl_connection *connection, uint8_t bytes[copenssl_binding_limit]) {
  static const char label[] = "EXPORTER-Channel-Binding";
  static const size_t count = 32;
  copenssl.ERR_clear_error();
  if (!is_version13(connection)) return 0;
  int status = copenssl.SSL_export_keying_material(connection, bytes, count, label, strlen(label), NULL, 0, 0);
  return status > 0 ? count : 0;
}

size_t copenssl_finished(copenssl_connection *connection, uint8_t bytes[copenssl_binding_limit]) {
  if (is_version13(connection) || copenssl.SSL_ctrl(connection, SSL_CTRL_GET_EXTMS_SUPPORT, 0, NULL) != 1) return 0;
  size_t count = copenssl.SSL_get_finished(connection, bytes, copenssl_binding_limit);
  return count <= copenssl_binding_limit ? count : 0;
}

copenssl_certificate *copenssl_peer_certificate(copenssl_connection *connection) {
  return copenssl.SSL_get1_peer_certificate(connection);
}
