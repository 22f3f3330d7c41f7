-- Bodies sealed under a key of their application, which lies elsewhere: sealing/. The body is null then, as JSON.
ALTER TABLE payloads ADD COLUMN key INTEGER;
ALTER TABLE payloads ADD COLUMN sealed BLOB CHECK ((sealed IS NULL) = (key IS NULL) AND (sealed IS NULL OR body = 'null'));
-- Under the key of its payload.
ALTER TABLE results ADD COLUMN sealed BLOB CHECK (sealed IS NULL OR body = 'null');

-- Numbers of keys that are to be destroyed: what they sealed was removed in the commit that noted them.
CREATE TABLE spent_keys (key INTEGER NOT NULL PRIMARY KEY) STRICT;

CREATE TRIGGER keys_spent AFTER DELETE ON payloads WHEN old.key IS NOT NULL BEGIN
  INSERT INTO spent_keys (key) VALUES (old.key) ON CONFLICT DO NOTHING; END;

CREATE TRIGGER keys_replaced AFTER UPDATE OF key ON payloads WHEN old.key IS NOT NULL AND old.key IS NOT new.key BEGIN
  INSERT INTO spent_keys (key) VALUES (old.key) ON CONFLICT DO NOTHING; END;
