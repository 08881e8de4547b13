#include "CAres.h"
#include "CLoader.h"
#include <stddef.h>

/* The functions that are used: one line each here and below. */
#define FUNCTIONS(each) \
  each(ares_init_options) \
  each(ares_destroy) \
  each(ares_cancel) \
  each(ares_set_servers_ports_csv) \
  each(ares_get_servers_ports) \
  each(ares_set_servers_ports) \
  each(ares_free_data) \
  each(ares_send) \
  each(ares_getsock) \
  each(ares_timeout) \
  each(ares_process_fd) \
  each(ares_strerror)

static struct { FUNCTIONS(CLOADER_MEMBER) } library;

const char *cares_load(void) { return cloader_load("libcares.so.2", FUNCTIONS(CLOADER_NAME), &library); }

int cares_init_options(ares_channel *channel, struct ares_options *options, int mask) {
  return library.ares_init_options(channel, options, mask);
}

void cares_destroy(ares_channel channel) { library.ares_destroy(channel); }

void cares_cancel(ares_channel channel) { library.ares_cancel(channel); }

int cares_set_servers_ports_csv(ares_channel channel, const char *servers) {
  return library.ares_set_servers_ports_csv(channel, servers);
}

int cares_skip_servers(ares_channel channel, int count) {
  struct ares_addr_port_node *all = NULL;
  if (library.ares_get_servers_ports(channel, &all) != ARES_SUCCESS) return 0;
  struct ares_addr_port_node *rest = all;
  while (rest && count-- > 0) rest = rest->next;
  int is_set = rest && library.ares_set_servers_ports(channel, rest) == ARES_SUCCESS;
  library.ares_free_data(all);
  return is_set;
}

void cares_send(ares_channel channel, const unsigned char *query, int length, ares_callback callback, void *argument) {
  library.ares_send(channel, query, length, callback, argument);
}

int cares_getsock(ares_channel channel, ares_socket_t *sockets, int count) { return library.ares_getsock(channel, sockets, count); }

struct timeval *cares_timeout(ares_channel channel, struct timeval *most, struct timeval *limit) {
  return library.ares_timeout(channel, most, limit);
}

void cares_process_fd(ares_channel channel, ares_socket_t readable, ares_socket_t writable) {
  library.ares_process_fd(channel, readable, writable);
}

const char *cares_strerror(int status) { return library.ares_strerror(status); }
