/* An SMTP server that accepts everything and is never the bottleneck: it looks at bodies only for their end.
 *
 *   sink [-c] [-a] [-q] ADDRESS PORT        -c: offer CHUNKING too; -a: want AUTH; -q: speak QMTP instead
 *   sink-tls [-c] [-a] [-q] [-t PEM] ADDRESS PORT    the same program with OpenSSL; -t: want STARTTLS, or with -q TLS from the first
 *                                                byte, with certificate and key from there
 *
 * One thread for each connection. Replies are kept until the input is used up and then go out in one write, as RFC 2920 3.2 asks. */
#define _GNU_SOURCE
#ifdef WITH_TLS
#include <openssl/ssl.h>
#endif
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

enum { input_size = 1 << 20, output_size = 1 << 16, stack_size = 1 << 18 };

static char offer[256], offer_before_tls[256];

struct connection {
  int fd;
#ifdef WITH_TLS
  SSL *tls; /* null before STARTTLS */
#endif
  bool known;  /* has said who it is */
  char *input; /* input_size bytes, of which next...end are unread */
  size_t next, end;
  size_t output_count;
  char output[output_size];
};

#ifdef WITH_TLS
static SSL_CTX *context;

static ssize_t read_bytes(struct connection *c, char *bytes, size_t count) {
  return c->tls ? SSL_read(c->tls, bytes, (int)count) : read(c->fd, bytes, count);
}

static ssize_t write_bytes(struct connection *c, const char *bytes, size_t count) {
  return c->tls ? SSL_write(c->tls, bytes, (int)count) : write(c->fd, bytes, count);
}

static bool start_tls(struct connection *c) {
  c->tls = SSL_new(context);
  return c->tls && SSL_set_fd(c->tls, c->fd) && SSL_accept(c->tls) == 1;
}
#else
static ssize_t read_bytes(struct connection *c, char *bytes, size_t count) { return read(c->fd, bytes, count); }
static ssize_t write_bytes(struct connection *c, const char *bytes, size_t count) { return write(c->fd, bytes, count); }
#endif

static bool wants_auth;

static bool is_ready(const struct connection *c) {
#ifdef WITH_TLS
  if (context && !c->tls) return false;
#endif
  return c->known || !wants_auth;
}

static bool flush(struct connection *c) {
  for (size_t sent = 0; sent < c->output_count;) {
    ssize_t n = write_bytes(c, c->output + sent, c->output_count - sent);
    if (n <= 0) return false;
    sent += (size_t)n;
  }
  c->output_count = 0;
  return true;
}

static bool reply(struct connection *c, const char *text) {
  size_t count = strlen(text);
  if (c->output_count + count > output_size && !flush(c)) return false;
  memcpy(c->output + c->output_count, text, count);
  c->output_count += count;
  return true;
}

/* Moves what is unread to the front and reads more behind it. False at the end of the connection, or when the buffer is full. */
static bool read_more(struct connection *c) {
  if (!flush(c)) return false;
  memmove(c->input, c->input + c->next, c->end - c->next);
  c->end -= c->next;
  c->next = 0;
  if (c->end == input_size) return false;
  ssize_t n = read_bytes(c, c->input + c->end, input_size - c->end);
  if (n <= 0) return false;
  c->end += (size_t)n;
  return true;
}

/* The next line, ended by a NUL instead of its LF; null at the end of the connection. */
static char *next_line(struct connection *c) {
  char *newline;
  while (!(newline = memchr(c->input + c->next, '\n', c->end - c->next)))
    if (!read_more(c)) return 0;
  char *line = c->input + c->next;
  *newline = 0;
  c->next = (size_t)(newline + 1 - c->input);
  return line;
}

/* Reads past CRLF dot CRLF, or past dot CRLF if the body has no lines. */
static bool skip_body(struct connection *c) {
  static const char ending[] = "\r\n.\r\n";
  while (c->end - c->next < 3)
    if (!read_more(c)) return false;
  if (!memcmp(c->input + c->next, ".\r\n", 3)) {
    c->next += 3;
    return true;
  }
  for (;;) {
    char *found = memmem(c->input + c->next, c->end - c->next, ending, 5);
    if (found) {
      c->next = (size_t)(found + 5 - c->input);
      return true;
    }
    /* The last four bytes may be the beginning of the ending. */
    if (c->end - c->next > 4) c->next = c->end - 4;
    if (!read_more(c)) return false;
  }
}

static bool skip_bytes(struct connection *c, size_t count) {
  for (;;) {
    size_t here = c->end - c->next < count ? c->end - c->next : count;
    c->next += here;
    count -= here;
    if (!count) return true;
    if (!read_more(c)) return false;
  }
}

/* Answers one command; false ends the connection. */
static bool answer(struct connection *c, const char *line) {
#ifdef WITH_TLS
  if (!strncasecmp(line, "EHLO", 4)) return reply(c, c->tls || !context ? offer : offer_before_tls);
  if (!strncasecmp(line, "STARTTLS", 8)) return reply(c, "220 2.0.0 Go\r\n") && flush(c) && start_tls(c);
#else
  if (!strncasecmp(line, "EHLO", 4)) return reply(c, offer);
#endif
  if (!strncasecmp(line, "AUTH PLAIN ", 11)) return c->known = true, reply(c, "235 2.7.0 Ok\r\n");
  /* What was to be measured must not be left out. */
  if (!strncasecmp(line, "MAIL", 4) && !is_ready(c)) return reply(c, "530 5.7.0 Not yet\r\n");
  if (!strncasecmp(line, "DATA", 4)) return reply(c, "354 Go\r\n") && skip_body(c) && reply(c, "250 2.0.0 Ok\r\n");
  if (!strncasecmp(line, "BDAT ", 5)) return skip_bytes(c, strtoul(line + 5, 0, 10)) && reply(c, "250 2.0.0 Ok\r\n");
  if (!strncasecmp(line, "QUIT", 4)) {
    if (reply(c, "221 2.0.0 Bye\r\n")) flush(c);
    return false;
  }
  return reply(c, "250 2.1.0 Ok\r\n");
}

/* Reads the length of a netstring and its colon. Returns how many bytes they are, 0 where there is none. */
static size_t next_length(struct connection *c, size_t *length) {
  *length = 0;
  for (size_t taken = 1;; taken++) {
    if (c->next == c->end && !read_more(c)) return 0;
    char byte = c->input[c->next++];
    if (byte == ':') return taken;
    if (byte < '0' || byte > '9') return 0;
    *length = *length * 10 + (size_t)(byte - '0');
  }
}

static bool skip_netstring(struct connection *c) {
  size_t length;
  return next_length(c, &length) && skip_bytes(c, length + 1);
}

/* Message, sender and recipients; accepts the message for each of them. */
static bool take_package(struct connection *c) {
  size_t left, length, taken, count = 0;
  if (!skip_netstring(c) || !skip_netstring(c) || !next_length(c, &left)) return false;
  for (; left; left -= taken + length + 1, count++) {
    taken = next_length(c, &length);
    if (!taken || taken + length + 1 > left || !skip_bytes(c, length + 1)) return false;
  }
  if (!skip_bytes(c, 1)) return false;
  while (count--)
    if (!reply(c, "3:Kok,")) return false;
  return true;
}

static void serve_qmtp(struct connection *c) {
#ifdef WITH_TLS
  if (context && !start_tls(c)) return;
#endif
  while (take_package(c)) continue;
}

static void serve_smtp(struct connection *c) {
  char *line;
  bool open = reply(c, "220 sink.test ESMTP\r\n");
  while (open && (line = next_line(c))) open = answer(c, line);
}

static bool speaks_qmtp;

static void *serve(void *argument) {
  struct connection *c = argument;
  if (speaks_qmtp) serve_qmtp(c);
  else serve_smtp(c);
#ifdef WITH_TLS
  if (c->tls) SSL_free(c->tls);
#endif
  close(c->fd);
  free(c->input);
  free(c);
  return 0;
}

static void start(int fd) {
  struct connection *c = malloc(sizeof *c);
  char *input = malloc(input_size);
  pthread_attr_t detached;
  pthread_t thread;
  int one = 1;
  if (!c || !input) abort();
  *c = (struct connection){.fd = fd, .input = input};
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  pthread_attr_init(&detached);
  pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
  pthread_attr_setstacksize(&detached, stack_size);
  if (pthread_create(&thread, &detached, serve, c)) abort();
  pthread_attr_destroy(&detached);
}

static void add(const char *extension) { strcat(offer, extension); }

#ifdef WITH_TLS
static void load(const char *pem) {
  context = SSL_CTX_new(TLS_server_method());
  if (!context || SSL_CTX_use_certificate_chain_file(context, pem) != 1 ||
      SSL_CTX_use_PrivateKey_file(context, pem, SSL_FILETYPE_PEM) != 1) {
    fprintf(stderr, "sink: no certificate and key in %s\n", pem);
    exit(1);
  }
}
#endif

int main(int count, char **words) {
  int option;
  add("250-sink.test\r\n250-PIPELINING\r\n250-8BITMIME\r\n");
  while ((option = getopt(count, words, "caqt:")) != -1) switch (option) {
    case 'q': speaks_qmtp = true; break;
    case 'c': add("250-CHUNKING\r\n"); break;
    case 'a':
      add("250-AUTH PLAIN\r\n");
      wants_auth = true;
      break;
#ifdef WITH_TLS
    case 't': load(optarg); break;
#endif
    default: return 2;
    }
  snprintf(offer_before_tls, sizeof offer_before_tls, "%s250-STARTTLS\r\n250 SIZE\r\n", offer);
  add("250 SIZE\r\n");
  if (count - optind != 2) {
    fprintf(stderr, "usage: sink [-c] [-a] [-q] [-t PEM] ADDRESS PORT\n");
    return 2;
  }
  words += optind - 1;
  signal(SIGPIPE, SIG_IGN);
  struct sockaddr_in here = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(words[2]))};
  int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  if (inet_pton(AF_INET, words[1], &here.sin_addr) != 1 || bind(listener, (struct sockaddr *)&here, sizeof here) ||
      listen(listener, 500)) {
    perror(words[1]);
    return 1;
  }
  for (;;) {
    int fd = accept4(listener, 0, 0, SOCK_CLOEXEC);
    if (fd >= 0) start(fd);
  }
}
