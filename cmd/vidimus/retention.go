package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strconv"
	"text/tabwriter"
	"time"

	"vidimus/internal/domain/audit"
	"vidimus/internal/domain/clock"
	"vidimus/internal/domain/company"
	"vidimus/internal/domain/delivery"
	"vidimus/internal/domain/fault"
	"vidimus/internal/service/retention"
)

type retentionCommand struct {
	Report retentionReport `cmd:"" help:"Say what is due to be deleted, and what was deleted by whom. Nothing of it is personal."`
}

type retentionReport struct {
	stateFlags `embed:""`
	Company    string        `arg:"" optional:"" help:"A company's ID; none: all."`
	Within     time.Duration `default:"168h" help:"Count also what becomes due within this time."`
	Since      string        `placeholder:"DATE" help:"Count deletions from this day (2026-01-31) or moment (RFC 3339) on; default: 30 days ago."`
	List       bool          `help:"List each deletion of the company: Ident-ID, times, who asked."`
	Speedup    int           `default:"1" help:"Count as servers do that run with this --speedup; test only."`
	JSON       bool          `name:"json" help:"One JSON document instead of tables."`
}

// Run prints the report.
func (r *retentionReport) Run(ctx context.Context) error {
	if r.List && r.Company == "" {
		return errors.New("--list takes a company")
	}
	if r.Within < 0 {
		return errors.New("--within is a time to come, like 168h")
	}
	return r.with(ctx, func(p *platform) error {
		p.retention.Clock = clock.New(time.Now, r.Speedup)
		since, err := r.since(p.clock.Now())
		if err != nil {
			return err
		}
		list, err := p.retention.Report(ctx, company.ID(r.Company), r.Within, since)
		if err != nil {
			return err
		}
		if len(list) == 0 && r.Company != "" {
			return fmt.Errorf("there is no company %q, and nothing of it was deleted since %s", r.Company, since.Format(time.RFC3339))
		}
		switch {
		case r.List:
			return r.deletions(ctx, p, since)
		case r.JSON:
			e := json.NewEncoder(os.Stdout)
			e.SetIndent("", "  ")
			return e.Encode(list)
		default:
			return r.tables(list, since)
		}
	})
}

// since reads --since.
func (r *retentionReport) since(now time.Time) (time.Time, error) {
	if r.Since == "" {
		return now.AddDate(0, 0, -30), nil
	}
	for _, layout := range []string{time.DateOnly, time.RFC3339} {
		if t, err := time.Parse(layout, r.Since); err == nil {
			return t, nil
		}
	}
	return time.Time{}, errors.New("--since is a day like 2026-01-31, or a moment like 2026-01-31T12:00:00Z")
}

func (r *retentionReport) tables(list []retention.Report, since time.Time) error {
	t := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintf(t, "COMPANY\tKIND\tKEPT FOR\tDUE NOW\tDUE WITHIN %s\n", r.Within)
	for _, c := range list {
		if c.Gone {
			continue
		}
		_, _ = fmt.Fprintf(t, "%s\tresults\t%s\t%d\t%d\n", c.Company, c.Results.KeptFor, c.Results.Now, c.Results.Soon)
		_, _ = fmt.Fprintf(t, "%s\tunfinished\t%s\t%d\t%d\n", c.Company, c.Unfinished.KeptFor, c.Unfinished.Now, c.Unfinished.Soon)
		_, _ = fmt.Fprintf(t, "%s\taborted\t%s\t%d\t%d\n", c.Company, c.Aborted.KeptFor, c.Aborted.Now, c.Aborted.Soon)
	}
	_, _ = fmt.Fprintf(t, "\nCOMPANY\tDELETED BY\tNUMBER\tFIRST\tLAST\tERASING\n")
	for _, c := range list {
		for _, d := range c.Deleted {
			erasing := "none"
			if d.Erasing > 0 {
				erasing = fmt.Sprintf("%d, since %s", d.Erasing, moment(d.ErasingSince))
			}
			_, _ = fmt.Fprintf(t, "%s\t%s\t%d\t%s\t%s\t%s\n", c.Company, d.By, d.Number, moment(d.First), moment(d.Last), erasing)
		}
	}
	_, _ = fmt.Fprintf(t, "since %s\n", since.Format(time.RFC3339))
	return t.Flush()
}

// deletions lists tombstones.
func (r *retentionReport) deletions(ctx context.Context, p *platform, since time.Time) error {
	list, err := p.retention.Deletions(ctx, company.ID(r.Company), since)
	if err != nil {
		return err
	}
	type deletion struct {
		ID      string    `json:"id"`
		Created time.Time `json:"created"`
		Deleted time.Time `json:"deleted"`
		Erased  time.Time `json:"erased,omitzero"` // absent: its content is not destroyed yet
		By      string    `json:"by"`
	}
	all := make([]deletion, len(list))
	for n, d := range list {
		all[n] = deletion{string(d.ID), d.CreatedAt, d.DeletedAt, d.ErasedAt, d.By}
	}
	if r.JSON {
		e := json.NewEncoder(os.Stdout)
		e.SetIndent("", "  ")
		return e.Encode(all)
	}
	t := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(t, "IDENTIFICATION\tCREATED\tDELETED\tBY\tERASED")
	for _, d := range all {
		erased := "erasing, since " + moment(d.Deleted)
		if !d.Erased.IsZero() {
			erased = moment(d.Erased)
		}
		_, _ = fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\n", d.ID, moment(d.Created), moment(d.Deleted), d.By, erased)
	}
	return t.Flush()
}

// rebury deletes what a restored backup has brought back, once after the start. Nothing is
// deleted where the key store is the older one: then keys are missing that nobody destroyed.
func (p *platform) rebury(ctx context.Context, log *slog.Logger, behind bool) {
	if behind {
		log.LogAttrs(ctx, slog.LevelError, "the key store is older than the database: what has no key there is left alone; see audit accept-keys")
		return
	}
	n, err := p.retention.Rebury(ctx)
	if n > 0 {
		log.LogAttrs(ctx, slog.LevelWarn, "identifications that a restored backup had brought back were deleted again", slog.Int("number", n))
	}
	if err != nil && ctx.Err() == nil {
		log.LogAttrs(ctx, slog.LevelError, "looking for identifications without keys", slog.Any("error", err))
	}
}

// restored looks whether the database was restored from a backup, and says so once: what it
// holds as still to be handed over may have been handed over since that backup.
func (p *platform) restored(ctx context.Context, log *slog.Logger) error {
	back, marked, until, err := p.trail.TakenBack(ctx)
	if err != nil || !back {
		return err
	}
	const name = "restored" // goes when the database is restored again
	this := strconv.FormatInt(marked, 10)
	_, known, err := p.db.ServerKey(ctx, name)
	if err != nil && !fault.Is(err, fault.NotFound) {
		return err
	}
	if known == this {
		return nil
	}
	var n int64
	err = p.db.InTx(ctx, func(ctx context.Context) error {
		if n, err = p.db.DoubtDeliveries(ctx, until, delivery.Restored); err != nil {
			return err
		}
		now := p.clock.Now()
		fresh, err := p.db.PutServerKey(ctx, name, []byte{}, this, now)
		if err == nil && !fresh {
			err = p.db.SetServerKeyPublic(ctx, name, this)
		}
		if err != nil {
			return err
		}
		return p.db.Audit(ctx, audit.Entry{
			Chain: audit.Installation, At: now, Actor: "system", Act: "database.restored",
			Detail: fmt.Sprintf("checkpoint %d was marked, %d deliveries may arrive twice", marked, n),
		})
	})
	if err == nil {
		log.LogAttrs(ctx, slog.LevelWarn, "the database is older than its key store has seen it: it was restored from a backup; deliveries that are open in it may arrive twice",
			slog.Int64("deliveries", n))
	}
	return err
}
