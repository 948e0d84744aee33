package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"text/tabwriter"
	"time"

	"go.yaml.in/yaml/v3"

	"vidimus/internal/config"
	"vidimus/internal/config/companyfile"
	"vidimus/internal/domain/company"
	"vidimus/internal/domain/fault"
	"vidimus/internal/domain/job"
	"vidimus/internal/service/account"
)

// stateFlags say where the state lies; they are those of serve.
type stateFlags struct {
	Data      string `name:"data" env:"VIDIMUS_DATA" default:"./data" placeholder:"DIR" help:"State of the embedded store."`
	Database  string `name:"database" env:"VIDIMUS_DATABASE" placeholder:"URL" help:"postgres://… instead of the embedded SQLite in DIR."`
	Blobs     string `name:"blobs" env:"VIDIMUS_BLOBS" placeholder:"URL" help:"s3://bucket?… instead of files in DIR."`
	Keys      string `name:"keys" env:"VIDIMUS_KEYS" placeholder:"URL" help:"Where the keys of single identifications live; default DIR/keys/keys.db."`
	MasterKey string `name:"master-key" env:"VIDIMUS_MASTER_KEY" placeholder:"FILE" help:"What wraps them; default DIR/keys/master."`

	anyKeys bool
}

// open opens the platform beside a server that may be running.
func (s stateFlags) open(ctx context.Context) (*platform, error) {
	c := config.Default()
	c.Data, c.Database, c.Blobs, c.Keys, c.MasterKey = s.Data, s.Database, s.Blobs, s.Keys, s.MasterKey
	if err := c.Check(); err != nil {
		return nil, mistakes(err)
	}
	p, err := openWith(ctx, c, slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn})), s.anyKeys)
	if err == nil {
		p.beside = true
	}
	return p, err
}

// withAnyKeys is with, and accepts a key store that the database does not know.
func (s stateFlags) withAnyKeys(ctx context.Context, do func(p *platform) error) (err error) {
	s.anyKeys = true
	return s.with(ctx, do)
}

// with opens the platform, calls do, and closes it again.
func (s stateFlags) with(ctx context.Context, do func(p *platform) error) (err error) {
	p, err := s.open(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.Close()) }()
	return do(p)
}

// mistakes writes each fault on a line of its own.
func mistakes(err error) error {
	list, ok := errors.AsType[fault.List](err)
	if !ok {
		return err
	}
	text := ""
	for _, f := range list {
		text += fmt.Sprintf("\n  --%s: %s", f.Key, f.Message)
	}
	return errors.New("these settings are wrong:" + text)
}

type companyCommand struct {
	Apply  companyApply  `cmd:"" help:"Create a company, or change it, as its file says."`
	List   companyList   `cmd:"" help:"List the companies."`
	Show   companyShow   `cmd:"" help:"Print a company's settings; never its secrets."`
	Delete companyDelete `cmd:"" help:"Delete a company and everything of it. Asks nothing."`
}

type companyApply struct {
	stateFlags `embed:""`
	File       string `short:"f" required:"" placeholder:"FILE" help:"The company's YAML file."`
}

// Run applies a company's file: all of it or nothing.
func (c *companyApply) Run(ctx context.Context) error {
	settings, secrets, err := companyfile.Load(c.File)
	if err != nil {
		return err
	}
	return c.with(ctx, func(p *platform) error {
		if err := p.accounts.Apply(ctx, settings, secrets); err != nil {
			if f, ok := errors.AsType[*fault.Error](err); ok {
				return fmt.Errorf("%s: %s: %s", c.File, f.Key, f.Message)
			}
			return err
		}
		a, _ := p.accounts.Get(settings.ID)
		fmt.Printf("applied %s, revision %d\n", settings.ID, a.Revision)
		return nil
	})
}

type companyList struct {
	stateFlags `embed:""`
}

// Run lists the companies.
func (c *companyList) Run(ctx context.Context) error {
	return c.with(ctx, func(p *platform) error {
		t := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
		_, _ = fmt.Fprintln(t, "COMPANYID\tSHORTCODE\tREVISION\tNAME")
		for _, a := range p.accounts.All() {
			_, _ = fmt.Fprintf(t, "%s\t%s\t%d\t%s\n", a.ID, a.Shortcode, a.Revision, a.Name)
		}
		return t.Flush()
	})
}

type companyShow struct {
	stateFlags `embed:""`
	ID         string `arg:"" help:"The company's ID."`
}

// Run prints a company's settings in the form of its file.
func (c *companyShow) Run(ctx context.Context) error {
	return c.with(ctx, func(p *platform) error {
		a, ok := p.accounts.Get(company.ID(c.ID))
		if !ok {
			return fmt.Errorf("there is no company %q", c.ID)
		}
		e := yaml.NewEncoder(os.Stdout)
		e.SetIndent(2)
		return errors.Join(e.Encode(companyfile.Show(a.Company)), e.Close())
	})
}

type companyDelete struct {
	stateFlags `embed:""`
	ID         string `arg:"" help:"The company's ID."`
}

// Run deletes a company. Should it be broken off, a server finishes what it began.
func (c *companyDelete) Run(ctx context.Context) error {
	return c.with(ctx, func(p *platform) error {
		at := p.clock.Now()
		err := p.accounts.Delete(ctx, company.ID(c.ID))
		if fault.Is(err, fault.NotFound) {
			return fmt.Errorf("there is no company %q", c.ID)
		}
		if err != nil {
			return err
		}
		err = p.identify.HandleErase(ctx, job.Job{Kind: account.Erase, Company: company.ID(c.ID), Payload: at.Format(time.RFC3339Nano)})
		if err != nil {
			return fmt.Errorf("the company is gone; what it leaves behind is removed by the next server that runs: %w", err)
		}
		fmt.Printf("deleted %s\n", c.ID)
		return nil
	})
}
