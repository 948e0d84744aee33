// Package store is the only SQL of the platform: one set of statements for SQLite, in the
// process, and for PostgreSQL. A transaction rides in the context that InTx hands to its
// function; methods that change something need one, methods that read use it when it is
// there. What is personal arrives sealed.
package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"vidimus/internal/domain/audit"
	"vidimus/internal/domain/fault"
	"vidimus/internal/store/rows"
)

// DB is one database. All methods may be called by many goroutines at once.
type DB struct {
	reads  *rows.Queries
	pool   *sql.DB // of readers; on PostgreSQL of everybody
	group  *group  // the one writer of SQLite; nil on PostgreSQL
	convoy *convoy // of creations on PostgreSQL; nil on SQLite
	close  func() error
	file   string // of SQLite; empty on PostgreSQL

	auditKey audit.Key
}

// Open connects to the database of the URL (postgres://…), or, when that is empty, to the
// SQLite file dir/vidimus.db, and brings its tables up to date. Several processes may do
// so at the same time. A database that a newer program has changed is refused. The audit
// trail is written with key, which must not lie in the database.
func Open(ctx context.Context, url, dir string, key audit.Key) (*DB, error) {
	db, err := connect(ctx, url, dir)
	if err == nil {
		db.auditKey = key
	}
	return db, err
}

func connect(ctx context.Context, url, dir string) (*DB, error) {
	switch {
	case url == "":
		return openSQLite(ctx, dir)
	case strings.HasPrefix(url, "postgres://"), strings.HasPrefix(url, "postgresql://"):
		return openPostgres(ctx, url)
	}
	return nil, errors.New("a database address starts with postgres://")
}

// Embedded says whether the database lives in this process, so that no other node can be
// working on it.
func (db *DB) Embedded() bool { return db.group != nil }

// Close ends the connections. On SQLite what was begun is committed first.
func (db *DB) Close() error { return db.close() }

// Ping says whether the database can still be written to: it writes.
func (db *DB) Ping(ctx context.Context) error {
	return db.InTx(ctx, func(ctx context.Context) error { return tx(ctx).q.Ping(ctx, micro(time.Now())) })
}

// inTx is a running transaction.
type inTx struct {
	q     *rows.Queries
	after []func()

	snapshot *sql.Tx // of Snapshot, nil elsewhere
}

type txKey struct{}

// tx returns the transaction of the context. That there is none is a programmer's mistake.
func tx(ctx context.Context) *inTx {
	t, ok := ctx.Value(txKey{}).(*inTx)
	if !ok {
		panic("store: a change outside a transaction")
	}
	return t
}

// read returns the transaction's statements, or the readers'.
func (db *DB) read(ctx context.Context) *rows.Queries {
	if t, ok := ctx.Value(txKey{}).(*inTx); ok {
		return t.q
	}
	return db.reads
}

// InTx runs do in a transaction and commits it, durably, when do returns nil; else nothing
// of it remains. On SQLite many transactions share one commit, and do runs on the one
// writer: it must only use the database. On PostgreSQL do runs again when the database
// demands it. Either way it must be repeatable. A transaction inside another is refused.
func (db *DB) InTx(ctx context.Context, do func(ctx context.Context) error) error {
	if _, nested := ctx.Value(txKey{}).(*inTx); nested {
		panic("store: a transaction inside a transaction")
	}
	var after []func()
	var err error
	if db.group != nil {
		after, err = db.group.do(ctx, do)
	} else {
		after, err = postgresTx(ctx, db.pool, do)
	}
	if err != nil {
		return err
	}
	for _, f := range after {
		f()
	}
	return nil
}

// AfterCommit has f called once the transaction of ctx is committed, and never when it is
// not.
func (db *DB) AfterCommit(ctx context.Context, f func()) {
	t := tx(ctx)
	t.after = append(t.after, f)
}

// micro writes a time; the zero time is 0.
func micro(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

// at reads what micro wrote.
func at(n int64) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return time.UnixMicro(n).UTC()
}

// found turns "no rows" into fault.NotFound and says what was being read otherwise.
func found(err error, what string) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, sql.ErrNoRows):
		return fault.Of(fault.NotFound)
	default:
		return fmt.Errorf("reading %s: %w", what, err)
	}
}

// one says ErrChanged when a guarded change met nothing it could change: somebody
// else was first.
func one(n int64, err error, what string) error {
	switch {
	case err != nil:
		return fmt.Errorf("%s: %w", what, err)
	case n == 0:
		return ErrChanged
	default:
		return nil
	}
}

// ErrChanged says that another writer was first: read again, then decide again.
var ErrChanged = errors.New("changed by somebody else in the meantime")

// Late says whether err is, or wraps, ErrChanged.
func (db *DB) Late(err error) bool { return errors.Is(err, ErrChanged) }
