package keys

import (
	"context"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"database/sql"
	_ "embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"vidimus/internal/keys/seal"

	_ "github.com/jackc/pgx/v5/stdlib" // registers the driver pgx
	"modernc.org/sqlite"
)

// defaultBatch is how many keys one commit makes.
const defaultBatch = 512

// chunk is how many ids one statement names.
const chunk = 500

//go:embed schema.sql
var schema string

// Store keeps the wrapped keys. It is safe for use by several goroutines at once, and by
// several processes on one database.
type Store struct {
	write    *sql.DB // SQLite: one connection; PostgreSQL: the same pool as read
	read     *sql.DB
	truncate *sql.DB // empties SQLite's log; nil on PostgreSQL
	get      *sql.Stmt
	wrap     cipher.AEAD
	now      func() time.Time
	random   io.Reader
	batch    int
	patience time.Duration // for emptying the log
	name     string
	newest   string // the newest batch that was known when the store was opened

	mu        sync.Mutex
	closed    bool
	pool      []*batch     // drawn and not handed out, oldest first
	refill    *refill      // nil when none is under way
	condemned []*condemned // waiting to be destroyed
	executing bool         // somebody works on condemned
	work      sync.WaitGroup
}

// Option changes how a store behaves.
type Option func(*Store)

// WithClock has the store read the time from now instead of the system.
func WithClock(now func() time.Time) Option { return func(s *Store) { s.now = now } }

// WithRandom has the store take keys, ids and nonces from r, which has to be safe for use
// by several goroutines at once. Files are sealed with the system's randomness all the same.
func WithRandom(r io.Reader) Option { return func(s *Store) { s.random = r } }

// WithBatch has the store draw that many keys in one commit, 1 to 4096, instead of 512.
func WithBatch(n int) Option { return func(s *Store) { s.batch = n } }

// Open opens the key store at where: a postgres:// URL, or the path of a SQLite file, which
// is made, with its folder, when it is missing and that nobody but the owner may read. A
// master key that the store was not made with is refused with ErrWrongMaster. No error tells
// the URL, which may hold a password. The caller closes the store.
func Open(ctx context.Context, where string, master Master, opts ...Option) (*Store, error) {
	s := &Store{now: time.Now, random: rand.Reader, batch: defaultBatch, patience: 10 * time.Second}
	for _, o := range opts {
		o(s)
	}
	if s.batch < 1 || s.batch > 4096 {
		return nil, fmt.Errorf("opening the key store: a batch of %d keys is not between 1 and 4096", s.batch)
	}
	s.wrap = seal.NewAEAD(master.derive("wrap", "keys of identifications"))
	if err := s.connect(where); err != nil {
		return nil, errors.Join(fmt.Errorf("opening the key store: %w", err), s.disconnect())
	}
	if err := s.prepare(ctx, master); err != nil {
		return nil, errors.Join(fmt.Errorf("opening the key store: %w", err), s.disconnect())
	}
	return s, nil
}

func (s *Store) connect(where string) error {
	if strings.HasPrefix(where, "postgres://") || strings.HasPrefix(where, "postgresql://") {
		db, err := sql.Open("pgx", where)
		if err != nil {
			return errors.New("the URL of the database cannot be read")
		}
		db.SetMaxOpenConns(16)
		db.SetMaxIdleConns(16)
		s.write, s.read = db, db
		return nil
	}
	if strings.Contains(where, "://") {
		return errors.New("neither a postgres:// URL nor the path of a file")
	}
	return s.connectFile(where)
}

// connectFile opens three pools: SQLite has one writer, many readers beside it, and the log
// is emptied from a connection that gives up early, so that it can be tried again.
func (s *Store) connectFile(path string) error {
	path, err := filepath.Abs(path)
	if err != nil {
		return err
	}
	if err := makeDir(filepath.Dir(path)); err != nil {
		return err
	}
	// The log and the index take over the mode of the file, so it is made beforehand.
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	if s.write, err = sql.Open("sqlite", dsn(path, 5000)); err != nil {
		return err
	}
	s.write.SetMaxOpenConns(1)
	if s.truncate, err = sql.Open("sqlite", dsn(path, 100)); err != nil {
		return err
	}
	s.truncate.SetMaxOpenConns(1)
	if s.read, err = sql.Open("sqlite", dsn(path, 5000)); err != nil {
		return err
	}
	s.read.SetMaxOpenConns(4)
	s.read.SetMaxIdleConns(4)
	return nil
}

// dsn names a SQLite file, with what every connection to it must have set: secure_delete
// belongs to the connection, not to the file.
func dsn(path string, busy int) string {
	q := url.Values{"_txlock": {"immediate"}, "_pragma": {
		"busy_timeout(" + strconv.Itoa(busy) + ")", "journal_mode(WAL)", "synchronous(FULL)",
		"secure_delete(ON)", "temp_store(MEMORY)",
	}}
	return (&url.URL{Scheme: "file", Path: path, RawQuery: q.Encode()}).String()
}

// prepare makes the tables, checks that the master key fits, and tries once to empty the log
// that a process left which died in the middle of Destroy.
func (s *Store) prepare(ctx context.Context, master Master) error {
	if err := s.retryBusy(ctx, func() error { return s.create(ctx, master.derive("check", "key store")) }); err != nil {
		return err
	}
	if s.truncate == nil { // synchronous_commit could be off for the whole server
		var commit string
		if err := s.read.QueryRowContext(ctx, "SHOW synchronous_commit").Scan(&commit); err != nil {
			return err
		}
		if commit == "off" {
			return errors.New("the database has synchronous_commit off: keys could be lost after they were used")
		}
	}
	if s.truncate != nil {
		if _, err := s.truncate.ExecContext(ctx, `PRAGMA wal_checkpoint(TRUNCATE)`); err != nil && !busy(err) {
			return err
		}
	}
	var err error
	s.get, err = s.read.PrepareContext(ctx, `SELECT wrapped FROM identification_key WHERE id = $1`)
	return err
}

// create makes the tables and compares the master key. One node does so at a time: SQLite
// because a write transaction is begun at once, PostgreSQL because of the lock.
func (s *Store) create(ctx context.Context, check []byte) error {
	tx, err := s.write.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	if s.truncate == nil {
		if _, err := tx.ExecContext(ctx, `SELECT pg_advisory_xact_lock(8241507301)`); err != nil {
			return err
		}
	}
	for _, statement := range strings.Split(schema, ";\n") {
		if strings.TrimSpace(statement) == "" {
			continue
		}
		if _, err := tx.ExecContext(ctx, statement); err != nil {
			return fmt.Errorf("making the tables: %w", err)
		}
	}
	if _, err := tx.ExecContext(ctx, `
		INSERT INTO key_store (one, master_check) VALUES (1, $1)
		ON CONFLICT (one) DO NOTHING`, check); err != nil {
		return err
	}
	var stored []byte
	if err := tx.QueryRowContext(ctx, `SELECT master_check FROM key_store WHERE one = 1`).Scan(&stored); err != nil {
		return err
	}
	if !hmac.Equal(stored, check) {
		return ErrWrongMaster
	}
	name := make([]byte, 16)
	if _, err := io.ReadFull(s.random, name); err != nil {
		return fmt.Errorf("no randomness: %w", err)
	}
	if _, err := tx.ExecContext(ctx, `
		INSERT INTO identity (one, name) VALUES (1, $1)
		ON CONFLICT (one) DO NOTHING`, hex.EncodeToString(name)); err != nil {
		return err
	}
	if err := tx.QueryRowContext(ctx, `SELECT name FROM identity WHERE one = 1`).Scan(&s.name); err != nil {
		return err
	}
	if s.newest, err = knownBatch(ctx, tx); err != nil {
		return err
	}
	return tx.Commit()
}

// retryBusy repeats f while SQLite says that the file is locked: turning the log on, which
// the first connections do, does not wait as everything else does.
func (s *Store) retryBusy(ctx context.Context, f func() error) error {
	ctx, cancel := context.WithTimeout(ctx, s.patience)
	defer cancel()
	for {
		err := f()
		if !busy(err) {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// busy says whether SQLite refused because of another connection.
func busy(err error) bool {
	e, ok := errors.AsType[*sqlite.Error](err)
	return ok && (e.Code()&0xff == 5 || e.Code()&0xff == 6) // SQLITE_BUSY, SQLITE_LOCKED
}

// Name returns what the store was called when it was made: 32 hexadecimal digits that no
// other one has.
func (s *Store) Name() string { return s.name }

// Ping says whether the store can be reached.
func (s *Store) Ping(ctx context.Context) error { return s.read.PingContext(ctx) }

// Get returns the key of that id, or ErrDestroyed. Nothing is kept in memory: after Destroy
// has returned, no Get gives the key.
func (s *Store) Get(ctx context.Context, id ID) (*Key, error) {
	if err := id.check(); err != nil {
		return nil, err
	}
	var wrapped []byte
	err := s.get.QueryRowContext(ctx, string(id)).Scan(&wrapped)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, fmt.Errorf("key %s: %w", id, ErrDestroyed)
	}
	if err != nil {
		return nil, fmt.Errorf("reading key %s: %w", id, err)
	}
	return s.unwrap(id, wrapped)
}

// GetMany returns the keys of those ids, with one query for each 500. When some are missing
// the error is ErrDestroyed and the map holds all the others; with any other error it is nil.
func (s *Store) GetMany(ctx context.Context, ids []ID) (map[ID]*Key, error) {
	found := make(map[ID]*Key, len(ids))
	for part := range chunks(ids) {
		if err := s.getChunk(ctx, part, found); err != nil {
			return nil, fmt.Errorf("reading %d keys: %w", len(part), err)
		}
	}
	missing := map[ID]bool{}
	for _, id := range ids {
		if found[id] == nil {
			missing[id] = true
		}
	}
	if len(missing) > 0 {
		return found, fmt.Errorf("%d of %d keys: %w", len(missing), len(ids), ErrDestroyed)
	}
	return found, nil
}

func (s *Store) getChunk(ctx context.Context, ids []ID, into map[ID]*Key) error {
	for _, id := range ids {
		if err := id.check(); err != nil {
			return err
		}
	}
	in, args := list(ids)
	rows, err := s.read.QueryContext(ctx, `SELECT id, wrapped FROM identification_key WHERE id IN `+in, args...) //nolint:gosec // placeholders only
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var id ID
		var wrapped []byte
		if err := rows.Scan(&id, &wrapped); err != nil {
			return err
		}
		if into[id], err = s.unwrap(id, wrapped); err != nil {
			return err
		}
	}
	return rows.Err()
}

func (s *Store) unwrap(id ID, wrapped []byte) (*Key, error) {
	secret, err := seal.Open(s.wrap, wrapped, []byte(id))
	if err != nil {
		return nil, fmt.Errorf("unwrapping key %s: %w", id, err)
	}
	if len(secret) != seal.KeySize {
		return nil, fmt.Errorf("unwrapping key %s: it has a wrong size", id)
	}
	return seal.New((*[seal.KeySize]byte)(secret), s.random), nil
}

// Close waits for what is under way, removes the keys that were drawn and not handed out,
// and closes the database. Afterwards everything fails. A second Close does nothing.
func (s *Store) Close() error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil
	}
	s.closed = true
	s.mu.Unlock()
	s.work.Wait()
	ctx, cancel := context.WithTimeout(context.Background(), s.patience)
	defer cancel()
	s.mu.Lock()
	left := s.pool
	s.pool = nil
	s.mu.Unlock()
	err := s.handBack(ctx, left)
	return errors.Join(err, s.disconnect())
}

func (s *Store) disconnect() error {
	var errs []error
	if s.get != nil {
		errs = append(errs, s.get.Close())
	}
	for _, db := range []*sql.DB{s.read, s.truncate, s.write} {
		if db != nil {
			errs = append(errs, db.Close())
		}
	}
	return errors.Join(errs...)
}
