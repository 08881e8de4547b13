/* The mathematical functions that the Swift library asks for, with libm loaded by the first call of one of them. All but ceil, by which
 * the library finds the size of each hash table.
 *
 * In a release build they have libm's names and take its place. In other builds they are called cmath_ceil and so on, for tests. */
#ifndef CMATH_H
#define CMATH_H

#ifdef CMATH_INSTEAD_OF_LIBM
#define CMATH_NAME(name) name
#else
#define CMATH_NAME(name) cmath_##name
#endif

/* By the number of their operands: each for double, float (f) and long double (l). */
#define CMATH_OF_ONE(each) \
  each(cos) each(exp) each(exp2) each(floor) each(log) each(log10) each(log2) each(nearbyint) each(rint) each(round) each(sin) \
  each(sqrt) each(trunc)
#define CMATH_OF_TWO(each) each(fmod) each(remainder)
#define CMATH_OF_THREE(each) each(fma)

#define CMATH_ONE(name) \
  double CMATH_NAME(name)(double); \
  float CMATH_NAME(name##f)(float); \
  long double CMATH_NAME(name##l)(long double);
#define CMATH_TWO(name) \
  double CMATH_NAME(name)(double, double); \
  float CMATH_NAME(name##f)(float, float); \
  long double CMATH_NAME(name##l)(long double, long double);
#define CMATH_THREE(name) \
  double CMATH_NAME(name)(double, double, double); \
  float CMATH_NAME(name##f)(float, float, float); \
  long double CMATH_NAME(name##l)(long double, long double, long double);

CMATH_ONE(ceil)
CMATH_OF_ONE(CMATH_ONE)
CMATH_OF_TWO(CMATH_TWO)
CMATH_OF_THREE(CMATH_THREE)

#endif
