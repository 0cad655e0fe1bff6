/* Which endpoint a method and a path mean. Pure: walks the generated table. */
#ifndef GATEWAY_ROUTE_H
#define GATEWAY_ROUTE_H

#include <stdint.h>

#include <gantry/buf.h>
#include <gantry/catalogue.h>

/* Endpoints of a profile, and the index of those whose path has no parameter. */
typedef struct route_table {
  const endpoint_t *endpoints;
  uint32_t count;
  const uint16_t *literals;
  uint32_t literal_count;
} route_table_t;

#define ROUTE_MAX_PARAMETERS 4
#define ROUTE_VALUE_MAX      200

/* One named value out of the path. */
typedef struct route_parameter {
  char name[40];
  char value[ROUTE_VALUE_MAX + 1];
} route_parameter_t;

typedef struct route {
  uint32_t endpoint; /* index into the table, CATALOGUE_ENDPOINTS unless said; valid when found */
  bool found;
  uint32_t allowed; /* bit per http_method_t that this path knows; 0: the path is unknown */
  uint32_t parameter_count;
  route_parameter_t parameters[ROUTE_MAX_PARAMETERS];
} route_t;

/* Finds the endpoint; a literal segment wins over a {parameter}, from the left, whatever the
   method: DELETE /map/status is a method that /map/status lacks, not a map named status. A trailing
   slash is ignored. path is decoded already and holds no query. */
void route_match(http_method_t method, const char *path, route_t *out);
/* The same among the endpoints of another profile; out->endpoint is an index into them. */
void route_match_in(const route_table_t *table, http_method_t method, const char *path,
                    route_t *out);

/* Method by name ("GET"); false for another word. */
bool route_method_parse(const char *name, http_method_t *out);
const char *route_method_name(http_method_t method);

/* Value of the first item of that name, within query (see below); NULL when absent. */
const char *route_query(const char *query, const char *name);

/* Writes the parameters as one JSON object for json_read(params): path parameters first, then those
   of the query (query: NUL separated "name=value" items, ended by an empty one; NULL: none) that
   params knows. Numbers and booleans go unquoted when they look like one, so that a wrong type is
   refused by its field's name. */
void route_params_json(const desc_t *params, const route_t *route, const char *query, buf_t *out);

#endif
