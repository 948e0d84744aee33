package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"

	"vidimus/internal/store/rows"
)

// newOnPostgres stores an identification and its first audit entry in one round trip:
// PostgreSQL runs statements that are sent together as one transaction. The second
// statement stores nothing where the first did not.
func newOnPostgres(ctx context.Context, pool *sql.DB, i rows.InsertIdentificationParams, e rows.InsertFirstAuditParams) (bool, error) {
	var p pipeline
	q := rows.New(&p)
	if _, err := q.InsertIdentification(ctx, i); err != nil {
		return false, err
	}
	if _, err := q.InsertFirstAudit(ctx, e); err != nil {
		return false, err
	}
	conn, err := pool.Conn(ctx)
	if err != nil {
		return false, fmt.Errorf("storing an identification: %w", err)
	}
	defer func() { _ = conn.Close() }() // gives it back to the pool
	var created bool
	err = conn.Raw(func(driver any) error {
		n, err := p.send(ctx, driver.(*stdlib.Conn).Conn())
		created = err == nil && n[0] == 1
		return err
	})
	if err != nil {
		return false, fmt.Errorf("storing an identification: %w", err)
	}
	return created, nil
}

// pipeline collects statements instead of running them, to send them together.
type pipeline struct{ batch pgx.Batch }

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
