package keys

import (
	"context"
	"database/sql"
	"iter"
	"strconv"
	"strings"
)

// chunks splits ids so that each part fits one statement.
func chunks(ids []ID) iter.Seq[[]ID] {
	return func(yield func([]ID) bool) {
		for len(ids) > 0 {
			n := min(chunk, len(ids))
			if !yield(ids[:n]) {
				return
			}
			ids = ids[n:]
		}
	}
}

// list returns ($1, $2, …) with the arguments for it.
func list(ids []ID) (string, []any) {
	var b strings.Builder
	args := make([]any, len(ids))
	for i, id := range ids {
		b.WriteString([]string{"(", ", "}[min(i, 1)])
		b.WriteByte('$')
		b.WriteString(strconv.Itoa(i + 1))
		args[i] = string(id)
	}
	b.WriteByte(')')
	return b.String(), args
}

// entry is a key as it is stored.
type entry struct {
	id      ID
	wrapped []byte
}

// Rows of identification_key are never removed from a SQLite file. When SQLite removes rows
// it joins pages and moves their neighbours, and copies of those stay behind in the slack of
// the pages, where secure_delete does not reach and no later removal will find them. So a
// key is removed by overwriting its row in place with as many other bytes, and the row,
// whose id then sorts before all others, is used again for a new key. All rows are equally
// long, so that none ever moves.

// isFree holds for the rows of a SQLite file that can be used again.
const isFree = `id < '0'`

// removeKeys removes those keys; missing ones are no error.
func (s *Store) removeKeys(ctx context.Context, tx *sql.Tx, ids []ID) error {
	remove := `DELETE FROM identification_key WHERE id IN `
	if s.truncate != nil {
		remove = `
			UPDATE identification_key
			   SET id = '-' || printf('%031d', rowid), wrapped = zeroblob(length(wrapped))
			 WHERE id IN `
	}
	for part := range chunks(ids) {
		in, args := list(part)
		if _, err := tx.ExecContext(ctx, remove+in, args...); err != nil {
			return err
		}
	}
	return nil
}

// addKeys stores new keys: in rows that are free, and behind all others.
func (s *Store) addKeys(ctx context.Context, tx *sql.Tx, entries []entry) error {
	if s.truncate != nil {
		n, err := reuse(ctx, tx, entries)
		if err != nil {
			return err
		}
		entries = entries[n:]
	}
	if len(entries) == 0 {
		return nil
	}
	var values strings.Builder
	args := make([]any, 0, 2*len(entries))
	for i, e := range entries {
		if i > 0 {
			values.WriteString(", ")
		}
		values.WriteString("($" + strconv.Itoa(2*i+1) + ", $" + strconv.Itoa(2*i+2) + ")")
		args = append(args, string(e.id), e.wrapped)
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO identification_key (id, wrapped) VALUES `+values.String(), args...) //nolint:gosec // placeholders only
	return err
}

// reuse puts as many entries as it can into free rows and returns how many.
func reuse(ctx context.Context, tx *sql.Tx, entries []entry) (int, error) {
	free, err := freeRows(ctx, tx, len(entries))
	if err != nil || len(free) == 0 {
		return 0, err
	}
	update, err := tx.PrepareContext(ctx, `UPDATE identification_key SET id = $1, wrapped = $2 WHERE rowid = $3`)
	if err != nil {
		return 0, err
	}
	defer update.Close()
	for i, row := range free {
		if _, err := update.ExecContext(ctx, string(entries[i].id), entries[i].wrapped, row); err != nil {
			return 0, err
		}
	}
	return len(free), nil
}

func freeRows(ctx context.Context, tx *sql.Tx, limit int) ([]int64, error) {
	rows, err := tx.QueryContext(ctx, `SELECT rowid FROM identification_key WHERE `+isFree+` ORDER BY id LIMIT $1`, limit)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var free []int64
	for rows.Next() {
		var row int64
		if err := rows.Scan(&row); err != nil {
			return nil, err
		}
		free = append(free, row)
	}
	return free, rows.Err()
}

// inTx runs f in one write transaction.
func (s *Store) inTx(ctx context.Context, f func(*sql.Tx) error) error {
	tx, err := s.write.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	if err := f(tx); err != nil {
		return err
	}
	return tx.Commit()
}
