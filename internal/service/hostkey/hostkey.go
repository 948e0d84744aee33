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
	"time"

	"vidimus/internal/domain/clock"
	"vidimus/internal/domain/fault"
	"vidimus/internal/service/account"
)

// Store keeps the server's own keys, sealed.
type Store interface {
	InTx(ctx context.Context, do func(ctx context.Context) error) error
	// ServerKey returns fault.NotFound when there is none; PutServerKey keeps the first.
	ServerKey(ctx context.Context, name string) (sealed []byte, public string, err error)
	PutServerKey(ctx context.Context, name string, sealed []byte, public string, now time.Time) (bool, error)
}

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
		sealed, _, err := store.ServerKey(ctx, kind.name)
		if fault.Is(err, fault.NotFound) {
			if err := create(ctx, store, master, c, kind.name, func() (crypto.Signer, error) { return kind.make(random) }); err != nil {
				return nil, err
			}
			sealed, _, err = store.ServerKey(ctx, kind.name)
		}
		if err != nil {
			return nil, err
		}
		if all[n], err = open(master, kind.name, sealed); err != nil {
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

func open(master account.Master, name string, sealed []byte) (crypto.Signer, error) {
	der, err := master.Open(purpose, sealed, []byte(name))
	if err != nil {
		return nil, fmt.Errorf("opening the host key %s: %w", name, err)
	}
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

// create makes a key; should another node be first, its key stays.
func create(ctx context.Context, store Store, master account.Master, c clock.Clock, name string, newKey func() (crypto.Signer, error)) error {
	key, err := newKey()
	if err != nil {
		return fmt.Errorf("making the host key %s: %w", name, err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return fmt.Errorf("writing the host key %s: %w", name, err)
	}
	public, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		return fmt.Errorf("writing the public host key %s: %w", name, err)
	}
	sealed := master.Seal(purpose, private, []byte(name))
	return store.InTx(ctx, func(ctx context.Context) error {
		_, err := store.PutServerKey(ctx, name, sealed, base64.StdEncoding.EncodeToString(public), c.Now())
		return err
	})
}
