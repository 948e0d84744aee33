// Package hostkey keeps the keys by which clients of SFTP know this installation
// (chapter 9): one Ed25519 and one RSA key, made at the first start, sealed in the database,
// so that all nodes show the same ones.
package hostkey

import (
	"context"
	"crypto"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"io"

	"vidimus/internal/domain/clock"
	"vidimus/internal/domain/fault"
	"vidimus/internal/service/account"
	"vidimus/internal/service/serverkey"
)

// Store keeps the server's own keys, sealed.
type Store = serverkey.Store

// purpose keeps these seals apart from others under the master key; rsaBits is what BSI
// TR-02102 asks for at least, rounded up.
const (
	purpose = "sftp host key"
	rsaBits = 3072
)

// kinds are the keys, the one that clients shall prefer first.
var kinds = []struct {
	name string
	make func(random io.Reader) (crypto.Signer, error)
}{
	{"sftp_host_ed25519", func(random io.Reader) (crypto.Signer, error) {
		_, key, err := ed25519.GenerateKey(random)
		return key, err
	}},
	{"sftp_host_rsa", func(random io.Reader) (crypto.Signer, error) { return rsa.GenerateKey(random, rsaBits) }},
}

// Load returns the host keys, an ed25519.PrivateKey and an *rsa.PrivateKey, and makes those
// that are missing, which takes up to some seconds.
func Load(ctx context.Context, store Store, master account.Master, c clock.Clock, random io.Reader) ([]crypto.Signer, error) {
	all := make([]crypto.Signer, len(kinds))
	for n, kind := range kinds {
		der, _, err := serverkey.Secret{Name: kind.name, Purpose: purpose, Make: func() ([]byte, string, error) {
			key, err := kind.make(random)
			if err != nil {
				return nil, "", err
			}
			return write(key)
		}}.Load(ctx, store, master, c)
		if err != nil {
			return nil, err
		}
		if all[n], err = read(kind.name, der); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// Public returns the public host keys that there are, as SubjectPublicKeyInfo in DER; none
// before the first start.
func Public(ctx context.Context, store Store) (all [][]byte, err error) {
	for _, kind := range kinds {
		_, public, err := store.ServerKey(ctx, kind.name)
		if fault.Is(err, fault.NotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		der, err := base64.StdEncoding.DecodeString(public)
		if err != nil {
			return nil, fmt.Errorf("reading the public host key %s: %w", kind.name, err)
		}
		all = append(all, der)
	}
	return all, nil
}

func read(name string, der []byte) (crypto.Signer, error) {
	key, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, errors.New("the host key " + name + " cannot be read")
	}
	signer, ok := key.(crypto.Signer)
	if !ok {
		return nil, errors.New("the host key " + name + " cannot sign")
	}
	return signer, nil
}

// write returns a key as PKCS #8, and its public part as SubjectPublicKeyInfo in base64.
func write(key crypto.Signer) (private []byte, public string, err error) {
	if private, err = x509.MarshalPKCS8PrivateKey(key); err != nil {
		return nil, "", err
	}
	der, err := x509.MarshalPKIXPublicKey(key.Public())
	return private, base64.StdEncoding.EncodeToString(der), err
}
