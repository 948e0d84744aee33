package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"vidimus/docs"
	"vidimus/internal/config"
	"vidimus/internal/keys"
	"vidimus/internal/server/gateway"
	"vidimus/internal/server/pages"
	"vidimus/internal/server/web"
)

type serveCommand struct {
	config.Config `embed:""`
	LogFormat     string `name:"log-format" env:"VIDIMUS_LOG_FORMAT" default:"text" enum:"text,json" placeholder:"text|json" help:"Form of the log on standard error."`
}

// How long a stop may take: the limit that operators are promised is ten seconds.
const (
	stopRequests = 5500 * time.Millisecond
	stopWork     = 2 * time.Second
	stopStores   = 1500 * time.Millisecond
)

// Run serves until ctx ends, then finishes what was begun.
func (s *serveCommand) Run(ctx context.Context) error {
	if err := s.Check(); err != nil {
		return mistakes(err)
	}
	log := newLog(s.LogFormat)
	unlock, err := lock(s.Config)
	if err != nil {
		return err
	}
	defer unlock()
	p, err := openPlatform(ctx, s.Config, log)
	if err != nil {
		return err
	}
	err = s.serve(ctx, p, log)
	closed := make(chan error, 1)
	go func() { closed <- p.Close() }()
	select {
	case cerr := <-closed:
		if cerr != nil {
			log.LogAttrs(ctx, slog.LevelError, "closing", slog.Any("error", cerr))
		}
	case <-time.After(stopStores):
		// What was acknowledged is durable, and what was not begun is nobody's loss.
		log.LogAttrs(ctx, slog.LevelWarn, "a store does not answer: not closed")
	}
	return err
}

func newLog(format string) *slog.Logger {
	if format == "json" {
		return slog.New(slog.NewJSONHandler(os.Stderr, nil))
	}
	return slog.New(slog.NewTextHandler(os.Stderr, nil))
}

// lockName is a file in the data folder that a server holds locked.
const lockName = "serve.lock"

// lock keeps a second server from the embedded store: each would take the other's work for
// that of a dead one.
func lock(c config.Config) (unlock func(), err error) {
	if c.Database != "" {
		return func() {}, nil
	}
	if err := os.MkdirAll(c.Data, 0o700); err != nil {
		return nil, fmt.Errorf("making the data folder: %w", err)
	}
	f, err := os.OpenFile(filepath.Join(c.Data, lockName), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("locking the data folder: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, errors.Join(fmt.Errorf("another server uses the data folder %s", c.Data), f.Close())
	}
	return func() { _ = f.Close() }, nil // closing unlocks
}

func (s *serveCommand) serve(ctx context.Context, p *platform, log *slog.Logger) error {
	if s.Demo {
		if err := makeDemo(ctx, p); err != nil {
			return err
		}
	}
	if p.db.Embedded() {
		if err := p.db.FreeLeases(ctx); err != nil {
			return err
		}
	}
	listener, err := net.Listen("tcp", s.HTTP)
	if err != nil {
		return fmt.Errorf("listening: %w", err)
	}
	files, err := s.listenSFTP(log)
	if err != nil {
		return errors.Join(fmt.Errorf("listening for SFTP: %w", err), listener.Close())
	}
	server := s.httpServer(p, log)
	working, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	done := s.work(working, p, log)
	failed := make(chan error, 2)
	go func() { failed <- s.listen(server, listener) }()
	sftp := s.startSFTP(working, p, log, files, failed)
	log.LogAttrs(ctx, slog.LevelInfo, "serving", slog.String("http", listener.Addr().String()), slog.String("sftp", files.Addr().String()), slog.String("environment", s.Environment), slog.String("version", version))
	if s.Demo {
		printDemo(s.Config, listener.Addr().String(), files.Addr().String())
	}
	select {
	case err := <-failed:
		return fmt.Errorf("serving: %w", err)
	case <-ctx.Done():
	}
	log.LogAttrs(ctx, slog.LevelInfo, "stopping")
	shut, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopRequests)
	defer cancel()
	var stopping sync.WaitGroup
	stopping.Go(func() {
		if err := sftp.stop(shut); err != nil {
			log.LogAttrs(ctx, slog.LevelWarn, "downloads over SFTP were broken off", slog.Any("error", err))
		}
	})
	if err := server.Shutdown(shut); err != nil {
		log.LogAttrs(ctx, slog.LevelWarn, "requests were broken off", slog.Any("error", errors.Join(err, server.Close())))
	}
	stopping.Wait()
	stop()
	select {
	case <-done:
	case <-time.After(stopWork):
		// What is left is done again after the next start: it is stored.
		log.LogAttrs(ctx, slog.LevelWarn, "jobs were broken off")
	}
	log.LogAttrs(ctx, slog.LevelInfo, "stopped")
	return nil
}

func (s *serveCommand) httpServer(p *platform, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler:           s.handler(p, log),
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       time.Minute,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    32 << 10,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug),
		TLSConfig:         &tls.Config{MinVersion: tls.VersionTLS12},
	}
}

// handler is the gateway and, on all paths that it does not own, the pages.
func (s *serveCommand) handler(p *platform, log *slog.Logger) http.Handler {
	limits := web.NewLimits(s.Live(), p.clock.Now)
	api := gateway.New(gateway.Options{
		Login: p.login, Accounts: p.accounts, Identify: p.identify, Signing: p.signing, Publish: p.publish, Trail: p.trail, Published: p.published, Trust: asked{p.trust}, Verify: p.judge, Waiting: p.video, Robots: p.robots,
		Checks: []gateway.Check{
			{Name: "database", Ping: p.db.Ping}, {Name: "keys", Ping: p.keys.Ping}, {Name: "files", Ping: p.files.Ping},
			{Name: "queue", Ping: p.queue},
		},
		Clock: p.clock, NewID: newID, NewError: newErrorID, Log: log, Proxies: s.Proxies(), Limits: limits, Live: s.Live(),
		Contract: docs.OpenAPI, Docs: docs.Page,
	})
	forPeople := pages.New(pages.Options{
		Login: p.login, Publish: p.publish, Signing: p.signing, Clock: p.clock, NewID: newID, NewError: newErrorID, Log: log, Proxies: s.Proxies(), Limits: limits, Live: s.Live(),
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// What nobody owns is answered in the form that the client reads.
		person := strings.Contains(r.Header.Get("Accept"), "text/html")
		if gateway.Owns(r.URL.Path) || !person && !pages.Owns(r.URL.Path) {
			api.ServeHTTP(w, r)
			return
		}
		forPeople.ServeHTTP(w, r)
	})
}

func (s *serveCommand) listen(server *http.Server, l net.Listener) error {
	var err error
	if s.TLS() {
		err = server.ServeTLS(l, s.TLSCert, s.TLSKey)
	} else {
		err = server.Serve(l)
	}
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

// overdue is how late work may begin before the queue counts as broken.
const overdue = time.Minute

// queue says whether work that is due gets done.
func (p *platform) queue(ctx context.Context) error {
	n, err := p.db.Overdue(ctx, p.clock.Now().Add(-overdue))
	if err != nil {
		return err
	}
	if n > 0 {
		return fmt.Errorf("%d jobs are overdue", n)
	}
	return nil
}

// work starts everything that runs beside requests; the channel is closed when all of it
// has ended after ctx.
func (s *serveCommand) work(ctx context.Context, p *platform, log *slog.Logger) <-chan struct{} {
	// Before anything is sealed, which may hide it.
	behind, err := p.trail.Behind(ctx)
	if err != nil {
		log.LogAttrs(ctx, slog.LevelError, "comparing the key store with the database", slog.Any("error", err))
		behind = true
	}
	if err := p.restored(ctx, log); err != nil {
		log.LogAttrs(ctx, slog.LevelError, "looking for a restored database", slog.Any("error", err))
	}
	var all sync.WaitGroup
	all.Go(func() { p.jobs.Run(ctx) })
	all.Go(func() { p.publish.Run(ctx) })
	all.Go(func() { p.accounts.Watch(ctx, log) })
	all.Go(func() { sweep(ctx, p, log) })
	all.Go(func() { p.trail.Run(ctx) })
	all.Go(func() { p.retention.Run(ctx) })
	all.Go(func() { p.rebury(ctx, log, behind) })
	all.Go(func() { p.openTrust(ctx, log) })
	all.Go(func() {
		// Made ahead, so that the first result does not wait for it.
		if _, err := p.publish.SigningKey(ctx); err != nil && ctx.Err() == nil {
			log.LogAttrs(ctx, slog.LevelError, "signing key", slog.Any("error", err))
		}
	})
	done := make(chan struct{})
	go func() {
		all.Wait()
		close(done)
	}()
	return done
}

// sweep forgets old tokens, and keys that were drawn ahead and lost by a crash.
func sweep(ctx context.Context, p *platform, log *slog.Logger) {
	t := time.NewTicker(time.Minute)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
			if err := p.login.Sweep(ctx); err != nil && ctx.Err() == nil {
				log.LogAttrs(ctx, slog.LevelError, "forgetting old tokens", slog.Any("error", err))
			}
			if err := p.sweepKeys(ctx); err != nil && ctx.Err() == nil {
				log.LogAttrs(ctx, slog.LevelError, "removing unused keys", slog.Any("error", err))
			}
		}
	}
}

// unusedFor is how old a drawn key must be before it counts as lost.
const unusedFor = 3 * time.Hour

func (p *platform) sweepKeys(ctx context.Context) error {
	_, err := p.keys.Sweep(ctx, func(ctx context.Context, ids []keys.ID) (map[keys.ID]bool, error) {
		names := make([]string, len(ids))
		for i, id := range ids {
			names[i] = string(id)
		}
		found, err := p.db.UsedKeys(ctx, names)
		used := make(map[keys.ID]bool, len(found))
		for id := range found {
			used[keys.ID(id)] = true
		}
		return used, err
	}, p.clock.Now().Add(-unusedFor))
	return err
}
