package store

import (
	"context"
	"database/sql"
	"errors"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
)

// pipeline collects statements instead of running them, to send them together.
type pipeline struct{ batch pgx.Batch }

// run is send on a connection of the pool's.
func (p *pipeline) run(ctx context.Context, pool *sql.DB) (changed []int64, err error) {
	conn, err := pool.Conn(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { _ = conn.Close() }() // gives it back to the pool
	err = conn.Raw(func(driver any) error {
		var err error
		changed, err = p.send(ctx, driver.(*stdlib.Conn).Conn())
		return err
	})
	return changed, err
}

// send runs what was collected, all or nothing, and returns how many rows each changed.
func (p *pipeline) send(ctx context.Context, conn *pgx.Conn) (changed []int64, err error) {
	results := conn.SendBatch(ctx, &p.batch)
	defer func() { err = errors.Join(err, results.Close()) }()
	for range p.batch.Len() {
		tag, err := results.Exec()
		if err != nil {
			return nil, err
		}
		changed = append(changed, tag.RowsAffected())
	}
	return changed, nil
}

var errOnlyExec = errors.New("a pipeline only takes statements without rows")

func (p *pipeline) ExecContext(_ context.Context, query string, args ...any) (sql.Result, error) {
	p.batch.Queue(query, args...)
	return later{}, nil
}

func (p *pipeline) PrepareContext(context.Context, string) (*sql.Stmt, error) {
	return nil, errOnlyExec
}

func (p *pipeline) QueryContext(context.Context, string, ...any) (*sql.Rows, error) {
	return nil, errOnlyExec
}

func (p *pipeline) QueryRowContext(context.Context, string, ...any) *sql.Row {
	panic(errOnlyExec)
}

// later is the result of a statement that has not run yet.
type later struct{}

func (later) LastInsertId() (int64, error) { return 0, errOnlyExec }
func (later) RowsAffected() (int64, error) { return 0, nil }
