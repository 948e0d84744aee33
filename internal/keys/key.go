package keys

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
)

const (
	keySize   = 32
	nonceSize = 12
	tagSize   = 16

	// sealVersion leads everything sealed, so that the method can change one day.
	sealVersion = 1

	// sealOverhead is how much longer sealed data is than plain.
	sealOverhead = 1 + nonceSize + tagSize
)

// Key seals everything personal of one identification. It is safe for use by several
// goroutines at once. Hold it no longer than one piece of work takes: a key that is kept
// outlives its destruction. It cannot be printed, logged or marshalled.
type Key struct {
	secret *[keySize]byte
	random io.Reader
	once   sync.Once
	rows   cipher.AEAD
}

// derive keeps the key that seals rows apart from the one that seals files. The secret is
// random already, so that expanding it is enough.
func (k *Key) derive(use string) []byte {
	b, err := hkdf.Expand(sha256.New, k.secret[:], "vidimus "+use, keySize)
	if err != nil {
		panic(fmt.Sprintf("keys: deriving: %v", err)) // only for lengths out of range
	}
	return b
}

func (k *Key) aead() cipher.AEAD {
	k.once.Do(func() { k.rows = newAEAD(k.derive("rows")) })
	return k.rows
}

// Seal encrypts plain with AES-256-GCM and binds it to aad (such as the table, column and
// row), which has to be given again to open it. The result is 29 bytes longer than plain: a
// version, a random nonce, the cipher text with its tag. One key is good for four thousand
// million calls.
func (k *Key) Seal(plain, aad []byte) []byte { return seal(k.aead(), k.random, plain, aad) }

// Open returns what Seal sealed with the same aad, or an error when it was altered, cut, or
// sealed under another key or for another place.
func (k *Key) Open(sealed, aad []byte) ([]byte, error) { return open(k.aead(), sealed, aad) }

// String withholds the key.
func (*Key) String() string { return "key (withheld)" }

// LogValue withholds the key.
func (*Key) LogValue() slog.Value { return slog.StringValue("key (withheld)") }

// Format withholds the key for every verb.
func (k *Key) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, k.String()) }

// newAEAD panics for a key of a wrong size, which no caller can bring about.
func newAEAD(key []byte) cipher.AEAD {
	block, err := aes.NewCipher(key)
	if err != nil {
		panic(fmt.Sprintf("keys: %v", err))
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		panic(fmt.Sprintf("keys: %v", err))
	}
	return aead
}

// seal panics when there is no randomness: to go on would be to give the data away.
func seal(aead cipher.AEAD, random io.Reader, plain, aad []byte) []byte {
	out := make([]byte, 1+nonceSize, sealOverhead+len(plain))
	out[0] = sealVersion
	if _, err := io.ReadFull(random, out[1:]); err != nil {
		panic(fmt.Sprintf("keys: no randomness: %v", err))
	}
	return aead.Seal(out, out[1:], plain, aad)
}

func open(aead cipher.AEAD, sealed, aad []byte) ([]byte, error) {
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
