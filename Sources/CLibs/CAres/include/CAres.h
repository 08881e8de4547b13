/* c-ares, the DNS client: questions, retries, EDNS and the fall-back to TCP. Its answers are read in Swift. Loaded on first use: a
 * delivery to a relay by its address asks nobody. The functions here are the library's of the same name. */
#ifndef CARES_H
#define CARES_H

#include <sys/socket.h>
#include <sys/types.h>
/* Types and constants only: nothing of the library is linked. */
#include <ares.h>

/* Loads the library.
 * Returns a null pointer, or why none of the other functions may be called; not to be freed. */
const char *cares_load(void);

int cares_init_options(ares_channel *channel, struct ares_options *options, int mask);
void cares_destroy(ares_channel channel);
void cares_cancel(ares_channel channel);
int cares_set_servers_ports_csv(ares_channel channel, const char *servers);

/* Leaves out the first servers of a channel that asks nobody yet.
 * Returns 1, or 0 if none is left. */
int cares_skip_servers(ares_channel channel, int count);

void cares_send(ares_channel channel, const unsigned char *query, int length, ares_callback callback, void *argument);
int cares_getsock(ares_channel channel, ares_socket_t *sockets, int count);
struct timeval *cares_timeout(ares_channel channel, struct timeval *most, struct timeval *limit);
void cares_process_fd(ares_channel channel, ares_socket_t readable, ares_socket_t writable);
const char *cares_strerror(int status);

#endif
