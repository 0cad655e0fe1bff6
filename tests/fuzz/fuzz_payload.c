/* The free-form JSON of POST /sensors/data, by type, and of pipelines and calibrations. What
   is accepted must be finite, in bounds and fit the wire.

     CC=clang-14 meson setup build-fuzz -Dfuzzers=true -Db_sanitize=address,undefined
   -Db_lundef=false ninja -C build-fuzz tests/fuzz/fuzz_payload
     build-fuzz/tests/fuzz/fuzz_payload -max_total_time=20 -max_len=4096 */
#include "configuration.h"
#include "defaults.h"
#include "payload.h"
#include "types.h"

#include <gantry/pack.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static limits_t bounds;
static scan_rule_t rule;
static raw_scan_t scan;

static void must_pack(const desc_t *desc, const void *value) {
  buf_t packed = {0};
  gantry_fault_t fault;
  if (pack_message(desc, value, &packed, &fault) != GANTRY_OK) abort();
  buf_fini(&packed);
}

/* A sweep that was let in goes on through the filter as it would in the service. */
static void process_scan(void) {
  calibration_t calibration = calibration_identity();
  static scan_rays_t rays;
  scan_summary_t summary;
  must_pack(&RAW_SCAN_DESC, &scan);
  rays.count = scan.ranges_count;
  memcpy(rays.angle_rad, scan.angles, sizeof rays.angle_rad);
  memcpy(rays.range_m, scan.ranges, sizeof rays.range_m);
  memcpy(rays.quality, scan.qualities, sizeof rays.quality);
  scan_process(&rule, &calibration, &rays, &summary);
  if (rays.count > scan.ranges_count || !(summary.quality >= 0 && summary.quality <= 1)) abort();
}

static void read_configuration(const char *text) {
  sensor_pipeline_t pipeline;
  calibration_t calibration;
  gantry_fault_t fault;
  if (json_read(&SENSOR_PIPELINE_DESC, text, strlen(text), false, &pipeline, &fault) == GANTRY_OK &&
      pipeline.has_filter_window && (pipeline.filter_window < 1 || pipeline.filter_window > 64))
    abort();
  if (configuration_read_calibration(text, &calibration, &fault) != GANTRY_OK) return;
  for (int i = 0; i < CALIBRATION_CHANNELS; i++)
    if (!isfinite(calibration.offset[i]) || !(calibration.scale[i] > 0)) abort();
  if (!(fabs(calibration.angle_offset_rad) <= M_PI)) abort();
}

/* What was read of a picture is within its bounds. */
static void read_object(const char *text) {
  static types_t types;
  object_values_t values;
  gantry_fault_t fault;
  double brightness, image;
  if (!types.rows && types_init(&types) != GANTRY_OK) abort();
  const type_row_t *camera = types_find(&types, "camera");
  if (type_read(camera, text, strlen(text), &values, &fault) != GANTRY_OK) return;
  if (!type_number(camera, &values, "brightness", &brightness) ||
      !(brightness >= 0 && brightness <= 255))
    abort();
  if (!type_number(camera, &values, "image_id", &image) || image < 1000) abort();
}

static void read_all(const char *data, uint8_t type, const limits_t *limits) {
  raw_imu_t imu = {.sensor = "A"};
  raw_range_t range = {.sensor = "A"};
  raw_value_t value = {.sensor = "A"};
  sensor_tag_t tag = {.sensor = "A"};
  gantry_fault_t fault = {0};
  double confidence = 0;
  switch (type % 8) {
  case 0:
    if (payload_imu(data, limits, &imu, &fault) == GANTRY_OK) must_pack(&RAW_IMU_DESC, &imu);
    break;
  case 1:
    if (payload_proximity(data, limits, &range, &confidence, &fault) == GANTRY_OK) {
      must_pack(&RAW_RANGE_DESC, &range);
      if (!(confidence >= 0 && confidence <= 1)) abort();
    }
    break;
  case 2:
    if (payload_range(data, limits, &range, &fault) == GANTRY_OK)
      must_pack(&RAW_RANGE_DESC, &range);
    break;
  case 3:
    if (payload_value(data, &value, &fault) == GANTRY_OK) must_pack(&RAW_VALUE_DESC, &value);
    break;
  case 4:
    if (payload_tag(data, limits, &tag, &fault) == GANTRY_OK && !isfinite(tag.signal)) abort();
    break;
  case 5:
    read_configuration(data);
    break;
  case 6:
    read_object(data);
    break;
  default:
    memset(&scan, 0, sizeof scan);
    scan.sensor[0] = 'A';
    if (payload_scan(data, limits, &scan, &fault) == GANTRY_OK) process_scan();
  }
}

int LLVMFuzzerInitialize(int *argc, char ***argv) {
  (void)argc;
  (void)argv;
  bounds = default_limits();
  rule = default_scan_rule();
  return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len) {
  if (len < 1) return 0;
  char *data = malloc(len);
  memcpy(data, bytes + 1, len - 1);
  data[len - 1] = '\0';
  read_all(data, bytes[0], &bounds);
  free(data);
  return 0;
}
