package main

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"vidimus/internal/keys"
)

// Every start of a number that exists gives a key back. What is drawn next must not be one
// that the sweep has destroyed meanwhile.
func TestSpareKeyIsNotHandedOutAfterTheSweep(t *testing.T) {
	dir := t.TempDir()
	master, err := keys.OpenMaster(filepath.Join(dir, "master"))
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	clock := func() time.Time { return now }
	store, err := keys.Open(t.Context(), filepath.Join(dir, "keys.db"), master, keys.WithClock(clock))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = store.Close() }()
	k := &keyring{store: store, spare: make(chan spareKey, spareKeys), now: clock}
	id, key, err := k.Draw(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	k.Undraw(id, key)
	if again, _, err := k.Draw(t.Context()); err != nil || again != id {
		t.Fatalf("drew %s after giving %s back, %v", again, id, err)
	}
	k.Undraw(id, key)
	now = now.Add(unusedFor + time.Minute)
	unused := func(context.Context, []keys.ID) (map[keys.ID]bool, error) { return nil, nil }
	if _, err := store.Sweep(t.Context(), unused, now.Add(-unusedFor)); err != nil {
		t.Fatal(err)
	}
	id, _, err = k.Draw(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := k.Get(t.Context(), id); err != nil {
		t.Errorf("the key that was drawn cannot be had: %v", err)
	}
}
