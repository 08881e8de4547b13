/* The operating system as the agent sees it: the headers it uses, and small functions for what Swift can't import (macros,
 * variadic functions, thread-local errno) or must not do itself (a signal handler). */
#ifndef CSYSTEM_H
#define CSYSTEM_H

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <arpa/inet.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* The error number of the last failed call. */
int csys_errno(void);

/* open(2) with O_CLOEXEC; openat(2) likewise; -1 and errno on failure. Interrupted calls are repeated. */
int csys_open(const char *path, int flags);
int csys_openat(int directory, const char *name, int flags);

/* Makes a file that isn't there yet, open for reading and writing; -1 and errno on failure. */
int csys_create(const char *path, mode_t mode);

/* A file without a name in a folder, open for reading and writing; -1 and errno on failure. */
int csys_temporary_file(const char *folder);

/* Opens a file of a folder for reading and writing, and makes it if it isn't there; a link is none. -1 and errno on failure. */
int csys_create_at(int directory, const char *name, mode_t mode);

/* O_PATH, for what may be looked at but not read. */
extern const int csys_path_only;

/* read(2) and pread(2), repeated when interrupted. */
ssize_t csys_read(int fd, void *buffer, size_t count);
ssize_t csys_pread(int fd, void *buffer, size_t count, off_t offset);

/* An unnamed file in memory that holds these bytes; -1 and errno on failure. */
int csys_memory_file(const void *bytes, size_t count);

/* pwrite(2), repeated when interrupted; EFBIG where the process's limit of file sizes (RLIMIT_FSIZE) would end it by a signal. */
ssize_t csys_pwrite(int fd, const void *bytes, size_t count, off_t offset);

/* send(2) without SIGPIPE, repeated when interrupted. */
ssize_t csys_send(int fd, const void *bytes, size_t count);

/* A close-on-exec copy of a descriptor; the next name of a directory, null at its end. */
int csys_duplicate(int fd);
const char *csys_next_name(DIR *directory);

/* Lets a descriptor survive exec. */
void csys_keep_on_exec(int fd);

/* The text of an error number, never null. */
const char *csys_error_text(int number);

/* A non-blocking, close-on-exec TCP socket that sends small writes at once; -1 and errno on failure. */
int csys_tcp_socket(int family);

/* A non-blocking, close-on-exec UDP socket; -1 and errno on failure. */
int csys_udp_socket(int family);

/* The process's environment, a null-terminated list. */
char *const *csys_environment(void);

/* Clears memory that held a secret, however little the compiler thinks of it. */
void csys_wipe(void *bytes, size_t count);

/* Clears the values of a variable in the process's own environment, where /proc/PID/environ shows them, from the first of the bytes `ends`
 * on, or all of them if it is null. */
void csys_environment_cut(const char *name, const char *ends);

/* A write to a closed pipe or socket is an error, not the end. */
void csys_ignore_sigpipe(void);

/* Blocks the signals that a person or a supervisor ends a process with: TERM, HUP, INT, ALRM. */
void csys_block_endings(void);

/* What is to be written to descriptor 1 if the process crashes (ILL, TRAP, SEGV, BUS, FPE, ABRT): installed once, then replaced
 * as the delivery goes on. The bytes are copied. After the words, the process ends with status 0, because any other status
 * makes qmail-rspawn disbelieve the report. Calls are not safe against each other: one thread. */
void csys_last_words_install(void);
void csys_last_words(const void *bytes, size_t count);
/* Back to the words of the beginning. */
void csys_forget_last_words(void);
/* Writes the words, in as many calls as it takes, and blocks all signals for good but those of crashes: these end the process, with
 * status 0, and what is out stays true. */
void csys_last_words_speak(void);

/* A pipe; both ends are close-on-exec, and reading from it never waits. -1 and errno on failure. */
int csys_pipe(int *reading, int *writing);

/* The same for lines that are written without waiting: reading waits, writing never does. */
int csys_line_pipe(int *reading, int *writing);

/* write(2), repeated when interrupted. */
ssize_t csys_write(const void *bytes, size_t count, int fd);

/* Opens a file for appending, without waiting, and makes it if it isn't there; -1 and errno on failure. */
int csys_open_appending(const char *path, mode_t mode);

/* Sends a datagram to a unix socket, without waiting; -1 and errno on failure. */
int csys_send_datagram(const char *path, const void *bytes, size_t count);

/* A program of the site: what execve(2) gets, and what become its descriptors 0, 1 and 2; it has no other. */
struct csys_hook {
  const char *path;
  char *const *arguments;
  char *const *environment;
  int question;
  int answer;
  int errors;
};

/* How it ended: `number` is an errno, the exit status, or a signal. */
enum csys_hook_how { csys_hook_not_run, csys_hook_exited, csys_hook_killed };
struct csys_hook_ending {
  enum csys_hook_how how;
  int number;
};

/* Starts a program under a supervisor (spawn.c), with the default action for every signal, none blocked, in a session and a process
 * group of its own. The leash becomes readable when the program ends, and is at its end when the program and all of its descendants
 * are gone; shutting our side of it down (SHUT_WR) or closing it kills them. Returns the supervisor, to be reaped, or -1 and
 * errno. */
pid_t csys_hook_start(const struct csys_hook *hook, int *leash);
/* 1 when the leash had the ending, 0 at its end, -1 and errno on failure. */
int csys_hook_take_ending(int leash, struct csys_hook_ending *ending);
/* execve(2), with `input` as descriptor 0 unless it is negative. Returns only on failure: an errno. */
int csys_become(const char *path, char *const *arguments, char *const *environment, int input);
/* waitpid(2) without the status, repeated when interrupted; whether the process was reaped. */
int csys_reap(pid_t pid, int flags);

/* Keys to find at the beginnings of lines, before a colon; with `folds`, ASCII case doesn't count. Null when there is no memory. */
struct csys_keys;
struct csys_keys *csys_keys_new(int folds);
void csys_keys_free(struct csys_keys *keys);
/* Adds the next key; they are numbered from 0. Two that are equal can't be told apart. -1 when there is no memory. */
int csys_keys_add(struct csys_keys *keys, const void *bytes, size_t length);
/* Whether a line begins with one of the keys and a colon, and with which. */
int csys_keys_match(const struct csys_keys *keys, const void *line, size_t count, size_t *key);

/* The longest line of a table that says anything: what is longer is found by its key, and can't be used. */
enum { csys_line_limit = 65536 };

/* A table as it is read, block by block. All zero but `next_number`, which is 1, at the beginning. */
struct csys_lines {
  /* The line that was found: where it begins in the block, its length without its end, and which it is, counted from 1. */
  size_t line;
  size_t length;
  uint64_t number;
  /* Which key it has; if all lines are wanted, how long its key is, or the whole line if it has none. */
  size_t key;
  int ends_in_null;
  /* What hasn't been looked at begins here: when there are no more lines to find, the beginning of one whose end isn't in the block. */
  size_t next;
  uint64_t next_number;
  /* The rest of a line that was cut off is passed over. */
  int is_in_long_line;
  /* The block, and where its next null byte is. */
  const unsigned char *block;
  size_t count;
  size_t null;
  int is_last;
};

/* Takes the next block, which begins with what the last one left. */
void csys_lines_begin(struct csys_lines *lines, const void *block, size_t count, int is_last);
/* Finds the next line with one of the keys, or the next of all if there are no `keys`. Lines end in a line feed or a null byte; only
 * line feeds count for the number. Empty lines and comments are passed over. */
int csys_lines_next(struct csys_lines *lines, const struct csys_keys *keys);
/* Ends a line that is too long, whatever follows; whether it is one to be found. */
int csys_lines_cut(struct csys_lines *lines, const struct csys_keys *keys);

/* Whether a shell's pattern for file names matches the whole text: `/` only by itself, in any case of letters (fnmatch(3)). */
int csys_shell_pattern_matches(const char *pattern, const char *text);
/* Whether an extended regular expression matches somewhere in the text; -1 when it is none, and then `problem` says why. */
int csys_regex_matches(const char *pattern, const char *text, char *problem, size_t size);

/* The hash function of constant databases (cdb), which begins with 5381; with `folds`, capitals count as small letters. */
uint32_t csys_table_hash(uint32_t hash, const void *bytes, size_t count, int folds);

/* A number that changes with the bytes. Against accidents, not against people. */
uint64_t csys_checksum(const void *bytes, size_t count);

/* openat(2) of what may have to be made, with O_CLOEXEC and O_NOFOLLOW; -1 and errno on failure. */
int csys_make_at(int directory, const char *name, int flags, mode_t mode);

/* An exclusive fcntl(2) lock of the whole file, which belongs to the open file; -1 at once if somebody else has one. */
int csys_try_lock(int fd);

/* How many bytes from `bytes` on are below 128 before the first that is not. */
size_t csys_seven_bit_prefix(const void *bytes, size_t count);

#endif
