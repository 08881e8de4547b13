/* What stands in a server's certificate. */
#include "library.h"
#include <string.h>

void copenssl_certificate_free(copenssl_certificate *certificate) { copenssl.X509_free(certificate); }

size_t copenssl_certificate_bytes(copenssl_certificate *certificate, uint8_t *bytes) {
  int count = copenssl.i2d_X509(certificate, bytes ? &bytes : NULL);
  return count > 0 ? (size_t)count : 0;
}

/* Where the next name goes. */
struct names {
  uint8_t *bytes;
  size_t count, limit;
};

static void add(struct names *names, const ASN1_STRING *name) {
  int length = copenssl.ASN1_STRING_length(name);
  if (length < 0 || length > UINT16_MAX || names->limit - names->count < (size_t)length + 2) return;
  names->bytes[names->count++] = (uint8_t)(length >> 8);
  names->bytes[names->count++] = (uint8_t)length;
  memcpy(names->bytes + names->count, copenssl.ASN1_STRING_get0_data(name), (size_t)length);
  names->count += (size_t)length;
}

static int add_alternatives(struct names *names, copenssl_certificate *certificate) {
  GENERAL_NAMES *all = copenssl.X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
  const OPENSSL_STACK *stack = (const OPENSSL_STACK *)all;
  int found = 0;
  for (int index = 0; index < copenssl.OPENSSL_sk_num(stack); index++) {
    const GENERAL_NAME *name = copenssl.OPENSSL_sk_value(stack, index);
    if (name->type != GEN_DNS) continue;
    found = 1;
    add(names, name->d.dNSName);
  }
  copenssl.GENERAL_NAMES_free(all);
  return found;
}

size_t copenssl_certificate_names(copenssl_certificate *certificate, uint8_t *bytes, size_t limit) {
  struct names names = {bytes, 0, limit};
  if (add_alternatives(&names, certificate)) return names.count;
  const X509_NAME *subject = copenssl.X509_get_subject_name(certificate);
  int index = -1;
  while ((index = copenssl.X509_NAME_get_index_by_NID(subject, NID_commonName, index)) >= 0) {
    add(&names, copenssl.X509_NAME_ENTRY_get_data(copenssl.X509_NAME_get_entry(subject, index)));
  }
  return names.count;
}

int copenssl_certificate_is_for(
    copenssl_certificate *certificate, const char *name, size_t count, enum copenssl_matching matching) {
  unsigned flags =
      matching == copenssl_matching_exact ? X509_CHECK_FLAG_NO_WILDCARDS : X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS;
  return copenssl.X509_check_host(certificate, name, count, flags, NULL) > 0;
}

int copenssl_certificate_is_for_address(copenssl_certificate *certificate, const char *address) {
  return copenssl.X509_check_ip_asc(certificate, address, 0) > 0;
}
