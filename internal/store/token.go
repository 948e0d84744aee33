package store

import (
	"context"
	"fmt"
	"time"

	"vidimus/internal/domain/company"
	"vidimus/internal/domain/fault"
	"vidimus/internal/store/rows"
)

// AddToken stores a log-in token by its hash. fault.BadCredentials when the company was
// deleted just now.
func (db *DB) AddToken(ctx context.Context, hash []byte, c company.ID, now time.Time) error {
	n, err := tx(ctx).q.InsertToken(ctx, hash, string(c), micro(now))
	if err != nil {
		return fmt.Errorf("storing a token: %w", err)
	}
	if n == 0 {
		return fault.Of(fault.BadCredentials)
	}
	return nil
}

// Token returns whose a token is and when it was last used, or fault.NotFound.
func (db *DB) Token(ctx context.Context, hash []byte) (company.ID, time.Time, error) {
	r, err := db.read(ctx).Token(ctx, hash)
	return company.ID(r.CompanyID), at(r.UsedAt), found(err, "a token")
}

// TouchToken notes a use.
func (db *DB) TouchToken(ctx context.Context, hash []byte, now time.Time) error {
	if err := tx(ctx).q.TouchToken(ctx, micro(now), hash); err != nil {
		return fmt.Errorf("noting a token's use: %w", err)
	}
	return nil
}

// DropTokens removes those not used since.
func (db *DB) DropTokens(ctx context.Context, since time.Time) error {
	if err := tx(ctx).q.DeleteOldTokens(ctx, micro(since)); err != nil {
		return fmt.Errorf("dropping old tokens: %w", err)
	}
	return nil
}

// PutServerKey stores one of the server's own keys, sealed, with its public part. False:
// there is one already, and it stays.
func (db *DB) PutServerKey(ctx context.Context, name string, sealed []byte, public string, now time.Time) (bool, error) {
	n, err := tx(ctx).q.InsertServerKey(ctx, rows.InsertServerKeyParams{Name: name, Sealed: sealed, Public: public, CreatedAt: micro(now)})
	if err != nil {
		return false, fmt.Errorf("storing a server key: %w", err)
	}
	return n == 1, nil
}

// SetServerKeyPublic replaces the public part of one of the server's own keys.
func (db *DB) SetServerKeyPublic(ctx context.Context, name, public string) error {
	if err := tx(ctx).q.SetServerKeyPublic(ctx, public, name); err != nil {
		return fmt.Errorf("changing a server key: %w", err)
	}
	return nil
}

// ServerKey returns one of the server's own keys, or fault.NotFound.
func (db *DB) ServerKey(ctx context.Context, name string) (sealed []byte, public string, err error) {
	r, err := db.read(ctx).ServerKey(ctx, name)
	return r.Sealed, r.Public, found(err, "a server key")
}
