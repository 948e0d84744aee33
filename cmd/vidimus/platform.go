package main

import (
	"context"
	"crypto/rand"
	"crypto/x509"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"vidimus/internal/blob"
	"vidimus/internal/config"
	"vidimus/internal/delivery/mail"
	"vidimus/internal/delivery/webhook"
	"vidimus/internal/domain/clock"
	"vidimus/internal/keys"
	"vidimus/internal/pdf/find"
	"vidimus/internal/pdf/report"
	"vidimus/internal/service/account"
	"vidimus/internal/service/identify"
	"vidimus/internal/service/jobs"
	"vidimus/internal/service/login"
	"vidimus/internal/service/publish"
	"vidimus/internal/service/retention"
	"vidimus/internal/service/robot"
	"vidimus/internal/service/signing"
	"vidimus/internal/service/trail"
	"vidimus/internal/service/videoident"
	"vidimus/internal/store"
)

// platform is all parts, wired.
type platform struct {
	clock     clock.Clock
	node      string
	db        *store.DB
	master    keys.Master
	keys      *keys.Store
	files     blob.Store
	hooks     *webhook.Client
	accounts  *account.Directory
	login     *login.Service
	jobs      *jobs.Runner
	identify  *identify.Service
	signing   *signing.Service
	publish   *publish.Service
	video     *videoident.Service
	trail     *trail.Service
	finder    *find.Finder
	trust     ownTrust
	robots    *robot.Service // nil in the live environment
	retention *retention.Service

	// trusted are the roots that signatures are judged by, and lists of what they revoked.
	trusted func(ctx context.Context) (roots []*x509.Certificate, crls [][]byte, err error)

	closers []func() error
	beside  bool // a server's state is used by a command
	anyKeys bool // a key store of another name is accepted, once and for all
}

// openPlatform opens the stores and makes the services; nothing runs yet.
func openPlatform(ctx context.Context, c config.Config, log *slog.Logger) (*platform, error) {
	return openWith(ctx, c, log, false)
}

// openWith is openPlatform; anyKeys accepts a key store that the database does not know.
func openWith(ctx context.Context, c config.Config, log *slog.Logger, anyKeys bool) (*platform, error) {
	p := &platform{clock: clock.New(time.Now, c.Speedup), node: newID(), anyKeys: anyKeys}
	if err := p.open(ctx, c, log); err != nil {
		return nil, errors.Join(err, p.Close())
	}
	return p, nil
}

// Close closes what was opened, the last first.
func (p *platform) Close() error {
	var all []error
	for i := len(p.closers) - 1; i >= 0; i-- {
		all = append(all, p.closers[i]())
	}
	p.closers = nil
	return errors.Join(all...)
}

func (p *platform) open(ctx context.Context, c config.Config, log *slog.Logger) error {
	master, err := keys.OpenMaster(c.MasterKeyFile())
	if err != nil {
		return err
	}
	p.master = master
	if p.keys, err = keys.Open(ctx, c.KeysURL(), master); err != nil {
		return err
	}
	p.closers = append(p.closers, p.keys.Close)
	if p.db, err = store.Open(ctx, c.Database, c.Data, master.Derive("audit")); err != nil {
		return err
	}
	p.closers = append(p.closers, p.db.Close)
	if p.files, err = blob.Open(ctx, c.Blobs, filepath.Join(c.Data, "files")); err != nil {
		return err
	}
	p.closers = append(p.closers, p.files.Close)
	if p.hooks, err = webhook.New(webhook.Options{Live: c.Live(), AllowPrivate: c.AllowPrivateWebhooks, EgressProxy: c.EgressProxy, Now: time.Now, UserAgent: "Vidimus/" + version}); err != nil {
		return err
	}
	p.closers = append(p.closers, func() error { p.hooks.Close(); return nil })
	sender, err := mailSender(c)
	if err != nil {
		return err
	}
	if err := p.pair(ctx); err != nil {
		return err
	}
	p.finder = find.New(find.Options{CacheDir: filepath.Join(c.Data, "cache", "pdfium")})
	p.closers = append(p.closers, func() error { p.finder.Close(); return nil })
	own := p.authority(c, master)
	p.trust, p.trusted = ownTrust{log: log, open: own}, trustedBy(own)
	signers, err := p.signers(c)
	if err != nil {
		return err
	}
	p.wire(c, log, master, sender, signers)
	return p.accounts.Refresh(ctx)
}

// pair refuses a key store that is not the one that this database was first used with: all
// its identifications would look as if they had been deleted.
func (p *platform) pair(ctx context.Context) error {
	const name = "key store"
	err := p.db.InTx(ctx, func(ctx context.Context) error {
		_, err := p.db.PutServerKey(ctx, name, []byte{}, p.keys.Name(), p.clock.Now())
		return err
	})
	if err != nil {
		return err
	}
	_, known, err := p.db.ServerKey(ctx, name)
	if err != nil {
		return err
	}
	if known != p.keys.Name() && p.anyKeys {
		return p.db.InTx(ctx, func(ctx context.Context) error { return p.db.SetServerKeyPublic(ctx, name, p.keys.Name()) })
	}
	if known != p.keys.Name() {
		return errors.New("the key store is not the one that this database was used with: it was lost, or --keys names another one; " +
			"bring the right one back; only if there is none any more, call vidimus audit accept-keys")
	}
	return nil
}

func (p *platform) wire(c config.Config, log *slog.Logger, master keys.Master, sender mail.Sender, signers signing.Trust) {
	vault, files := &keyring{store: p.keys, spare: make(chan spareKey, spareKeys), now: time.Now}, folder{p.files}
	p.accounts = account.New(p.db, master, p.clock, newID, newSecret)
	p.login = login.New(p.db, p.accounts, p.clock, rand.Reader)
	p.jobs = jobs.NewRunner(p.db, p.node, p.clock, log, newID)
	reports := report.New(report.Options{Product: "Vidimus"})
	p.publish = publish.New(publish.Options{
		Store: p.db, Keys: vault, Files: files, Accounts: p.accounts, Jobs: p.jobs, Master: master, Reporter: reports,
		Sender: hooks{p.hooks}, Mailer: notices{sender}, Clock: p.clock, Random: rand.Reader, NewID: newID, Node: p.node, Base: c.Base(), MaxMail: int64(c.MailLimit) << 20, Log: log,
	})
	p.signing = signing.New(signing.Options{
		Store: p.db, Keys: vault, Files: files, Accounts: p.accounts, Jobs: p.jobs, Master: master, Defaults: master.Key("default documents"),
		Inspector: inspector{p.finder}, Trust: signers, Pen: pen{}, Recorder: reports, Clock: p.clock, NewID: newID, Base: c.Base(), Log: log,
	})
	p.identify = identify.New(identify.Options{
		Store: p.db, Keys: vault, Files: files, Signing: p.signing, Accounts: p.accounts, Jobs: p.jobs, Publish: p.publish, Outbox: outbox{c.Data}, Clock: p.clock, Random: rand.Reader,
		NewID: newID, Log: log, Test: !c.Live(),
	})
	p.video = videoident.New(videoident.Options{
		Store: p.db, Keys: vault, Files: files, Accounts: p.accounts, Publish: p.publish, Signing: p.signing, Jobs: p.jobs, Clock: p.clock, NewID: newID, Log: log,
	})
	p.trail = trail.New(trail.Options{Store: p.db, Marks: p.keys, Master: master, Clock: p.clock, Random: rand.Reader, Log: log})
	p.retention = retention.New(retention.Options{Store: p.db, Keys: vault, Files: files, Accounts: p.accounts, Identify: p.identify, Jobs: p.jobs, Clock: p.clock, Log: log})
	p.jobs.Handle(retention.Delete, p.retention.HandleDelete)
	p.jobs.Handle(retention.Forget, p.retention.HandleForget)
	p.jobs.Handle(account.Erase, p.identify.HandleErase)
	p.jobs.Handle(identify.Remove, p.identify.HandleRemove)
	p.jobs.Handle(identify.Forget, p.identify.HandleForget)
	p.jobs.Handle(signing.Discard, p.signing.HandleDiscard)
	p.jobs.Handle(publish.Mail, p.publish.HandleMail)
	p.jobs.Handle(publish.Strip, p.publish.HandleStrip)
	p.jobs.Handle(videoident.Timeout, p.video.HandleTimeout)
	p.jobs.Handle(videoident.Forget, p.video.HandleForget)
	if c.Live() {
		return
	}
	p.robots = robot.New(robot.Options{
		Video: p.video, Specimen: specimens{}, Signing: p.signing, Jobs: robotJobs{p.jobs, p.db}, Accounts: p.accounts, Clock: p.clock, Random: rand.Reader,
	})
	p.jobs.Handle(robot.Take, p.robots.HandleTake)
	p.jobs.Handle(robot.Talk, p.robots.HandleTalk)
	p.jobs.Handle(robot.Review, p.robots.HandleReview)
}

func mailSender(c config.Config) (mail.Sender, error) {
	if c.SMTP == "" {
		return mail.Outbox(c.Data, c.Sender())
	}
	var password string
	if c.SMTPPasswordFile != "" {
		b, err := os.ReadFile(c.SMTPPasswordFile)
		if err != nil {
			return nil, fmt.Errorf("reading the mail password: %w", err)
		}
		password = strings.TrimRight(string(b), "\r\n")
	}
	return mail.SMTP(mail.Options{Addr: c.SMTP, User: c.SMTPUser, Password: password, TLS: c.MailTLS(), From: c.Sender()})
}

// newID returns an id that sorts by time: microseconds, then 40 random bits.
func newID() string {
	var b [13]byte
	binary.BigEndian.PutUint64(b[:8], uint64(time.Now().UnixMicro()))
	random(b[8:])
	return hex.EncodeToString(b[1:])
}

// newErrorID returns the decimal number that an error is quoted by.
func newErrorID() string {
	var b [8]byte
	random(b[:])
	return fmt.Sprint(binary.BigEndian.Uint64(b[:])%900_000_000 + 100_000_000)
}

func random(b []byte) {
	if _, err := io.ReadFull(rand.Reader, b); err != nil {
		panic(err) // crypto/rand never fails
	}
}

// newSecret makes the signing secret of a webhook.
func newSecret() string {
	s, err := webhook.NewSecret(rand.Reader)
	if err != nil {
		panic(err) // crypto/rand never fails
	}
	return s.Text()
}
