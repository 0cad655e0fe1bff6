-- Zones, rails and marks of each version of a map: a packed map.shapes, NULL where there are none.
ALTER TABLE map_version ADD COLUMN shapes BLOB;
