/* What the machine allows: the least that a program can do to deliver a message over SMTP. It is static, reads no file but the
 * message, asks no DNS, trusts the server, and gives up at the first surprise. A real program is measured against it.
 *
 *   floor ADDRESS PORT SENDER RECIPIENT... <MESSAGE
 *
 * EHLO; MAIL, every RCPT and DATA in one write; the message with CRLF line ends and doubled dots, and QUIT in the same write as the
 * final dot. Prints reports as qmail-remote does.
 *
 * `floor-tls` is the same program with OpenSSL: STARTTLS after the first EHLO, without a look at the certificate. */
#define _GNU_SOURCE
#ifdef WITH_TLS
#include <openssl/ssl.h>
#endif
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { output_size = 256 * 1024 };

static int server;

#ifdef WITH_TLS
static SSL *tls; /* null before STARTTLS */
static ssize_t read_bytes(char *bytes, size_t count) { return tls ? SSL_read(tls, bytes, (int)count) : read(server, bytes, count); }
static ssize_t write_bytes(const char *bytes, size_t count) {
  return tls ? SSL_write(tls, bytes, (int)count) : write(server, bytes, count);
}
#else
static ssize_t read_bytes(char *bytes, size_t count) { return read(server, bytes, count); }
static ssize_t write_bytes(const char *bytes, size_t count) { return write(server, bytes, count); }
#endif

static struct {
  char bytes[65536];
  ssize_t next, end;
} input;

static struct {
  char bytes[output_size];
  size_t count;
} output;

static void give_up(const char *report) {
  if (write(1, report, strlen(report) + 1) < 0) _exit(1);
  _exit(0);
}

static void send_bytes(const char *bytes, size_t count) {
  while (count) {
    ssize_t sent = write_bytes(bytes, count);
    if (sent <= 0) give_up("Zwriting failed\n");
    bytes += sent;
    count -= (size_t)sent;
  }
}

static void flush(void) {
  send_bytes(output.bytes, output.count);
  output.count = 0;
}

/* Adds bytes to the output. What is larger than the whole buffer is sent as it is. */
static void put(const char *bytes, size_t count) {
  if (output.count + count > output_size) flush();
  if (count > output_size) {
    send_bytes(bytes, count);
    return;
  }
  memcpy(output.bytes + output.count, bytes, count);
  output.count += count;
}

static void put_text(const char *text) { put(text, strlen(text)); }

static int next_byte(void) {
  if (input.next == input.end) {
    input.next = 0;
    input.end = read_bytes(input.bytes, sizeof input.bytes);
    if (input.end <= 0) give_up("Zreading failed\n");
  }
  return (unsigned char)input.bytes[input.next++];
}

/* Reads one reply, of any number of lines, and gives up unless it begins with this code. */
static void expect(int wanted, const char *otherwise) {
  int code, separator;
  do {
    code = 0;
    for (int i = 0; i < 3; i++) code = code * 10 + next_byte() - '0';
    separator = next_byte();
    for (int byte = separator; byte != '\n';) byte = next_byte();
  } while (separator == '-');
  if (code != wanted) give_up(otherwise);
}

static void connect_to(const char *address, const char *port) {
  struct sockaddr_in peer = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port))};
  int one = 1;
  inet_pton(AF_INET, address, &peer.sin_addr);
  server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  setsockopt(server, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  if (connect(server, (struct sockaddr *)&peer, sizeof peer)) give_up("Zconnecting failed\n");
}

#ifdef WITH_TLS
static void start_tls(void) {
  put_text("STARTTLS\r\n");
  flush();
  expect(220, "ZSTARTTLS\n");
  SSL_CTX *context = SSL_CTX_new(TLS_client_method());
  SSL *session = context ? SSL_new(context) : 0;
  if (!session || !SSL_set_fd(session, server) || SSL_connect(session) != 1) give_up("ZTLS\n");
  tls = session;
}
#endif

/* The message in blocks, with CRLF for LF and a second dot before one at the beginning of a line. */
static void put_message(void) {
  static char block[output_size];
  char previous = '\n';
  ssize_t count;
  while ((count = read(0, block, sizeof block)) > 0)
    for (const char *next = block, *end = block + count; next < end;) {
      const char *newline = memchr(next, '\n', (size_t)(end - next));
      const char *stop = newline ? newline : end;
      if (previous == '\n' && *next == '.') put(".", 1);
      put(next, (size_t)(stop - next));
      if (newline) put("\r\n", 2);
      next = newline ? newline + 1 : end;
      previous = next[-1];
    }
  if (count < 0) give_up("Zreading the message failed\n");
  if (previous != '\n') put("\r\n", 2);
}

int main(int count, char **words) {
  if (count < 5) give_up("Dusage: floor ADDRESS PORT SENDER RECIPIENT...\n");
  char **recipients = words + 4;

  connect_to(words[1], words[2]);
  expect(220, "Zgreeting\n");
  put_text("EHLO client.test\r\n");
  flush();
  expect(250, "ZEHLO\n");
#ifdef WITH_TLS
  start_tls();
  put_text("EHLO client.test\r\n");
  flush();
  expect(250, "ZEHLO\n");
#endif

  put_text("MAIL FROM:<");
  put_text(words[3]);
  put_text(">\r\n");
  for (char **recipient = recipients; *recipient; recipient++) {
    put_text("RCPT TO:<");
    put_text(*recipient);
    put_text(">\r\n");
  }
  put_text("DATA\r\n");
  flush();
  expect(250, "ZMAIL\n");
  for (char **recipient = recipients; *recipient; recipient++) expect(250, "DRCPT\n");
  expect(354, "ZDATA\n");

  put_message();
  put_text(".\r\nQUIT\r\n");
  flush();
  expect(250, "Zthe message\n");

  for (char **recipient = recipients; *recipient; recipient++) put("r", 2);
  put("Kaccepted\n", 11);
  return write(1, output.bytes, output.count) == (ssize_t)output.count ? 0 : 1;
}
