package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"text/tabwriter"
	"time"

	"vidimus/internal/domain/company"
	"vidimus/internal/domain/delivery"
	"vidimus/internal/domain/fault"
	"vidimus/internal/domain/ident"
)

type webhookCommand struct {
	List   webhookList   `cmd:"" help:"List deliveries, the newest first, or those of one identification in order."`
	Replay webhookReplay `cmd:"" help:"Have a delivery that has ended made once more, with the same body and webhook-id."`
	Secret webhookSecret `cmd:"" help:"Write the secret that signs the calls to an address into a new file; it is never printed."`
}

type webhookList struct {
	stateFlags     `embed:""`
	Company        string `arg:"" help:"The company's ID."`
	Identification string `arg:"" optional:"" help:"A transaction number or Ident-ID."`
	Limit          int    `default:"50" help:"How many."`
	Tries          bool   `help:"Show each failed try too."`
}

// Run prints the delivery log.
func (w *webhookList) Run(ctx context.Context) error {
	return w.with(ctx, func(p *platform) error {
		if _, ok := p.accounts.Get(company.ID(w.Company)); !ok {
			return fmt.Errorf("there is no company %q", w.Company)
		}
		if w.Limit < 1 || w.Limit > 10_000 {
			return errors.New("--limit is a number from 1 to 10000")
		}
		var id ident.ID
		if w.Identification != "" {
			i, err := p.identify.Find(ctx, company.ID(w.Company), w.Identification)
			if err != nil {
				return errors.New("there is no such identification")
			}
			id = i.ID
		}
		list, err := p.publish.Deliveries(ctx, company.ID(w.Company), id, delivery.Webhook, time.Time{}, "", w.Limit)
		if err != nil {
			return err
		}
		return w.print(ctx, p, list)
	})
}

func (w *webhookList) print(ctx context.Context, p *platform, list []delivery.Delivery) error {
	t := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(t, "DELIVERY\tIDENTIFICATION\tEVENT\tSTATE\tTRIES\tSTATUS\tCREATED\tDONE\tTARGET\tPROBLEM")
	for _, d := range list {
		_, _ = fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%d\t%d\t%s\t%s\t%s\t%s\n", d.ID, d.Identification, d.Event, d.State, d.Tries, d.Status,
			moment(d.CreatedAt), moment(d.DoneAt), d.Target, d.Problem)
		if !w.Tries {
			continue
		}
		tries, err := p.publish.Tries(ctx, d.ID)
		if err != nil {
			return err
		}
		for _, y := range tries {
			_, _ = fmt.Fprintf(t, "  try %d\t\t\t\t\t%d\t%s\t%s\t\t%s\n", y.Number, y.Status, moment(y.At), y.Took.Round(time.Millisecond), y.Problem)
		}
	}
	return t.Flush()
}

func moment(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.Format("2006-01-02T15:04:05.000Z")
}

type webhookReplay struct {
	stateFlags `embed:""`
	Company    string `arg:"" help:"The company's ID."`
	Delivery   string `arg:"" help:"The delivery, as list shows it."`
}

// Run has a delivery made again by the running server.
func (w *webhookReplay) Run(ctx context.Context) error {
	return w.with(ctx, func(p *platform) error {
		err := p.publish.Replay(ctx, company.ID(w.Company), w.Delivery)
		if fault.Is(err, fault.NotFound) {
			return errors.New("there is no such delivery of this company that has ended")
		}
		if f, ok := errors.AsType[*fault.Error](err); ok && f.Kind == fault.Precondition {
			return fmt.Errorf("it cannot be made again: %s", f.Message)
		}
		if err != nil {
			return err
		}
		fmt.Println("queued; a running server makes it within a second or two")
		return nil
	})
}

type webhookSecret struct {
	stateFlags `embed:""`
	Company    string `arg:"" help:"The company's ID."`
	URL        string `arg:"" help:"The address, as the company's file names it."`
	Out        string `required:"" placeholder:"FILE" help:"The file to make, for the user who calls this alone; one that exists is refused."`
}

// Run writes the secret of an address into a file of its own.
func (w *webhookSecret) Run(ctx context.Context) error {
	return w.with(ctx, func(p *platform) (err error) {
		f, err := os.OpenFile(w.Out, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		if err != nil {
			return fmt.Errorf("making the file: %w", err)
		}
		defer func() {
			if err = errors.Join(err, f.Close()); err != nil {
				err = errors.Join(err, os.Remove(w.Out))
			}
		}()
		secret, err := p.accounts.WebhookSecret(ctx, company.ID(w.Company), w.URL)
		if fault.Is(err, fault.NotFound) {
			return errors.New("the company, if there is one, has no webhook with this address")
		}
		if err != nil {
			return err
		}
		_, err = f.WriteString(secret + "\n")
		return err
	})
}
