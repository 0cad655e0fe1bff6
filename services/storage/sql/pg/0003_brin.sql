-- Optional: a few pages that tell which blocks hold which time, for what asks by time alone.
CREATE INDEX reading_ts ON reading USING brin (ts) WITH (autosummarize = on);
