/* What the Swift runtime would do before main, and what a process of milliseconds can't afford or must not do. The runtime's own files
 * with these functions are then left out by the linker; with another runtime that names them differently, nothing is lost but time.
 *
 * Its way to the operands is to read and parse /proc/self/maps. The C library hands them to every constructor.
 *
 * It looks for a program that writes about crashes, in eight places. Such a program would keep the descriptor of the reports open for as
 * long as it runs, and qmail-rspawn waits for its end: a crash here has to be short, and says what it has to say by itself. */

static struct {
  int count;
  char **words;
} arguments;

static char *none[] = {0};

char **_swift_stdlib_getUnsafeArgvArgc(int *count);
void _swift_stdlib_overrideUnsafeArgvArgc(char **words, int count);
const char *swift_getRootPath(void);
const char *swift_getRuntimeLibraryPath(void);
char *swift_copyAuxiliaryExecutablePath(const char *name);

__attribute__((constructor(101))) static void keep(int count, char **words) {
  arguments.count = count;
  arguments.words = words;
}

char **_swift_stdlib_getUnsafeArgvArgc(int *count) {
  *count = arguments.count;
  return arguments.words ? arguments.words : none;
}

void _swift_stdlib_overrideUnsafeArgvArgc(char **words, int count) { keep(count, words); }

/* Where the runtime is installed: nowhere, it is part of the program. */
const char *swift_getRootPath(void) { return 0; }
const char *swift_getRuntimeLibraryPath(void) { return 0; }

/* None that we know of. */
char *swift_copyAuxiliaryExecutablePath(const char *name) {
  (void)name;
  return 0;
}

/* By this contrib/install.sh knows a program of this package from another of its name. what(1) prints it. */
__attribute__((used, retain)) static const char origin[] = "@(#)qmail-remote in Swift";
