-- Who may use the service. A key is never removed: once there was one, none of its requests goes without.
CREATE TABLE api_keys (
  id TEXT NOT NULL PRIMARY KEY CHECK (length(id) BETWEEN 4 AND 16),
  -- SHA-256 of the secret, which is 256 random bits and stands nowhere: 64 hexadecimal digits.
  secret_hash TEXT NOT NULL CHECK (length(secret_hash) = 64),
  name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
  role TEXT NOT NULL CHECK (role IN ('submit', 'read', 'operate', 'admin')),
  -- Whose everything is that comes with the key: it stands behind the @ of stored ids; the empty one's have none.
  tenant TEXT NOT NULL DEFAULT '' CHECK (length(tenant) <= 23 AND tenant NOT GLOB '*[^a-z0-9-]*'),
  -- Requests a second; null: what the configuration says.
  per_second INTEGER CHECK (per_second >= 1),
  created_at_ms INTEGER NOT NULL,
  expires_at_ms INTEGER,
  revoked_at_ms INTEGER,
  -- To the hour.
  last_used_at_ms INTEGER
) STRICT, WITHOUT ROWID;

-- Token buckets that processes share: when each would be full, in microseconds since the epoch, and what the last one who asked was given.
CREATE TABLE token_buckets (
  id TEXT NOT NULL PRIMARY KEY,
  full_at_us INTEGER NOT NULL,
  granted INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Who has signed in at the console, by the hash of what the browser shows; that changes while it is used, and the one before is good
-- for a moment longer.
CREATE TABLE console_sessions (
  token_hash TEXT NOT NULL PRIMARY KEY CHECK (length(token_hash) = 64),
  previous_hash TEXT UNIQUE,
  previous_until_ms INTEGER NOT NULL DEFAULT 0,
  key_id TEXT NOT NULL,
  -- Must come with whatever changes something: no other site can read it.
  csrf_token TEXT NOT NULL,
  created_at_ms INTEGER NOT NULL,
  token_at_ms INTEGER NOT NULL,
  seen_at_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- An address is told what ends of its tenant alone.
ALTER TABLE webhook_endpoints ADD COLUMN tenant TEXT NOT NULL DEFAULT '';

DROP TRIGGER batches_told;
CREATE TRIGGER batches_told AFTER UPDATE OF finished_at_ms ON batches
WHEN new.finished_at_ms IS NOT NULL AND old.finished_at_ms IS NULL BEGIN
  INSERT INTO webhook_deliveries (event_id, endpoint_id, type, subject, occurred_at_ms, run_at_ms)
  SELECT 'evt_' || new.id || '_' || new.finished_at_ms, id, 'batch.finished', new.id, new.finished_at_ms, new.finished_at_ms
  FROM webhook_endpoints WHERE tenant = iif(instr(new.id, '@') = 0, '', substr(new.id, instr(new.id, '@') + 1))
  ON CONFLICT DO NOTHING; END;

DROP TRIGGER applications_told;
CREATE TRIGGER applications_told AFTER UPDATE OF state ON tasks
WHEN new.id GLOB 'app_*' AND old.state IN ('queued', 'leased') AND new.state IN ('done', 'dead') BEGIN
  INSERT INTO webhook_deliveries (event_id, endpoint_id, type, subject, occurred_at_ms, run_at_ms)
  SELECT 'evt_' || new.id || '_' || new.fence, id,
    iif(new.state = 'done', 'application.decided', 'application.failed'), new.id, new.finished_at_ms, new.finished_at_ms
  FROM webhook_endpoints WHERE tenant = new.tenant ON CONFLICT DO NOTHING; END;
