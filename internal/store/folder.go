package store

import (
	"context"
	"fmt"

	"vidimus/internal/domain/company"
	"vidimus/internal/domain/ident"
	"vidimus/internal/domain/result"
	"vidimus/internal/store/rows"
)

// Folder returns up to most results of a list of the company, oldest creation of their
// identifications first, the Ident-ID as tie-break. Of the identifications only ID, Company,
// Number, State, KeyID, CreatedAt and ResultSeq are filled in, of the results Seq, JSON, Archive and
// CreatedAt.
func (db *DB) Folder(ctx context.Context, c company.ID, l ident.List, most int) ([]result.Filed, error) {
	rs, err := db.read(ctx).Folder(ctx, string(c), string(l), int32(min(most, 1<<20))) //nolint:gosec // bounded
	if err != nil {
		return nil, fmt.Errorf("listing results: %w", err)
	}
	list := make([]result.Filed, len(rs))
	for n, r := range rs {
		list[n] = filed(c, r)
	}
	return list, nil
}

// FolderPreliminary is Folder for the identifications whose result waits for its review.
func (db *DB) FolderPreliminary(ctx context.Context, c company.ID, most int) ([]result.Filed, error) {
	rs, err := db.read(ctx).FolderPreliminary(ctx, string(c), int32(min(most, 1<<20))) //nolint:gosec // bounded
	if err != nil {
		return nil, fmt.Errorf("listing preliminary results: %w", err)
	}
	list := make([]result.Filed, len(rs))
	for n, r := range rs {
		list[n] = filed(c, rows.FolderRow(r))
	}
	return list, nil
}

func filed(c company.ID, r rows.FolderRow) result.Filed {
	return result.Filed{
		Identification: ident.Identification{ID: ident.ID(r.ID), Company: c, Number: ident.TransactionNumber(r.Number), State: ident.State(r.State), KeyID: r.KeyID, CreatedAt: at(r.CreatedAt), ResultSeq: r.Seq},
		Result:         result.Stored{Identification: ident.ID(r.ID), Seq: r.Seq, JSON: r.Json, Archive: r.Archive, CreatedAt: at(r.MadeAt)},
	}
}
