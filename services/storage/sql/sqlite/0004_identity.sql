-- Logins: sessions with their refresh tokens, what was taken back, tokens of machines, passwords that may not come
-- again. `changed` numbers the changes that gateways follow (identity_number counts them).
ALTER TABLE users ADD COLUMN changed INTEGER NOT NULL DEFAULT 0;
ALTER TABLE users ADD COLUMN password_changed INTEGER;
UPDATE users SET changed = id;

CREATE TABLE identity_number (
  id INTEGER PRIMARY KEY,
  number INTEGER NOT NULL
) STRICT;
INSERT INTO identity_number (id, number) SELECT 1, coalesce(max(id), 0) FROM users;

CREATE TABLE user_gone (
  id INTEGER PRIMARY KEY,
  username TEXT NOT NULL,
  deleted INTEGER NOT NULL,
  changed INTEGER NOT NULL
) STRICT;

CREATE TABLE user_session (
  id INTEGER PRIMARY KEY,
  user_id INTEGER NOT NULL,
  refresh TEXT NOT NULL,
  issued INTEGER NOT NULL,
  expires INTEGER NOT NULL,
  last_used INTEGER NOT NULL,
  address TEXT NOT NULL,
  agent TEXT NOT NULL,
  revoked INTEGER,
  reason TEXT NOT NULL,
  changed INTEGER NOT NULL
) STRICT;
CREATE INDEX user_session_user ON user_session (user_id);
CREATE INDEX user_session_changed ON user_session (changed);

CREATE TABLE service_token (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  role TEXT NOT NULL,
  hash TEXT NOT NULL,
  active INTEGER NOT NULL,
  created INTEGER NOT NULL,
  created_by TEXT NOT NULL,
  expires INTEGER,
  last_used INTEGER,
  changed INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX service_token_name ON service_token (name) WHERE active = 1;

CREATE TABLE password_history (
  id INTEGER PRIMARY KEY,
  user_id INTEGER NOT NULL,
  hash TEXT NOT NULL,
  set_at INTEGER NOT NULL
) STRICT;
CREATE INDEX password_history_user ON password_history (user_id, id);

CREATE TABLE password_reset (
  user_id INTEGER PRIMARY KEY,
  hash TEXT NOT NULL,
  expires INTEGER NOT NULL,
  created_by TEXT NOT NULL
) STRICT;
