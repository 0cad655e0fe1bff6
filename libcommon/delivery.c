/* Parcels on their way to storage. A generation ends with its first failure: what is still under
   way then is left to itself, and the outbox hands out again from what storage has acknowledged. */
#include <gantry/delivery.h>

#include <gantry/clock.h>
#include <gantry/log.h>

#include <stdlib.h>

enum { APPEND_MS = 2000, AWAY_MS = 5000, BACKOFF_MIN_MS = 50, BACKOFF_MAX_MS = 2000, FLIGHTS = 64 };

typedef struct flight {
  delivery_t *owner;      /* NULL: free */
  outbox_parcel_t parcel; /* without its bytes */
} flight_t;

struct delivery {
  outbox_t *outbox; /* NULL: stopped */
  loop_t *loop;
  rpc_client_t *client;
  int alarm;
  uint32_t generation;
  uint32_t backoff_ms;
  bool waits;       /* for the alarm */
  uint64_t away_ns; /* since when storage takes nothing; 0: it takes */
  bool told;        /* that has been said */
  flight_t flights[FLIGHTS];
};

/* A start, a stop and a commit that takes its time are nothing to speak of. */
static void tell_away(delivery_t *delivery, const char *why) {
  uint64_t now_ns = clock_mono_ns();
  if (delivery->away_ns == 0) delivery->away_ns = now_ns;
  double away_ms = clock_age_ms(now_ns, delivery->away_ns);
  if (delivery->told || away_ms < AWAY_MS) return;
  delivery->told = true;
  log_warn(
      "OUTBOX-WAITING",
      "storage has taken nothing for %.0f s (%s): records wait in the outbox; its log says why, "
      "or start it again",
      away_ms / 1000, why);
}

static void tell_back(delivery_t *delivery) {
  if (delivery->told)
    log_info("OUTBOX-GOES", "storage takes records again, after %.0f s",
             clock_age_ms(clock_mono_ns(), delivery->away_ns) / 1000);
  delivery->away_ns = 0;
  delivery->told = false;
}

static void fail(delivery_t *delivery, const char *why) {
  tell_away(delivery, why);
  delivery->waits = true;
  delivery->generation++;
  loop_set(delivery->loop, delivery->alarm, delivery->backoff_ms);
  delivery->backoff_ms *= 2;
  if (delivery->backoff_ms > BACKOFF_MAX_MS) delivery->backoff_ms = BACKOFF_MAX_MS;
}

static void on_alarm(void *arg) {
  delivery_t *delivery = arg;
  delivery->waits = false;
  if (delivery->outbox) outbox_rewind(delivery->outbox, delivery->generation);
}

/* What would be refused for ever must not hold back what comes behind it. Only of a parcel that has
   nothing under way before it: giving it up vouches for all before. */
static bool is_hopeless(const outbox_parcel_t *parcel, gantry_err_t err) {
  return parcel->previous == 0 && (err == GANTRY_E_SCHEMA || err == GANTRY_E_TOO_LARGE);
}

static void on_appended(gantry_err_t err, const gantry_fault_t *fault, const void *reply,
                        const sys_header_t *header, void *arg) {
  flight_t *flight = arg;
  delivery_t *delivery = flight->owner;
  outbox_parcel_t parcel = flight->parcel;
  (void)reply;
  (void)header;
  flight->owner = NULL;
  if (!delivery->outbox) return;
  if (is_hopeless(&parcel, err)) {
    log_error("OUTBOX-REFUSED", "storage cannot read records %llu to %llu, they are given up: %s",
              (unsigned long long)parcel.first, (unsigned long long)parcel.last, fault->detail);
    outbox_delivered(delivery->outbox, &parcel);
  } else if (err == GANTRY_OK) {
    tell_back(delivery);
    delivery->backoff_ms = BACKOFF_MIN_MS;
    outbox_delivered(delivery->outbox, &parcel);
  } else if (parcel.generation == delivery->generation) {
    fail(delivery, fault->detail);
  }
}

static flight_t *find_flight(delivery_t *delivery) {
  for (int i = 0; i < FLIGHTS; i++)
    if (!delivery->flights[i].owner) return &delivery->flights[i];
  return NULL;
}

static void on_parcel(const outbox_parcel_t *parcel, void *arg) {
  delivery_t *delivery = arg;
  if (!delivery->outbox || delivery->waits || parcel->generation != delivery->generation) return;
  flight_t *flight = find_flight(delivery);
  store_append_t append = {.boot = parcel->boot,
                           .first = parcel->first,
                           .last = parcel->last,
                           .previous = parcel->previous,
                           .dropped = parcel->dropped,
                           .records = {.data = parcel->bytes, .len = parcel->len}};
  gantry_err_t err = GANTRY_E_UNAVAILABLE;
  if (flight) {
    *flight = (flight_t){.owner = delivery, .parcel = *parcel};
    flight->parcel.bytes = NULL;
    err = rpc_call(delivery->client, REQUEST_STORE_APPEND, NULL, NULL, &append, APPEND_MS,
                   on_appended, flight);
  }
  if (err == GANTRY_OK) return;
  if (flight) flight->owner = NULL;
  fail(delivery, gantry_err_name(err));
}

gantry_err_t delivery_new(outbox_t *outbox, bus_t *bus, rpc_client_t *client, delivery_t **out) {
  delivery_t *self = calloc(1, sizeof *self);
  *out = NULL;
  if (!self) return GANTRY_E_INTERNAL;
  self->outbox = outbox;
  self->client = client;
  self->loop = bus_loop(bus);
  self->backoff_ms = BACKOFF_MIN_MS;
  self->alarm = loop_alarm(self->loop, on_alarm, self);
  if (self->alarm == 0) {
    free(self);
    return GANTRY_E_INTERNAL;
  }
  outbox_deliver(outbox, on_parcel, self);
  *out = self;
  return GANTRY_OK;
}

void delivery_stop(delivery_t *delivery) {
  if (!delivery->outbox) return;
  loop_cancel(delivery->loop, delivery->alarm);
  delivery->outbox = NULL;
}

void delivery_destroy(delivery_t **self) {
  if (!*self) return;
  delivery_stop(*self);
  free(*self);
  *self = NULL;
}
