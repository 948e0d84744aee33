package trail

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"sync"

	"vidimus/internal/domain/clock"
	"vidimus/internal/service/account"
	"vidimus/internal/service/serverkey"
)

// signingKey names the key in the store.
const (
	signingKey = "audit_signing"
	forSigning = "audit signing key"
)

// signer holds the Ed25519 key that signs checkpoints. All nodes share one, which the first
// of them makes.
type signer struct {
	store  Store
	master account.Master
	clock  clock.Clock
	random io.Reader
	gate   sync.Mutex
	key    ed25519.PrivateKey
	id     string
	public string
}

// load reads the key, or makes it.
func (s *signer) load(ctx context.Context) (key ed25519.PrivateKey, id string, err error) {
	s.gate.Lock()
	defer s.gate.Unlock()
	if s.key != nil {
		return s.key, s.id, nil
	}
	seed, _, err := serverkey.Secret{Name: signingKey, Purpose: forSigning, Make: s.make}.Load(ctx, s.store, s.master, s.clock)
	if err != nil {
		return nil, "", err
	}
	if len(seed) != ed25519.SeedSize {
		return nil, "", errors.New("the audit signing key has a wrong size")
	}
	private := ed25519.NewKeyFromSeed(seed)
	// The public key that the store shows is not asked: somebody may have replaced it.
	der, text, err := publicKey(private)
	if err != nil {
		return nil, "", err
	}
	s.key, s.id, s.public = private, keyID(der), text
	return s.key, s.id, nil
}

// make returns the seed of a new key, and its public part as PEM.
func (s *signer) make() ([]byte, string, error) {
	_, private, err := ed25519.GenerateKey(s.random)
	if err != nil {
		return nil, "", err
	}
	_, text, err := publicKey(private)
	return private.Seed(), text, err
}

// publicKey returns the public key as DER and as PEM.
func publicKey(private ed25519.PrivateKey) (der []byte, text string, err error) {
	der, err = x509.MarshalPKIXPublicKey(private.Public())
	if err != nil {
		return nil, "", fmt.Errorf("writing the audit public key: %w", err)
	}
	return der, string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})), nil
}

// keyID names a public key by the beginning of its SHA-256.
func keyID(der []byte) string {
	sum := sha256.Sum256(der)
	return hex.EncodeToString(sum[:8])
}

// SigningKey returns the public key of checkpoints as PEM. The first call on a new
// installation makes the key.
func (s *Service) SigningKey(ctx context.Context) (string, error) {
	if _, _, err := s.signer.load(ctx); err != nil {
		return "", err
	}
	return s.signer.public, nil
}
