/* Libraries that a delivery loads only if it uses them: their functions as tables of pointers.
 *
 *   #define FUNCTIONS(each) each(EVP_Digest) each(HMAC)
 *   static struct { FUNCTIONS(CLOADER_MEMBER) } library;
 *   const char *problem = cloader_load("libcrypto.so.3", FUNCTIONS(CLOADER_NAME), &library); */
#ifndef CLOADER_H
#define CLOADER_H

#define CLOADER_MEMBER(name) __typeof__(name) *name;
#define CLOADER_NAME(name) #name "\0"

/* Loads a library by the name of its file, unless the table is filled already.
 * `names` are its functions, each with a null byte and the last with two; `table` has a pointer for each, in their order.
 * Returns a null pointer, or why no function may be called; not to be freed. */
const char *cloader_load(const char *file, const char *names, void *table);

#endif
