/* OpenSSL's libssl, loaded on first use: a delivery in clear doesn't pay for it. Connections are fed and drained by their owner; no
 * function here touches a socket. One thread. */
#ifndef COPENSSL_H
#define COPENSSL_H

#include <stddef.h>
#include <stdint.h>

/* What connections are made from, a connection, and a certificate: OpenSSL's own types. */
typedef struct ssl_ctx_st copenssl_context;
typedef struct ssl_st copenssl_connection;
typedef struct x509_st copenssl_certificate;

/* Loads the library; nothing below may be called before this has returned 1. On 0 *problem says why, and is not to be freed. */
int copenssl_load(const char **problem);

/* Why the last call failed, in OpenSSL's words or the system's; never null. */
const char *copenssl_reason(void);

/* MARK: contexts. Where nothing else is said, functions return 1, or 0 on failure. */

/* As the system's openssl.cnf has it; null on failure. */
copenssl_context *copenssl_context_new(void);
void copenssl_context_free(copenssl_context *context);

/* Protocol versions as they are on the wire: 0x0303 is TLS 1.2. 0 is no limit. */
int copenssl_minimum_version(copenssl_context *context);
int copenssl_set_versions(copenssl_context *context, int minimum, int maximum);

/* For TLS up to 1.2, and for 1.3. */
int copenssl_set_ciphers(copenssl_context *context, const char *list);
int copenssl_set_cipher_suites(copenssl_context *context, const char *list);
void copenssl_set_security_level(copenssl_context *context, int level);

/* Our own certificate with its chain, PEM. */
int copenssl_use_certificate(copenssl_context *context, const char *file);

enum copenssl_key { copenssl_key_usable, copenssl_key_unreadable, copenssl_key_of_another };
/* The key of the certificate, PEM. Without a password (null) an encrypted one is unreadable; nobody is asked for it. */
enum copenssl_key copenssl_use_key(copenssl_context *context, const char *file, const void *password, size_t count);

/* Certificates that a chain may end at. A directory is hashed: nothing of it is read before a chain needs it. */
int copenssl_trust_file(copenssl_context *context, const char *file);
int copenssl_trust_directory(copenssl_context *context, const char *directory);
void copenssl_set_depth(copenssl_context *context, int depth);
int copenssl_allow_dane(copenssl_context *context);

/* MARK: connections */

/* A client's connection; null on failure. It keeps its context. */
copenssl_connection *copenssl_connection_new(copenssl_context *context);
void copenssl_connection_free(copenssl_connection *connection);

/* The name that the server is asked for (RFC 6066 section 3). */
int copenssl_ask_for(copenssl_connection *connection, const char *name);
/* A handshake whose chain doesn't verify fails. */
void copenssl_demand_chain(copenssl_connection *connection);

/* The chain is to verify by TLSA records: the name that they stand for, further names that a certificate of usage 2 may be for, and
 * the records. A record that can't be used is 0, trouble of another kind negative. */
int copenssl_use_dane(copenssl_connection *connection, const char *base);
int copenssl_add_name(copenssl_connection *connection, const char *name);
struct copenssl_record {
  uint8_t usage, selector, matching;
  const void *association;
  size_t count;
};
int copenssl_add_record(copenssl_connection *connection, const struct copenssl_record *record);

enum copenssl_progress {
  copenssl_done,
  /* Nothing more can be done before more bytes of the other side are fed; what has been written has to go out first. */
  copenssl_wants_input,
  /* The other side has said that it sends no more. */
  copenssl_ended,
  copenssl_failed
};
enum copenssl_progress copenssl_handshake(copenssl_connection *connection);
enum copenssl_progress copenssl_read(copenssl_connection *connection, void *bytes, size_t limit, size_t *count);
enum copenssl_progress copenssl_write(copenssl_connection *connection, const void *bytes, size_t count);
/* Writes that we send no more. */
void copenssl_end(copenssl_connection *connection);

/* Bytes that came from the other side; bytes that are to go to it: how many there are, and taking them out. */
int copenssl_feed(copenssl_connection *connection, const void *bytes, size_t count);
size_t copenssl_output_count(copenssl_connection *connection);
size_t copenssl_take_output(copenssl_connection *connection, void *bytes, size_t limit);

/* MARK: what came of it */

enum copenssl_chain {
  copenssl_chain_verified,
  /* No TLSA record stands for the certificate, or for one above it. */
  copenssl_chain_no_record,
  /* The certificate is for other names. */
  copenssl_chain_other_name,
  copenssl_chain_unverified
};
/* *words says what is wrong with it. */
enum copenssl_chain copenssl_chain(copenssl_connection *connection, const char **words);
/* The same by what a context trusts alone, where TLSA records have decided already. */
enum copenssl_chain copenssl_chain_by_anchors(
    copenssl_connection *connection, copenssl_context *context, const char **words);

/* `TLSv1.3`, and `TLS_AES_256_GCM_SHA384`. */
const char *copenssl_version(copenssl_connection *connection);
const char *copenssl_cipher(copenssl_connection *connection);

/* Values that only the two ends of a connection know. The number of bytes, 0 where there is none: RFC 9266's of TLS 1.3, where it
 * always differs from connection to connection; and RFC 5929's tls-unique up to 1.2, if the handshake had the extended master
 * secret (RFC 7627), without which two connections can be made to have the same. */
enum { copenssl_binding_limit = 64 };
size_t copenssl_exporter(copenssl_connection *connection, uint8_t bytes[copenssl_binding_limit]);
size_t copenssl_finished(copenssl_connection *connection, uint8_t bytes[copenssl_binding_limit]);

/* The server's certificate, to be freed; null if it sent none. */
copenssl_certificate *copenssl_peer_certificate(copenssl_connection *connection);
void copenssl_certificate_free(copenssl_certificate *certificate);

/* DER: how many bytes it has; they are written if `bytes` is not null. */
size_t copenssl_certificate_bytes(copenssl_certificate *certificate, uint8_t *bytes);

/* What it is for: dNSNames, else the common name; each as two bytes of its length, most significant first, and the name as it is. As many as
 * fit into `limit` bytes; the number of bytes written. */
size_t copenssl_certificate_names(copenssl_certificate *certificate, uint8_t *bytes, size_t limit);

enum copenssl_matching { copenssl_matching_exact, copenssl_matching_wildcard };
/* Whether it is for a host; the common name counts only if it has no dNSName. */
int copenssl_certificate_is_for(
    copenssl_certificate *certificate, const char *name, size_t count, enum copenssl_matching matching);
/* Whether it is for an IP address. */
int copenssl_certificate_is_for_address(copenssl_certificate *certificate, const char *address);

#endif
