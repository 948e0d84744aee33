package main

import (
	"context"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"syscall"

	"vidimus/internal/config"
	"vidimus/internal/server/sftpd"
	"vidimus/internal/service/hostkey"
)

// sftpServer is the SFTP server, which begins once it has its host keys: making them takes
// a while at the first start, and nothing else waits for it.
type sftpServer struct {
	listener net.Listener
	cancel   context.CancelFunc
	server   *sftpd.Server
	made     chan struct{} // closed when server is set, or cannot be
}

// listenSFTP listens where SFTP is wanted. Somebody who tries a second installation on one
// machine and did not say where gets a free port instead of the default one.
func (s *serveCommand) listenSFTP(log *slog.Logger) (net.Listener, error) {
	l, err := net.Listen("tcp", s.SFTP)
	if errors.Is(err, syscall.EADDRINUSE) && !s.Live() && s.SFTP == config.Default().SFTP {
		host, _, _ := net.SplitHostPort(s.SFTP)
		if l, err = net.Listen("tcp", net.JoinHostPort(host, "0")); err == nil {
			log.Warn("the default address of SFTP is taken: another one is used", slog.String("sftp", l.Addr().String()))
		}
	}
	return l, err
}

// startSFTP serves l; what ends it before its time goes to failed.
func (s *serveCommand) startSFTP(ctx context.Context, p *platform, log *slog.Logger, l net.Listener, failed chan<- error) *sftpServer {
	ctx, cancel := context.WithCancel(ctx)
	f := &sftpServer{listener: l, cancel: cancel, made: make(chan struct{})}
	go func() {
		server, err := newSFTP(ctx, p, log, s.Live())
		f.server = server
		close(f.made)
		if err == nil {
			log.LogAttrs(ctx, slog.LevelInfo, "sftp host keys", slog.String("fingerprints", strings.Join(server.Fingerprints(), ", ")))
			err = server.Serve(l)
		}
		if err != nil && ctx.Err() == nil {
			failed <- fmt.Errorf("serving SFTP: %w", err)
		}
	}()
	return f
}

func newSFTP(ctx context.Context, p *platform, log *slog.Logger, live bool) (*sftpd.Server, error) {
	keys, err := hostkey.Load(ctx, p.db, p.master, p.clock, rand.Reader)
	if err != nil {
		return nil, err
	}
	return sftpd.New(sftpd.Options{
		Login: p.login, Accounts: p.accounts, Identify: p.identify, Publish: p.publish, HostKeys: keys, Clock: p.clock, Log: log, Live: live,
	})
}

// stop lets downloads that are under way finish until ctx ends.
func (f *sftpServer) stop(ctx context.Context) error {
	defer f.cancel()
	select {
	case <-f.made:
	default:
		return f.listener.Close() // no client was heard yet
	}
	if f.server == nil {
		return f.listener.Close()
	}
	return f.server.Shutdown(ctx)
}

// hostKeys returns the public host keys of SFTP that there are.
func (p *platform) hostKeys(ctx context.Context) (all []sftpd.HostKey, err error) {
	public, err := hostkey.Public(ctx, p.db)
	if err != nil {
		return nil, err
	}
	for _, der := range public {
		key, err := x509.ParsePKIXPublicKey(der)
		if err != nil {
			return nil, fmt.Errorf("reading a host key: %w", err)
		}
		k, err := sftpd.PublicHostKey(key)
		if err != nil {
			return nil, err
		}
		all = append(all, k)
	}
	return all, nil
}
