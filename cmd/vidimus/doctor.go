package main

import (
	"context"
	"crypto/tls"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"vidimus/internal/config"
	"vidimus/internal/domain/company"
	"vidimus/internal/domain/fault"
	"vidimus/internal/domain/recipient"
	"vidimus/internal/service/account"
	"vidimus/internal/store"
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

// state looks at what is stored, if anything is yet. It creates no store and brings none up
// to date: an older program may be serving from it.
func (d *doctorCommand) state(ctx context.Context, say func(bool, string, error)) {
	if d.Blobs != "" {
		say(false, "files", errors.New("this version keeps files in a folder only: leave --blobs out"))
		return
	}
	_, err := os.Stat(d.MasterKeyFile())
	fresh := errors.Is(err, os.ErrNotExist)
	for what, url := range map[string]string{"database": d.Database, "key store": d.Keys} {
		if strings.Contains(url, "://") {
			if err := reach(ctx, url); err != nil {
				say(false, what, err)
				return
			}
		}
	}
	if d.Database == "" {
		if _, err := os.Stat(filepath.Join(d.Data, "vidimus.db")); errors.Is(err, os.ErrNotExist) {
			fresh = true
		}
	}
	if fresh {
		fmt.Println("ok       state: none yet; `vidimus serve` makes it at its first start")
		err := writable(d.Data)
		say(err == nil, "data folder", err)
		return
	}
	has, knows, err := store.Versions(ctx, d.Database, d.Data)
	if err == nil && has > knows {
		err = fmt.Errorf("it has version %d, this program knows %d: use a newer program", has, knows)
	}
	say(err == nil, "database", err)
	if err != nil {
		return
	}
	if has < knows {
		fmt.Printf("ok       the next start of `vidimus serve` brings the database from version %d to %d; look again after it\n", has, knows)
		return
	}
	d.opened(ctx, say)
}

// reach says whether the database server at a postgres:// URL lets us in.
func reach(ctx context.Context, url string) (err error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	db, err := sql.Open("pgx", url)
	if err != nil {
		return errors.New("the address cannot be read")
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if err := db.PingContext(ctx); err != nil {
		return errors.New("no answer, or no entry") // the driver's words may hold a password
	}
	return nil
}

// opened looks at stores that are there and up to date.
func (d *doctorCommand) opened(ctx context.Context, say func(bool, string, error)) {
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
	behind, err := p.trail.Behind(ctx)
	if behind && err == nil {
		err = errors.New("it is older than the database: it lacks keys that nobody destroyed; bring a newer one back, or see vidimus audit accept-keys")
	}
	say(err == nil, "key store is as new as the database", err)
	keys, err := p.hostKeys(ctx)
	prints := make([]string, len(keys))
	for n, k := range keys {
		prints[n] = k.Type + " " + k.Fingerprint
	}
	say(err == nil, fmt.Sprintf("SFTP host keys (%s)", strings.Join(prints, ", ")), err)
	d.trust(ctx, p, say)
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
	for _, secret := range []string{d.SMTPPasswordFile, d.CSCClientSecretFile, d.CSCAuthDataFile} {
		if secret != "" {
			_, err := os.ReadFile(secret)
			say(err == nil, "file "+secret, err)
		}
	}
	if d.TLS() {
		err := d.certificate(time.Now())
		say(err == nil, "TLS certificate and key", err)
	}
	d.addresses(say)
}

func (d *doctorCommand) certificate(now time.Time) error {
	pair, err := tls.LoadX509KeyPair(d.TLSCert, d.TLSKey)
	if err != nil {
		return err
	}
	if end := pair.Leaf.NotAfter; end.Before(now.Add(soon)) {
		return fmt.Errorf("it expires on %s", end.UTC().Format(time.DateOnly))
	}
	return nil
}

// addresses looks whether the server could listen, or does so already.
func (d *doctorCommand) addresses(say func(bool, string, error)) {
	var running bool
	for _, a := range []struct{ name, address string }{{"http", d.HTTP}, {"sftp", d.SFTP}} {
		l, err := net.Listen("tcp", a.address)
		if err == nil {
			err = l.Close()
		} else if running = running || d.answers(); running {
			err = nil // by the server that is running
		}
		if errors.Is(err, syscall.EADDRINUSE) && d.serving() {
			err = nil // its addresses may be others than those that we were told
		}
		say(err == nil, "--"+a.name+" "+a.address, err)
	}
}

// serving says whether a server uses the data folder.
func (d *doctorCommand) serving() bool {
	f, err := os.Open(filepath.Join(d.Data, lockName))
	if err != nil {
		return false
	}
	defer func() { _ = f.Close() }() // which gives the lock back
	return syscall.Flock(int(f.Fd()), syscall.LOCK_SH|syscall.LOCK_NB) != nil
}

// answers says whether a server of ours is running at the address.
func (d *doctorCommand) answers() bool {
	scheme := "http"
	if d.TLS() {
		scheme = "https"
	}
	client := http.Client{Timeout: 3 * time.Second, Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}} //nolint:gosec // it is only asked whether it is there
	defer client.CloseIdleConnections()
	answer, err := client.Get(scheme + "://" + d.HTTP + "/system_check")
	if err != nil {
		return false
	}
	defer func() { _ = answer.Body.Close() }() // it was only read
	text, _ := io.ReadAll(io.LimitReader(answer.Body, 100))
	return strings.HasPrefix(string(text), "SYSTEM_CHECK_")
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
