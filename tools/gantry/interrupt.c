/* Holds interrupts back and tells whether one has come. */
#include "interrupt.h"

#include <signal.h>
#include <stddef.h>

void interrupt_hold(void) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  sigprocmask(SIG_BLOCK, &set, NULL);
}

bool interrupt_is_pending(void) {
  sigset_t set;
  sigemptyset(&set);
  sigpending(&set);
  return sigismember(&set, SIGINT) == 1 || sigismember(&set, SIGTERM) == 1;
}
