package store

import (
	"context"
	"fmt"
	"time"

	"vidimus/internal/domain/company"
	"vidimus/internal/domain/ident"
	"vidimus/internal/domain/job"
	"vidimus/internal/store/rows"
)

// AddJobOnce stores a job under the ID that it has, unless there is one of that ID: then it
// says false.
func (db *DB) AddJobOnce(ctx context.Context, j job.Job) (bool, error) {
	n, err := tx(ctx).q.InsertJobOnce(ctx, rows.InsertJobOnceParams{
		ID: j.ID, Kind: string(j.Kind), Lane: j.Lane, CompanyID: string(j.Company), IdentificationID: string(j.Identification),
		Payload: j.Payload, CreatedAt: micro(j.CreatedAt), DueAt: micro(j.DueAt),
	})
	if err != nil {
		return false, fmt.Errorf("storing a job: %w", err)
	}
	return n == 1, nil
}

// DueIdentifications returns up to most identifications of a company's list that are kept
// from then on or from before, the oldest first; none with an attempt under way.
func (db *DB) DueIdentifications(ctx context.Context, c company.ID, l ident.List, until time.Time, most int) ([]ident.ID, error) {
	var list []string
	var err error
	limit := int32(min(most, 1<<20)) //nolint:gosec // bounded
	if l == ident.ListPending {
		list, err = db.read(ctx).DuePending(ctx, string(c), micro(until), limit)
	} else {
		list, err = db.read(ctx).DueOthers(ctx, rows.DueOthersParams{CompanyID: string(c), List: string(l), Until: micro(until), Most: limit})
	}
	if err != nil {
		return nil, fmt.Errorf("looking for what is due: %w", err)
	}
	ids := make([]ident.ID, len(list))
	for n, id := range list {
		ids[n] = ident.ID(id)
	}
	return ids, nil
}

// CountDue returns how many identifications of a company's list are kept from then on or
// from before; none with an attempt under way.
func (db *DB) CountDue(ctx context.Context, c company.ID, l ident.List, until time.Time) (int64, error) {
	var n int64
	var err error
	if l == ident.ListPending {
		n, err = db.read(ctx).CountDuePending(ctx, string(c), micro(until))
	} else {
		n, err = db.read(ctx).CountDueOthers(ctx, string(c), string(l), micro(until))
	}
	if err != nil {
		return 0, fmt.Errorf("counting what is due: %w", err)
	}
	return n, nil
}

// KeysInUse returns up to most identifications after that one, by Ident-ID, with only ID,
// Company and KeyID filled in. Canceled ones, whose keys go before they do, are left out.
func (db *DB) KeysInUse(ctx context.Context, after ident.ID, most int) ([]ident.Identification, error) {
	rs, err := db.read(ctx).KeysInUse(ctx, string(after), int32(min(most, 1<<20))) //nolint:gosec // bounded
	if err != nil {
		return nil, fmt.Errorf("listing keys in use: %w", err)
	}
	list := make([]ident.Identification, len(rs))
	for n, r := range rs {
		list[n] = ident.Identification{ID: ident.ID(r.ID), Company: company.ID(r.CompanyID), KeyID: r.KeyID}
	}
	return list, nil
}

// DeletedSince returns what was deleted from since on and before until: how many by whom.
func (db *DB) DeletedSince(ctx context.Context, since, until time.Time) ([]ident.Deletions, error) {
	rs, err := db.read(ctx).DeletedSince(ctx, micro(since), micro(until))
	if err != nil {
		return nil, fmt.Errorf("reading tombstones: %w", err)
	}
	list := make([]ident.Deletions, len(rs))
	for n, r := range rs {
		list[n] = ident.Deletions{Company: company.ID(r.CompanyID), By: r.DeletedBy, Number: r.Number - r.Erasing, First: at(r.First), Last: at(r.Last), Erasing: r.Erasing, ErasingSince: at(r.ErasingSince)}
	}
	return list, nil
}

// Tombstones returns up to most of a company's, from since on and before until, the first
// deletion first.
func (db *DB) Tombstones(ctx context.Context, c company.ID, since, until time.Time, most int) ([]ident.Tombstone, error) {
	rs, err := db.read(ctx).Tombstones(ctx, rows.TombstonesParams{CompanyID: string(c), Since: micro(since), Until: micro(until), Most: int32(min(most, 1<<20))}) //nolint:gosec // bounded
	if err != nil {
		return nil, fmt.Errorf("reading tombstones: %w", err)
	}
	list := make([]ident.Tombstone, len(rs))
	for n, r := range rs {
		list[n] = ident.Tombstone{ID: ident.ID(r.ID), CreatedAt: at(r.CreatedAt), DeletedAt: at(r.DeletedAt), ErasedAt: at(r.ErasedAt), By: r.DeletedBy}
	}
	return list, nil
}

// DueAttempts returns up to most aborted attempts of a company that ended until then and
// still have their evidence, the oldest first: ID and Number.
func (db *DB) DueAttempts(ctx context.Context, c company.ID, until time.Time, most int) ([]ident.Attempt, error) {
	rs, err := db.read(ctx).DueAttempts(ctx, string(c), micro(until), int32(min(most, 1<<20))) //nolint:gosec // bounded
	if err != nil {
		return nil, fmt.Errorf("looking for aborted attempts: %w", err)
	}
	list := make([]ident.Attempt, len(rs))
	for n, r := range rs {
		list[n] = ident.Attempt{Identification: ident.ID(r.IdentificationID), Company: c, Number: int(r.Number)}
	}
	return list, nil
}

// CountDueAttempts counts what DueAttempts finds.
func (db *DB) CountDueAttempts(ctx context.Context, c company.ID, until time.Time) (int64, error) {
	n, err := db.read(ctx).CountDueAttempts(ctx, string(c), micro(until))
	if err != nil {
		return 0, fmt.Errorf("counting aborted attempts: %w", err)
	}
	return n, nil
}

// EraseAttempt removes evidence and decisions of an aborted attempt, and notes when; false:
// that was done before, or there is no such attempt.
func (db *DB) EraseAttempt(ctx context.Context, id ident.ID, number int, now time.Time) (bool, error) {
	q := tx(ctx).q
	n, err := q.EraseAttempt(ctx, micro(now), string(id), int64(number))
	if err != nil {
		return false, fmt.Errorf("erasing an attempt: %w", err)
	}
	if n == 0 {
		return false, nil
	}
	if err := q.DeleteEvidenceOf(ctx, string(id), int64(number)); err != nil {
		return false, fmt.Errorf("erasing evidence: %w", err)
	}
	if err := q.DeleteDecisionsOf(ctx, string(id), int64(number)); err != nil {
		return false, fmt.Errorf("erasing decisions: %w", err)
	}
	return true, nil
}
