package hostkey_test

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"vidimus/internal/domain/clock"
	"vidimus/internal/keys"
	"vidimus/internal/service/hostkey"
	"vidimus/internal/store"
)

func TestAllNodesShowTheSameKeys(t *testing.T) {
	dir, c := t.TempDir(), clock.New(time.Now, 1)
	master, err := keys.OpenMaster(filepath.Join(dir, "master"))
	if err != nil {
		t.Fatal(err)
	}
	db, err := store.Open(t.Context(), "", dir, master.Derive("audit"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	if public, err := hostkey.Public(t.Context(), db); err != nil || len(public) != 0 {
		t.Errorf("before the first start there are %d keys, %v", len(public), err)
	}
	var nodes sync.WaitGroup
	var got [2][]crypto.Signer
	for n := range got { // both start for the first time
		nodes.Go(func() {
			var err error
			if got[n], err = hostkey.Load(t.Context(), db, master, c, rand.Reader); err != nil {
				t.Error(err)
			}
		})
	}
	nodes.Wait()
	if t.Failed() {
		return
	}
	public, err := hostkey.Public(t.Context(), db)
	if err != nil || len(public) != 2 {
		t.Fatalf("%d public keys, %v", len(public), err)
	}
	for n, key := range got[0] {
		mine, err := x509.MarshalPKIXPublicKey(key.Public())
		if err != nil {
			t.Fatal(err)
		}
		theirs, err := x509.MarshalPKIXPublicKey(got[1][n].Public())
		if err != nil {
			t.Fatal(err)
		}
		if string(mine) != string(theirs) || string(mine) != string(public[n]) {
			t.Errorf("key %d differs", n)
		}
	}
	if _, ok := got[0][0].(ed25519.PrivateKey); !ok {
		t.Errorf("the first is %T", got[0][0])
	}
	if r, ok := got[0][1].(*rsa.PrivateKey); !ok || r.N.BitLen() < 3072 {
		t.Errorf("the second is %T", got[0][1])
	}
	other, err := keys.OpenMaster(filepath.Join(dir, "other"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := hostkey.Load(t.Context(), db, other, c, rand.Reader); err == nil {
		t.Error("they open under another master key")
	}
}
