package keys

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/hex"
	"errors"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// eachDB runs test on both databases. open opens the one key store of the test, any number
// of times.
func eachDB(t *testing.T, test func(t *testing.T, open func(...Option) *Store)) {
	t.Run("sqlite", func(t *testing.T) { runOn(t, filepath.Join(t.TempDir(), "keys", "keys.db"), test) })
	t.Run("postgres", func(t *testing.T) { runOn(t, newPostgres(t), test) })
}

func runOn(t *testing.T, where string, test func(t *testing.T, open func(...Option) *Store)) {
	master := newMaster(t)
	test(t, func(opts ...Option) *Store {
		t.Helper()
		s, err := Open(t.Context(), where, master, opts...)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := s.Close(); err != nil {
				t.Errorf("closing: %v", err)
			}
		})
		return s
	})
}

// newPostgres makes a database of its own on the server that VIDIMUS_TEST_POSTGRES names.
func newPostgres(t *testing.T) string {
	t.Helper()
	base := os.Getenv("VIDIMUS_TEST_POSTGRES")
	if base == "" {
		t.Skip("SKIPPED: NOT TESTED ON POSTGRESQL, because VIDIMUS_TEST_POSTGRES names no server")
	}
	u, err := url.Parse(base)
	if err != nil {
		t.Fatal(err)
	}
	admin, err := sql.Open("pgx", base)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { admin.Close() })
	b := make([]byte, 8)
	rand.Read(b)
	name := "keys_" + hex.EncodeToString(b)
	if _, err := admin.ExecContext(t.Context(), "CREATE DATABASE "+name); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if _, err := admin.ExecContext(context.Background(), "DROP DATABASE "+name+" WITH (FORCE)"); err != nil {
			t.Error(err)
		}
	})
	u.Path = "/" + name
	return u.String()
}

func newMaster(t testing.TB) Master {
	t.Helper()
	m, err := OpenMaster(filepath.Join(t.TempDir(), "master"))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func draw(t testing.TB, s *Store) (ID, *Key) {
	t.Helper()
	id, k, err := s.Draw(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return id, k
}

// count is how many keys or batches there are.
func count(t *testing.T, s *Store, table string) int {
	t.Helper()
	var n int
	if err := s.read.QueryRow("SELECT count(*) FROM " + table + " WHERE NOT (" + isFree + ")").Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestADrawnKeyIsFoundAgainByAnotherNode(t *testing.T) {
	eachDB(t, func(t *testing.T, open func(...Option) *Store) {
		a, b := open(), open()
		id, k := draw(t, a)
		sealed := k.Seal([]byte("Ilse"), []byte("row 1"))
		again, err := b.Get(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		plain, err := again.Open(sealed, []byte("row 1"))
		if err != nil || string(plain) != "Ilse" {
			t.Fatalf("opened %q, %v", plain, err)
		}
	})
}

func TestConcurrentDrawsNeverShareAKey(t *testing.T) {
	eachDB(t, func(t *testing.T, open func(...Option) *Store) {
		nodes := []*Store{open(WithBatch(32)), open(WithBatch(32))}
		const each, workers = 50, 8
		ids := make(chan ID, each*workers)
		var work sync.WaitGroup
		for w := range workers {
			work.Go(func() {
				for range each {
					id, _, err := nodes[w%2].Draw(t.Context())
					if err != nil {
						t.Error(err)
						return
					}
					ids <- id
				}
			})
		}
		work.Wait()
		close(ids)
		seen := map[ID]bool{}
		var all []ID
		for id := range ids {
			if seen[id] {
				t.Fatalf("%s was drawn twice", id)
			}
			seen[id] = true
			all = append(all, id)
		}
		found, err := nodes[0].GetMany(t.Context(), all)
		if err != nil || len(found) != each*workers {
			t.Fatalf("found %d of %d keys: %v", len(found), each*workers, err)
		}
		keys := slices.Collect(maps.Values(found))
		for i, k := range keys {
			if slices.ContainsFunc(keys[:i], k.Equal) {
				t.Fatal("two keys hold one secret")
			}
		}
	})
}

func TestCloseRemovesWhatWasNotHandedOut(t *testing.T) {
	eachDB(t, func(t *testing.T, open func(...Option) *Store) {
		watch, a, b := open(), open(WithBatch(8)), open(WithBatch(8))
		id, _ := draw(t, a)
		idle, _ := draw(t, b)
		for range 7 {
			draw(t, b)
		}
		if err := a.Close(); err != nil {
			t.Fatal(err)
		}
		if err := b.Close(); err != nil {
			t.Fatal(err)
		}
		if n := count(t, watch, "identification_key"); n != 9 {
			t.Fatalf("%d keys are left of 9 handed out", n)
		}
		if n := count(t, watch, "key_batch"); n != 2 {
			t.Fatalf("%d batches wait for a sweep instead of the 2 that were begun", n)
		}
		if found, err := watch.GetMany(t.Context(), []ID{id, idle}); err != nil || len(found) != 2 {
			t.Fatalf("found %d, %v", len(found), err)
		}
		if _, _, err := a.Draw(t.Context()); !errors.Is(err, errClosed) {
			t.Fatalf("drawing from a closed store: %v", err)
		}
	})
}

func TestAKeyOutOfAnOldBatchIsNotHandedOut(t *testing.T) {
	eachDB(t, func(t *testing.T, open func(...Option) *Store) {
		now := newClock()
		s := open(WithClock(now.Now), WithBatch(8))
		old, _ := draw(t, s)
		now.add(freshFor + time.Minute)
		id, _ := draw(t, s)
		if id[:batchDigits] == old[:batchDigits] {
			t.Fatal("the key comes out of a batch that Sweep may already have removed")
		}
		s.work.Wait()
		if n := count(t, s, "identification_key"); n != 9 {
			t.Fatalf("%d keys instead of the old used one and a new batch of 8", n)
		}
	})
}

func TestGetManyAnswersBeyondOneStatementAndNamesNoStrangers(t *testing.T) {
	eachDB(t, func(t *testing.T, open func(...Option) *Store) {
		s := open(WithBatch(1200))
		var ids []ID
		for range 1100 {
			id, _ := draw(t, s)
			ids = append(ids, id)
		}
		if err := s.Destroy(t.Context(), ids[3], ids[900]); err != nil {
			t.Fatal(err)
		}
		found, err := s.GetMany(t.Context(), ids)
		if !errors.Is(err, ErrDestroyed) {
			t.Fatalf("two keys are missing, but: %v", err)
		}
		if len(found) != 1098 || found[ids[3]] != nil || found[ids[900]] != nil || found[ids[1099]] == nil {
			t.Fatalf("found %d keys", len(found))
		}
		if found, err := s.GetMany(t.Context(), nil); err != nil || len(found) != 0 {
			t.Fatalf("nothing asked, %d found, %v", len(found), err)
		}
	})
}

func TestAnotherMasterKeyIsRefused(t *testing.T) {
	refuse := func(t *testing.T, where string) {
		s, err := Open(t.Context(), where, newMaster(t))
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		if other, err := Open(t.Context(), where, newMaster(t)); !errors.Is(err, ErrWrongMaster) {
			if err == nil {
				other.Close()
			}
			t.Fatalf("opened with another master key: %v", err)
		}
	}
	t.Run("sqlite", func(t *testing.T) { refuse(t, filepath.Join(t.TempDir(), "keys.db")) })
	t.Run("postgres", func(t *testing.T) { refuse(t, newPostgres(t)) })
}

func TestTwoNodesThatStartAtOnceAgreeOnOneMasterKey(t *testing.T) {
	race := func(t *testing.T, where string) {
		masters := []Master{newMaster(t), newMaster(t)}
		var work sync.WaitGroup
		fits := make([]bool, 8)
		for i := range fits {
			work.Go(func() {
				s, err := Open(t.Context(), where, masters[i%2])
				if err == nil {
					fits[i] = true
					err = s.Close()
				}
				if err != nil && !errors.Is(err, ErrWrongMaster) {
					t.Error(err)
				}
			})
		}
		work.Wait()
		for i := range fits {
			if fits[i] != fits[i%2] || fits[i] == fits[1-i%2] {
				t.Fatalf("not exactly one master key fits: %v", fits)
			}
		}
	}
	t.Run("sqlite", func(t *testing.T) { race(t, filepath.Join(t.TempDir(), "new", "keys.db")) })
	t.Run("postgres", func(t *testing.T) { race(t, newPostgres(t)) })
}

func TestAWrappedKeyUnderAnotherIDDoesNotOpen(t *testing.T) {
	eachDB(t, func(t *testing.T, open func(...Option) *Store) {
		s := open(WithBatch(4))
		a, _ := draw(t, s)
		b, _ := draw(t, s)
		if _, err := s.write.Exec(`
			UPDATE identification_key
			   SET wrapped = (SELECT wrapped FROM identification_key WHERE id = $1)
			 WHERE id = $2`, string(a), string(b)); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Get(t.Context(), b); err == nil || errors.Is(err, ErrDestroyed) {
			t.Fatalf("a key that was put in another's place: %v", err)
		}
		if _, err := s.GetMany(t.Context(), []ID{a, b}); err == nil || errors.Is(err, ErrDestroyed) {
			t.Fatalf("a key that was put in another's place, among many: %v", err)
		}
	})
}

func TestWhatIsNoIDIsRefused(t *testing.T) {
	s, err := Open(t.Context(), filepath.Join(t.TempDir(), "keys.db"), newMaster(t))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for _, id := range []ID{"", "x", ID(strings.Repeat("A", 32)), ID(strings.Repeat("0", 33)), ID(strings.Repeat("\xff", 32))} {
		if _, err := s.Get(t.Context(), id); err == nil || errors.Is(err, ErrDestroyed) {
			t.Errorf("Get(%q): %v", id, err)
		}
		if _, err := s.GetMany(t.Context(), []ID{id}); err == nil || errors.Is(err, ErrDestroyed) {
			t.Errorf("GetMany(%q): %v", id, err)
		}
		if err := s.Destroy(t.Context(), id); err == nil {
			t.Errorf("Destroy(%q) passed", id)
		}
	}
}

func TestNoErrorTellsThePasswordOfTheDatabase(t *testing.T) {
	for _, where := range []string{
		"postgres://u:hush-hush@127.0.0.1:1/none?connect_timeout=2", "postgres://u:hush-hush@[/x", "mysql://u:hush-hush@h/x",
	} {
		_, err := Open(t.Context(), where, newMaster(t))
		if err == nil || strings.Contains(err.Error(), "hush") {
			t.Errorf("error: %v", err)
		}
	}
}

func TestTheFilesOfTheStoreAreTheOwnersAlone(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a b%20?#", "keys")
	s, err := Open(t.Context(), filepath.Join(dir, "keys.db"), newMaster(t))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	draw(t, s)
	want := map[string]os.FileMode{".": 0o700, "keys.db": 0o600, "keys.db-wal": 0o600, "keys.db-shm": 0o600}
	for name, mode := range want {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if got := info.Mode().Perm(); got != mode {
			t.Errorf("%s has mode %#o instead of %#o", name, got, mode)
		}
	}
}

func TestEveryConnectionToAFileIsDurableAndZeroesWhatIsRemoved(t *testing.T) {
	s, err := Open(t.Context(), filepath.Join(t.TempDir(), "keys.db"), newMaster(t))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for _, db := range []*sql.DB{s.write, s.read, s.truncate} {
		for pragma, want := range map[string]string{"secure_delete": "1", "synchronous": "2", "journal_mode": "wal"} {
			var got string
			if err := db.QueryRow("PRAGMA " + pragma).Scan(&got); err != nil || got != want {
				t.Errorf("%s is %q, %v", pragma, got, err)
			}
		}
	}
}

func TestDrawGivesUpWithItsContext(t *testing.T) {
	s, err := Open(t.Context(), filepath.Join(t.TempDir(), "keys.db"), newMaster(t))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	tx, err := s.write.Begin() // holds up every draw
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	gone := errors.New("the caller went away")
	cancel(gone)
	if _, _, err := s.Draw(ctx); !errors.Is(err, gone) {
		t.Errorf("drawing for nobody: %v", err)
	}
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
}

// clock is a time that stands still until it is moved.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func newClock() *clock { return &clock{at: time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}
