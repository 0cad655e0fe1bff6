/* Certificate and key for GnuTLS, chosen anew at every handshake, so that a new certificate needs
   no new listener and costs nobody his connection. */
#include "http_internal.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { CHAIN_MAX = 8, KEY_ID_MAX = 64, RETIRED_S = 60 /* beyond the longest handshake */ };

/* What one reading of the two files gave. */
typedef struct pair {
  gnutls_pcert_st chain[CHAIN_MAX];
  unsigned chain_len;
  gnutls_privkey_t key;
} pair_t;

typedef struct file_state {
  struct timespec changed;
  ino_t inode;
  off_t size;
} file_state_t;

struct http_tls {
  const char *cert, *key; /* names of the files */
  file_state_t states[2];
  pair_t *now;
  pair_t *retired; /* handshakes that have begun may hold it */
  uint32_t since;  /* seconds that it is retired */
};

static void pair_free(pair_t *pair) {
  if (!pair) return;
  for (unsigned i = 0; i < pair->chain_len; i++)
    gnutls_pcert_deinit(&pair->chain[i]);
  if (pair->key) gnutls_privkey_deinit(pair->key);
  free(pair);
}

static bool load_chain(const char *path, pair_t *out) {
  gnutls_datum_t text = {0};
  unsigned count = CHAIN_MAX;

  if (gnutls_load_file(path, &text) != 0) return false;
  int err = gnutls_pcert_list_import_x509_raw(out->chain, &count, &text, GNUTLS_X509_FMT_PEM, 0);
  gnutls_free(text.data);
  out->chain_len = err == 0 ? count : 0;
  return out->chain_len > 0;
}

static bool load_key(const char *path, pair_t *out) {
  gnutls_datum_t text = {0};

  if (gnutls_privkey_init(&out->key) != 0 || gnutls_load_file(path, &text) != 0) return false;
  int err = gnutls_privkey_import_x509_raw(out->key, &text, GNUTLS_X509_FMT_PEM, NULL, 0);
  gnutls_memset(text.data, 0, text.size);
  gnutls_free(text.data);
  return err == 0;
}

/* The certificate is that of the key. */
static bool belong_together(const pair_t *pair) {
  unsigned char ids[2][KEY_ID_MAX];
  size_t lens[2] = {KEY_ID_MAX, KEY_ID_MAX};
  gnutls_pubkey_t public;

  if (gnutls_pubkey_init(&public) != 0) return false;
  bool same = gnutls_pubkey_import_privkey(public, pair->key, 0, 0) == 0 &&
              gnutls_pubkey_get_key_id(public, 0, ids[0], &lens[0]) == 0 &&
              gnutls_pubkey_get_key_id(pair->chain[0].pubkey, 0, ids[1], &lens[1]) == 0 &&
              lens[0] == lens[1] && !memcmp(ids[0], ids[1], lens[0]);
  gnutls_pubkey_deinit(public);
  return same;
}

/* Sets *option to the one at fault and returns NULL, when the files are not as they have to be. */
static pair_t *load(const http_tls_t *tls, const char **option) {
  pair_t *pair = calloc(1, sizeof *pair);

  *option = "tls_cert";
  if (pair && load_chain(tls->cert, pair)) {
    *option = "tls_key";
    if (load_key(tls->key, pair) && belong_together(pair)) return pair;
  }
  pair_free(pair);
  return NULL;
}

/* Whether one of the files is another than it was. */
static bool have_changed(http_tls_t *tls) {
  const char *names[2] = {tls->cert, tls->key};
  bool changed = false;

  for (int i = 0; i < 2; i++) {
    struct stat status;
    file_state_t state = {0};
    if (stat(names[i], &status) == 0) {
      state.changed = status.st_mtim;
      state.inode = status.st_ino;
      state.size = status.st_size;
    }
    const file_state_t *old = &tls->states[i];
    changed = changed || state.inode != old->inode || state.size != old->size ||
              state.changed.tv_sec != old->changed.tv_sec ||
              state.changed.tv_nsec != old->changed.tv_nsec;
    tls->states[i] = state;
  }
  return changed;
}

gantry_err_t http_tls_open(http_t *http, const config_t *config, gantry_fault_t *fault) {
  const char *option, *cert = config_text(config, "tls_cert"),
                      *key = config_text(config, "tls_key");

  if (!cert[0] && !key[0]) return GANTRY_OK;
  if (!cert[0] || !key[0])
    return fault_set(fault, GANTRY_E_INVALID, cert[0] ? "tls_key" : "tls_cert",
                     "a certificate and its key are both needed");
  http->tls = calloc(1, sizeof *http->tls);
  if (!http->tls) return GANTRY_E_INTERNAL;
  http->tls->cert = cert;
  http->tls->key = key;
  (void)have_changed(http->tls);
  http->tls->now = load(http->tls, &option);
  if (http->tls->now) return GANTRY_OK;
  return fault_set(fault, GANTRY_E_INVALID, option,
                   "%s cannot be read, is no PEM file, or does not belong to the other",
                   !strcmp(option, "tls_cert") ? cert : key);
}

void http_tls_close(http_t *http) {
  if (!http->tls) return;
  pair_free(http->tls->now);
  pair_free(http->tls->retired);
  free(http->tls);
  http->tls = NULL;
}

void http_tls_tick(http_t *http) {
  http_tls_t *tls = http->tls;
  const char *option;

  if (!tls) return;
  if (tls->retired) {
    if (++tls->since < RETIRED_S + http->head_s) return;
    pair_free(tls->retired);
    tls->retired = NULL;
  }
  if (!have_changed(tls)) return;
  pair_t *pair = load(tls, &option);
  if (!pair) {
    log_warn("TLS-KEPT", "%s has changed and cannot be used; the certificate of before stays",
             option);
    return;
  }
  tls->retired = tls->now;
  tls->since = 0;
  tls->now = pair;
  log_info("TLS-RELOADED", "%s is in use", tls->cert);
}

int http_tls_choose(gnutls_session_t session, const gnutls_datum_t *authorities, int count,
                    const gnutls_pk_algorithm_t *algorithms, int algorithm_count,
                    gnutls_pcert_st **chain, unsigned *chain_len, gnutls_privkey_t *key) {
  struct MHD_Connection *mhd = gnutls_session_get_ptr(session);
  const http_conn_t *conn =
      MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;

  (void)authorities, (void)count, (void)algorithms, (void)algorithm_count;
  if (!conn) return -1;
  pair_t *pair = conn->door->gateway->http->tls->now;
  *chain = pair->chain;
  *chain_len = pair->chain_len;
  *key = pair->key;
  return 0;
}
