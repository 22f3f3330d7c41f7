-- A tenant's latest applications, which lists of clients are made of.
CREATE INDEX facts_latest ON facts (tenant, number);
