-- Logins: sessions with their refresh tokens, what was taken back, tokens of machines, passwords that may not come
-- again. `changed` numbers the changes that gateways follow (identity_number counts them).
ALTER TABLE users ADD COLUMN changed BIGINT NOT NULL DEFAULT 0;
ALTER TABLE users ADD COLUMN password_changed BIGINT;
UPDATE users SET changed = id;

CREATE TABLE identity_number (
  id BIGINT PRIMARY KEY,
  number BIGINT NOT NULL
);
INSERT INTO identity_number (id, number) SELECT 1, coalesce(max(id), 0) FROM users;

CREATE TABLE user_gone (
  id BIGINT PRIMARY KEY,
  username TEXT NOT NULL,
  deleted BIGINT NOT NULL,
  changed BIGINT NOT NULL
);

CREATE TABLE user_session (
  id BIGINT PRIMARY KEY,
  user_id BIGINT NOT NULL,
  refresh TEXT NOT NULL,
  issued BIGINT NOT NULL,
  expires BIGINT NOT NULL,
  last_used BIGINT NOT NULL,
  address TEXT NOT NULL,
  agent TEXT NOT NULL,
  revoked BIGINT,
  reason TEXT NOT NULL,
  changed BIGINT NOT NULL
);
CREATE INDEX user_session_user ON user_session (user_id);
CREATE INDEX user_session_changed ON user_session (changed);

CREATE TABLE service_token (
  id BIGINT PRIMARY KEY,
  name TEXT NOT NULL,
  role TEXT NOT NULL,
  hash TEXT NOT NULL,
  active BIGINT NOT NULL,
  created BIGINT NOT NULL,
  created_by TEXT NOT NULL,
  expires BIGINT,
  last_used BIGINT,
  changed BIGINT NOT NULL
);
CREATE UNIQUE INDEX service_token_name ON service_token (name) WHERE active = 1;

CREATE TABLE password_history (
  id BIGINT PRIMARY KEY,
  user_id BIGINT NOT NULL,
  hash TEXT NOT NULL,
  set_at BIGINT NOT NULL
);
CREATE INDEX password_history_user ON password_history (user_id, id);

CREATE TABLE password_reset (
  user_id BIGINT PRIMARY KEY,
  hash TEXT NOT NULL,
  expires BIGINT NOT NULL,
  created_by TEXT NOT NULL
);
