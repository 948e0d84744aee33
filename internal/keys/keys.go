// Package keys is the key store: one AES-256 key for each identification, wrapped with the
// master key, in a database of its own. Everything personal of an identification is sealed
// under its key, so destroying the key destroys the data, in every backup and replica too
// (specification, chapter 8.2: deleting). The package decides how keys are made, wrapped,
// drawn ahead and destroyed; how rows and files are sealed is package seal's matter.
//
// The wrapped keys never lie beside the data: a restored database must not bring deleted
// people back. On SQLite no byte of a destroyed key stays in the database file or its log.
// On PostgreSQL the row is gone for every query at once, but its bytes lie in dead tuples
// until vacuum and in the server's log until it is recycled; that is why the backups of this
// second database live days, not years.
package keys

import (
	"encoding/hex"
	"errors"
	"fmt"

	"vidimus/internal/keys/seal"
)

// Key seals everything personal of one identification.
type Key = seal.Key

// ID names one key. It says nothing about whose it is, except roughly when it was made: 32
// lower-case hexadecimal digits, of which the first 28 name the batch it was drawn in and
// the last four its place in it.
type ID string

const (
	batchDigits = 28 // six bytes of time, eight of chance
	idDigits    = batchDigits + 4
	maxBatch    = 1 << 16 // places that four digits can name
)

// ErrDestroyed says that a key is not in the store: destroyed, or never drawn. What was
// sealed under it cannot be opened by anybody any more.
var ErrDestroyed = errors.New("key is destroyed")

// ErrWrongMaster says that the master key is not the one the store was made with.
var ErrWrongMaster = errors.New("the master key does not fit the key store: it was made with another one")

// errClosed is returned for everything that comes after Close.
var errClosed = errors.New("key store is closed")

// check refuses what cannot be a key's name, so that one bad name never spoils a statement
// that it shares with others.
func (id ID) check() error {
	if len(id) != idDigits {
		return fmt.Errorf("not a key id: %d characters instead of %d", len(id), idDigits)
	}
	for _, c := range []byte(id) {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return errors.New("not a key id: not hexadecimal digits")
		}
	}
	return nil
}

// place names key number i of a batch.
func place(batch string, i int) ID {
	return ID(batch + hex.EncodeToString([]byte{byte(i >> 8), byte(i)})) //nolint:gosec // a batch has 4096 keys at most
}
