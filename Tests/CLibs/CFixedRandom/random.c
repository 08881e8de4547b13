#define _GNU_SOURCE
#include "CFixedRandom.h"
#include <string.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <unistd.h>

static _Thread_local struct { const unsigned char *bytes; size_t count; } fixed;

void fixed_random(const void *bytes, size_t count) {
  fixed.bytes = bytes;
  fixed.count = count;
}

/* Stands before that of the C library for everything in this process. */
ssize_t getrandom(void *buffer, size_t count, unsigned flags) {
  if (!fixed.count) return syscall(SYS_getrandom, buffer, count, flags);
  for (size_t i = 0; i < count; i++) ((unsigned char *)buffer)[i] = fixed.bytes[i % fixed.count];
  return (ssize_t)count;
}
