-- A report on a person asks who was told of each application: without this it reads all that could not be told.
CREATE INDEX webhook_deliveries_subject ON webhook_deliveries (subject);
