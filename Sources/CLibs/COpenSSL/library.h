/* The functions of libssl and libcrypto that are used: one line each, resolved together. */
#ifndef COPENSSL_LIBRARY_H
#define COPENSSL_LIBRARY_H

#include "CLoader.h"
#include "COpenSSL.h"
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#define FUNCTIONS(each) \
  each(OPENSSL_init_ssl) \
  each(ERR_clear_error) \
  each(ERR_peek_error) \
  each(ERR_peek_last_error) \
  each(ERR_reason_error_string) \
  each(TLS_client_method) \
  each(SSL_CTX_new) \
  each(SSL_CTX_free) \
  each(SSL_CTX_ctrl) \
  each(SSL_CTX_set_options) \
  each(SSL_CTX_set_cipher_list) \
  each(SSL_CTX_set_ciphersuites) \
  each(SSL_CTX_set_security_level) \
  each(SSL_CTX_set_default_passwd_cb) \
  each(SSL_CTX_set_default_passwd_cb_userdata) \
  each(SSL_CTX_use_certificate_chain_file) \
  each(SSL_CTX_use_PrivateKey_file) \
  each(SSL_CTX_check_private_key) \
  each(SSL_CTX_load_verify_file) \
  each(SSL_CTX_load_verify_dir) \
  each(SSL_CTX_set_verify_depth) \
  each(SSL_CTX_get0_param) \
  each(SSL_CTX_get_cert_store) \
  each(X509_VERIFY_PARAM_set_flags) \
  each(X509_VERIFY_PARAM_set1) \
  each(X509_STORE_CTX_new) \
  each(X509_STORE_CTX_free) \
  each(X509_STORE_CTX_init) \
  each(X509_STORE_CTX_set_default) \
  each(X509_STORE_CTX_get0_param) \
  each(X509_STORE_CTX_get_error) \
  each(X509_verify_cert) \
  each(SSL_CTX_dane_enable) \
  each(SSL_new) \
  each(SSL_free) \
  each(SSL_ctrl) \
  each(SSL_set_bio) \
  each(SSL_get_rbio) \
  each(SSL_get_wbio) \
  each(SSL_set_connect_state) \
  each(SSL_set_verify) \
  each(SSL_set_hostflags) \
  each(SSL_add1_host) \
  each(SSL_dane_enable) \
  each(SSL_dane_set_flags) \
  each(SSL_dane_tlsa_add) \
  each(SSL_do_handshake) \
  each(SSL_get_error) \
  each(SSL_read_ex) \
  each(SSL_write_ex) \
  each(SSL_shutdown) \
  each(SSL_get_verify_result) \
  each(SSL_get_version) \
  each(SSL_get_current_cipher) \
  each(SSL_CIPHER_get_name) \
  each(SSL_export_keying_material) \
  each(SSL_get_finished) \
  each(SSL_get1_peer_certificate) \
  each(SSL_get_peer_cert_chain) \
  each(BIO_new) \
  each(BIO_free) \
  each(BIO_s_mem) \
  each(BIO_read) \
  each(BIO_write) \
  each(BIO_ctrl_pending) \
  each(X509_free) \
  each(i2d_X509) \
  each(X509_get_ext_d2i) \
  each(X509_get_subject_name) \
  each(X509_NAME_get_index_by_NID) \
  each(X509_NAME_get_entry) \
  each(X509_NAME_ENTRY_get_data) \
  each(X509_check_host) \
  each(X509_check_ip_asc) \
  each(X509_verify_cert_error_string) \
  each(GENERAL_NAMES_free) \
  each(OPENSSL_sk_num) \
  each(OPENSSL_sk_value) \
  each(ASN1_STRING_get0_data) \
  each(ASN1_STRING_length)

struct copenssl_library { FUNCTIONS(CLOADER_MEMBER) };

extern struct copenssl_library copenssl;

#endif
