/* A port on a pseudo terminal whose other side the test plays: what the tests of a port share. */
#ifndef GANTRY_TEST_PORT_RIG_H
#define GANTRY_TEST_PORT_RIG_H

#include "plan.h"
#include "port.h"
#include "pty_pair.h"

#define SILENCE_US 50000

extern pty_pair_t line;
extern port_t *port;

port_cfg_t port_rig_cfg(const char *path);
void port_rig_open(void); /* the line alone */
void port_rig_close(void);
void port_rig_start(void); /* the port on it */
/* The next message of that news (and, for results, tag), within 2 s. */
bool port_rig_next(port_news_t news, uint32_t tag, port_result_t *out);
/* The next request on the line, 0 when none came within ms. */
size_t port_rig_request(uint8_t request[64], int ms);
/* Answers a read of count registers, each with that value. */
void port_rig_answer(uint8_t unit, uint16_t count, uint16_t value);
/* A read of unit 9, which is outside the registry: no probe and no poll speaks to it. Its answer
   has half a second; what is about silence sets answer_us to SILENCE_US. */
job_t port_rig_command(uint32_t tag, uint16_t count);
bool port_rig_is_for(const uint8_t *request, size_t len, uint8_t unit);
/* Waits for the request to unit 9, letting discovery of unit 4 go unanswered. */
bool port_rig_await(uint8_t request[64]);

#endif
