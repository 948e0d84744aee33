package keys

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	mathrand "math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"vidimus/internal/keys/seal"
)

func openFile(t testing.TB, opts ...Option) (*Store, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "keys.db")
	s, err := Open(t.Context(), path, newMaster(t), opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s, path
}

// onDisk is every byte that lies in the files of the store.
func onDisk(t *testing.T, path string) []byte {
	t.Helper()
	names, err := filepath.Glob(path + "*")
	if err != nil {
		t.Fatal(err)
	}
	var all []byte
	for _, name := range names {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, b...)
	}
	return all
}

func wrappedKey(t *testing.T, s *Store, id ID) []byte {
	t.Helper()
	var b []byte
	if err := s.read.QueryRow(`SELECT wrapped FROM identification_key WHERE id = $1`, string(id)).Scan(&b); err != nil {
		t.Fatal(err)
	}
	return b
}

func TestADestroyedKeyIsGone(t *testing.T) {
	eachDB(t, func(t *testing.T, open func(...Option) *Store) {
		s, other := open(), open()
		id, _ := draw(t, s)
		kept, _ := draw(t, s)
		for range 2 { // the second time it is missing, which is no error
			if err := s.Destroy(t.Context(), id); err != nil {
				t.Fatal(err)
			}
		}
		for _, node := range []*Store{s, other} {
			if _, err := node.Get(t.Context(), id); !errors.Is(err, ErrDestroyed) {
				t.Errorf("a destroyed key: %v", err)
			}
			if _, err := node.Get(t.Context(), kept); err != nil {
				t.Errorf("its neighbour: %v", err)
			}
		}
		if err := s.Destroy(t.Context()); err != nil {
			t.Errorf("destroying nothing: %v", err)
		}
	})
}

func TestManyDestroyAtOnce(t *testing.T) {
	eachDB(t, func(t *testing.T, open func(...Option) *Store) {
		s := open(WithBatch(600))
		var ids []ID
		for range 520 {
			id, _ := draw(t, s)
			ids = append(ids, id)
		}
		var work sync.WaitGroup
		for i := range 20 {
			work.Go(func() {
				if err := s.Destroy(t.Context(), ids[i*26:(i+1)*26]...); err != nil {
					t.Error(err)
				}
				if _, err := s.Get(t.Context(), ids[i*26]); !errors.Is(err, ErrDestroyed) {
					t.Errorf("after Destroy has returned: %v", err)
				}
			})
		}
		work.Wait()
		if found, err := s.GetMany(t.Context(), ids); !errors.Is(err, ErrDestroyed) || len(found) != 0 {
			t.Fatalf("%d keys are left, %v", len(found), err)
		}
	})
}

func TestNoByteOfADestroyedKeyStaysInTheFiles(t *testing.T) {
	s, path := openFile(t)
	reader, err := sql.Open("sqlite", dsn(path, 5000))
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	id, _ := draw(t, s)
	wrapped := wrappedKey(t, s, id)
	var n int
	if err := reader.QueryRow(`SELECT count(*) FROM identification_key`).Scan(&n); err != nil || n == 0 {
		t.Fatalf("%d keys, %v", n, err)
	}
	if !bytes.Contains(onDisk(t, path), wrapped) {
		t.Fatal("the key is nowhere before it is destroyed: the test looks in the wrong place")
	}
	if err := s.Destroy(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(onDisk(t, path), wrapped) {
		t.Fatal("the wrapped key can still be read from the files")
	}
}

// SQLite moves rows between pages when it removes others; a copy that is left behind in the
// slack of a page would survive the destruction of the row. So many keys come and go here, in
// no order, across stores that are opened and closed.
func TestNoByteOfManyDestroyedKeysStaysInTheFiles(t *testing.T) {
	path, master := filepath.Join(t.TempDir(), "keys.db"), newMaster(t)
	random := mathrand.New(mathrand.NewPCG(1, 2))
	wrapped, gone := map[ID][]byte{}, map[ID][]byte{}
	var alive []ID
	for round := range 8 {
		s, err := Open(t.Context(), path, master, WithBatch(1000))
		if err != nil {
			t.Fatal(err)
		}
		for range 500 + random.IntN(1000) {
			id, _ := draw(t, s)
			alive = append(alive, id)
			wrapped[id] = nil
		}
		s.work.Wait()
		readWrapped(t, s, wrapped)
		random.Shuffle(len(alive), func(i, j int) { alive[i], alive[j] = alive[j], alive[i] })
		for len(alive) > 200*(round%3+1) {
			n := min(1+random.IntN(100), len(alive))
			if err := s.Destroy(t.Context(), alive[:n]...); err != nil {
				t.Fatal(err)
			}
			for _, id := range alive[:n] {
				gone[id] = wrapped[id]
				delete(wrapped, id)
			}
			alive = alive[n:]
		}
		present := index(onDisk(t, path))
		for id, w := range wrapped {
			if !present(w) {
				t.Fatalf("round %d: key %s was kept and is nowhere: the test looks in the wrong place", round, id)
			}
		}
		for id, w := range gone {
			if present(w) {
				t.Errorf("round %d: a part of key %s, which is destroyed, is still in the files", round, id)
			}
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// index answers whether either half of a wrapped secret is among the bytes.
func index(disk []byte) func(wrapped []byte) bool {
	all := make(map[[16]byte]bool, len(disk))
	for i := 0; i+16 <= len(disk); i++ {
		all[[16]byte(disk[i:])] = true
	}
	return func(wrapped []byte) bool {
		secret := wrapped[seal.Prefix:]
		return all[[16]byte(secret)] || all[[16]byte(secret[16:])]
	}
}

// readWrapped fills in the stored form of those keys.
func readWrapped(t *testing.T, s *Store, keys map[ID][]byte) {
	t.Helper()
	rows, err := s.read.Query(`SELECT id, wrapped FROM identification_key`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var id ID
		var w []byte
		if err := rows.Scan(&id, &w); err != nil {
			t.Fatal(err)
		}
		if _, ok := keys[id]; ok {
			keys[id] = w
		}
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
}

func TestRowsOfDestroyedKeysAreUsedAgain(t *testing.T) {
	s, _ := openFile(t, WithBatch(100))
	for range 30 {
		var ids []ID
		for range 100 {
			id, _ := draw(t, s)
			ids = append(ids, id)
		}
		if err := s.Destroy(t.Context(), ids...); err != nil {
			t.Fatal(err)
		}
	}
	var n int
	if err := s.read.QueryRow(`SELECT count(*) FROM identification_key`).Scan(&n); err != nil || n > 500 {
		t.Fatalf("the file grew to %d rows for 100 keys at a time, %v", n, err)
	}
}

func TestDestroySucceedsWhenTheReaderInItsWayStops(t *testing.T) {
	s, path := openFile(t)
	id, _ := draw(t, s)
	s.work.Wait()
	wrapped := wrappedKey(t, s, id)
	release := holdOldState(t, path)
	done := make(chan error, 1)
	go func() { done <- s.Destroy(context.Background(), id) }()
	for { // until the row is removed; the log still cannot be emptied
		if _, err := s.Get(t.Context(), id); errors.Is(err, ErrDestroyed) {
			break
		}
	}
	release()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(onDisk(t, path), wrapped) {
		t.Fatal("the wrapped key can still be read from the files")
	}
}

func TestDestroyReportsAReaderThatNeverStops(t *testing.T) {
	s, path := openFile(t)
	s.patience = 300 * time.Millisecond
	id, _ := draw(t, s)
	s.work.Wait()
	wrapped := wrappedKey(t, s, id)
	release := holdOldState(t, path)
	if err := s.Destroy(t.Context(), id); err == nil {
		t.Fatal("Destroy says that no byte is left, which cannot be known")
	}
	if !bytes.Contains(onDisk(t, path), wrapped) {
		t.Fatal("the log was emptied under a reader: the test holds nothing up")
	}
	release()
	if err := s.Destroy(t.Context(), id); err != nil { // the row is gone, the log is not
		t.Fatal(err)
	}
	if bytes.Contains(onDisk(t, path), wrapped) {
		t.Fatal("the second call left the wrapped key in the files")
	}
}

// holdOldState reads the store in a transaction of another connection until it is released.
func holdOldState(t *testing.T, path string) (release func()) {
	t.Helper()
	db, err := sql.Open("sqlite", dsn(path, 5000)+"&_txlock=deferred")
	if err != nil {
		t.Fatal(err)
	}
	conn, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.ExecContext(t.Context(), "BEGIN DEFERRED"); err != nil {
		t.Fatal(err)
	}
	var n int
	if err := conn.QueryRowContext(t.Context(), "SELECT count(*) FROM identification_key").Scan(&n); err != nil {
		t.Fatal(err)
	}
	release = sync.OnceFunc(func() {
		if _, err := conn.ExecContext(context.Background(), "ROLLBACK"); err != nil {
			t.Error(err)
		}
		conn.Close()
		db.Close()
	})
	t.Cleanup(release)
	return release
}

func TestDestroyForNobodyDestroysNothing(t *testing.T) {
	s, _ := openFile(t)
	id, _ := draw(t, s)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Destroy(ctx, id); !errors.Is(err, context.Canceled) {
		t.Fatalf("destroying with a cancelled context: %v", err)
	}
	if _, err := s.Get(t.Context(), id); err != nil {
		t.Fatal(err)
	}
}
