/* What rules have found in readings: an event each, in the transaction of its reading and only with
   it, so that a batch that comes twice tells nothing twice. */
#include <gantry/json.h>
#include <string.h>

#include "store_internal.h"

/* The batch's row among those that are gathered from `before` on; false when a chunk holds it. */
static bool find_row(const gather_t *gather, const sensor_readings_t *batch, uint32_t row,
                     size_t before, size_t *out) {
  int64_t ts_us = (int64_t)(batch->time[row] / 1000), seq = (int64_t)batch->number[row];
  const char *sensor = batch->series[batch->which[row]].sensor;
  for (size_t i = before; i < gather->count; i++) {
    if (gather->rows[i].ts_us != ts_us || gather->rows[i].seq != seq) continue;
    if (strcmp(gather->series[i]->sensor, sensor) != 0) continue;
    *out = i;
    return true;
  }
  return false;
}

static const char *keep_text(gather_t *gather, const char *text) {
  return text ? arena_copy(&gather->texts, text, strlen(text) + 1) : "";
}

static gantry_err_t gather_finding(gather_t *gather, const store_origin_t *origin,
                                   const sensor_readings_t *batch, const sensor_finding_t *finding,
                                   size_t row) {
  const sensor_series_key_t *series = &batch->series[batch->which[finding->row]];
  found_t *found = arena_take(&gather->texts, sizeof *found);
  if (!found) return GANTRY_E_UNAVAILABLE;
  *found = (found_t){.row = row,
                     .robot = keep_text(gather, origin->robot),
                     .service = keep_text(gather, origin->service),
                     .sensor = keep_text(gather, series->sensor),
                     .session = keep_text(gather, series->session),
                     .trace = origin->trace,
                     .finding = *finding};
  if (!found->robot || !found->service || !found->sensor || !found->session)
    return GANTRY_E_UNAVAILABLE;
  if (!gather->found) gather->found_end = &gather->found;
  *gather->found_end = found;
  gather->found_end = &found->next;
  return GANTRY_OK;
}

gantry_err_t store_gather_findings(store_t *store, const store_origin_t *origin,
                                   const sensor_readings_t *batch, size_t before) {
  size_t row;
  for (uint32_t i = 0; i < batch->findings_count; i++)
    if (find_row(store->gather, batch, batch->findings[i].row, before, &row))
      GANTRY_TRY(gather_finding(store->gather, origin, batch, &batch->findings[i], row));
  return GANTRY_OK;
}

/* Rule and session, then the details of the rule. */
static void write_data(const found_t *found, buf_t *out) {
  const char *details = found->finding.details;
  buf_put_text(out, "{\"rule\":");
  json_write_text(out, found->finding.rule, strlen(found->finding.rule));
  if (found->session[0]) {
    buf_put_text(out, ",\"session\":");
    json_write_text(out, found->session, strlen(found->session));
  }
  const char *open = strchr(details, '{');
  const char *rest = open ? open + 1 + strspn(open + 1, " \t\r\n") : "}";
  if (rest[0] != '}') buf_put_byte(out, ',');
  buf_put_text(out, rest);
}

/* It needs no origin of its own to be told apart: boot 0, and its id for a number. */
static gantry_err_t add_finding(store_t *store, const found_t *found, const db_reading_t *row) {
  buf_t data = {0};
  int64_t id = store_new_id(store, STORE_ID_EVENT);
  write_data(found, &data);
  stmt_t *statement =
      db_use(store->db, "INSERT INTO events (id, ts, service, robot, trace, boot, seq, event,"
                        " category, severity, subject, message, data) VALUES (?1, ?2, ?3, ?4, ?5,"
                        " 0, ?1, 'FINDING', 'validation', ?6, ?7, ?8, ?9)");
  db_bind_int(statement, 1, id);
  db_bind_int(statement, 2, row->ts_us);
  db_bind_text(statement, 3, found->service);
  db_bind_text(statement, 4, found->robot);
  db_bind_u64(statement, 5, found->trace);
  db_bind_text(statement, 6, desc_enum_text(&SYS_SEVERITY_ENUM, (int)found->finding.severity));
  db_bind_text(statement, 7, found->sensor);
  db_bind_text(statement, 8, found->finding.message);
  db_bind_text(statement, 9, buf_text(&data));
  gantry_err_t err = store_broken(db_finish(statement));
  buf_fini(&data);
  return err;
}

static gantry_err_t add_events(store_t *store) {
  const gather_t *gather = store->gather;
  GANTRY_TRY(db_pipeline_begin(store->db));
  gantry_err_t err = GANTRY_OK;
  for (const found_t *found = gather->found; found && err == GANTRY_OK; found = found->next)
    if (gather->fresh[found->row]) err = add_finding(store, found, &gather->rows[found->row]);
  gantry_err_t ended = db_pipeline_end(store->db);
  return err == GANTRY_OK ? store_broken(ended) : err;
}

gantry_err_t store_add_findings(store_t *store) {
  const gather_t *gather = store->gather;
  gantry_err_t err = add_events(store);
  for (const found_t *found = gather->found; found && err == GANTRY_OK; found = found->next)
    if (gather->fresh[found->row] && gather->rows[found->row].session)
      err = store_figure_finding(store, &gather->rows[found->row]);
  return err;
}
