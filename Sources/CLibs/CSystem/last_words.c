/* The report of a delivery whose process crashes. A Swift trap ends the process by a signal; qmail-rspawn then defers the message
 * and sends it again, which after an acceptance means twice. So the report is kept here in plain memory, and a handler that
 * touches nothing else writes it. */
#define _GNU_SOURCE
#include "CSystem.h"

static const unsigned char crashed[] = "Zqmail-remote crashed. (#4.3.0)\n";
static const unsigned char *volatile words = crashed;
static volatile size_t words_count = sizeof crashed;
static volatile size_t spoken;

static void speak(void) {
  while (spoken < words_count) {
    ssize_t n = write(1, words + spoken, words_count - spoken);
    if (n > 0) spoken += (size_t)n;
    else if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
      struct pollfd p = {.fd = 1, .events = POLLOUT};
      poll(&p, 1, -1);
    } else if (n < 0 && errno != EINTR) return;
  }
}

static const int crashes[] = {SIGILL, SIGTRAP, SIGSEGV, SIGBUS, SIGFPE, SIGABRT};

void csys_last_words_speak(void) {
  sigset_t all;
  /* A signal in the middle of a write would leave open how much of it is out, and the handler would say it twice. Nothing in here
   * can crash by itself. */
  sigfillset(&all);
  sigprocmask(SIG_SETMASK, &all, 0);
  speak();
  /* What runs after the reports can: blocked, a crash would end the process by its signal, and the reports would count for nothing. */
  for (size_t i = 0; i < sizeof crashes / sizeof *crashes; i++) sigdelset(&all, crashes[i]);
  sigprocmask(SIG_SETMASK, &all, 0);
}

static void on_crash(int number) {
  (void)number;
  speak();
  _exit(0);
}

void csys_last_words(const void *bytes, size_t count) {
  unsigned char *copy = malloc(count ? count : 1);
  if (!copy) return;
  memcpy(copy, bytes, count);
  /* The length goes to 0 first: a crash between these lines writes too little, never past the end. */
  words_count = 0;
  words = copy;
  words_count = count;
}

void csys_forget_last_words(void) {
  words_count = 0;
  words = crashed;
  words_count = sizeof crashed;
}

void csys_last_words_install(void) {
  static unsigned char stack[16384];
  stack_t alternate = {.ss_sp = stack, .ss_size = sizeof stack};
  struct sigaction action = {.sa_handler = on_crash, .sa_flags = SA_ONSTACK | SA_NODEFER};
  sigaltstack(&alternate, 0);
  sigfillset(&action.sa_mask);
  for (size_t i = 0; i < sizeof crashes / sizeof *crashes; i++) sigaction(crashes[i], &action, 0);
}
