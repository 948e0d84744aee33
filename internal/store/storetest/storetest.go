// Package storetest gives every test a database of its own, on both of the databases that
// the platform knows. PostgreSQL is the server of VIDIMUS_TEST_POSTGRES, or else one that
// this process starts and that ends with it. It imports nothing of the platform, so that
// any test may use it.
package storetest

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"os"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
)

// EachDB runs test once on each database, as sub-tests "sqlite" and "postgres". The
// arguments are what store.Open takes: on SQLite an empty address and a fresh directory,
// on PostgreSQL the address of a fresh, empty database, and a fresh directory too.
func EachDB(t *testing.T, test func(t *testing.T, url, dir string)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { test(t, "", t.TempDir()) })
	t.Run("postgres", func(t *testing.T) { test(t, Postgres(t), t.TempDir()) })
}

// Postgres returns the address of a fresh, empty PostgreSQL database, which is dropped when
// the test ends. Without a PostgreSQL on the machine the test is skipped; it fails instead
// where CI=true or VIDIMUS_REQUIRE_POSTGRES=1 say that it must not be.
func Postgres(t testing.TB) string {
	t.Helper()
	server, err := Server()
	if errors.Is(err, errNone) && !required() {
		t.Skipf("skipped, because there is no PostgreSQL here: %v", err)
	}
	if err != nil {
		t.Fatalf("starting PostgreSQL: %v", err)
	}
	name := "test_" + randomName()
	if err := execute(server, "CREATE DATABASE "+name); err != nil {
		t.Fatalf("creating a database: %v", err)
	}
	t.Cleanup(func() {
		// FORCE: a test that failed may have left connections behind.
		if err := execute(server, "DROP DATABASE "+name+" WITH (FORCE)"); err != nil {
			t.Errorf("dropping the database of the test: %v", err)
		}
	})
	address, err := inDatabase(server, name)
	if err != nil {
		t.Fatal(err)
	}
	return address
}

// required says whether a missing PostgreSQL is an error.
func required() bool {
	return os.Getenv("CI") == "true" || os.Getenv("VIDIMUS_REQUIRE_POSTGRES") == "1"
}

// inDatabase returns the server's address with another database in it.
func inDatabase(server, name string) (string, error) {
	u, err := url.Parse(server)
	if err != nil {
		return "", fmt.Errorf("the address of the server is no URL: %w", err)
	}
	u.Path = "/" + name
	return u.String(), nil
}

// execute runs one statement on the server, outside any transaction.
func execute(server, statement string) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	db, err := sql.Open("pgx", server)
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	_, err = db.ExecContext(ctx, statement)
	return err
}

func randomName() string {
	var b [8]byte
	_, _ = rand.Read(b[:])
	return hex.EncodeToString(b[:])
}
