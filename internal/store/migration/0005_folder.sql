-- What SFTP lists beside the finished ones, without reading all that is pending.

-- +goose Up
CREATE INDEX identification_preliminary ON identification (company_id, created_at, id)
 WHERE state IN ('REVIEW_PENDING', 'FRAUD_SUSPICION_PENDING');
