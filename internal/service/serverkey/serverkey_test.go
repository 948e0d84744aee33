package serverkey_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"vidimus/internal/domain/clock"
	"vidimus/internal/keys"
	"vidimus/internal/service/serverkey"
	"vidimus/internal/store"
)

func TestTheFirstSecretStays(t *testing.T) {
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
	var made atomic.Int64
	s := serverkey.Secret{Name: "some_key", Purpose: "some key", Make: func() ([]byte, string, error) {
		n := made.Add(1)
		return []byte{byte(n)}, fmt.Sprint(n), nil
	}}
	broken := s
	broken.Make = func() ([]byte, string, error) { return nil, "", errors.New("no chance") }
	if _, _, err := broken.Load(t.Context(), db, master, c); err == nil {
		t.Error("what could not be made is there")
	}
	var nodes sync.WaitGroup
	var got [4]string
	for n := range got {
		nodes.Go(func() {
			secret, public, err := s.Load(t.Context(), db, master, c)
			if err != nil || len(secret) != 1 || fmt.Sprint(secret[0]) != public {
				t.Errorf("%v %q %v", secret, public, err)
			}
			got[n] = public
		})
	}
	nodes.Wait()
	if got[0] == "" || got[0] != got[1] || got[0] != got[2] || got[0] != got[3] {
		t.Errorf("the nodes have %q", got)
	}
	if _, _, err := (serverkey.Secret{Name: "some_key", Purpose: "another"}).Load(t.Context(), db, master, c); err == nil {
		t.Error("it opens for another purpose")
	}
}
