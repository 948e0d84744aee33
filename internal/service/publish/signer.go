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
	"vidimus/internal/service/account"
	"vidimus/internal/service/serverkey"
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
	der, public, err := serverkey.Secret{Name: signingKey, Purpose: forSigning, Make: s.make}.Load(ctx, s.store, s.master, s.clock)
	if err != nil {
		return nil, "", err
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

// make returns a new key as PKCS #8, and its public part as PEM.
func (s *signer) make() ([]byte, string, error) {
	key, err := rsa.GenerateKey(s.random, signingBits)
	if err != nil {
		return nil, "", err
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, "", err
	}
	public, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		return nil, "", err
	}
	return private, string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public})), nil
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
