/* The filter against numeric derivatives, brute force, and chance. */
#include <math.h>

#include <criterion/criterion.h>

#include <gantry/slam/eskf.h>

#define N     ESKF_STATES
#define MEANS ESKF_MAP_X

static eskf_noise_t noise;
static unsigned long long seed;

/* A fixed sequence of deviates (linear congruential, Box-Muller). */
static double uniform(void) {
  seed = seed * 6364136223846793005ull + 1442695040888963407ull;
  return ((double)(seed >> 11) + 0.5) / 9007199254740992.0;
}

static double normal(void) {
  double u = uniform();
  return sqrt(-2 * log(u)) * cos(2 * M_PI * uniform());
}

static double range(double low, double high) {
  return low + (high - low) * uniform();
}

static void setup(void) {
  noise = eskf_noise_default();
  seed = 1;
}

TestSuite(eskf_chance, .init = setup);

/* --- Jacobians ------------------------------------------------------------------------------- */

static double *state(eskf_t *eskf, int i) {
  double *states[] = {&eskf->pose.x,      &eskf->pose.y,          &eskf->pose.theta,
                      &eskf->v_mps,       &eskf->omega_radps,     &eskf->bias_x_mps2,
                      &eskf->bias_y_mps2, &eskf->bias_turn_radps, &eskf->scale};
  return states[i];
}

static eskf_t random_state(void) {
  eskf_t eskf = {.pose = {range(-9, 9), range(-9, 9), range(-3, 3)},
                 .v_mps = range(-1, 1),
                 .omega_radps = range(-1, 1),
                 .bias_x_mps2 = range(-0.1, 0.1),
                 .bias_y_mps2 = range(-0.1, 0.1),
                 .bias_turn_radps = range(-0.1, 0.1),
                 .scale = range(-0.1, 0.1)};
  return eskf;
}

typedef void (*step_fn)(eskf_t *eskf);
static const eskf_noise_t QUIET = {0};

static void by_time(eskf_t *eskf) {
  eskf_predict(eskf, 0.2, &QUIET);
}
static void by_odometry(eskf_t *eskf) {
  eskf_odometry(eskf, (pose2_t){0.3, -0.1, 0.2}, 0.2, &QUIET);
}

/* P after the step from P = I, without noise, is F F': compared with F by central differences. */
static void assert_transition(step_fn step) {
  const double h = 1e-5;
  for (int trial = 0; trial < 50; trial++) {
    eskf_t eskf = random_state();
    double f[MEANS][MEANS];
    for (int j = 0; j < MEANS; j++) {
      eskf_t more = eskf, less = eskf;
      *state(&more, j) += h;
      *state(&less, j) -= h;
      step(&more);
      step(&less);
      for (int i = 0; i < MEANS; i++) {
        double change = *state(&more, i) - *state(&less, i);
        f[i][j] = (i == ESKF_THETA ? wrap_rad(change) : change) / (2 * h);
      }
    }
    for (int i = 0; i < MEANS; i++)
      eskf.covariance[i * N + i] = 1;
    step(&eskf);
    for (int i = 0; i < MEANS; i++)
      for (int j = 0; j < MEANS; j++) {
        double expected = 0;
        for (int k = 0; k < MEANS; k++)
          expected += f[i][k] * f[j][k];
        cr_assert_float_eq(eskf.covariance[i * N + j], expected, 1e-6, "%d %d", i, j);
      }
  }
}

Test(eskf_chance, has_the_transition_of_its_motion_in_time) {
  assert_transition(by_time);
}

Test(eskf_chance, has_the_transition_of_its_motion_by_odometry) {
  assert_transition(by_odometry);
}

/* From P = small I, a correction moves each state in proportion to the Jacobian's entry; the
   innovation's derivative to the same state is the other side. nis = innovation^2 / variance. */
Test(eskf_chance, has_the_jacobian_of_a_place_seen_through_the_lever) {
  const double h = 1e-5, small = 1e-8;
  pose2_t lever = {0.4, -0.3, 0};
  for (int trial = 0; trial < 50; trial++) {
    eskf_t eskf = random_state();
    for (int j = 0; j < 3; j++) {
      eskf_t more = eskf, moved = eskf;
      *state(&more, j) += h;
      pose2_t a = pose2_compose(eskf.pose, lever), b = pose2_compose(more.pose, lever);
      double jx = (b.x - a.x) / h, jy = (b.y - a.y) / h;
      for (int i = 0; i < N; i++)
        moved.covariance[i * N + i] = small;
      eskf_update_position(&moved, a.x + 1, a.y + 2, lever, 1, 0, NULL);
      double step = wrap_rad(*state(&moved, j) - *state(&eskf, j)) / small;
      cr_assert_float_eq(step, jx + 2 * jy, 1e-4, "state %d", j);
    }
  }
}

/* --- Discs ----------------------------------------------------------------------------------- */

/* Mean and variance of what is left of a cloud of points in the disc, by throwing a million. */
Test(eskf_chance, cuts_its_estimate_to_a_disc_as_a_cloud_of_points_is_cut) {
  const double sx = 0.15, sy = 0.05, lever = 0.3, radius = 0.1, cx = 0.45, cy = 0.05;
  double sum = 0, x = 0, xx = 0, y = 0, yy = 0;
  for (int i = 0; i < 300000; i++) {
    double px = sx * normal(), py = sy * normal();
    if (hypot(px + lever - cx, py - cy) > radius) continue;
    sum++, x += px, xx += px * px, y += py, yy += py * py;
  }
  eskf_t eskf;
  eskf_init(&eskf, (pose2_t){0}, 1, 0, &noise);
  eskf.covariance[0] = sx * sx;
  eskf.covariance[N + 1] = sy * sy;

  eskf_update_within(&eskf, cx, cy, (pose2_t){lever, 0, 0}, radius, 0.002, 0, NULL);

  cr_assert_float_eq(eskf.pose.x, x / sum, 0.003);
  cr_assert_float_eq(eskf.pose.y, y / sum, 0.003);
  cr_assert_float_eq(sqrt(eskf.covariance[0]), sqrt(xx / sum - x * x / sum / sum), 0.003);
  cr_assert_float_eq(sqrt(eskf.covariance[N + 1]), sqrt(yy / sum - y * y / sum / sum), 0.003);
}

Test(eskf_chance, learns_half_the_radius_from_a_disc_when_it_knew_nothing) {
  eskf_t eskf;
  eskf_init(&eskf, (pose2_t){3, 0, 0}, 5, 1, &noise);

  eskf_update_within(&eskf, 1, 2, (pose2_t){0}, 0.2, 0.01, ESKF_GATE_2, NULL);

  cr_assert_float_eq(eskf.pose.x, 1, 0.005);
  cr_assert_float_eq(sqrt(eskf.covariance[0]), 0.1, 0.01);
}

Test(eskf_chance, learns_nothing_from_a_disc_it_knows_it_is_in) {
  eskf_t eskf, before;
  eskf_init(&eskf, (pose2_t){1, 2, 0.3}, 0.02, 0.1, &noise);
  before = eskf;

  for (int i = 0; i < 1000; i++)
    eskf_update_within(&eskf, 1.05, 2.05, (pose2_t){0}, 0.2, 0.02, ESKF_GATE_2, NULL);

  cr_assert_lt(pose2_distance(before.pose, eskf.pose), 1e-3);
  cr_assert_gt(sqrt(eskf.covariance[0]), 0.019);
}

/* Robots cross the disc on any chord and are told so every 0.1 m; how far off they are by then,
   against what they say. */
Test(eskf_chance, knows_how_sure_it_is_after_crossing_a_disc) {
  double squares = 0, told = 0;
  for (int run = 0; run < 500; run++) {
    double y = 0.2 * range(-1, 1), sigma = range(0.05, 0.5);
    double half = sqrt(0.04 - y * y), x = -half + range(0, 0.1);
    eskf_t eskf;
    pose2_t guess = {x + sigma * normal(), y + sigma * normal(), 0};
    eskf_init(&eskf, guess, sigma, 0.01, &noise);
    for (int step = 0; step < 4 && x < half; step++, x += 0.1) {
      eskf_update_within(&eskf, 0, 0, (pose2_t){0}, 0.2, 0.02, 0, NULL);
      eskf_odometry(&eskf, (pose2_t){0.1, 0, 0}, 0.1, &noise);
    }
    squares += pow(eskf.pose.x - x, 2) + pow(eskf.pose.y - y, 2);
    told += eskf.covariance[0] + eskf.covariance[N + 1];
  }
  cr_assert_lt(squares / told, 1.3, "%.2f times what it says", squares / told);
  cr_assert_gt(squares / told, 0.5, "%.2f times what it says", squares / told);
}

/* --- Covariance ------------------------------------------------------------------------------ */

static bool is_positive(const double *p) {
  double l[N * N] = {0};
  for (int i = 0; i < N; i++)
    for (int j = 0; j <= i; j++) {
      double sum = p[i * N + j];
      if (sum != p[j * N + i]) return false;
      for (int k = 0; k < j; k++)
        sum -= l[i * N + k] * l[j * N + k];
      if (i == j && !(sum > 0)) return false;
      l[i * N + j] = i == j ? sqrt(sum) : sum / l[j * N + j];
    }
  return true;
}

static double tenfold(double low, double high) {
  return pow(10, range(low, high));
}

static void update_at_random(eskf_t *eskf, int kind) {
  pose2_t near = pose2_compose(eskf->pose, (pose2_t){range(-1, 1), range(-1, 1), range(-1, 1)});
  double sigma = tenfold(-4, 1), slope[3] = {range(-1, 1), range(-1, 1), range(-3, 3)};
  double diagonal[9] = {tenfold(-7, 1), 0, 0, 0, tenfold(-7, 1), 0, 0, 0, tenfold(-7, 1)};
  switch (kind) {
  case 0:
    eskf_predict(eskf, range(0, 0.2), &noise);
    break;
  case 1:
    eskf_odometry(eskf, (pose2_t){range(-1, 1), 0, range(-1, 1)}, 0.1, &noise);
    break;
  case 2:
    eskf_accelerate(eskf, range(-2, 2), range(-2, 2), range(0, 0.1), &noise);
    break;
  case 3:
    eskf_update_position(eskf, near.x, near.y, (pose2_t){1, 1, 0}, sigma, 0, NULL);
    break;
  case 4:
    eskf_update_heading(eskf, near.theta, sigma, 0, NULL);
    break;
  case 5:
    eskf_update_pose(eskf, near, diagonal, 0, NULL);
    break;
  case 6:
    eskf_update_match(eskf, near, diagonal, 0, NULL);
    break;
  case 7:
    eskf_update_speed(eskf, range(-1, 1), sigma, 0, NULL);
    eskf_update_turn(eskf, range(-1, 1), sigma, 0, NULL);
    break;
  case 8:
    eskf_update_range(eskf, range(0, 4), range(0, 4), slope, sigma, 0, NULL);
    break;
  case 9:
    eskf_update_line(eskf, near.x, near.y, near.theta, sigma, 0, NULL);
    break;
  case 10:
    eskf_update_still(eskf, range(-1, 1), range(-1, 1));
    break;
  case 11:
    eskf_inflate(eskf, near);
    break;
  default:
    eskf_wander(eskf, range(0, 0.2), &noise);
    break;
  }
}

Test(eskf_chance, keeps_a_symmetric_positive_covariance_through_a_million_updates) {
  eskf_t eskf;
  eskf_init(&eskf, (pose2_t){0}, 1, 1, &noise);
  for (int i = 0; i < 1000000; i++) {
    update_at_random(&eskf, (int)range(0, 13));
    if (i % 100 == 0) cr_assert(is_positive(eskf.covariance), "update %d", i);
    if (i % 5000 == 0)
      eskf_update_within(&eskf, eskf.pose.x + range(-1, 1), eskf.pose.y, (pose2_t){0.3, 0, 0},
                         tenfold(-2, 0), tenfold(-3, -1), 0, NULL);
  }
  cr_assert(isfinite(eskf.pose.x) && isfinite(eskf.v_mps));
}

/* --- Consistency ----------------------------------------------------------------------------- */

typedef struct world {
  pose2_t truth, map_error;
  double v, bias, drift, scale;
} world_t;

static world_t begin(eskf_t *eskf) {
  world_t world = {.bias = 0.2 * normal(), .drift = 0.002 * normal(), .scale = 0.02 * normal()};
  pose2_t guess = {0.1 * normal(), 0.1 * normal(), 0.1 * normal()};
  world.map_error = (pose2_t){noise.map_sigma_m * normal(), noise.map_sigma_m * normal(),
                              noise.map_sigma_rad * normal()};
  eskf_init(eskf, guess, 0.1, 0.1, &noise);
  return world;
}

static double fade(double error, double sigma, double kept) {
  return kept * error + sqrt(1 - kept * kept) * sigma * normal();
}

/* 50 ms of a drive with exactly the noise the filter reckons with. */
static void drive(world_t *world, eskf_t *eskf, int i) {
  const double dt = 0.05, a = 0.4 * sin(0.02 * i);
  world->v += a * dt;
  double way = fabs(world->v * dt), turn = 0.02 * sin(0.01 * i);
  double told = a + world->bias + noise.accel_mps2_rthz / sqrt(dt) * normal();
  double along = sqrt(way * noise.along_m2_per_m), across = sqrt(way * noise.across_m2_per_m);
  double heading = sqrt(way * noise.heading_rad2_per_m + fabs(turn) * noise.heading_rad2_per_rad);
  pose2_t odometry = {world->v * dt, 0, turn}, real = odometry;
  real.x += world->scale * odometry.x + along * normal();
  real.y += across * normal();
  real.theta += heading * normal() - world->drift * dt;
  world->truth = pose2_compose(world->truth, real);
  double kept = exp(-way / noise.map_reach_m);
  world->map_error = (pose2_t){fade(world->map_error.x, noise.map_sigma_m, kept),
                               fade(world->map_error.y, noise.map_sigma_m, kept),
                               fade(world->map_error.theta, noise.map_sigma_rad, kept)};
  world->bias += noise.accel_bias_walk * sqrt(dt) * normal();
  eskf_accelerate(eskf, told, turn / dt * world->v, dt, &noise);
  eskf_update_speed(eskf, world->v + 0.02 * normal(), 0.02, 0, NULL);
  eskf_update_turn(eskf, turn / dt + 0.05 * normal(), 0.05, 0, NULL);
  eskf_odometry(eskf, odometry, dt, &noise);
}

static void look(const world_t *world, eskf_t *eskf, int i) {
  const double white[9] = {1e-4, 0, 0, 0, 1e-4, 0, 0, 0, 1e-6};
  pose2_t truth = world->truth, error = world->map_error;
  if (i % 2 == 0) {
    pose2_t seen = {truth.x + error.x + 0.01 * normal(), truth.y + error.y + 0.01 * normal(),
                    truth.theta + error.theta + 0.001 * normal()};
    eskf_update_match(eskf, seen, white, 0, NULL);
  }
  if (i % 40 == 0)
    eskf_update_position(eskf, truth.x + 0.1 * normal(), truth.y + 0.1 * normal(), (pose2_t){0},
                         0.1, 0, NULL);
}

/* Squared error in units of the covariance. */
static double nees(const eskf_t *eskf, const double *error, int count) {
  double l[5][5] = {{0}}, y[5], sum = 0;
  for (int i = 0; i < count; i++) {
    for (int j = 0; j <= i; j++) {
      double s = eskf->covariance[i * N + j];
      for (int k = 0; k < j; k++)
        s -= l[i][k] * l[j][k];
      l[i][j] = i == j ? sqrt(s) : s / l[j][j];
    }
    y[i] = error[i];
    for (int k = 0; k < i; k++)
      y[i] -= l[i][k] * y[k];
    y[i] /= l[i][i];
    sum += y[i] * y[i];
  }
  return sum;
}

#define RUNS   60
#define STEPS  400
#define CHECKS 10

/* Of 60 runs the sum of NEES at one time is chi squared with 180 degrees of freedom: its 95 %
   bounds are 144.7 and 219.0. Matches that share the map's error come ten times a second. */
Test(eskf_chance, has_a_nees_within_its_bounds_though_scans_share_the_map) {
  double sums[CHECKS] = {0}, all = 0;
  int inside = 0;
  for (int run = 0; run < RUNS; run++) {
    eskf_t eskf;
    world_t world = begin(&eskf);
    for (int i = 1; i <= STEPS; i++) {
      drive(&world, &eskf, i);
      look(&world, &eskf, i);
      if (i % (STEPS / CHECKS) != 0) continue;
      double error[3] = {world.truth.x - eskf.pose.x, world.truth.y - eskf.pose.y,
                         wrap_rad(world.truth.theta - eskf.pose.theta)};
      sums[i / (STEPS / CHECKS) - 1] += nees(&eskf, error, 3);
    }
  }
  for (int i = 0; i < CHECKS; i++) {
    inside += sums[i] > 144.7 && sums[i] < 219.0;
    all += sums[i] / RUNS / CHECKS;
  }
  cr_assert_geq(inside, CHECKS - 1, "%d of %d times within bounds, mean %.2f", inside, CHECKS, all);
  cr_assert_float_eq(all, 3, 0.3, "%.2f", all);
}
