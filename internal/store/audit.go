package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"vidimus/internal/domain/audit"
	"vidimus/internal/domain/company"
	"vidimus/internal/store/rows"
)

// AuditKey is what the hashes of the trail are keyed with.
func (db *DB) AuditKey() audit.Key { return db.auditKey }

// Audit adds an entry to its chain; Seq and Hash are filled in here. It belongs in the
// transaction of the deed. Two writers of one chain at once: the database refuses the
// second, which is ErrChanged.
func (db *DB) Audit(ctx context.Context, e audit.Entry) error {
	q := tx(ctx).q
	last, err := q.LastAudit(ctx, e.Chain)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return fmt.Errorf("reading the audit chain: %w", err)
	}
	e.Seq = last.Seq + 1
	n, err := q.InsertAudit(ctx, rows.InsertAuditParams{
		Chain: e.Chain, Seq: e.Seq, CompanyID: string(e.Company), At: micro(e.At), Actor: e.Actor, Act: e.Act, Detail: e.Detail, Hash: e.Sum(db.auditKey, last.Hash),
	})
	switch {
	case duplicate(err):
		return ErrChanged
	case err != nil:
		return fmt.Errorf("writing the audit chain: %w", err)
	case n != 1: // a trigger swallowed it
		return fmt.Errorf("writing the audit chain: %d entries were written instead of one", n)
	}
	return nil
}

// AuditChain returns a chain, the first entry first.
func (db *DB) AuditChain(ctx context.Context, chain string) ([]audit.Entry, error) {
	rs, err := db.read(ctx).Audit(ctx, chain)
	if err != nil {
		return nil, fmt.Errorf("reading the audit chain: %w", err)
	}
	list := make([]audit.Entry, len(rs))
	for n, r := range rs {
		list[n] = audit.Entry{Chain: r.Chain, Seq: r.Seq, Company: company.ID(r.CompanyID), At: at(r.At), Actor: r.Actor, Act: r.Act, Detail: r.Detail, Hash: r.Hash}
	}
	return list, nil
}
