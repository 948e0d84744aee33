// Left out of fuzzing, which would compile the validator of the contract anew.
//go:build !fuzz

package gateway_test

import (
	"context"
	"errors"

	"vidimus/internal/domain/esign"
	"vidimus/internal/domain/fault"
	"vidimus/internal/domain/person"
	"vidimus/internal/keys"
	"vidimus/internal/service/vault"
)

// keyring is vault.Keys over the key store.

func (k keyring) Draw(ctx context.Context) (string, vault.Key, error) {
	id, key, err := k.Store.Draw(ctx)
	if err != nil {
		return "", nil, err
	}
	return string(id), key, nil
}

func (k keyring) Undraw(string, vault.Key) {}

func (k keyring) Get(ctx context.Context, id string) (vault.Key, error) {
	key, err := k.Store.Get(ctx, keys.ID(id))
	if errors.Is(err, keys.ErrDestroyed) {
		return nil, fault.Of(fault.NotFound).Because(err)
	}
	if err != nil {
		return nil, err
	}
	return key, nil
}

func (k keyring) GetMany(ctx context.Context, ids []string) (map[string]vault.Key, error) {
	got, err := k.Store.GetMany(ctx, keyIDs(ids))
	if err != nil && !errors.Is(err, keys.ErrDestroyed) {
		return nil, err
	}
	all := make(map[string]vault.Key, len(got))
	for id, key := range got {
		all[string(id)] = key
	}
	return all, nil
}

func (k keyring) Destroy(ctx context.Context, ids ...string) error {
	return k.Store.Destroy(ctx, keyIDs(ids)...)
}

func keyIDs(ids []string) []keys.ID {
	list := make([]keys.ID, len(ids))
	for i, id := range ids {
		list[i] = keys.ID(id)
	}
	return list
}

// drawings is robot.Specimen without the art: the gateway hands files out as they are.
type drawings struct{ big bool }

func (drawings) Picture(_ person.Data, key, format string) ([]byte, error) {
	return []byte(format + " of " + key), nil
}

func (drawings) Audio(format string) []byte { return []byte("sound as " + format) }

func (drawings) Hand(string) []esign.Stroke { return []esign.Stroke{{{X: 0, Y: 1}, {X: 1, Y: 0}}} }

func (d drawings) Video() []byte {
	if d.big {
		return make([]byte, 32<<20) // more than the buffers of a connection take
	}
	return []byte("video")
}
