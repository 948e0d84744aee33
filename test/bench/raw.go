package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
	_ "modernc.org/sqlite"             // the driver "sqlite"

	"vidimus/internal/store"
)

// rawStore is a database of the platform's tables that nothing but the measuring uses.
type rawStore struct {
	db      *sql.DB
	dir     string
	writers int // connections that write
	next    atomic.Int64
}

// sqliteFile names a database with the settings of the platform's own.
func sqliteFile(dir string) string {
	return "file:" + filepath.Join(dir, "vidimus.db") + "?_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=busy_timeout(10000)" +
		"&_pragma=wal_autocheckpoint(4000)&_pragma=cache_size(-32000)&_pragma=temp_store(MEMORY)"
}

// rawStore opens a fresh one of that kind.
func (b *bench) rawStore(ctx context.Context, kind string) (*rawStore, error) {
	s, err := b.fresh(ctx, kind, "raw")
	if err != nil {
		return nil, err
	}
	tables, err := store.Open(ctx, s.database, s.data, nil)
	if err != nil {
		return nil, err
	}
	if err := tables.Close(); err != nil {
		return nil, err
	}
	r := &rawStore{dir: s.data, writers: 1}
	if kind == sqlite {
		r.db, err = sql.Open("sqlite", sqliteFile(s.data))
	} else {
		r.writers = connections
		r.db, err = sql.Open("pgx", s.database)
	}
	if err != nil {
		return nil, err
	}
	r.db.SetMaxOpenConns(r.writers)
	r.db.SetMaxIdleConns(r.writers)
	return r, nil
}

func (r *rawStore) close() error { return errors.Join(r.db.Close(), os.RemoveAll(r.dir)) }

// inserts measures how many rows a second that many writers insert, each on a connection
// of its own, or, on SQLite, which has room for one writer, by turns on the same; every
// insert is a commit that has reached the disk. The row is that of a new identification, in
// its table with all its indexes.
func (r *rawStore) inserts(ctx context.Context, writers int, during time.Duration) (float64, error) {
	statements := make([]*sql.Stmt, min(writers, r.writers))
	for n := range statements {
		conn, err := r.db.Conn(ctx)
		if err != nil {
			return 0, err
		}
		defer func() { _ = conn.Close() }()
		statement, err := conn.PrepareContext(ctx, insertIdentification)
		if err != nil {
			return 0, err
		}
		defer func() { _ = statement.Close() }()
		statements[n] = statement
	}
	var count atomic.Int64
	var all sync.WaitGroup
	errs := make([]error, writers)
	began := time.Now()
	for n := range writers {
		all.Go(func() {
			turn := statements[n%len(statements)]
			for time.Since(began) < during {
				if _, err := turn.ExecContext(ctx, r.newRow()...); err != nil {
					errs[n] = err
					return
				}
				count.Add(1)
			}
		})
	}
	all.Wait()
	took := time.Since(began)
	return float64(count.Load()) / took.Seconds(), errors.Join(errs...)
}

const insertIdentification = `INSERT INTO identification (id, company_id, number, number_fold, state, list, revision, company_revision, key_id, sealed, attempts,
       result, previous, reason, agent, channel, file_key, result_seq, next_delivery, created_at, changed_at, finished_at, kept_from)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23)`

// newRow is the row of an identification that was just created.
func (r *rawStore) newRow() []any {
	n := r.next.Add(1)
	number := "raw-" + strconv.FormatInt(n, 10)
	now := time.Now().UnixMicro()
	sealed := make([]byte, 29+420)
	return []any{
		string(scattered(int(n))), companyID, number, number, "CREATED", "pending", 1, 1, fmt.Sprintf("%032x", n), sealed, 0,
		"", "", "", "", "WEB", nil, 0, 0, now, now, 0, now,
	}
}
