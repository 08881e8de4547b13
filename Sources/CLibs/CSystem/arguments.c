/* The operands of the process. The C library hands them to every constructor; the Swift runtime finds its own by reading all of
 * /proc/self/maps before main, which is a tenth of what a small delivery costs. So the runtime's two entry points for them are here:
 * the linker then leaves the runtime's file out. */
static struct {
  int count;
  char **words;
} arguments;

static char *none[] = {0};

__attribute__((constructor(101))) static void keep(int count, char **words) {
  arguments.count = count;
  arguments.words = words;
}

char **_swift_stdlib_getUnsafeArgvArgc(int *count);
void _swift_stdlib_overrideUnsafeArgvArgc(char **words, int count);

char **_swift_stdlib_getUnsafeArgvArgc(int *count) {
  *count = arguments.count;
  return arguments.words ? arguments.words : none;
}

void _swift_stdlib_overrideUnsafeArgvArgc(char **words, int count) { keep(count, words); }
