-- Failed logins under names that nobody has, and the refresh token before the one in force.
CREATE TABLE stranger (
  hash TEXT PRIMARY KEY,
  failed INTEGER NOT NULL,
  locked INTEGER,
  seen INTEGER NOT NULL
) STRICT;
CREATE INDEX stranger_seen ON stranger (seen);

ALTER TABLE user_session ADD COLUMN previous TEXT NOT NULL DEFAULT '';
