/* The first administrator of a fresh database. */
#ifndef GATEWAY_FIRST_USER_H
#define GATEWAY_FIRST_USER_H

#include "gateway_internal.h"

/* Asks storage whether there are users, again each second until it answers; without any, makes
   `admin` with a random password and leaves it in <data>/first-password (mode 0600). */
gantry_err_t first_user_start(gateway_t *gateway);
/* An answer still under way comes to nothing. After password_destroy. */
void first_user_stop(gateway_t *gateway);

#endif
