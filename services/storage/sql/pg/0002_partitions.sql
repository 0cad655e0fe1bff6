-- Optional: readings by day, so that a day is dropped in milliseconds (db/days.h). A server without partitions
-- keeps the plain table and deletes row by row. What lies outside of the days that were made stays in
-- reading_other.
ALTER TABLE reading RENAME TO reading_other;
CREATE TABLE reading (LIKE reading_other INCLUDING INDEXES) PARTITION BY RANGE (ts);
ALTER TABLE reading ATTACH PARTITION reading_other DEFAULT;
