-- Mails are claimed by themselves: however many wait for a mail server, webhooks are not
-- looked for among them.

-- +goose Up
CREATE INDEX delivery_way_due ON delivery (way, due_at) WHERE state = 'PENDING';
DROP INDEX delivery_due;
