package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"vidimus/internal/config"
	"vidimus/internal/domain/company"
	"vidimus/internal/domain/fault"
	"vidimus/internal/domain/recipient"
	"vidimus/internal/service/account"
)

type doctorCommand struct {
	config.Config `embed:""`
}

// Run says what is missing or misconfigured, in plain words; an error if anything is.
func (d *doctorCommand) Run(ctx context.Context) error {
	var found int
	say := func(ok bool, what string, err error) {
		if ok {
			fmt.Println("ok       " + what)
			return
		}
		found++
		fmt.Printf("MISSING  %s: %v\n", what, err)
	}
	err := d.Check()
	if err != nil {
		err = mistakes(err)
	}
	say(err == nil, "settings", err)
	if err == nil {
		d.state(ctx, say)
		d.outside(say)
	}
	if found > 0 {
		return fmt.Errorf("%d things need attention", found)
	}
	return nil
}

// state looks at what is stored, if anything is yet. It creates nothing.
func (d *doctorCommand) state(ctx context.Context, say func(bool, string, error)) {
	if _, err := os.Stat(d.MasterKeyFile()); errors.Is(err, os.ErrNotExist) {
		fmt.Println("ok       state: none yet; `vidimus serve` makes it at its first start")
		err := writable(d.Data)
		say(err == nil, "data folder", err)
		return
	}
	p, err := openPlatform(ctx, d.Config, slog.New(slog.DiscardHandler))
	say(err == nil, "database, keys and files open", err)
	if err != nil {
		return
	}
	defer func() { _ = p.Close() }() // it was only looked at
	for _, c := range []struct {
		name string
		ping func(context.Context) error
	}{{"database can be written", p.db.Ping}, {"key store answers", p.keys.Ping}, {"files can be written", p.files.Ping}, {"no job is overdue", p.queue}} {
		err := c.ping(ctx)
		say(err == nil, c.name, err)
	}
	prints, err := p.hostKeys(ctx)
	say(err == nil, fmt.Sprintf("SFTP host keys (%s)", strings.Join(prints, ", ")), err)
	all := p.accounts.All()
	if d.Live() && !d.AllowPrivateWebhooks {
		for _, a := range all {
			for _, w := range a.Webhooks {
				plain := strings.HasPrefix(w.URL, "http:")
				say(!plain, "webhook of "+string(a.ID)+" over HTTPS", errors.New("live delivers over HTTPS only: "+w.URL))
			}
		}
	}
	d.certificates(all, p.clock.Now(), say)
	err = nil
	if len(all) == 0 {
		err = errors.New("none; create one with `vidimus company apply -f FILE`")
	}
	say(err == nil, fmt.Sprintf("companies (%d)", len(all)), err)
}

// soon is how long before its end a certificate is spoken of.
const soon = 30 * 24 * time.Hour

// certificates looks at what mails are encrypted to.
func (d *doctorCommand) certificates(all []*account.Account, now time.Time, say func(bool, string, error)) {
	for _, a := range all {
		for n, m := range a.Mail {
			if m.Method != company.SMIME {
				continue
			}
			c, err := recipient.Choose(m.Certificates, now)
			switch {
			case err != nil:
				err = errors.New("it " + fault.All(err)[0].Message + "; mails to it fail")
			case c.NotAfter.Before(now.Add(soon)):
				err = fmt.Errorf("it expires on %s; from then on mails to it fail", c.NotAfter.UTC().Format(time.DateOnly))
			}
			say(err == nil, fmt.Sprintf("certificate of mail[%d] of %s", n, a.ID), err)
		}
	}
}

// outside looks at what must be there around the program.
func (d *doctorCommand) outside(say func(bool, string, error)) {
	if d.SMTP != "" {
		c, err := net.DialTimeout("tcp", d.SMTP, 5*time.Second)
		if err == nil {
			err = c.Close()
		}
		say(err == nil, "mail server answers", err)
	}
	for _, file := range []string{d.TLSCert, d.TLSKey, d.SMTPPasswordFile} {
		if file != "" {
			_, err := os.ReadFile(file)
			say(err == nil, "file "+file, err)
		}
	}
}

// writable says whether files can be made in dir, or in the first folder above it that
// exists.
func writable(dir string) error {
	for {
		if _, err := os.Stat(dir); err == nil {
			break
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			break
		}
		dir = parent
	}
	f, err := os.CreateTemp(dir, ".vidimus-doctor-*")
	if err != nil {
		return err
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}
