/* Lines of a table that begin with one of some keys. Most deliveries want one line of a file that may have a million, so this is
 * where a look-up spends its time: the first byte of a line tells in most cases that it can't be wanted, and where it doesn't, the
 * place where the colon would have to be.
 *
 * No byte outside of what the caller gave is read: `line`, `stop` and `end` always stand in that order, and each access is to a
 * place before the next of them. */
#define _GNU_SOURCE
#include "CSystem.h"
#ifdef __SSE2__
#include <emmintrin.h>
#endif

struct key {
  size_t length;
  /* Counted from 1, 0 for none: the next key of this length, and the next that begins with the same byte. */
  size_t next, beginning;
  unsigned char *bytes;
};

/* How lines that begin with some byte are looked at. */
struct beginning {
  /* A key that begins so, counted from 1; 0 if none does. */
  size_t key;
  unsigned count;
  /* One of them has a colon in it, or may begin an address in brackets: the end of a line's key has to be found first. */
  int is_special;
};

/* Makes small letters of capitals, and other bytes of some others: for comparisons that only have to find out most of what differs. */
static const uint64_t small = 0x2020202020202020;

/* With more keys than this to compare it is quicker to find the colon, and there is one key of each length. */
enum { few = 6 };

struct csys_keys {
  /* What a byte counts as. */
  unsigned char fold[256];
  struct beginning beginnings[256];
  struct key *keys;
  size_t count;
  /* By length: a key of it, counted from 1. */
  size_t *of_length;
  size_t longest;
  /* A bit for the hash of the first four bytes of each key and its colon, and the first bytes of those that have no four. */
  unsigned char bits[512];
  unsigned char brief[256];
};

static inline unsigned hash_of_four(uint32_t word) { return ((word | (uint32_t)small) * 0x9e3779b1u) >> 20; }

/* Almost every line ends here, and without a branch that depends on what it is. */
static inline int may_begin_with_key(const struct csys_keys *keys, const unsigned char *line) {
  uint32_t word;
  memcpy(&word, line, sizeof word);
  unsigned hash = hash_of_four(word);
  return (keys->bits[hash >> 3] >> (hash & 7) & 1) | keys->brief[*line];
}

static void note_beginning(struct csys_keys *keys, const unsigned char *bytes, size_t length) {
  unsigned char four[4] = {':', ':', ':', ':'};
  memcpy(four, bytes, length < 4 ? length : 4);
  /* Behind a short key and its colon, there may be any byte. */
  for (int last = 0; last < (length > 2 ? 1 : 256); last++) {
    if (length < 2) keys->brief[last] |= keys->fold[last] == four[0];
    if (length == 2) four[3] = (unsigned char)last;
    uint32_t word;
    memcpy(&word, four, sizeof word);
    unsigned hash = hash_of_four(word);
    if (length >= 2) keys->bits[hash >> 3] |= (unsigned char)(1 << (hash & 7));
  }
}

struct csys_keys *csys_keys_new(int folds) {
  struct csys_keys *keys = calloc(1, sizeof *keys);
  if (!keys) return 0;
  for (int byte = 0; byte < 256; byte++) {
    keys->fold[byte] = (unsigned char)(folds && byte >= 'A' && byte <= 'Z' ? byte | 0x20 : byte);
  }
  if ((keys->of_length = calloc(1, sizeof *keys->of_length))) return keys;
  free(keys);
  return 0;
}

void csys_keys_free(struct csys_keys *keys) {
  if (!keys) return;
  for (size_t i = 0; i < keys->count; i++) free(keys->keys[i].bytes);
  free(keys->keys);
  free(keys->of_length);
  free(keys);
}

static int make_room(struct csys_keys *keys, size_t length) {
  struct key *grown = realloc(keys->keys, (keys->count + 1) * sizeof *grown);
  if (!grown) return -1;
  keys->keys = grown;
  if (length <= keys->longest) return 0;
  size_t *of_length = realloc(keys->of_length, (length + 1) * sizeof *of_length);
  if (!of_length) return -1;
  memset(of_length + keys->longest + 1, 0, (length - keys->longest) * sizeof *of_length);
  keys->of_length = of_length;
  keys->longest = length;
  return 0;
}

int csys_keys_add(struct csys_keys *keys, const void *bytes, size_t length) {
  const unsigned char *byte = bytes;
  if (make_room(keys, length) < 0) return -1;
  unsigned char first = length ? keys->fold[*byte] : ':';
  struct beginning *beginning = &keys->beginnings[first];
  struct key key = {.length = length, .next = keys->of_length[length], .beginning = beginning->key};
  if (!(key.bytes = malloc(length ? length : 1))) return -1;
  for (size_t i = 0; i < length; i++) key.bytes[i] = keys->fold[byte[i]];
  keys->keys[keys->count++] = key;
  keys->of_length[length] = keys->count;
  beginning->key = keys->count;
  beginning->count++;
  note_beginning(keys, key.bytes, length);
  if (first == '[' || memchr(key.bytes, ':', length)) beginning->is_special = 1;
  unsigned char capital = first & (unsigned char)~small;
  if (keys->fold[capital] == first) keys->beginnings[capital] = *beginning;
  return 0;
}

/* The colon behind the key of a line: the first, but for an address in brackets, which may have colons of its own. */
static const unsigned char *key_end(const unsigned char *line, const unsigned char *stop, size_t longest) {
  size_t count = (size_t)(stop - line);
  if (count && *line == '[') {
    const unsigned char *bracket = memchr(line, ']', count);
    if (bracket && stop - bracket > 1 && bracket[1] == ':') return bracket + 1;
  }
  return memchr(line, ':', count > longest ? longest + 1 : count);
}

static int is_same(const struct csys_keys *keys, const struct key *key, const unsigned char *line) {
  uint64_t ours, theirs;
  for (size_t i = 0; i + 8 <= key->length; i += 8) {
    memcpy(&ours, key->bytes + i, 8);
    memcpy(&theirs, line + i, 8);
    if ((ours | small) != (theirs | small)) return 0;
  }
  for (size_t i = 0; i < key->length; i++) {
    if (keys->fold[line[i]] != key->bytes[i]) return 0;
  }
  return 1;
}

int csys_keys_match(const struct csys_keys *keys, const void *bytes, size_t count, size_t *key) {
  const unsigned char *line = bytes;
  const unsigned char *colon = key_end(line, line + count, keys->longest);
  if (!colon || (size_t)(colon - line) > keys->longest) return 0;
  for (size_t number = keys->of_length[colon - line]; number; number = keys->keys[number - 1].next) {
    if (!is_same(keys, &keys->keys[number - 1], line)) continue;
    *key = number - 1;
    return 1;
  }
  return 0;
}

/* The same for a line that isn't empty, and quickly for most lines. */
static inline int match(const struct csys_keys *keys, const unsigned char *line, size_t count, size_t *key) {
  if (count < 4) return csys_keys_match(keys, line, count, key);
  if (!may_begin_with_key(keys, line)) return 0;
  const struct beginning *beginning = &keys->beginnings[*line];
  if (beginning->is_special || beginning->count > few) return csys_keys_match(keys, line, count, key);
  for (size_t number = beginning->key; number; number = keys->keys[number - 1].beginning) {
    const struct key *candidate = &keys->keys[number - 1];
    if (candidate->length >= count || line[candidate->length] != ':' || !is_same(keys, candidate, line)) continue;
    *key = number - 1;
    return 1;
  }
  return 0;
}

static size_t next_null(const struct csys_lines *lines, size_t from) {
  const unsigned char *found = memchr(lines->block + from, 0, lines->count - from);
  return found ? (size_t)(found - lines->block) : lines->count;
}

void csys_lines_begin(struct csys_lines *lines, const void *block, size_t count, int is_last) {
  lines->block = block;
  lines->count = count;
  lines->is_last = is_last;
  lines->next = 0;
  lines->null = next_null(lines, 0);
}

/* Whether a line is one to be found; if so, it is noted. */
static inline int take(
    struct csys_lines *lines, const struct csys_keys *keys, const unsigned char *line, const unsigned char *stop, uint64_t number) {
  if (lines->is_in_long_line) {
    lines->is_in_long_line = 0;
    return 0;
  }
  if (line == stop || *line == '#') return 0;
  /* What is longer can't be used in any case, and must give the same answer however the file was cut into blocks. */
  size_t length = (size_t)(stop - line), seen = length > csys_line_limit ? csys_line_limit + 1 : length;
  if (keys) {
    if (!match(keys, line, seen, &lines->key)) return 0;
  } else {
    const unsigned char *colon = key_end(line, line + seen, seen);
    lines->key = colon ? (size_t)(colon - line) : seen;
  }
  lines->line = (size_t)(line - lines->block);
  lines->length = length;
  lines->number = number;
  lines->ends_in_null = stop < lines->block + lines->count && *stop == 0;
  return 1;
}

/* Some line feeds from `*from` on: a bit for each, the lowest for the byte at `*from`, and how many bytes were looked at. None only if
 * there are none up to `limit`. */
static inline uint64_t line_feeds(const unsigned char **from, const unsigned char *limit, size_t *width) {
#ifdef __SSE2__
  const __m128i wanted = _mm_set1_epi8('\n');
  for (; limit - *from >= 64; *from += 64) {
    uint64_t found = 0;
    for (int part = 0; part < 4; part++) {
      __m128i equal = _mm_cmpeq_epi8(_mm_loadu_si128((const __m128i *)(*from + 16 * part)), wanted);
      found |= (uint64_t)(unsigned)_mm_movemask_epi8(equal) << (16 * part);
    }
    *width = 64;
    if (found) return found;
  }
#endif
  const unsigned char *next = memchr(*from, '\n', (size_t)(limit - *from));
  if (!next) return 0;
  *from = next;
  *width = 1;
  return 1;
}

/* The lines up to the next null byte, or else to the end of the block, that end in a line feed. */
static int next_before(struct csys_lines *lines, const struct csys_keys *keys, const unsigned char *limit) {
  const unsigned char *line = lines->block + lines->next, *from = line;
  uint64_t number = lines->next_number, found;
  size_t width;
  int is_taken = 0;
  while (!is_taken && (found = line_feeds(&from, limit, &width))) {
    for (; found && !is_taken; found &= found - 1) {
      const unsigned char *stop = from + __builtin_ctzll(found);
      is_taken = take(lines, keys, line, stop, number++);
      line = stop + 1;
    }
    from += width;
  }
  lines->next = (size_t)(line - lines->block);
  lines->next_number = number;
  return is_taken;
}

int csys_lines_next(struct csys_lines *lines, const struct csys_keys *keys) {
  while (lines->next < lines->count) {
    const unsigned char *limit = lines->block + lines->null;
    if (next_before(lines, keys, limit)) return 1;
    /* What is left before `limit` is one line, or the beginning of one. */
    const unsigned char *line = lines->block + lines->next;
    int is_whole = lines->null < lines->count;
    if (!is_whole && !lines->is_last) {
      if (lines->is_in_long_line) lines->next = lines->count;
      return 0;
    }
    lines->next = lines->null + (size_t)is_whole;
    if (is_whole) lines->null = next_null(lines, lines->next);
    if (take(lines, keys, line, limit, lines->next_number)) return 1;
  }
  return 0;
}

int csys_lines_cut(struct csys_lines *lines, const struct csys_keys *keys) {
  if (lines->count - lines->next <= csys_line_limit) return 0;
  const unsigned char *line = lines->block + lines->next;
  int is_taken = take(lines, keys, line, lines->block + lines->count, lines->next_number);
  lines->next = lines->count;
  lines->is_in_long_line = 1;
  return is_taken;
}

uint32_t csys_table_hash(uint32_t hash, const void *bytes, size_t count, int folds) {
  const unsigned char *byte = bytes;
  for (size_t i = 0; i < count; i++) {
    unsigned char folded = (unsigned char)(folds && byte[i] >= 'A' && byte[i] <= 'Z' ? byte[i] | 0x20 : byte[i]);
    hash = (hash * 33) ^ folded;
  }
  return hash;
}

uint64_t csys_checksum(const void *bytes, size_t count) {
  const unsigned char *byte = bytes;
  uint64_t sum = count, word;
  for (; count >= sizeof word; count -= sizeof word, byte += sizeof word) {
    memcpy(&word, byte, sizeof word);
    sum = (sum ^ word) * 0x9e3779b97f4a7c15u;
    sum ^= sum >> 29;
  }
  for (; count; count--, byte++) sum = ((sum ^ *byte) * 0x9e3779b97f4a7c15u) ^ (sum >> 29);
  return sum ^ (sum >> 32);
}
