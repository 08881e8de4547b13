/* Random bytes that a test knows: libraries that take theirs from getrandom(2) make the same nonces again and again. */
#ifndef CFIXEDRANDOM_H
#define CFIXEDRANDOM_H

#include <stddef.h>

/* For this thread: getrandom gives these bytes over and over, until it is called with none. They have to stay where they are. */
void fixed_random(const void *bytes, size_t count);

#endif
