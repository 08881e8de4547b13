#include "CMath.h"
#include "CLoader.h"
#include <math.h>
#include <stdint.h>
#include <stdlib.h>

/* Nothing here calculates with fractions, but the Swift library comes whole, and because of these names every delivery would load libm:
 * a twelfth of what a small one takes. */

#define VARIANTS(name) EACH(name) EACH(name##f) EACH(name##l)
#define FUNCTIONS CMATH_OF_ONE(VARIANTS) CMATH_OF_TWO(VARIANTS) CMATH_OF_THREE(VARIANTS)

#define EACH CLOADER_MEMBER
static struct { FUNCTIONS } libm;
#undef EACH

#define EACH CLOADER_NAME
static const char names[] = FUNCTIONS;
#undef EACH

/* libm comes with the C library, so it is there. */
static void load(void) {
  if (cloader_load("libm.so.6", names, &libm)) abort();
}

#define DEFINE_ONE(name) \
  double CMATH_NAME(name)(double x) { return load(), libm.name(x); } \
  float CMATH_NAME(name##f)(float x) { return load(), libm.name##f(x); } \
  long double CMATH_NAME(name##l)(long double x) { return load(), libm.name##l(x); }
#define DEFINE_TWO(name) \
  double CMATH_NAME(name)(double x, double y) { return load(), libm.name(x, y); } \
  float CMATH_NAME(name##f)(float x, float y) { return load(), libm.name##f(x, y); } \
  long double CMATH_NAME(name##l)(long double x, long double y) { return load(), libm.name##l(x, y); }
#define DEFINE_THREE(name) \
  double CMATH_NAME(name)(double x, double y, double z) { return load(), libm.name(x, y, z); } \
  float CMATH_NAME(name##f)(float x, float y, float z) { return load(), libm.name##f(x, y, z); } \
  long double CMATH_NAME(name##l)(long double x, long double y, long double z) { return load(), libm.name##l(x, y, z); }

/* What doesn't fit an integer has no fraction, and what is no number is not less than anything. */
#define DEFINE_CEIL(name, type, absolute, with_sign_of) \
  type CMATH_NAME(name)(type x) { \
    if (!(absolute(x) < 0x1p62)) return x; \
    type whole = (type)(int64_t)x; \
    return with_sign_of(whole < x ? whole + 1 : whole, x); \
  }
DEFINE_CEIL(ceil, double, fabs, copysign)
DEFINE_CEIL(ceilf, float, fabsf, copysignf)
DEFINE_CEIL(ceill, long double, fabsl, copysignl)

CMATH_OF_ONE(DEFINE_ONE)
CMATH_OF_TWO(DEFINE_TWO)
CMATH_OF_THREE(DEFINE_THREE)
