package keys

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"

	"vidimus/internal/keys/seal"
)

const masterSize = 32

// Master is the key above all others. It wraps the keys of identifications and seals the
// server's own secrets. It cannot be printed, logged or marshalled. The zero value is no
// key: using it panics.
type Master struct{ held *held }

// held lies two pointers away from a Master, because fmt follows one of them in a field
// whose methods it may not call.
type held struct{ secret *[masterSize]byte }

// OpenMaster reads the master key from the file at path: exactly 32 bytes that only the
// owner may read. When there is no such file it makes one, durably, in a folder that only
// the owner may enter; two processes that do so at once agree on one key. A file of another
// size, or one that group or others may touch, is refused with the reason.
func OpenMaster(path string) (Master, error) {
	m, err := readMaster(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return m, err
	}
	if err := makeMaster(path); err != nil {
		return Master{}, fmt.Errorf("making the master key: %w", err)
	}
	return readMaster(path)
}

func readMaster(path string) (Master, error) {
	info, err := os.Stat(path)
	if err != nil {
		return Master{}, fmt.Errorf("reading the master key: %w", err)
	}
	if !info.Mode().IsRegular() {
		return Master{}, fmt.Errorf("master key %s is not a file", path)
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return Master{}, fmt.Errorf("master key %s has mode %#o, so that others than its owner can reach it: chmod 600 it, and replace it if somebody may have read it", path, mode)
	}
	f, err := os.Open(path)
	if err != nil {
		return Master{}, fmt.Errorf("reading the master key: %w", err)
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, masterSize+1))
	if err != nil {
		return Master{}, fmt.Errorf("reading the master key: %w", err)
	}
	if len(b) != masterSize {
		return Master{}, fmt.Errorf("master key %s has a wrong size: it must be exactly %d bytes", path, masterSize)
	}
	return Master{held: &held{secret: (*[masterSize]byte)(b)}}, nil
}

// makeMaster puts 32 random bytes at path unless something is there already. A link, other
// than a rename, never replaces: of two processes the first wins and both read its key.
func makeMaster(path string) error {
	dir := filepath.Dir(path)
	if err := makeDir(dir); err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, ".master-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	defer f.Close()
	b := make([]byte, masterSize)
	rand.Read(b) // never fails
	if _, err := f.Write(b); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	if err := os.Link(f.Name(), path); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	if err := os.Remove(f.Name()); err != nil {
		return err
	}
	return syncDir(dir)
}

// makeDir makes a folder, and those above it, that only the owner may enter. A lost folder
// would be a lost key, so that each is durable before the next.
func makeDir(dir string) error {
	if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	parent := filepath.Dir(dir)
	if err := makeDir(parent); err != nil {
		return err
	}
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return syncDir(parent)
}

// syncDir makes the names in a folder durable.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}

// Derive returns 32 bytes that depend on the master key and the purpose, and tell nothing
// about either the key or what another purpose gives.
func (m Master) Derive(purpose string) []byte { return m.derive("derive", purpose) }

// Key returns the key that seals, for one purpose, what belongs to no identification. It is the
// same each time, and cannot be destroyed: nothing personal may be sealed under it.
func (m Master) Key(purpose string) *Key {
	return seal.New((*[seal.KeySize]byte)(m.derive("key", purpose)), rand.Reader)
}

// derive keeps the four uses of a purpose apart.
func (m Master) derive(use, purpose string) []byte {
	if m.held == nil {
		panic("keys: master key was never opened")
	}
	b, err := hkdf.Key(sha256.New, m.held.secret[:], nil, "vidimus "+use+": "+purpose, 32)
	if err != nil {
		panic(fmt.Sprintf("keys: deriving: %v", err)) // only for lengths out of range
	}
	return b
}

// Seal encrypts a secret of the server for one purpose and binds it to aad, which has to be
// given again to open it and is not part of what is returned. The result is 29 bytes longer
// than plain.
func (m Master) Seal(purpose string, plain, aad []byte) []byte {
	return seal.Seal(seal.NewAEAD(m.derive("seal", purpose)), rand.Reader, plain, aad)
}

// Open returns what Seal sealed for the same purpose and aad, or an error when it was
// altered, cut, or sealed for anything else.
func (m Master) Open(purpose string, sealed, aad []byte) ([]byte, error) {
	plain, err := seal.Open(seal.NewAEAD(m.derive("seal", purpose)), sealed, aad)
	if err != nil {
		return nil, fmt.Errorf("opening a secret sealed for %s: %w", purpose, err)
	}
	return plain, nil
}

// Hash returns the 32 bytes of HMAC-SHA256 over value under a key of the purpose: the same
// value gives the same hash, and nobody without the master key can try values.
func (m Master) Hash(purpose string, value []byte) []byte {
	h := hmac.New(sha256.New, m.derive("hash", purpose))
	h.Write(value)
	return h.Sum(nil)
}

// String withholds the key.
func (Master) String() string { return "master key (withheld)" }

// LogValue withholds the key.
func (Master) LogValue() slog.Value { return slog.StringValue("master key (withheld)") }

// Format withholds the key for every verb.
func (m Master) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, m.String()) }
