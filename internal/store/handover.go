package store

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"vidimus/internal/domain/company"
	"vidimus/internal/domain/delivery"
	"vidimus/internal/domain/fault"
	"vidimus/internal/domain/ident"
	"vidimus/internal/store/rows"
)

// BeginHandOver stores, durably, that a hand-over is about to begin, in a transaction of its
// own. fault.NotFound when the company is gone.
func (db *DB) BeginHandOver(ctx context.Context, h delivery.HandOver) error {
	if db.group == nil {
		return beginHandOver(ctx, db.reads, h) // one round trip
	}
	return db.InTx(ctx, func(ctx context.Context) error { return beginHandOver(ctx, tx(ctx).q, h) })
}

func beginHandOver(ctx context.Context, q *rows.Queries, h delivery.HandOver) error {
	n, err := q.InsertHandOver(ctx, rows.InsertHandOverParams{
		ID: h.ID, CompanyID: string(h.Company), IdentificationID: string(h.Identification), Way: string(h.Way), Client: h.Client, Hash: bytesOf(h.Hash), At: micro(h.At),
	})
	switch {
	case err != nil:
		return fmt.Errorf("beginning a hand-over: %w", err)
	case n == 0:
		return fault.Of(fault.NotFound)
	default:
		return nil
	}
}

// bytesOf makes no bytes of nil, which would be NULL.
func bytesOf(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}

// EndHandOvers writes how hand-overs ended, all or none: State, Hash, Bytes, Entries,
// DoneAt. One that has ended already, or is gone, is left as it is.
func (db *DB) EndHandOvers(ctx context.Context, all []delivery.HandOver) error {
	if db.group != nil {
		return db.InTx(ctx, func(ctx context.Context) error { return endHandOvers(ctx, tx(ctx).q, all) })
	}
	var p pipeline
	if err := endHandOvers(ctx, rows.New(&p), all); err != nil {
		return err
	}
	if _, err := p.run(ctx, db.pool); err != nil {
		return fmt.Errorf("ending hand-overs: %w", err)
	}
	return nil
}

func endHandOvers(ctx context.Context, q *rows.Queries, all []delivery.HandOver) error {
	for _, h := range all {
		err := q.EndHandOver(ctx, rows.EndHandOverParams{
			State: string(h.State), Hash: bytesOf(h.Hash), Bytes: h.Bytes, Entries: int64(h.Entries), DoneAt: micro(h.DoneAt), ID: h.ID,
		})
		if err != nil {
			return fmt.Errorf("ending a hand-over: %w", err)
		}
	}
	return nil
}

// HandOvers returns a company's, copies included, the newest first, from after the given place on; the zero
// time is the beginning.
func (db *DB) HandOvers(ctx context.Context, c company.ID, before time.Time, beforeID string, most int) ([]delivery.HandOver, error) {
	p := rows.HandOversParams{CompanyID: string(c), BeforeAt: micro(before), BeforeID: beforeID, Most: int32(min(most, 10_000))} //nolint:gosec // bounded
	if before.IsZero() {
		p.BeforeAt = 1<<63 - 1
	}
	rs, err := db.read(ctx).HandOvers(ctx, p)
	if err != nil {
		return nil, fmt.Errorf("listing hand-overs: %w", err)
	}
	cs, err := db.read(ctx).Copied(ctx, rows.CopiedParams(p))
	if err != nil {
		return nil, fmt.Errorf("listing copies: %w", err)
	}
	all := append(handOvers(rs), copies(cs)...)
	slices.SortFunc(all, func(a, b delivery.HandOver) int { return inOrder(b, a) })
	return all[:min(len(all), int(p.Most))], nil
}

// HandOversOf returns those of one identification, the first one first, from after the given
// place on.
func (db *DB) HandOversOf(ctx context.Context, c company.ID, id ident.ID, after time.Time, afterID string, most int) ([]delivery.HandOver, error) {
	p := rows.HandOversOfParams{
		IdentificationID: string(id), CompanyID: string(c), AfterAt: micro(after), AfterID: afterID, Most: int32(min(most, 10_000)), //nolint:gosec // bounded
	}
	rs, err := db.read(ctx).HandOversOf(ctx, p)
	if err != nil {
		return nil, fmt.Errorf("listing hand-overs: %w", err)
	}
	cs, err := db.read(ctx).CopiedOf(ctx, rows.CopiedOfParams(p))
	if err != nil {
		return nil, fmt.Errorf("listing copies: %w", err)
	}
	all := append(handOvers(rs), copies(cs)...)
	slices.SortFunc(all, inOrder)
	return all[:min(len(all), int(p.Most))], nil
}

// AddCopy stores that an identification was copied to another company, which Client names:
// ID, Company, Identification, Client, Hash, At.
func (db *DB) AddCopy(ctx context.Context, h delivery.HandOver) error {
	err := tx(ctx).q.InsertCopied(ctx, rows.InsertCopiedParams{
		ID: h.ID, CompanyID: string(h.Company), IdentificationID: string(h.Identification), Target: h.Client, Hash: bytesOf(h.Hash), At: micro(h.At),
	})
	if err != nil {
		return fmt.Errorf("storing a copy: %w", err)
	}
	return nil
}

func copies(rs []rows.Copied) []delivery.HandOver {
	list := make([]delivery.HandOver, len(rs))
	for n, r := range rs {
		list[n] = delivery.HandOver{
			ID: r.ID, Company: company.ID(r.CompanyID), Identification: ident.ID(r.IdentificationID), Way: delivery.Copy, Client: r.Target,
			Hash: r.Hash, State: delivery.Done, At: at(r.At), DoneAt: at(r.At),
		}
	}
	return list
}

func inOrder(a, b delivery.HandOver) int {
	if c := a.At.Compare(b.At); c != 0 {
		return c
	}
	return strings.Compare(a.ID, b.ID)
}

func handOvers(rs []rows.Handover) []delivery.HandOver {
	list := make([]delivery.HandOver, len(rs))
	for n, r := range rs {
		list[n] = delivery.HandOver{
			ID: r.ID, Company: company.ID(r.CompanyID), Identification: ident.ID(r.IdentificationID), Way: delivery.Way(r.Way), Client: r.Client,
			Hash: r.Hash, Bytes: r.Bytes, Entries: int(r.Entries), State: delivery.Progress(r.State), At: at(r.At), DoneAt: at(r.DoneAt),
		}
	}
	return list
}

// BuriedByNumber returns the Ident-ID of the company's deleted identification with that
// number, the last one deleted; fault.NotFound.
func (db *DB) BuriedByNumber(ctx context.Context, c company.ID, n ident.TransactionNumber) (ident.ID, error) {
	id, err := db.read(ctx).TombstoneByNumber(ctx, string(c), n.Fold())
	return ident.ID(id), found(err, "a tombstone")
}

// Buried says whether the company had an identification with that Ident-ID that was deleted:
// fault.NotFound if not.
func (db *DB) Buried(ctx context.Context, c company.ID, id ident.ID) error {
	_, err := db.read(ctx).TombstoneByID(ctx, string(c), string(id))
	return found(err, "a tombstone")
}
