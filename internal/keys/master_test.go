package keys

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"vidimus/internal/keys/seal"
)

func TestTheMasterKeyIsMadeOnceAndKept(t *testing.T) {
	path := filepath.Join(t.TempDir(), "data", "keys", "master")
	a, err := OpenMaster(path)
	if err != nil {
		t.Fatal(err)
	}
	b, err := OpenMaster(path)
	if err != nil {
		t.Fatal(err)
	}
	if *a.held.secret != *b.held.secret || *a.held.secret == [masterSize]byte{} {
		t.Fatal("the second start has another key, or none")
	}
	for name, mode := range map[string]os.FileMode{path: 0o600, filepath.Dir(path): 0o700} {
		info, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != mode {
			t.Errorf("%s has mode %#o", name, info.Mode().Perm())
		}
	}
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(entries) != 1 {
		t.Errorf("%v lies beside the key, %v", entries, err)
	}
}

func TestProcessesThatStartAtOnceAgreeOnOneMasterKey(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys", "master")
	got := make([]Master, 16)
	var work sync.WaitGroup
	for i := range got {
		work.Go(func() {
			var err error
			if got[i], err = OpenMaster(path); err != nil {
				t.Error(err)
			}
		})
	}
	work.Wait()
	for _, m := range got {
		if m.held == nil || *m.held.secret != *got[0].held.secret {
			t.Fatal("two processes have different keys")
		}
	}
}

func TestAnUnfitMasterKeyFileIsRefusedWithTheReason(t *testing.T) {
	cases := map[string]struct {
		size   int
		mode   os.FileMode
		reason string
	}{
		"empty":        {0, 0o600, "size"},
		"one short":    {31, 0o600, "size"},
		"one too many": {33, 0o600, "size"},
		"group reads":  {32, 0o640, "0640"},
		"world reads":  {32, 0o604, "0604"},
		"world writes": {32, 0o602, "0602"},
	}
	for name, c := range cases {
		t.Run(strings.ReplaceAll(name, " ", "_"), func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "master")
			content := bytes.Repeat([]byte("S"), c.size)
			if err := os.WriteFile(path, content, 0o600); err != nil {
				t.Fatal(err)
			}
			if err := os.Chmod(path, c.mode); err != nil {
				t.Fatal(err)
			}
			_, err := OpenMaster(path)
			if err == nil || !strings.Contains(err.Error(), c.reason) || strings.Contains(err.Error(), "SSS") {
				t.Fatalf("error: %v", err)
			}
			if after, err := os.ReadFile(path); err != nil || !bytes.Equal(after, content) {
				t.Errorf("the refused file was changed: %v", err)
			}
		})
	}
	if _, err := OpenMaster(t.TempDir()); err == nil || !strings.Contains(err.Error(), "not a file") {
		t.Errorf("a folder: %v", err)
	}
}

func TestSecretsOpenOnlyForTheirPurposeAndPlace(t *testing.T) {
	m, other := newMaster(t), newMaster(t)
	sealed := m.Seal("api key", []byte("secret"), []byte("ihrebank"))
	if plain, err := m.Open("api key", sealed, []byte("ihrebank")); err != nil || string(plain) != "secret" {
		t.Fatalf("%q, %v", plain, err)
	}
	bad := map[string]func() ([]byte, error){
		"purpose": func() ([]byte, error) { return m.Open("webhook", sealed, []byte("ihrebank")) },
		"place":   func() ([]byte, error) { return m.Open("api key", sealed, []byte("testbank")) },
		"master":  func() ([]byte, error) { return other.Open("api key", sealed, []byte("ihrebank")) },
		"length":  func() ([]byte, error) { return m.Open("api key", sealed[:20], []byte("ihrebank")) },
	}
	for name, open := range bad {
		if _, err := open(); err == nil {
			t.Errorf("opens with a wrong %s", name)
		}
	}
}

func TestWhatIsDerivedDependsOnMasterPurposeAndUse(t *testing.T) {
	m, other := newMaster(t), newMaster(t)
	if !bytes.Equal(m.Hash("login", []byte("k")), m.Hash("login", []byte("k"))) || !bytes.Equal(m.Derive("x"), m.Derive("x")) {
		t.Fatal("the same gives different bytes")
	}
	seen := map[string]string{}
	for name, b := range map[string][]byte{
		"derive x": m.Derive("x"), "derive y": m.Derive("y"), "other derive x": other.Derive("x"),
		"seal key x": m.derive("seal", "x"), "hash key x": m.derive("hash", "x"),
		"hash x": m.Hash("x", nil), "hash x k": m.Hash("x", []byte("k")), "hash y k": m.Hash("y", []byte("k")), "other hash x k": other.Hash("x", []byte("k")),
	} {
		if len(b) != 32 {
			t.Errorf("%s has %d bytes", name, len(b))
		}
		if before, ok := seen[fmt.Sprintf("%x", b)]; ok {
			t.Errorf("%s equals %s", name, before)
		}
		seen[fmt.Sprintf("%x", b)] = name
	}
}

func TestTheZeroMasterIsNoKey(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("something was derived from nothing")
		}
	}()
	Master{}.Derive("x")
}

func TestNoWayOfPrintingShowsAKey(t *testing.T) {
	k := seal.New((*[seal.KeySize]byte)(bytes.Repeat([]byte("S"), seal.KeySize)), rand.Reader)
	m := Master{held: &held{secret: (*[masterSize]byte)(bytes.Repeat([]byte("S"), masterSize))}}
	k.Seal(nil, nil)
	type holder struct {
		m Master
		k *Key
		M Master
		K *Key
	}
	h := holder{m, k, m, k}
	var out strings.Builder
	for _, v := range []any{k, m, &m, h, &h, []any{k, m}, map[string]any{"k": k, "m": m}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
			fmt.Fprintf(&out, verb+"\n", v)
		}
		b, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		out.Write(b)
		slog.New(slog.NewTextHandler(&out, nil)).Info("x", "v", v)
		slog.New(slog.NewJSONHandler(&out, nil)).Info("x", "v", v)
	}
	for _, secret := range []string{"SSSS", "53535353", "83 83 83", "83,83", "0x53", "U1NTU1NT"} {
		if i := strings.Index(out.String(), secret); i >= 0 {
			t.Errorf("%q shows in %q", secret, out.String()[max(0, i-80):i+8])
		}
	}
	if !strings.Contains(out.String(), "withheld") {
		t.Error("nothing says that something is withheld")
	}
}

func TestKeyOfAPurposeIsTheSameAtEveryStart(t *testing.T) {
	dir := t.TempDir()
	open := func(name string) Master {
		t.Helper()
		m, err := OpenMaster(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	sealed := open("a").Key("one").Seal([]byte("plain"), nil)
	if plain, err := open("a").Key("one").Open(sealed, nil); err != nil || string(plain) != "plain" {
		t.Errorf("after another start: %q, %v", plain, err)
	}
	for name, k := range map[string]*Key{"another purpose": open("a").Key("two"), "another master": open("b").Key("one")} {
		if _, err := k.Open(sealed, nil); err == nil {
			t.Errorf("the key of %s opens it", name)
		}
	}
}
