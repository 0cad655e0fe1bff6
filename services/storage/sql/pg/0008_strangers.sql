-- Failed logins under names that nobody has, and the refresh token before the one in force.
CREATE TABLE stranger (
  hash TEXT PRIMARY KEY,
  failed BIGINT NOT NULL,
  locked BIGINT,
  seen BIGINT NOT NULL
);
CREATE INDEX stranger_seen ON stranger (seen);

ALTER TABLE user_session ADD COLUMN previous TEXT NOT NULL DEFAULT '';
