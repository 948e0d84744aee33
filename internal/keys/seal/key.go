// Package seal encrypts: rows in one piece, files in segments that can be read anywhere, both
// bound to their place. What a key is, how it is kept and how it is destroyed is the matter
// of package keys.
package seal

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
)

// KeySize is how many bytes a key has: AES-256.
const KeySize = 32

const (
	nonceSize = 12
	tagSize   = 16

	// sealVersion leads everything sealed, so that the method can change one day.
	sealVersion = 1

	// Prefix is how many bytes stand before the cipher text: version and nonce.
	Prefix = 1 + nonceSize

	// sealOverhead is how much longer sealed data is than plain.
	sealOverhead = 1 + nonceSize + tagSize
)

// Key seals everything personal of one identification. It is safe for use by several
// goroutines at once. Hold it no longer than one piece of work takes: a key that is kept
// outlives its destruction. It cannot be printed, logged or marshalled.
type Key struct {
	secret *[KeySize]byte
	random io.Reader
	once   sync.Once
	rows   cipher.AEAD
}

// New returns the key with that secret, which it keeps and the caller must not change.
// random is where nonces come from.
func New(secret *[KeySize]byte, random io.Reader) *Key { return &Key{secret: secret, random: random} }

// derive keeps the key that seals rows apart from the one that seals files. The secret is
// random already, so that expanding it is enough.
func (k *Key) derive(use string) []byte {
	b, err := hkdf.Expand(sha256.New, k.secret[:], "vidimus "+use, KeySize)
	if err != nil {
		panic(fmt.Sprintf("seal: deriving: %v", err)) // only for lengths out of range
	}
	return b
}

func (k *Key) aead() cipher.AEAD {
	k.once.Do(func() { k.rows = NewAEAD(k.derive("rows")) })
	return k.rows
}

// Seal encrypts plain with AES-256-GCM and binds it to aad (such as the table, column and
// row), which has to be given again to open it. The result is 29 bytes longer than plain: a
// version, a random nonce, the cipher text with its tag. One key is good for four thousand
// million calls.
func (k *Key) Seal(plain, aad []byte) []byte { return Seal(k.aead(), k.random, plain, aad) }

// Open returns what Seal sealed with the same aad, or an error when it was altered, cut, or
// sealed under another key or for another place.
func (k *Key) Open(sealed, aad []byte) ([]byte, error) { return Open(k.aead(), sealed, aad) }

// Equal says whether two keys are the same, in the same time for every pair.
func (k *Key) Equal(other *Key) bool {
	return subtle.ConstantTimeCompare(k.secret[:], other.secret[:]) == 1
}

// String withholds the key.
func (*Key) String() string { return "key (withheld)" }

// LogValue withholds the key.
func (*Key) LogValue() slog.Value { return slog.StringValue("key (withheld)") }

// Format withholds the key for every verb.
func (k *Key) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, k.String()) }

// newAEAD panics for a key of a wrong size, which no caller can bring about.
func NewAEAD(key []byte) cipher.AEAD {
	block, err := aes.NewCipher(key)
	if err != nil {
		panic(fmt.Sprintf("seal: %v", err))
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		panic(fmt.Sprintf("seal: %v", err))
	}
	return aead
}

// Seal is Key.Seal under any cipher. It panics when there is no randomness: to go on would be to give the data away.
func Seal(aead cipher.AEAD, random io.Reader, plain, aad []byte) []byte {
	out := make([]byte, 1+nonceSize, sealOverhead+len(plain))
	out[0] = sealVersion
	if _, err := io.ReadFull(random, out[1:]); err != nil {
		panic(fmt.Sprintf("seal: no randomness: %v", err))
	}
	return aead.Seal(out, out[1:], plain, aad)
}

// Open opens what Seal sealed under the same cipher.
func Open(aead cipher.AEAD, sealed, aad []byte) ([]byte, error) {
	if len(sealed) < sealOverhead {
		return nil, errors.New("sealed data is cut off")
	}
	if sealed[0] != sealVersion {
		return nil, fmt.Errorf("sealed data has version %d, which is not known", sealed[0])
	}
	plain, err := aead.Open(nil, sealed[1:1+nonceSize], sealed[1+nonceSize:], aad)
	if err != nil {
		return nil, errors.New("sealed data was altered, or belongs to another key or place")
	}
	return plain, nil
}
