// Package serverkey keeps what an installation makes once and all its nodes share, such as
// the keys that sign results, checkpoints and certificates: made at the first need, sealed
// under the master key in the database. Should two nodes make one at once, the first stays.
package serverkey

import (
	"context"
	"fmt"
	"time"

	"vidimus/internal/domain/clock"
	"vidimus/internal/domain/fault"
	"vidimus/internal/service/account"
)

// Store keeps the server's own secrets, sealed.
type Store interface {
	InTx(ctx context.Context, do func(ctx context.Context) error) error
	// ServerKey returns fault.NotFound when there is none; PutServerKey keeps the first.
	ServerKey(ctx context.Context, name string) (sealed []byte, public string, err error)
	PutServerKey(ctx context.Context, name string, sealed []byte, public string, now time.Time) (bool, error)
}

// Secret is one of them. Name is that in the store; Purpose keeps its seal apart from others
// under the master key, and names it in errors. Make makes it, with the public part that may
// be read without the master key: whoever can write to the database can replace that one.
type Secret struct {
	Name, Purpose string
	Make          func() (secret []byte, public string, err error)
}

// Load returns a secret and its public part, and makes it when it is missing.
func (s Secret) Load(ctx context.Context, store Store, master account.Master, c clock.Clock) (secret []byte, public string, err error) {
	sealed, public, err := store.ServerKey(ctx, s.Name)
	if fault.Is(err, fault.NotFound) {
		if err := s.create(ctx, store, master, c); err != nil {
			return nil, "", err
		}
		sealed, public, err = store.ServerKey(ctx, s.Name)
	}
	if err != nil {
		return nil, "", err
	}
	secret, err = master.Open(s.Purpose, sealed, []byte(s.Name))
	if err != nil {
		return nil, "", fmt.Errorf("opening the %s %s: %w", s.Purpose, s.Name, err)
	}
	return secret, public, nil
}

func (s Secret) create(ctx context.Context, store Store, master account.Master, c clock.Clock) error {
	secret, public, err := s.Make()
	if err != nil {
		return fmt.Errorf("making the %s %s: %w", s.Purpose, s.Name, err)
	}
	sealed := master.Seal(s.Purpose, secret, []byte(s.Name))
	return store.InTx(ctx, func(ctx context.Context) error {
		_, err := store.PutServerKey(ctx, s.Name, sealed, public, c.Now())
		return err
	})
}
