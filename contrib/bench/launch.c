/* Starts programs in turn and measures each run. Small and static on purpose: the peak memory that the kernel reports for a child
 * includes that of the image it was forked from.
 *
 *   launch -i MESSAGE -p PROGRAMS [-n RUNS] [-w WARMUPS] [-v]      one after the other
 *   launch -i MESSAGE -p PROGRAMS [-n RUNS] -j AT_ONCE             each program that many at a time
 *
 * PROGRAMS has one program per line, tab separated: NAME JUDGE PATH ARGUMENT... (argv[0] is PATH). JUDGE says how a run shows that
 * it worked: `reports`, a report on descriptor 1 that begins with K; `status`, exit status 0. The environment is handed on.
 *
 * One line per run, tab separated: name, wall, user and system time in microseconds, peak memory in KiB, 1 if it worked.
 * With -j, one line per program: name, microseconds for all its runs, runs, how many worked.
 * -v shows the output of runs that did not. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { most_programs = 32, most_at_once = 64, output_size = 1 << 20 };

struct program {
  char *name, *judge, **words;
};

struct measure {
  double wall, user, system; /* microseconds */
  long memory;               /* KiB */
  int status;                /* as from wait */
};

static struct program programs[most_programs];
static int program_count;
extern char **environ;

static void fail(const char *what) {
  perror(what);
  exit(1);
}

static double microseconds(struct timeval t) { return (double)t.tv_sec * 1e6 + (double)t.tv_usec; }

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static void read_program(char *line) {
  struct program *program = &programs[program_count];
  char *word;
  int count = 0;
  size_t most = 2;
  for (char *byte = line; *byte; byte++) most += *byte == '\t';
  line[strcspn(line, "\n")] = 0;
  program->name = strsep(&line, "\t");
  program->judge = strsep(&line, "\t");
  program->words = calloc(most, sizeof *program->words);
  while ((word = strsep(&line, "\t"))) program->words[count++] = word;
  if (count) program_count++;
}

static void read_programs(const char *path) {
  FILE *file = fopen(path, "r");
  if (!file) fail(path);
  for (;;) {
    char *line = 0;
    size_t room = 0;
    if (getline(&line, &room, file) < 0 || program_count == most_programs) break;
    read_program(line);
  }
  fclose(file);
}

static struct measure run(const struct program *program, const char *message, int output, int nowhere) {
  struct measure result = {0};
  struct rusage usage;
  int input = open(message, O_RDONLY | O_CLOEXEC), status;
  if (input < 0) fail(message);
  if (ftruncate(output, 0) || lseek(output, 0, SEEK_SET)) fail("output");

  double start = now();
  pid_t child = vfork();
  if (child == 0) {
    dup2(input, 0);
    dup2(output, 1);
    dup2(nowhere, 2);
    execve(program->words[0], program->words, environ);
    _exit(111);
  }
  close(input);
  /* Its descendants are counted too: they become ours when it ends (a subreaper adopts), and are waited for here. */
  for (;;) {
    pid_t ended = wait4(-1, &status, 0, &usage);
    if (ended < 0 && errno == EINTR) continue;
    if (ended < 0) break;
    if (ended == child) {
      result.wall = now() - start;
      result.status = status;
    }
    result.user += microseconds(usage.ru_utime);
    result.system += microseconds(usage.ru_stime);
    if (usage.ru_maxrss > result.memory) result.memory = usage.ru_maxrss;
  }
  return result;
}

static bool has_accepting_report(const char *bytes, ssize_t count) {
  bool at_start = true;
  for (ssize_t i = 0; i < count; i++) {
    if (at_start && bytes[i] == 'K') return true;
    at_start = bytes[i] == 0;
  }
  return false;
}

static pid_t launch(const struct program *program, const char *message, int output, int nowhere) {
  int input = open(message, O_RDONLY | O_CLOEXEC);
  if (input < 0 || ftruncate(output, 0)) fail(message);
  pid_t child = vfork();
  if (child == 0) {
    lseek(output, 0, SEEK_SET);
    dup2(input, 0);
    dup2(output, 1);
    dup2(nowhere, 2);
    execve(program->words[0], program->words, environ);
    _exit(111);
  }
  close(input);
  return child;
}

/* Runs a program `runs` times, `at_once` of them at any time. */
static void storm(const struct program *program, const char *message, int runs, int at_once, int nowhere) {
  struct { pid_t child; int output; } slots[most_at_once];
  static char bytes[4096];
  int started = 0, ended = 0, worked = 0, status;
  for (int i = 0; i < at_once; i++) {
    slots[i].child = 0;
    slots[i].output = memfd_create("output", MFD_CLOEXEC);
    if (slots[i].output < 0) fail("memfd_create");
  }
  double start = now();
  while (ended < runs) {
    for (int i = 0; i < at_once && started < runs; i++)
      if (!slots[i].child) {
        slots[i].child = launch(program, message, slots[i].output, nowhere);
        started++;
      }
    pid_t child = wait(&status);
    for (int i = 0; i < at_once; i++)
      if (slots[i].child == child) {
        slots[i].child = 0;
        ended++;
        worked += WIFEXITED(status) && WEXITSTATUS(status) == 0 &&
                  has_accepting_report(bytes, pread(slots[i].output, bytes, sizeof bytes, 0));
      }
  }
  printf("%s\t%.0f\t%d\t%d\n", program->name, now() - start, runs, worked);
  for (int i = 0; i < at_once; i++) close(slots[i].output);
}

int main(int count, char **words) {
  const char *message = 0, *list = 0;
  int runs = 30, warmups = 3, at_once = 0, option;
  bool verbose = false;
  while ((option = getopt(count, words, "i:p:n:w:j:v")) != -1) switch (option) {
    case 'i': message = optarg; break;
    case 'p': list = optarg; break;
    case 'n': runs = atoi(optarg); break;
    case 'w': warmups = atoi(optarg); break;
    case 'j': at_once = atoi(optarg); break;
    case 'v': verbose = true; break;
    default: return 2;
    }
  if (!message || !list || at_once < 0 || at_once > most_at_once) {
    fprintf(stderr, "usage: launch -i MESSAGE -p PROGRAMS [-n RUNS] [-w WARMUPS] [-j AT_ONCE] [-v]\n");
    return 2;
  }
  read_programs(list);
  prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
  int output = memfd_create("output", MFD_CLOEXEC), nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
  char *bytes = malloc(output_size);
  if (output < 0 || nowhere < 0 || !bytes) fail("launch");

  if (at_once) {
    for (int i = 0; i < program_count; i++) storm(&programs[i], message, runs, at_once, nowhere);
    return 0;
  }
  for (int round = 0; round < warmups + runs; round++)
    for (int i = 0; i < program_count; i++) {
      /* Another one begins in each round: what a program leaves behind (a busy cache, say) meets each of the others. */
      const struct program *program = &programs[(i + round) % program_count];
      struct measure m = run(program, message, output, nowhere);
      ssize_t got = pread(output, bytes, output_size, 0);
      bool worked = WIFEXITED(m.status) && WEXITSTATUS(m.status) == 0 &&
                    (strcmp(program->judge, "reports") || has_accepting_report(bytes, got));
      if (!worked && verbose) fprintf(stderr, "%s: status %d, output: %.*s\n", program->name, m.status, (int)got, bytes);
      if (round < warmups) continue;
      printf("%s\t%.0f\t%.0f\t%.0f\t%ld\t%d\n", program->name, m.wall, m.user, m.system, m.memory, worked);
    }
  return 0;
}
