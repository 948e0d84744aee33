package main

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"text/tabwriter"

	"vidimus/internal/domain/company"
	"vidimus/internal/domain/delivery"
	"vidimus/internal/domain/fault"
	"vidimus/internal/domain/ident"
	"vidimus/internal/service/publish"
)

type deliveriesCommand struct {
	stateFlags     `embed:""`
	Company        string `arg:"" help:"The company's ID."`
	Identification string `arg:"" optional:"" help:"A transaction number or Ident-ID, also of a deleted identification."`
	Limit          int    `default:"50" help:"How many, the newest; 0: all."`
	Tries          bool   `help:"Show each failed try too, and each whose end is not known."`
}

// Run prints the ledger: a company's with the newest first, one identification's in order.
func (d *deliveriesCommand) Run(ctx context.Context) error {
	return d.with(ctx, func(p *platform) error {
		c := company.ID(d.Company)
		if _, ok := p.accounts.Get(c); !ok {
			return fmt.Errorf("there is no company %q", d.Company)
		}
		if d.Limit < 0 {
			return errors.New("--limit is a number of entries, 0 for all")
		}
		out := d.printer(p)
		if d.Identification == "" {
			return d.pages(ctx, out, func(after publish.Spot, most int) ([]delivery.Entry, error) {
				return p.publish.Ledger(ctx, c, after, most)
			})
		}
		id, err := p.find(ctx, c, d.Identification)
		if err != nil {
			return err
		}
		of := func(after publish.Spot, most int) ([]delivery.Entry, error) {
			return p.publish.LedgerOf(ctx, c, id, after, most)
		}
		if d.Limit == 0 {
			return d.pages(ctx, out, of)
		}
		list, err := newest(of, d.Limit)
		if err != nil {
			return err
		}
		return out(ctx, list)
	})
}

// page is how many entries are read and aligned at a time: what is printed is not bounded by
// what fits into memory.
const page = 1000

// pages prints the ledger a page at a time, up to the limit.
func (d *deliveriesCommand) pages(ctx context.Context, out func(context.Context, []delivery.Entry) error, read func(after publish.Spot, most int) ([]delivery.Entry, error)) error {
	after := publish.Spot{}
	for printed := 0; ; {
		most := page
		if d.Limit > 0 {
			most = min(most, d.Limit-printed)
		}
		list, err := read(after, most)
		if err != nil {
			return err
		}
		if err := out(ctx, list); err != nil {
			return err
		}
		printed += len(list)
		if len(list) < most || printed == d.Limit {
			return nil
		}
		last := list[len(list)-1]
		after = publish.Spot{At: last.At, ID: last.ID}
	}
}

// find finds one that is there, or else one that was deleted.
func (p *platform) find(ctx context.Context, c company.ID, ref string) (ident.ID, error) {
	i, err := p.identify.Find(ctx, c, ref)
	if err == nil {
		return i.ID, nil
	}
	if fault.Is(err, fault.NotFound) {
		var id ident.ID
		if id, err = p.identify.Buried(ctx, c, ref); err == nil {
			return id, nil
		}
	}
	if fault.Is(err, fault.NotFound) || fault.Is(err, fault.Invalid) {
		return "", errors.New("there is no such identification, and none was deleted")
	}
	return "", err
}

// newest returns the last entries of an identification, the oldest of them first.
func newest(read func(after publish.Spot, most int) ([]delivery.Entry, error), most int) ([]delivery.Entry, error) {
	var last []delivery.Entry
	for after := (publish.Spot{}); ; {
		list, err := read(after, page)
		if err != nil {
			return nil, err
		}
		last = append(last, list...)
		if last = slices.Clone(last[max(0, len(last)-most):]); len(list) < page {
			return last, nil
		}
		after = publish.Spot{At: list[page-1].At, ID: list[page-1].ID}
	}
}

// printer returns what prints entries, under a heading that stands once.
func (d *deliveriesCommand) printer(p *platform) func(ctx context.Context, list []delivery.Entry) error {
	headed := false
	return func(ctx context.Context, list []delivery.Entry) error {
		t := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
		if !headed {
			_, _ = fmt.Fprintln(t, "TIME\tWAY\tIDENTIFICATION\tTO\tSTATE\tTRIES\tBYTES\tSHA-256\tDONE\tID\tPROBLEM")
			headed = true
		}
		if err := d.print(ctx, p, t, list); err != nil {
			return err
		}
		return t.Flush()
	}
}

func (d *deliveriesCommand) print(ctx context.Context, p *platform, t io.Writer, list []delivery.Entry) error {
	for _, e := range list {
		what := string(e.Identification)
		if what == "" {
			what = fmt.Sprintf("(list of %d)", e.Entries)
		}
		hash := hex.EncodeToString(e.Hash)
		if hash == "" {
			hash = "-"
		}
		_, _ = fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%d\t%d\t%s\t%s\t%s\t%s\n", moment(e.At), e.Way, what, e.To, e.State, e.Tries, e.Bytes, hash, moment(e.DoneAt), e.ID, e.Problem)
		if !d.Tries || e.Tries == 0 {
			continue
		}
		tries, err := p.publish.Tries(ctx, e.ID)
		if err != nil {
			return err
		}
		for _, y := range tries {
			_, _ = fmt.Fprintf(t, "%s\t  try %d\t\t\t%d\t\t\t\t\t\t%s\n", moment(y.At), y.Number, y.Status, y.Problem)
		}
	}
	return nil
}
