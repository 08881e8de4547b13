/* c-ares, the DNS client: questions, retries, EDNS and the fall-back to TCP. Its answers are read in Swift. */
#include <sys/types.h>
#include <sys/socket.h>
#include <ares.h>
