package e2e

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
	_ "modernc.org/sqlite"             // the driver "sqlite"

	"vidimus/internal/store/storetest"
)

// backup copies the database and the files aside, never the key store: backup. No server may
// run.
func (w *world) backup([]string) error {
	aside := filepath.Join(w.work, "backup")
	if err := os.RemoveAll(aside); err != nil {
		return err
	}
	if err := os.CopyFS(filepath.Join(aside, "files"), os.DirFS(filepath.Join(w.data, "files"))); err != nil {
		return err
	}
	if w.database != "" {
		name, err := databaseName(w.database)
		if err != nil {
			return err
		}
		return admin("CREATE DATABASE " + name + "_backup TEMPLATE " + name)
	}
	if left, _ := filepath.Glob(filepath.Join(w.data, "vidimus.db-*")); len(left) > 0 {
		return fmt.Errorf("the database is still open: %v", left)
	}
	content, err := os.ReadFile(filepath.Join(w.data, "vidimus.db"))
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(aside, "vidimus.db"), content, 0o600)
}

// restore puts back what backup took aside: restore. No server may run.
func (w *world) restore([]string) error {
	aside, files := filepath.Join(w.work, "backup"), filepath.Join(w.data, "files")
	if err := os.RemoveAll(files); err != nil {
		return err
	}
	if err := os.CopyFS(files, os.DirFS(filepath.Join(aside, "files"))); err != nil {
		return err
	}
	if w.database != "" {
		name, err := databaseName(w.database)
		if err != nil {
			return err
		}
		return errors.Join(admin("DROP DATABASE "+name+" WITH (FORCE)"), admin("ALTER DATABASE "+name+"_backup RENAME TO "+name))
	}
	content, err := os.ReadFile(filepath.Join(aside, "vidimus.db"))
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(w.data, "vidimus.db"), content, 0o600)
}

func databaseName(address string) (string, error) {
	u, err := url.Parse(address)
	if err != nil {
		return "", err
	}
	return strings.TrimPrefix(u.Path, "/"), nil
}

// admin runs a statement on the server of the databases.
func admin(statement string) (err error) {
	server, err := storetest.Server()
	if err != nil {
		return err
	}
	db, err := sql.Open("pgx", server)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	_, err = db.ExecContext(context.Background(), statement)
	return err
}

// value reads one value, of the database or of the key store.
func value[T any](address, file, query string, args ...any) (v T, err error) {
	driver := "pgx"
	if address == "" {
		driver, address = "sqlite", "file:"+file+"?_pragma=busy_timeout(10000)"
	}
	db, err := sql.Open(driver, address)
	if err != nil {
		return v, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	return v, db.QueryRowContext(context.Background(), query, args...).Scan(&v)
}

// theKey notes the key of an identification, as it is stored: thekey NUMBER.
func (w *world) theKey(args []string) error {
	id, err := value[string](w.database, filepath.Join(w.data, "vidimus.db"), `SELECT key_id FROM identification WHERE number = $1`, args[0])
	if err != nil {
		return err
	}
	w.key, err = value[[]byte](w.keys, filepath.Join(w.data, "keys", "keys.db"), `SELECT wrapped FROM identification_key WHERE id = $1`, id)
	if err != nil {
		return err
	}
	if found, err := w.keyFound(); err != nil || !found {
		return fmt.Errorf("the key is nowhere, though it is there: %w", errors.Join(err, errors.New("the search is wrong")))
	}
	return nil
}

// keyGone fails if anything of the noted key is left in the key store: on SQLite any half of
// it in any of its files: keygone.
func (w *world) keyGone([]string) error {
	found, err := w.keyFound()
	if err == nil && found {
		err = errors.New("the key is still in the key store")
	}
	return err
}

func (w *world) keyFound() (bool, error) {
	if w.keys != "" {
		n, err := value[int](w.keys, "", `SELECT COUNT(*) FROM identification_key WHERE wrapped = $1`, w.key)
		return n > 0, err
	}
	names, err := filepath.Glob(filepath.Join(w.data, "keys", "keys.db*"))
	if err != nil {
		return false, err
	}
	const head, half = 13, 16 // version and nonce, then two halves of the secret
	for _, name := range names {
		content, err := os.ReadFile(name)
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return false, err
		}
		if bytes.Contains(content, w.key[head:head+half]) || bytes.Contains(content, w.key[head+half:head+2*half]) {
			return true, nil
		}
	}
	return false, nil
}

// tamper runs a statement on the database, as somebody would who has its password:
// tamper STATEMENT.
func (w *world) tamper(args []string) (err error) {
	driver, address := "pgx", w.database
	if address == "" {
		driver, address = "sqlite", "file:"+filepath.Join(w.data, "vidimus.db")+"?_pragma=busy_timeout(10000)"
	}
	db, err := sql.Open(driver, address)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	_, err = db.ExecContext(context.Background(), args[0])
	return err
}

// sealed fails while an entry of the audit trail waits for its checkpoint, or the newest
// checkpoint for its mark: sealed.
func (w *world) sealed([]string) error {
	file := filepath.Join(w.data, "vidimus.db")
	waiting, err := value[int](w.database, file, `SELECT COUNT(*) FROM audit WHERE checkpoint = 0`)
	if err != nil {
		return err
	}
	last, err := value[int](w.database, file, `SELECT COALESCE(MAX(number), 0) FROM checkpoint`)
	if err != nil {
		return err
	}
	marked, err := value[int](w.keys, filepath.Join(w.data, "keys", "keys.db"), `SELECT COALESCE(MAX(number), 0) FROM mark`)
	if err == nil && (waiting > 0 || last == 0 || marked < last) {
		err = fmt.Errorf("%d entries wait, checkpoint %d, marked %d", waiting, last, marked)
	}
	return err
}
