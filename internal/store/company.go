package store

import (
	"context"
	"fmt"

	"vidimus/internal/domain/company"
	"vidimus/internal/service/account"
	"vidimus/internal/store/rows"
)

// Companies returns every company, ordered by ID.
func (db *DB) Companies(ctx context.Context) ([]account.Record, error) {
	rs, err := db.read(ctx).Companies(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading the companies: %w", err)
	}
	list := make([]account.Record, len(rs))
	for n, r := range rs {
		list[n] = companyRecord(r)
	}
	return list, nil
}

// Company returns one company, or fault.NotFound.
func (db *DB) Company(ctx context.Context, id company.ID) (account.Record, error) {
	r, err := db.read(ctx).Company(ctx, string(id))
	return companyRecord(r), found(err, "a company")
}

// CompanySettings returns the settings a company had in a revision, or fault.NotFound.
func (db *DB) CompanySettings(ctx context.Context, id company.ID, revision int64) ([]byte, error) {
	s, err := db.read(ctx).CompanyRevision(ctx, string(id), revision)
	return []byte(s), found(err, "a company's settings")
}

// LastRevision returns the highest revision that a company of this ID has a record of.
func (db *DB) LastRevision(ctx context.Context, id company.ID) (int64, error) {
	n, err := db.read(ctx).LastCompanyRevision(ctx, string(id))
	if err != nil {
		return 0, fmt.Errorf("reading a company's revision: %w", err)
	}
	return n, nil
}

// PutCompany inserts a company, or replaces the one whose revision is one less; ErrChanged
// when another writer was first.
func (db *DB) PutCompany(ctx context.Context, r account.Record, isNew bool) error {
	q := tx(ctx).q
	var n int64
	var err error
	if isNew {
		n, err = q.InsertCompany(ctx, rows.InsertCompanyParams{
			ID: string(r.ID), Revision: r.Revision, Shortcode: string(r.Shortcode), Settings: string(r.Settings), KeyHashes: string(r.KeyHashes),
			Secrets: r.Secrets, CreatedAt: micro(r.CreatedAt), ChangedAt: micro(r.ChangedAt),
		})
	} else {
		n, err = q.UpdateCompany(ctx, rows.UpdateCompanyParams{
			Shortcode: string(r.Shortcode), Settings: string(r.Settings), KeyHashes: string(r.KeyHashes), Secrets: r.Secrets,
			ChangedAt: micro(r.ChangedAt), ID: string(r.ID), Revision: r.Revision - 1,
		})
	}
	if err := one(n, err, "storing a company"); err != nil {
		return err
	}
	if err := q.InsertCompanyRevision(ctx, string(r.ID), r.Revision, string(r.Settings)); err != nil {
		return fmt.Errorf("storing a company's settings: %w", err)
	}
	return bump(ctx, q)
}

// ShortcodeTaken says whether another company has the shortcode.
func (db *DB) ShortcodeTaken(ctx context.Context, s company.Shortcode, by company.ID) (bool, error) {
	n, err := db.read(ctx).ShortcodeTaken(ctx, string(s), string(by))
	if err != nil {
		return false, fmt.Errorf("looking for a shortcode: %w", err)
	}
	return n > 0, nil
}

// RemoveCompany removes a company, its settings and its tokens; false when there is none.
func (db *DB) RemoveCompany(ctx context.Context, id company.ID) (bool, error) {
	q := tx(ctx).q
	n, err := q.DeleteCompany(ctx, string(id))
	if err != nil || n == 0 {
		return false, err
	}
	// The numbers stay: a company that is created anew goes on counting.
	if err := q.BlankCompanyRevisions(ctx, string(id)); err != nil {
		return false, fmt.Errorf("removing a company's settings: %w", err)
	}
	if err := q.DeleteTokens(ctx, string(id)); err != nil {
		return false, fmt.Errorf("ending a company's tokens: %w", err)
	}
	return true, bump(ctx, q)
}

// Changes returns a number that grows with every change of any company.
func (db *DB) Changes(ctx context.Context) (int64, error) {
	n, err := db.read(ctx).CompanyChange(ctx)
	if err != nil {
		return 0, fmt.Errorf("looking for changed companies: %w", err)
	}
	return n, nil
}

func bump(ctx context.Context, q *rows.Queries) error {
	if err := q.BumpCompanyChange(ctx); err != nil {
		return fmt.Errorf("announcing a changed company: %w", err)
	}
	return nil
}

func companyRecord(r rows.Company) account.Record {
	return account.Record{
		ID: company.ID(r.ID), Revision: r.Revision, Shortcode: company.Shortcode(r.Shortcode), Settings: []byte(r.Settings), KeyHashes: []byte(r.KeyHashes),
		Secrets: r.Secrets, CreatedAt: at(r.CreatedAt), ChangedAt: at(r.ChangedAt),
	}
}
