/* Programs of a site, each under a supervisor: a fork of this process whose only descendants are the program's. So the program and
 * all that it leaves behind can be found and killed, and nothing else ever is: this process may have children that it was started
 * with, those of a shell that became it, and they are none of ours.
 *
 * The supervisor holds one end of a leash, a socket. When the other end is let go, on purpose or because this process is gone, it
 * kills. It must not touch what a fork of a threaded process may not: system calls only. */
#define _GNU_SOURCE
#include "CSystem.h"
#include <sys/prctl.h>

enum { leash_number = 3 };

static void on_child(int number) { (void)number; }

/* The vfork is a function of its own, so that the child has no frame to spoil but this one. */
static __attribute__((noinline)) pid_t start(const struct csys_hook *hook, int *reason) {
  volatile int failure = 0;
  pid_t pid = vfork();
  if (pid == 0) {
    sigset_t none;
    sigemptyset(&none);
    setpgid(0, 0);
    /* In case somebody kills the supervisor. */
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    sigprocmask(SIG_SETMASK, &none, 0);
    execve(hook->path, hook->arguments, hook->environment);
    failure = errno;
    _exit(127);
  }
  *reason = pid < 0 ? errno : failure;
  return pid;
}

/* A copy above 2 of a descriptor that isn't there: who starts with closed descriptors gets the lowest numbers for others. */
static int above_standard(int fd) { return fd > 2 ? fd : fcntl(fd, F_DUPFD, 3); }

/* 0, or an errno. Descriptors 0 to 2 are the program's then, 3 the leash, and there is no other. */
static int settle_descriptors(const struct csys_hook *hook, int leash) {
  int question = above_standard(hook->question), answer = above_standard(hook->answer), errors = above_standard(hook->errors);
  leash = above_standard(leash);
  if (dup2(question, 0) < 0 || dup2(answer, 1) < 0 || dup2(errors, 2) < 0) return errno;
  if (leash != leash_number && dup2(leash, leash_number) < 0) return errno;
  if (fcntl(leash_number, F_SETFD, FD_CLOEXEC) < 0 || close_range(leash_number + 1, ~0U, 0) < 0) return errno;
  return 0;
}

static void tell(enum csys_hook_how how, int number) {
  struct csys_hook_ending ending = {.how = how, .number = number};
  send(leash_number, &ending, sizeof ending, MSG_NOSIGNAL);
}

/* Until the program ends or the leash is let go. The program stays a zombie, so that its process group can't become another's. */
static void watch(pid_t pid, const sigset_t *waiting) {
  for (;;) {
    siginfo_t end = {0};
    struct pollfd leash = {.fd = leash_number, .events = POLLIN};
    if (waitid(P_PID, (id_t)pid, &end, WEXITED | WNOHANG | WNOWAIT) == 0 && end.si_pid == pid) {
      tell(end.si_code == CLD_EXITED ? csys_hook_exited : csys_hook_killed, end.si_status);
      return;
    }
    if (ppoll(&leash, 1, 0, waiting) > 0) return;
  }
}

static void kill_child(pid_t pid) {
  siginfo_t end;
  /* /proc may be that of another namespace, where numbers mean other processes: a child of ours can be waited for. */
  if (waitid(P_PID, (id_t)pid, &end, WEXITED | WNOHANG | WNOWAIT | __WALL) == 0) kill(pid, SIGKILL);
}

static void kill_children(void) {
  char block[4096];
  ssize_t count;
  pid_t pid = 0;
  int list = csys_open("/proc/thread-self/children", O_RDONLY);
  if (list < 0) return;
  while ((count = csys_read(list, block, sizeof block)) > 0) {
    for (ssize_t i = 0; i < count; i++) {
      if (block[i] >= '0' && block[i] <= '9') pid = pid * 10 + (block[i] - '0');
      else if (pid) {
        kill_child(pid);
        pid = 0;
      }
    }
  }
  if (pid) kill_child(pid);
  close(list);
}

/* Whoever has lost its parent is our child by now, whatever session it has moved to; killing it gives us its children. */
static void clean(pid_t group, const sigset_t *waiting) {
  long pause = 100000;
  kill(-group, SIGKILL);
  for (;;) {
    int reaped = 0;
    pid_t pid;
    kill_children();
    while ((pid = waitpid(-1, 0, WNOHANG | __WALL)) > 0) reaped = 1;
    if (pid < 0 && errno == ECHILD) return;
    /* A process that can't die now (another user's, one that waits for a disk) is looked at again, ever less often. */
    pause = reaped ? 100000 : pause < 500000000 ? pause * 2 : pause;
    struct timespec time = {.tv_nsec = pause};
    ppoll(0, 0, &time, waiting);
  }
}

static _Noreturn void supervise(const struct csys_hook *hook, int leash) {
  sigset_t waiting;
  int reason;
  /* Above all the handlers for crashes: they write a report. All signals are blocked and stay so, but for this one in the waits. */
  for (int number = 1; number < NSIG; number++) signal(number, SIG_DFL);
  signal(SIGCHLD, on_child);
  sigfillset(&waiting);
  sigdelset(&waiting, SIGCHLD);
  /* Without a terminal, and out of reach of whoever kills the process group of the delivery. */
  setsid();
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  prctl(PR_SET_NAME, "hook supervisor");

  reason = settle_descriptors(hook, leash);
  pid_t pid = reason ? -1 : start(hook, &reason);
  close(0);
  close(1);
  close(2);
  if (reason) tell(csys_hook_not_run, reason);
  else watch(pid, &waiting);
  if (pid > 0) clean(pid, &waiting);
  _exit(0);
}

pid_t csys_hook_start(const struct csys_hook *hook, int *leash) {
  int ends[2], reason;
  sigset_t all, before;
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0) return -1;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  pid_t pid = fork();
  if (pid == 0) supervise(hook, ends[1]);
  reason = errno;
  pthread_sigmask(SIG_SETMASK, &before, 0);
  close(ends[1]);
  if (pid < 0) {
    close(ends[0]);
    errno = reason;
    return -1;
  }
  *leash = ends[0];
  return pid;
}

int csys_hook_take_ending(int leash, struct csys_hook_ending *ending) {
  ssize_t count = csys_read(leash, ending, sizeof *ending);
  return count < 0 ? -1 : count == sizeof *ending;
}

int csys_become(const char *path, char *const *arguments, char *const *environment, int input) {
  if (input > 0 && dup2(input, 0) < 0) return errno;
  if (input == 0 && fcntl(0, F_SETFD, 0) < 0) return errno;
  execve(path, arguments, environment);
  return errno;
}

int csys_reap(pid_t pid, int flags) {
  pid_t reaped;
  do reaped = waitpid(pid, 0, flags); while (reaped < 0 && errno == EINTR);
  return reaped == pid;
}

int csys_line_pipe(int *reading, int *writing) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) < 0) return -1;
  fcntl(ends[1], F_SETFL, O_NONBLOCK);
  *reading = ends[0];
  *writing = ends[1];
  return 0;
}

int csys_pipe(int *reading, int *writing) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) < 0) return -1;
  /* Only for the reader: the two ends have flags of their own. */
  fcntl(ends[0], F_SETFL, O_NONBLOCK);
  *reading = ends[0];
  *writing = ends[1];
  return 0;
}
