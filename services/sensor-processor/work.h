/* Work: the steps that readings of all families share; the files pipeline_*.c alone use it. */
#ifndef SENSOR_WORK_H
#define SENSOR_WORK_H

#include "pipeline.h"

/* One reading of one sensor on its way. */
typedef struct work {
  processor_t *self;
  const origin_t *origin;
  registry_entry_t *entry;
  uint64_t now_ns;          /* monotonic */
  uint32_t flags;           /* found so far, 1 << chain_flag_t */
  double raw, value;        /* for the history, and what rules without a field look at */
  double calibrated;        /* between the two: not filtered yet */
  chain_terms_t terms;      /* worst of the channels */
  bool blind;               /* it has no number: a range sensor without a return */
  sensor_finding_t finding; /* what a rule has found */
  bool found;               /* and whether one has */
  gantry_fault_t *fault;
} work_t;

/* Finds the sensor or makes it known, with its chains. Errors as in pipeline.h. */
gantry_err_t work_begin(work_t *work, const char *sensor, sensor_type_t type);
/* Whether the chain of that channel would take the number: asked before the first of several
   channels is pushed. */
bool work_fits(const work_t *work, uint32_t channel, double measured);
/* Puts a number through the chain of its channel; *filtered is what comes out. field names it in a
   refusal. */
gantry_err_t work_push(work_t *work, uint32_t channel, const char *field, double measured,
                       double *filtered);
/* Refuses the reading for what a flag of the chain says; fault is set. */
gantry_err_t work_refuse(work_t *work, chain_flag_t flag);
/* Counts the reading as accepted, scores it by work->terms and holds the sensor's rules against it.
   values: the fields of an object; NULL: rules look at work->value. */
void work_accept(work_t *work, const object_values_t *values, outcome_t *out);
/* Says it live, where anybody listens. */
void work_publish(const work_t *work, const topic_t *topic, const void *body);
/* Whether its row would be kept: else it need not be made. What was found something in always is.
 */
bool work_is_wanted(const work_t *work);
/* Gives the row to the recorder: time, number and code are set here. */
gantry_err_t work_record(const work_t *work, recorder_row_t *row);

#endif
