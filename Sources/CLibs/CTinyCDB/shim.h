/* tinycdb: constant databases in the format of cdb(5). */
#include <cdb.h>
