/* A long wire: two TAP devices, and whatever is sent into one comes out of the other after a delay. The kernels of small machines
 * often have no netem; this needs only /dev/net/tun. Handshake, slow start, delayed acknowledgements and Nagle stay the kernel's.
 *
 *   wire DEVICE DEVICE MICROSECONDS
 *
 * Packets keep their order; none is lost; bandwidth is what the machine has. Runs until it is killed. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

enum { queue_length = 65536, packet_size = 1700 };

struct packet {
  int64_t due; /* nanoseconds */
  size_t count;
  char bytes[packet_size];
};

/* What is on its way in one direction. The counters only grow; a packet's place is its number modulo the length. */
struct direction {
  int from, to;
  struct packet *packets;
  unsigned first, end;
};

static int64_t now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

static int open_device(const char *name) {
  struct ifreq request = {.ifr_flags = IFF_TAP | IFF_NO_PI};
  int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
  strncpy(request.ifr_name, name, IFNAMSIZ - 1);
  if (fd < 0 || ioctl(fd, TUNSETIFF, &request)) {
    perror(name);
    exit(1);
  }
  return fd;
}

static struct packet *place(struct direction *d, unsigned number) { return &d->packets[number % queue_length]; }

/* Takes in what has been sent, and notes when it is to arrive. */
static void take_in(struct direction *d, int64_t delay) {
  while (d->end - d->first < queue_length) {
    struct packet *packet = place(d, d->end);
    ssize_t count = read(d->from, packet->bytes, packet_size);
    if (count <= 0) return;
    packet->count = (size_t)count;
    packet->due = now() + delay;
    d->end++;
  }
}

/* Lets arrive what is due, and returns how long to wait for the next. */
static int64_t let_out(struct direction *d) {
  while (d->first != d->end) {
    struct packet *packet = place(d, d->first);
    int64_t wait = packet->due - now();
    if (wait > 0) return wait;
    /* A device that is down, or full, drops the packet as a network would. */
    if (write(d->to, packet->bytes, packet->count) < 0) {}
    d->first++;
  }
  return INT64_C(1000000000);
}

int main(int count, char **words) {
  if (count != 4) {
    fprintf(stderr, "usage: wire DEVICE DEVICE MICROSECONDS\n");
    return 2;
  }
  int one = open_device(words[1]), other = open_device(words[2]);
  int64_t delay = atoll(words[3]) * 1000;
  struct direction there = {.from = one, .to = other}, back = {.from = other, .to = one};
  there.packets = malloc(sizeof(struct packet) * queue_length);
  back.packets = malloc(sizeof(struct packet) * queue_length);
  if (!there.packets || !back.packets) abort();
  /* The default slack of 50 microseconds would be visible in the round trips. */
  prctl(PR_SET_TIMERSLACK, 1000, 0, 0, 0);

  for (;;) {
    int64_t wait = let_out(&there), wait_back = let_out(&back);
    if (wait_back < wait) wait = wait_back;
    struct timespec timeout = {.tv_sec = wait / 1000000000, .tv_nsec = wait % 1000000000};
    struct pollfd devices[2] = {{.fd = one, .events = POLLIN}, {.fd = other, .events = POLLIN}};
    ppoll(devices, 2, &timeout, 0);
    take_in(&there, delay);
    take_in(&back, delay);
  }
}
