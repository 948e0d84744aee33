package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"

	"vidimus/internal/store/rows"
)

// postgresConns is how many connections a node opens at most. PostgreSQL allows 100 by
// default, for all nodes together.
const postgresConns = 40

func openPostgres(ctx context.Context, address string) (*DB, error) {
	config, err := pgx.ParseConfig(address)
	if err != nil {
		// The driver's message may hold the password.
		return nil, errors.New("the database address is not a valid postgres:// URL")
	}
	pool := stdlib.OpenDB(*config, stdlib.OptionAfterConnect(prepareConn))
	pool.SetMaxOpenConns(postgresConns)
	pool.SetMaxIdleConns(postgresConns)
	pool.SetConnMaxIdleTime(5 * time.Minute)
	if err := migratePostgres(ctx, pool); err != nil {
		return nil, errors.Join(err, pool.Close())
	}
	c := newConvoy(pool)
	return &DB{reads: rows.New(pool), pool: pool, convoy: c, close: func() error {
		c.stop()
		return pool.Close()
	}}, nil
}

// prepareConn makes commits durable where the server's settings would not, and has PostgreSQL
// read along indexes. Every statement here wants a few rows in
// the order of an index, but a table that has just been filled looks empty to the planner:
// it then reads and sorts all work that is due to hand out the first pieces of it.
func prepareConn(ctx context.Context, conn *pgx.Conn) error {
	if _, err := conn.Exec(ctx, "SET enable_bitmapscan = off; SET enable_seqscan = off; "+
		"SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'"); err != nil {
		return fmt.Errorf("preparing a connection: %w", err)
	}
	return nil
}

// postgresTx runs do in a transaction of its own; again, a few times, when the database
// broke it off for the sake of another.
func postgresTx(ctx context.Context, pool *sql.DB, do func(ctx context.Context) error) ([]func(), error) {
	const tries = 5
	var err error
	for range tries {
		var after []func()
		after, err = postgresOnce(ctx, pool, do)
		if !again(err) {
			return after, err
		}
	}
	return nil, err
}

func postgresOnce(ctx context.Context, pool *sql.DB, do func(ctx context.Context) error) (after []func(), err error) {
	t, err := pool.BeginTx(ctx, nil)
	if err != nil {
		return nil, fmt.Errorf("beginning: %w", err)
	}
	defer func() {
		if err := t.Rollback(); err != nil && !errors.Is(err, sql.ErrTxDone) {
			after = nil
		}
	}()
	mine := &inTx{q: rows.New(t)}
	if err := do(context.WithValue(ctx, txKey{}, mine)); err != nil {
		return nil, err
	}
	if err := t.Commit(); err != nil {
		return nil, fmt.Errorf("committing: %w", err)
	}
	return mine.after, nil
}

// again says whether PostgreSQL asks to try the transaction once more: a serialization
// failure, or a deadlock that it resolved.
func again(err error) bool {
	e, ok := errors.AsType[*pgconn.PgError](err)
	return ok && (e.Code == "40001" || e.Code == "40P01")
}

// refused says whether PostgreSQL itself refused, so that nothing of the transaction
// remains. A broken connection, or a server that stops, leaves that open.
func refused(err error) bool {
	e, ok := errors.AsType[*pgconn.PgError](err)
	return ok && e.SeverityUnlocalized == "ERROR"
}

// duplicate says whether a unique index refused a row.
func duplicate(err error) bool {
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		return e.Code == "23505"
	}
	var coded interface{ Code() int }
	if errors.As(err, &coded) {
		const unique, primaryKey = 2067, 1555 // SQLITE_CONSTRAINT_UNIQUE, …_PRIMARYKEY
		return coded.Code() == unique || coded.Code() == primaryKey
	}
	return false
}
