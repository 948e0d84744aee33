package publish

import (
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/sha512"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"sync"

	"vidimus/internal/domain/clock"
	"vidimus/internal/domain/fault"
	"vidimus/internal/service/account"
)

// signingKey names the key in the store; signingBits is its size: RSA with at least 3000
// bits is what BSI TR-02102-1 asks for.
const (
	signingKey  = "results_signing"
	signingBits = 3072
	forSigning  = "results signing key"
)

// signer signs XML results (13.3.1): RSA, SHA-512, PKCS #1 v1.5, detached. All nodes share
// one key, which the first of them makes.
type signer struct {
	store  Store
	master account.Master
	clock  clock.Clock
	random io.Reader
	gate   sync.Mutex
	key    *rsa.PrivateKey
	public string
}

func newSigner(store Store, master account.Master, c clock.Clock, random io.Reader) *signer {
	return &signer{store: store, master: master, clock: c, random: random}
}

// load reads the key, or makes it.
func (s *signer) load(ctx context.Context) (*rsa.PrivateKey, string, error) {
	s.gate.Lock()
	defer s.gate.Unlock()
	if s.key != nil {
		return s.key, s.public, nil
	}
	sealed, public, err := s.store.ServerKey(ctx, signingKey)
	if fault.Is(err, fault.NotFound) {
		if err := s.make(ctx); err != nil {
			return nil, "", err
		}
		sealed, public, err = s.store.ServerKey(ctx, signingKey)
	}
	if err != nil {
		return nil, "", err
	}
	der, err := s.master.Open(forSigning, sealed, []byte(signingKey))
	if err != nil {
		return nil, "", fmt.Errorf("opening the signing key: %w", err)
	}
	key, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, "", errors.New("the signing key cannot be read")
	}
	private, ok := key.(*rsa.PrivateKey)
	if !ok {
		return nil, "", errors.New("the signing key is no RSA key")
	}
	s.key, s.public = private, public
	return private, public, nil
}

func (s *signer) make(ctx context.Context) error {
	key, err := rsa.GenerateKey(s.random, signingBits)
	if err != nil {
		return fmt.Errorf("making the signing key: %w", err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return fmt.Errorf("writing the signing key: %w", err)
	}
	public, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		return fmt.Errorf("writing the public signing key: %w", err)
	}
	sealed := s.master.Seal(forSigning, private, []byte(signingKey))
	text := string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public}))
	return s.store.InTx(ctx, func(ctx context.Context) error {
		_, err := s.store.PutServerKey(ctx, signingKey, sealed, text, s.clock.Now())
		return err
	})
}

func (s *signer) sign(ctx context.Context, data []byte) ([]byte, error) {
	key, _, err := s.load(ctx)
	if err != nil {
		return nil, err
	}
	sum := sha512.Sum512(data)
	sig, err := rsa.SignPKCS1v15(nil, key, crypto.SHA512, sum[:])
	if err != nil {
		return nil, fmt.Errorf("signing a result: %w", err)
	}
	return sig, nil
}

// SigningKey returns the public key of XML results as PEM, the way openssl dgst -verify
// takes it. The first call on a new installation makes the key, which takes a while.
func (s *Service) SigningKey(ctx context.Context) (string, error) {
	_, public, err := s.signer.load(ctx)
	return public, err
}
