// Command bench measures the built server from outside, over real HTTP, on the machine it
// runs on, and prints one table. Beside what the server reaches it prints what the same
// database reaches by itself in the same run, and how much of the processor went to the
// measuring itself. docs/performance.md tells how to read it.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// options are the flags.
type options struct {
	program string
	dir     string
	only    string
	short   bool
	quiet   bool // the server's log goes nowhere instead of into a file

	runs       int           // of what is cheap; the median counts
	raw        time.Duration // of a run of the raw limits
	creating   time.Duration // of a run of creations
	fetching   time.Duration // of a run of downloads
	listed     int           // identifications in the list
	deliveries int
	archives   int // identifications that robots finish, for their ZIPs
	bigFile    int // MB of the biggest file over SFTP
	signatures int // whose memory is compared with that of a hundred

	order string // to a child of this program: the one thing to measure, in JSON
}

// connections is how many clients ask at once.
const connections = 64

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func readOptions() options {
	o := options{runs: 3, raw: time.Second, creating: 3 * time.Second, fetching: 3 * time.Second, listed: 1_000_000, deliveries: 30_000, archives: 24, bigFile: 200, signatures: 10_000}
	flag.StringVar(&o.program, "program", "bin/vidimus", "the built server")
	flag.StringVar(&o.dir, "dir", "", "where the databases lie while they are measured; default: the folder for temporary files")
	flag.StringVar(&o.only, "only", "", "measure only those of: start creations zip sftp list webhooks sign")
	flag.StringVar(&o.order, "signing", "", "what this program tells itself; not for people")
	flag.BoolVar(&o.quiet, "quiet", false, "throw the server's log away instead of writing it to a file")
	flag.BoolVar(&o.short, "short", false, "a rough look in half a minute: short runs, 20,000 in the list")
	flag.Parse()
	if o.short {
		o.runs, o.raw, o.creating, o.fetching = 1, 500*time.Millisecond, time.Second, time.Second
		o.listed, o.deliveries, o.archives, o.bigFile, o.signatures = 20_000, 5_000, 8, 50, 1_000
	}
	return o
}

// bench is one run of everything.
type bench struct {
	options
	table    table
	postgres *postgres // nil: there is none here
}

func run(ctx context.Context) (err error) {
	b := &bench{options: readOptions()}
	if b.order != "" {
		return measureSigning(ctx, b.order)
	}
	if _, err := os.Stat(b.program); err != nil {
		return fmt.Errorf("%w; build it first, or use `make bench`", err)
	}
	if b.program, err = filepath.Abs(b.program); err != nil {
		return err
	}
	if b.dir, err = os.MkdirTemp(b.dir, "vidimus-bench."); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(b.dir)) }()
	b.postgres, err = startPostgres()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench: without PostgreSQL:", err)
	} else {
		defer b.postgres.stop()
	}
	fmt.Println(machine())
	for _, part := range []struct {
		name string
		do   func(ctx context.Context) error
	}{{"start", b.start}, {"creations", b.creations}, {"zip", b.zips}, {"sftp", b.sftp}, {"webhooks", b.webhooks}, {"sign", b.sign}, {"list", b.list}} {
		if b.only != "" && !strings.Contains(b.only, part.name) {
			continue
		}
		began := time.Now()
		if err := part.do(ctx); err != nil {
			return errors.Join(fmt.Errorf("%s: %w", part.name, err), b.table.print(os.Stdout)) // what was measured before it stands
		}
		fmt.Fprintf(os.Stderr, "%s: %.0f s\n", part.name, time.Since(began).Seconds())
	}
	fmt.Println(loadAverage())
	return b.table.print(os.Stdout)
}

// databases are those that are measured.
func (b *bench) databases() []string {
	if b.postgres == nil {
		return []string{sqlite}
	}
	return []string{sqlite, postgreSQL}
}

// The databases.
const (
	sqlite     = "SQLite"
	postgreSQL = "PostgreSQL"
)

// fresh returns settings for a server with a new, empty database of that kind.
func (b *bench) fresh(ctx context.Context, kind, name string) (settings, error) {
	s := settings{data: filepath.Join(b.dir, name+"-"+kind)}
	if err := os.MkdirAll(s.data, 0o700); err != nil {
		return s, err
	}
	if kind == postgreSQL {
		var err error
		if s.database, err = b.postgres.database(ctx, name); err != nil {
			return s, err
		}
	}
	return s, nil
}
