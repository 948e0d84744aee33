package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"

	_ "modernc.org/sqlite" // the driver

	"vidimus/internal/store/rows"
)

// sqliteName is the file of the embedded database.
const sqliteName = "vidimus.db"

// sqliteSettings: WAL lets readers go on while one writes; FULL makes every commit reach
// the disk before it is answered; secure_delete writes zeros over what is removed.
var sqliteSettings = []string{
	"journal_mode(WAL)", "synchronous(FULL)", "busy_timeout(10000)", "wal_autocheckpoint(4000)",
	"cache_size(-32000)", "temp_store(MEMORY)", "secure_delete(ON)",
}

func sqliteAddress(file string, more ...string) string {
	q := url.Values{"_pragma": append(sqliteSettings[:len(sqliteSettings):len(sqliteSettings)], more...)}
	return sqliteFile(file) + "?" + q.Encode()
}

func sqliteFile(file string) string { return "file:" + (&url.URL{Path: file}).EscapedPath() }

func openSQLite(ctx context.Context, dir string) (*DB, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("making the data folder: %w", err)
	}
	file := filepath.Join(dir, sqliteName)
	writer, err := sql.Open("sqlite", sqliteAddress(file))
	if err != nil {
		return nil, fmt.Errorf("opening the database: %w", err)
	}
	writer.SetMaxOpenConns(1)
	if err := migrateSQLite(ctx, writer, dir); err != nil {
		return nil, errors.Join(err, writer.Close())
	}
	if err := os.Chmod(file, 0o600); err != nil {
		return nil, errors.Join(fmt.Errorf("closing the database to others: %w", err), writer.Close())
	}
	readers, err := sql.Open("sqlite", sqliteAddress(file, "query_only(1)"))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("opening the database: %w", err), writer.Close())
	}
	n := max(4, runtime.NumCPU()*2)
	readers.SetMaxOpenConns(n)
	readers.SetMaxIdleConns(n)
	conn, err := writer.Conn(ctx)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("opening the database: %w", err), readers.Close(), writer.Close())
	}
	cache := &prepared{on: readers}
	g := newGroup(conn)
	return &DB{
		reads: rows.New(cache), pool: readers, group: g, file: file,
		close: func() error {
			g.stop()
			return errors.Join(cache.Close(), conn.Close(), readers.Close(), writer.Close())
		},
	}, nil
}

// preparer is what *sql.DB and *sql.Conn have in common here.
type preparer interface {
	PrepareContext(ctx context.Context, query string) (*sql.Stmt, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// prepared keeps each statement compiled, and drops what only PostgreSQL understands: on
// SQLite there is one writer, so no row needs a lock.
type prepared struct {
	on    preparer
	stmts sync.Map // of query text to *sql.Stmt
}

var rowLocks = strings.NewReplacer("FOR UPDATE OF j SKIP LOCKED", "", "FOR UPDATE OF d SKIP LOCKED", "", "FOR UPDATE OF i", "")

func (p *prepared) stmt(query string) (*sql.Stmt, error) {
	if s, ok := p.stmts.Load(query); ok {
		return s.(*sql.Stmt), nil
	}
	// Text after the statement, be it a blank line, would have the driver compile it anew
	// at every use.
	s, err := p.on.PrepareContext(context.Background(), strings.TrimSpace(rowLocks.Replace(query)))
	if err != nil {
		return nil, err
	}
	if other, loaded := p.stmts.LoadOrStore(query, s); loaded {
		return other.(*sql.Stmt), s.Close() //nolint:sqlclosecheck // here and now
	}
	return s, nil
}

// Close closes every statement.
func (p *prepared) Close() error {
	var all []error
	p.stmts.Range(func(_, s any) bool {
		all = append(all, s.(*sql.Stmt).Close())
		return true
	})
	return errors.Join(all...)
}

func (p *prepared) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	s, err := p.stmt(query) //nolint:sqlclosecheck // kept, and closed by Close
	if err != nil {
		return nil, err
	}
	return s.ExecContext(ctx, args...)
}

func (p *prepared) PrepareContext(_ context.Context, query string) (*sql.Stmt, error) {
	return p.stmt(query)
}

func (p *prepared) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	s, err := p.stmt(query) //nolint:sqlclosecheck // kept, and closed by Close
	if err != nil {
		return nil, err
	}
	return s.QueryContext(ctx, args...)
}

func (p *prepared) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	s, err := p.stmt(query) //nolint:sqlclosecheck // kept, and closed by Close
	if err != nil {
		return p.on.QueryRowContext(ctx, query, args...) // whose Scan tells what is wrong
	}
	return s.QueryRowContext(ctx, args...)
}
