#define _GNU_SOURCE
#include "CSystem.h"
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/un.h>

int csys_errno(void) { return errno; }

int csys_open(const char *path, int flags) {
  int fd;
  do fd = open(path, flags | O_CLOEXEC); while (fd < 0 && errno == EINTR);
  return fd;
}

int csys_openat(int directory, const char *name, int flags) {
  int fd;
  do fd = openat(directory, name, flags | O_CLOEXEC); while (fd < 0 && errno == EINTR);
  return fd;
}

int csys_create(const char *path, mode_t mode) {
  return open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
}

int csys_temporary_file(const char *folder) {
  char name[4096];
  int fd;
  do fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600); while (fd < 0 && errno == EINTR);
  if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR)) return fd;
  /* A file system that doesn't know files without names. */
  if ((size_t)snprintf(name, sizeof name, "%s/message.XXXXXX", folder) >= sizeof name) {
    errno = ENAMETOOLONG;
    return -1;
  }
  fd = mkostemp(name, O_CLOEXEC);
  if (fd >= 0) unlink(name);
  return fd;
}

int csys_make_at(int directory, const char *name, int flags, mode_t mode) {
  return openat(directory, name, flags | O_CREAT | O_CLOEXEC | O_NOFOLLOW, mode);
}

int csys_try_lock(int fd) {
  struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
  return fcntl(fd, F_OFD_SETLK, &whole);
}

int csys_create_at(int directory, const char *name, mode_t mode) {
  return openat(directory, name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, mode);
}

const int csys_path_only = O_PATH;

ssize_t csys_read(int fd, void *buffer, size_t count) {
  ssize_t n;
  do n = read(fd, buffer, count); while (n < 0 && errno == EINTR);
  return n;
}

ssize_t csys_pread(int fd, void *buffer, size_t count, off_t offset) {
  ssize_t n;
  do n = pread(fd, buffer, count, offset); while (n < 0 && errno == EINTR);
  return n;
}

int csys_memory_file(const void *bytes, size_t count) {
  int fd = memfd_create("bytes", MFD_CLOEXEC);
  if (fd >= 0 && write(fd, bytes, count) != (ssize_t)count) {
    close(fd);
    return -1;
  }
  return fd;
}

ssize_t csys_pwrite(int fd, const void *bytes, size_t count, off_t offset) {
  struct rlimit limit;
  ssize_t n;
  if (!getrlimit(RLIMIT_FSIZE, &limit) && limit.rlim_cur < (rlim_t)offset + count) {
    errno = EFBIG;
    return -1;
  }
  do n = pwrite(fd, bytes, count, offset); while (n < 0 && errno == EINTR);
  return n;
}

ssize_t csys_write(const void *bytes, size_t count, int fd) {
  ssize_t n;
  do n = write(fd, bytes, count); while (n < 0 && errno == EINTR);
  return n;
}

int csys_open_appending(const char *path, mode_t mode) {
  int fd;
  do fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, mode); while (fd < 0 && errno == EINTR);
  return fd;
}

int csys_send_datagram(const char *path, const void *bytes, size_t count) {
  struct sockaddr_un name = {.sun_family = AF_UNIX};
  size_t length = strlen(path);
  ssize_t n;
  int fd;
  if (length >= sizeof name.sun_path) {
    errno = ENAMETOOLONG;
    return -1;
  }
  memcpy(name.sun_path, path, length);
  fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return -1;
  do n = sendto(fd, bytes, count, MSG_DONTWAIT | MSG_NOSIGNAL, (const struct sockaddr *)&name, sizeof name);
  while (n < 0 && errno == EINTR);
  close(fd);
  return n < 0 ? -1 : 0;
}

ssize_t csys_send(int fd, const void *bytes, size_t count) {
  ssize_t n;
  do n = send(fd, bytes, count, MSG_NOSIGNAL); while (n < 0 && errno == EINTR);
  return n;
}

int csys_duplicate(int fd) { return fcntl(fd, F_DUPFD_CLOEXEC, 3); }

const char *csys_next_name(DIR *directory) {
  struct dirent *entry = readdir(directory);
  return entry ? entry->d_name : 0;
}

void csys_keep_on_exec(int fd) { fcntl(fd, F_SETFD, 0); }

const char *csys_error_text(int number) {
  const char *text = strerrordesc_np(number);
  return text ? text : "unknown error";
}

int csys_tcp_socket(int family) {
  int one = 1;
  int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_TCP);
  if (fd >= 0) setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  return fd;
}

int csys_udp_socket(int family) {
  return socket(family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_UDP);
}

char *const *csys_environment(void) { return environ; }

void csys_wipe(void *bytes, size_t count) {
  if (count) explicit_bzero(bytes, count);
}

void csys_environment_cut(const char *name, const char *ends) {
  size_t length = strlen(name);
  for (char **entry = environ; *entry; entry++) {
    if (strncmp(*entry, name, length) || (*entry)[length] != '=') continue;
    char *rest = *entry + length + 1;
    if (ends) rest += strcspn(rest, ends);
    explicit_bzero(rest, strlen(rest));
  }
}

void csys_ignore_sigpipe(void) { signal(SIGPIPE, SIG_IGN); }

void csys_block_endings(void) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGHUP);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGALRM);
  sigprocmask(SIG_BLOCK, &set, 0);
}

size_t csys_seven_bit_prefix(const void *bytes, size_t count) {
  const unsigned char *start = bytes, *p = start, *end = start + count;
  while ((size_t)(end - p) >= 64) {
    uint64_t word[8];
    memcpy(word, p, 64);
    if ((word[0] | word[1] | word[2] | word[3] | word[4] | word[5] | word[6] | word[7]) & 0x8080808080808080u) break;
    p += 64;
  }
  while (p < end && *p < 128) p++;
  return (size_t)(p - start);
}
