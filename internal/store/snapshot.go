package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"vidimus/internal/domain/audit"
	"vidimus/internal/domain/company"
	"vidimus/internal/store/rows"
)

// Snapshot has do read one state of the database, whatever is written meanwhile: its context
// carries that state, and methods that read use it. Nothing can be changed under it.
func (db *DB) Snapshot(ctx context.Context, do func(ctx context.Context) error) (err error) {
	pool, options := db.pool, &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true}
	if db.file != "" {
		// Of its own: what has to be sorted, which may be much, goes into a file.
		pool, err = sql.Open("sqlite", sqliteAddress(db.file, "query_only(1)", "temp_store(FILE)"))
		if err != nil {
			return fmt.Errorf("opening the database: %w", err)
		}
		defer func() { err = errors.Join(err, pool.Close()) }()
		options = nil
	}
	t, err := pool.BeginTx(ctx, options)
	if err != nil {
		return fmt.Errorf("beginning to read: %w", err)
	}
	defer func() {
		if end := t.Rollback(); !errors.Is(end, sql.ErrTxDone) {
			err = errors.Join(err, end)
		}
	}()
	if db.file == "" {
		// Here whole tables are read, unlike everywhere else: see inIndexOrder.
		if _, err := t.ExecContext(ctx, "SET LOCAL enable_bitmapscan = on; SET LOCAL enable_seqscan = on"); err != nil {
			return fmt.Errorf("beginning to read: %w", err)
		}
	}
	return do(context.WithValue(ctx, txKey{}, &inTx{q: rows.New(t), snapshot: t}))
}

// The two statements that may return millions of rows: what is generated would gather them
// all before it returned the first.
const (
	allEntries = `SELECT chain, seq, company_id, at, actor, act, detail, hash, checkpoint FROM audit ORDER BY chain, seq`
	allLinks   = `SELECT checkpoint, chain, seq, hash FROM audit WHERE checkpoint <> 0 ORDER BY checkpoint`
)

// AuditEntries calls each with every entry of the trail and the number of the checkpoint
// that sealed it: one chain after the other, each in order. Only within a Snapshot.
func (db *DB) AuditEntries(ctx context.Context, each func(e audit.Entry, checkpoint int64) error) error {
	return stream(ctx, allEntries, func(rs *sql.Rows) error {
		var e audit.Entry
		var when, checkpoint int64
		var c string
		if err := rs.Scan(&e.Chain, &e.Seq, &c, &when, &e.Actor, &e.Act, &e.Detail, &e.Hash, &checkpoint); err != nil {
			return err
		}
		e.Company, e.At = company.ID(c), at(when)
		return each(e, checkpoint)
	})
}

// AuditLinks calls each with every sealed entry, in the order of checkpoints. Only within a
// Snapshot.
func (db *DB) AuditLinks(ctx context.Context, each func(checkpoint int64, l audit.Link) error) error {
	return stream(ctx, allLinks, func(rs *sql.Rows) error {
		var l audit.Link
		var checkpoint int64
		if err := rs.Scan(&checkpoint, &l.Chain, &l.Seq, &l.Hash); err != nil {
			return err
		}
		return each(checkpoint, l)
	})
}

func stream(ctx context.Context, query string, each func(rs *sql.Rows) error) (err error) {
	rs, err := tx(ctx).snapshot.QueryContext(ctx, query)
	if err != nil {
		return fmt.Errorf("reading the audit trail: %w", err)
	}
	defer func() { err = errors.Join(err, rs.Close()) }()
	for rs.Next() {
		if err := each(rs); err != nil {
			return err
		}
	}
	if err := rs.Err(); err != nil {
		return fmt.Errorf("reading the audit trail: %w", err)
	}
	return nil
}

// UnsealedSince returns how many entries wait for a checkpoint, and when the oldest of them
// was written.
func (db *DB) UnsealedSince(ctx context.Context) (entries int64, oldest time.Time, err error) {
	r, err := db.read(ctx).UnsealedSince(ctx)
	if err != nil {
		return 0, time.Time{}, fmt.Errorf("looking for unsealed audit entries: %w", err)
	}
	return r.Entries, at(r.Oldest), nil
}

// AuditMisfits lists identifications that do not fit the trail, up to most of each sort.
func (db *DB) AuditMisfits(ctx context.Context, most int) (audit.Misfits, error) {
	q, limit := db.read(ctx), int32(min(most, 1<<20)) //nolint:gosec // bounded
	var m audit.Misfits
	for _, sort := range []struct {
		into *[]string
		ask  func(context.Context, int32) ([]string, error)
	}{{&m.WithoutChain, q.WithoutChain}, {&m.DeletedButThere, q.DeletedButThere}, {&m.BuriedWithoutDeletion, q.BuriedWithoutDeletion}, {&m.GoneWithoutDeletion, q.GoneWithoutDeletion}} {
		list, err := sort.ask(ctx, limit)
		if err != nil {
			return m, fmt.Errorf("comparing identifications with the audit trail: %w", err)
		}
		*sort.into = list
	}
	return m, nil
}
