package store

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

//go:embed migration/*.sql
var migrations embed.FS

// migratePostgres brings the tables up to date. A lock of the database's lets one node
// work while the others wait.
func migratePostgres(ctx context.Context, db *sql.DB) error {
	// Whoever waits looks every second, for five minutes at most.
	locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, 300))
	if err != nil {
		return fmt.Errorf("preparing the migration lock: %w", err)
	}
	return migrate(ctx, goose.DialectPostgres, db, goose.WithSessionLocker(locker))
}

// migrateSQLite brings the tables up to date. Other processes wait at a database of its
// own that serves as the lock: migrations run in several transactions of the real one.
func migrateSQLite(ctx context.Context, db *sql.DB, dir string) (err error) {
	// Not in WAL mode: of several processes that change to it at once, some are refused
	// without waiting.
	gate, err := sql.Open("sqlite", sqliteFile(filepath.Join(dir, "migrate.lock"))+"?_pragma=busy_timeout(300000)")
	if err != nil {
		return fmt.Errorf("opening the migration lock: %w", err)
	}
	defer func() { err = errors.Join(err, gate.Close()) }()
	gate.SetMaxOpenConns(1)
	conn, err := gate.Conn(ctx)
	if err != nil {
		return fmt.Errorf("opening the migration lock: %w", err)
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	if _, err := conn.ExecContext(ctx, "BEGIN IMMEDIATE"); err != nil {
		return fmt.Errorf("waiting for another process that migrates: %w", err)
	}
	defer func() {
		_, rollback := conn.ExecContext(context.WithoutCancel(ctx), "ROLLBACK")
		err = errors.Join(err, rollback)
	}()
	return migrate(ctx, goose.DialectSQLite3, db)
}

func provider(dialect goose.Dialect, db *sql.DB, options ...goose.ProviderOption) (*goose.Provider, error) {
	files, err := fs.Sub(migrations, "migration")
	if err != nil {
		return nil, fmt.Errorf("reading the migrations: %w", err)
	}
	p, err := goose.NewProvider(dialect, db, files, options...)
	if err != nil {
		return nil, fmt.Errorf("preparing the migrations: %w", err)
	}
	return p, nil
}

// Versions returns the version that the database has and the one that this program would
// bring it to, without changing anything. The arguments are those of Open.
func Versions(ctx context.Context, url, dir string) (has, knows int64, err error) {
	driver, address, dialect := "pgx", url, goose.DialectPostgres
	if url == "" {
		driver, address, dialect = "sqlite", sqliteFile(filepath.Join(dir, sqliteName))+"?mode=ro", goose.DialectSQLite3
	}
	db, err := sql.Open(driver, address)
	if err != nil {
		return 0, 0, errors.New("the database address cannot be read") // the driver's error may hold a password
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	p, err := provider(dialect, db)
	if err != nil {
		return 0, 0, err
	}
	if has, knows, err = p.GetVersions(ctx); err != nil {
		return 0, 0, fmt.Errorf("reading the database's version: %w", err)
	}
	return has, knows, nil
}

func migrate(ctx context.Context, dialect goose.Dialect, db *sql.DB, options ...goose.ProviderOption) error {
	p, err := provider(dialect, db, options...)
	if err != nil {
		return err
	}
	has, knows, err := p.GetVersions(ctx)
	if err != nil {
		return fmt.Errorf("reading the database's version: %w", err)
	}
	if has > knows {
		return fmt.Errorf("the database has version %d, this program knows %d: use a newer program", has, knows)
	}
	if has == knows {
		return nil
	}
	if _, err := p.Up(ctx); err != nil {
		return fmt.Errorf("bringing the database up to date: %w", err)
	}
	return nil
}
