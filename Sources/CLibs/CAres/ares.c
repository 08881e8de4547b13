#include "CAres.h"
#include <dlfcn.h>
#include <stddef.h>

/* The functions that are used: one line each here and below. */
static struct {
  __typeof__(ares_init_options) *init_options;
  __typeof__(ares_destroy) *destroy;
  __typeof__(ares_cancel) *cancel;
  __typeof__(ares_set_servers_ports_csv) *set_servers_ports_csv;
  __typeof__(ares_create_query) *create_query;
  __typeof__(ares_free_string) *free_string;
  __typeof__(ares_send) *send;
  __typeof__(ares_getsock) *getsock;
  __typeof__(ares_timeout) *timeout;
  __typeof__(ares_process_fd) *process_fd;
  __typeof__(ares_strerror) *strerror;
} library;

static const struct {
  void *entry;
  const char *name;
} functions[] = {
    {&library.init_options, "ares_init_options"},
    {&library.destroy, "ares_destroy"},
    {&library.cancel, "ares_cancel"},
    {&library.set_servers_ports_csv, "ares_set_servers_ports_csv"},
    {&library.create_query, "ares_create_query"},
    {&library.free_string, "ares_free_string"},
    {&library.send, "ares_send"},
    {&library.getsock, "ares_getsock"},
    {&library.timeout, "ares_timeout"},
    {&library.process_fd, "ares_process_fd"},
    {&library.strerror, "ares_strerror"},
};

const char *cares_load(void) {
  static int loaded;
  if (loaded) return NULL;
  void *handle = dlopen("libcares.so.2", RTLD_NOW | RTLD_LOCAL);
  if (!handle) return "libcares can't be loaded";
  for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
    void *function = dlsym(handle, functions[i].name);
    if (!function) return "libcares lacks a function";
    *(void **)functions[i].entry = function;
  }
  loaded = 1;
  return NULL;
}

int cares_init_options(ares_channel *channel, struct ares_options *options, int mask) {
  return library.init_options(channel, options, mask);
}

void cares_destroy(ares_channel channel) { library.destroy(channel); }

void cares_cancel(ares_channel channel) { library.cancel(channel); }

int cares_set_servers_ports_csv(ares_channel channel, const char *servers) {
  return library.set_servers_ports_csv(channel, servers);
}

int cares_create_query(const char *name, int class, int type, unsigned short id, int rd, unsigned char **query, int *length,
                       int max_udp_size) {
  return library.create_query(name, class, type, id, rd, query, length, max_udp_size);
}

void cares_free_string(void *string) { library.free_string(string); }

void cares_send(ares_channel channel, const unsigned char *query, int length, ares_callback callback, void *argument) {
  library.send(channel, query, length, callback, argument);
}

int cares_getsock(ares_channel channel, ares_socket_t *sockets, int count) { return library.getsock(channel, sockets, count); }

struct timeval *cares_timeout(ares_channel channel, struct timeval *most, struct timeval *limit) {
  return library.timeout(channel, most, limit);
}

void cares_process_fd(ares_channel channel, ares_socket_t readable, ares_socket_t writable) {
  library.process_fd(channel, readable, writable);
}

const char *cares_strerror(int status) { return library.strerror(status); }
