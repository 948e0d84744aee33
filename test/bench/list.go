package main

import (
	"context"
	"database/sql"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"

	"vidimus/internal/store"
)

// open opens the database of a server that does not run.
func open(s settings) (*sql.DB, error) {
	if s.database != "" {
		return sql.Open("pgx", s.database)
	}
	return sql.Open("sqlite", sqliteFile(s.data))
}

// list measures pages of a long list. All databases hold the same identifications, whose
// keys lie in one store.
func (b *bench) list(ctx context.Context) error {
	var all []settings
	for _, kind := range b.databases() {
		s, err := b.fresh(ctx, kind, "list")
		if err != nil {
			return err
		}
		if len(all) > 0 {
			s.keys = filepath.Join(all[0].data, "keys")
		}
		if err := b.apply(ctx, s, ""); err != nil {
			return err
		}
		all = append(all, s)
	}
	began := time.Now()
	places, err := b.fillLists(ctx, all)
	if err != nil {
		return err
	}
	fmt.Fprintf(os.Stderr, "seeding the lists: %.0f s\n", time.Since(began).Seconds())
	for n, kind := range b.databases() {
		v, err := b.serve(ctx, all[n])
		if err != nil {
			return err
		}
		if err := errors.Join(b.listOn(kind, v, places), b.listSFTP(kind, v), v.stop(), os.RemoveAll(all[n].data+"/vidimus.db")); err != nil {
			return err
		}
	}
	return nil
}

// depth is a place in the list.
type depth struct{ name, cursor string }

func (b *bench) listOn(kind string, v *server, places []depth) error {
	token, err := login(v.addr)
	if err != nil {
		return err
	}
	c, err := dial(v.addr)
	if err != nil {
		return err
	}
	defer c.close()
	for _, place := range places {
		request := get("/api/v1/"+companyID+"/identifications?limit=100&cursor="+place.cursor, token)
		var took []time.Duration
		before := look(v.pid())
		var size int
		for range 200 {
			began := time.Now()
			status, body, err := c.do(request)
			if err != nil || status != http.StatusOK {
				return errors.Join(err, fmt.Errorf("listing: %d: %s", status, body))
			}
			took, size = append(took, time.Since(began)), len(body)
		}
		cpu := look(v.pid()).since(before)
		slices.Sort(took)
		b.table.add(row{
			what: kind + ": list of 100, " + place.name, value: milliseconds(quantile(took, 0.5)) + " / " + milliseconds(quantile(took, 0.99)), aim: "< 20 ms",
			cpu: cpu, note: fmt.Sprintf("p50 / p99 of %d, one client, %d KB", len(took), size/1000),
		})
	}
	return nil
}

// fillLists writes the same finished identifications into all the databases at once, past
// their journals, and returns the places where pages will be asked for.
func (b *bench) fillLists(ctx context.Context, all []settings) (places []depth, err error) {
	m, err := newMaker(ctx, all[0].data)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, m.keys.Close()) }()
	depths := map[int]string{b.listed: "at the beginning", b.listed / 2: "after 50 %", b.listed / 100: "after 99 %"}
	const batch = 5000
	pipes := make([]chan []finished, len(all))
	failed := make(chan error, len(all))
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	for n, s := range all {
		pipes[n] = make(chan []finished, 2)
		go func() {
			err := fill(ctx, s, pipes[n])
			if err != nil {
				cancel() // for the others
			}
			failed <- err
		}()
	}
	for n := 0; n < b.listed && ctx.Err() == nil; n += batch {
		block := make([]finished, 0, batch)
		for i := n; i < min(n+batch, b.listed); i++ {
			f, err := m.finished(ctx, i)
			if err != nil {
				break
			}
			block = append(block, f)
			if name, ok := depths[i]; ok {
				places = append(places, depth{name, cursorAfter(f)})
			}
		}
		for _, p := range pipes {
			select {
			case p <- block:
			case <-ctx.Done():
			}
		}
	}
	for _, p := range pipes {
		close(p)
	}
	for range all {
		err = errors.Join(err, <-failed)
	}
	places = append(places, depth{depths[b.listed], ""})
	slices.Reverse(places)
	return places, err
}

// cursorAfter is what the server's link to the next page would hold after f.
func cursorAfter(f finished) string {
	return base64.RawURLEncoding.EncodeToString([]byte(strconv.FormatInt(f.CreatedAt.UnixMicro(), 36) + " " + string(f.ID)))
}

func fill(ctx context.Context, s settings, in <-chan []finished) error {
	tables, err := store.Open(ctx, s.database, s.data, nil)
	if err == nil {
		err = tables.Close()
	}
	if err != nil {
		return err
	}
	if s.database != "" {
		return fillPostgres(ctx, s, in)
	}
	return fillSQLite(ctx, s, in)
}

var (
	identificationColumns = []string{
		"id", "company_id", "number", "number_fold", "state", "list", "revision", "company_revision", "key_id", "sealed", "attempts",
		"result", "previous", "reason", "agent", "channel", "file_key", "result_seq", "next_delivery", "created_at", "changed_at", "finished_at", "kept_from",
	}
	resultColumns = []string{"identification_id", "seq", "event", "json", "xml", "signature", "hash", "archive", "created_at"}
)

func identificationRow(f finished) []any {
	return []any{
		string(f.ID), string(f.Company), string(f.Number), f.Number.Fold(), string(f.State), string(f.State.List()), f.Revision, f.CompanyRevision, f.KeyID, f.Sealed, f.Attempts,
		string(f.Result), string(f.Previous), string(f.Reason), f.Agent, string(f.Channel), f.FileKey, f.ResultSeq, f.NextDelivery,
		f.CreatedAt.UnixMicro(), f.ChangedAt.UnixMicro(), f.FinishedAt.UnixMicro(), f.KeptFrom.UnixMicro(),
	}
}

func resultRow(f finished) []any {
	r := f.result
	return []any{string(r.Identification), r.Seq, string(r.Event), r.JSON, r.XML, r.Signature, r.Hash, r.Archive, r.CreatedAt.UnixMicro()}
}

const insertResult = `INSERT INTO result (identification_id, seq, event, json, xml, signature, hash, archive, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`

// fillSQLite writes with a journal and flushes switched off: the file is made to be
// measured, and thrown away.
func fillSQLite(ctx context.Context, s settings, in <-chan []finished) error {
	db, err := open(s)
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	conn, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	for _, pragma := range []string{"journal_mode=DELETE", "journal_mode=OFF", "synchronous=OFF", "cache_size=-1000000"} {
		if _, err := conn.ExecContext(ctx, "PRAGMA "+pragma); err != nil {
			return err
		}
	}
	one, err := conn.PrepareContext(ctx, insertIdentification)
	if err != nil {
		return err
	}
	defer func() { _ = one.Close() }()
	two, err := conn.PrepareContext(ctx, insertResult)
	if err != nil {
		return err
	}
	defer func() { _ = two.Close() }()
	if _, err := conn.ExecContext(ctx, "BEGIN"); err != nil {
		return err
	}
	for block := range in {
		for _, f := range block {
			if _, err := one.ExecContext(ctx, identificationRow(f)...); err != nil {
				return err
			}
			if _, err := two.ExecContext(ctx, resultRow(f)...); err != nil {
				return err
			}
		}
	}
	_, err = conn.ExecContext(ctx, "COMMIT")
	return err
}

func fillPostgres(ctx context.Context, s settings, in <-chan []finished) error {
	conn, err := pgx.Connect(ctx, s.database)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(ctx) }()
	for block := range in {
		copyInto := func(table string, columns []string, row func(finished) []any) error {
			_, err := conn.CopyFrom(ctx, pgx.Identifier{table}, columns, pgx.CopyFromSlice(len(block), func(n int) ([]any, error) { return row(block[n]), nil }))
			return err
		}
		if err := copyInto("identification", identificationColumns, identificationRow); err != nil {
			return err
		}
		if err := copyInto("result", resultColumns, resultRow); err != nil {
			return err
		}
	}
	_, err = conn.Exec(ctx, "ANALYZE") // as a database that has grown by itself has had by now
	return err
}
