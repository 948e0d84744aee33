package store

import (
	"context"
	"fmt"

	"vidimus/internal/domain/audit"
	"vidimus/internal/store/rows"
)

// Unsealed says whether an entry of the audit trail waits for a checkpoint.
func (db *DB) Unsealed(ctx context.Context) (bool, error) {
	one, err := db.read(ctx).OneUnsealed(ctx)
	if err != nil {
		return false, fmt.Errorf("looking for unsealed audit entries: %w", err)
	}
	return len(one) > 0, nil
}

// SealAudit gives up to most entries that no checkpoint has sealed the number of one, and
// returns them in no order.
func (db *DB) SealAudit(ctx context.Context, number int64, most int) ([]audit.Link, error) {
	rs, err := tx(ctx).q.SealAudit(ctx, number, int32(min(most, 1<<20))) //nolint:gosec // bounded
	if err != nil {
		return nil, fmt.Errorf("sealing audit entries: %w", err)
	}
	list := make([]audit.Link, len(rs))
	for n, r := range rs {
		list[n] = audit.Link{Chain: r.Chain, Seq: r.Seq, Hash: r.Hash}
	}
	return list, nil
}

// AddCheckpoint stores a checkpoint; ErrChanged when there is one of that number already.
func (db *DB) AddCheckpoint(ctx context.Context, c audit.Checkpoint) error {
	if c.Previous == nil {
		c.Previous = []byte{} // of the first
	}
	err := tx(ctx).q.InsertCheckpoint(ctx, rows.InsertCheckpointParams{
		Number: c.Number, At: micro(c.At), Entries: c.Entries, Root: c.Root, Previous: c.Previous, Hash: c.Hash, Signature: c.Signature, KeyID: c.KeyID,
	})
	switch {
	case duplicate(err):
		return ErrChanged
	case err != nil:
		return fmt.Errorf("storing a checkpoint: %w", err)
	}
	return nil
}

// LastCheckpoint returns the checkpoint with the highest number, or fault.NotFound.
func (db *DB) LastCheckpoint(ctx context.Context) (audit.Checkpoint, error) {
	r, err := db.read(ctx).LastCheckpoint(ctx)
	return checkpoint(r), found(err, "the last checkpoint")
}

// Checkpoint returns the checkpoint of that number, or fault.NotFound.
func (db *DB) Checkpoint(ctx context.Context, number int64) (audit.Checkpoint, error) {
	r, err := db.read(ctx).Checkpoint(ctx, number)
	return checkpoint(r), found(err, "a checkpoint")
}

// Checkpoints returns up to most checkpoints with a higher number than after, in order.
func (db *DB) Checkpoints(ctx context.Context, after int64, most int) ([]audit.Checkpoint, error) {
	rs, err := db.read(ctx).Checkpoints(ctx, after, int32(min(most, 1<<20))) //nolint:gosec // bounded
	if err != nil {
		return nil, fmt.Errorf("reading checkpoints: %w", err)
	}
	list := make([]audit.Checkpoint, len(rs))
	for n, r := range rs {
		list[n] = checkpoint(r)
	}
	return list, nil
}

func checkpoint(r rows.Checkpoint) audit.Checkpoint {
	return audit.Checkpoint{
		Number: r.Number, At: at(r.At), Entries: r.Entries, Root: r.Root, Previous: r.Previous, Hash: r.Hash, Signature: r.Signature, KeyID: r.KeyID,
	}
}
