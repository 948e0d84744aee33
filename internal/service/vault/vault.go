// Package vault seals and opens what is personal. Every identification has a key of its
// own; destroying that key is what deletes it. The keys live elsewhere: see Keys.
package vault

import (
	"context"
	"encoding/json"
	"fmt"
	"io"

	"vidimus/internal/domain/ident"
)

// Key is the key of one identification. What was sealed with some aad opens only with the
// same.
type Key interface {
	Seal(plain, aad []byte) []byte
	Open(sealed, aad []byte) ([]byte, error)
	Writer(w io.Writer, aad []byte) (io.WriteCloser, error)
	Reader(r io.Reader, aad []byte) (io.Reader, error)
	// At reads any range of a file of size plain bytes that Writer sealed, of which sealed
	// reads ranges. The function has the contract of io.ReaderAt.
	At(size int64, aad []byte, sealed func(ctx context.Context, off, n int64) (io.ReadCloser, error)) func(ctx context.Context, p []byte, off int64) (int, error)
}

// Keys is the key store. Get of a key that was destroyed is fault.NotFound; GetMany leaves
// it out. What Draw returns is durable already.
type Keys interface {
	Draw(ctx context.Context) (id string, key Key, err error)
	// Undraw gives back a key that has sealed nothing that was kept.
	Undraw(id string, key Key)
	Get(ctx context.Context, id string) (Key, error)
	GetMany(ctx context.Context, ids []string) (map[string]Key, error)
	Destroy(ctx context.Context, ids ...string) error
}

// About binds a sealed value to what it is and whose it is, so that nobody who can write
// to the database can swap two.
func About(what string, id ident.ID) []byte { return []byte(what + "\x00" + string(id)) }

// Seal writes v as JSON and seals it.
func Seal(k Key, what string, id ident.ID, v any) ([]byte, error) {
	plain, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("writing %s: %w", what, err)
	}
	return k.Seal(plain, About(what, id)), nil
}

// Open opens what Seal sealed.
func Open[T any](k Key, what string, id ident.ID, sealed []byte) (T, error) {
	var v T
	plain, err := k.Open(sealed, About(what, id))
	if err != nil {
		return v, fmt.Errorf("opening %s: %w", what, err)
	}
	if err := json.Unmarshal(plain, &v); err != nil {
		return v, fmt.Errorf("reading %s: %w", what, err)
	}
	return v, nil
}
