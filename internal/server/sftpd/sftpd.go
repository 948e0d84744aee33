// Package sftpd lets companies fetch, delete and archive results over SFTP. Specification,
// chapter 9: one flat folder per company, beside it perhaps an Archive; `ls` shows at most
// 50; a file is the ZIP of the REST route, read in any order. Everything else is refused. It
// speaks SFTP version 3 (draft-ietf-secsh-filexfer-02) over SSH (RFC 4251 to 4254).
package sftpd

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/crypto/ssh"

	"vidimus/internal/domain/clock"
	"vidimus/internal/domain/company"
	"vidimus/internal/domain/ident"
	"vidimus/internal/service/account"
	"vidimus/internal/service/login"
	"vidimus/internal/service/publish"
)

// Identifications is what a company may do with its identifications by their files.
type Identifications interface {
	ArchiveByID(ctx context.Context, a *account.Account, id ident.ID) error
	DeleteFinal(ctx context.Context, c company.ID, id ident.ID, by string) error
}

// Limits bound what clients may take up. A zero one is the default.
type Limits struct {
	Connections        int           // 1000
	PerAddress         int           // connections of one address: 100
	PerCompany         int           // connections of one company: 100
	Unknown            int           // connections that have not logged in yet: 256
	UnknownPerAddress  int           // of one address: 64
	Handles            int           // open files and folders, of all: 512
	HandlesPerCompany  int           // 64
	HandlesPerSession  int           // 64
	Sessions           int           // of all: 512
	SessionsPerCompany int           // of one company: 64
	SessionsPerConn    int           // 8
	LoginTime          time.Duration // for all of the log-in: one minute
	Idle               time.Duration // without a request of SFTP that moves on: ten minutes
}

func (l Limits) withDefaults() Limits {
	number := func(n *int, otherwise int) {
		if *n == 0 {
			*n = otherwise
		}
	}
	number(&l.Connections, 1000)
	number(&l.PerAddress, 100)
	number(&l.PerCompany, 100)
	number(&l.Unknown, 256)
	number(&l.UnknownPerAddress, 64)
	number(&l.Handles, 512)
	number(&l.HandlesPerCompany, 64)
	number(&l.HandlesPerSession, 64)
	number(&l.Sessions, 512)
	number(&l.SessionsPerCompany, 64)
	number(&l.SessionsPerConn, 8)
	if l.LoginTime == 0 {
		l.LoginTime = time.Minute
	}
	if l.Idle == 0 {
		l.Idle = 10 * time.Minute
	}
	return l
}

// Options are the parts a server is made of.
type Options struct {
	Login    *login.Service
	Accounts *account.Directory
	Identify Identifications
	Publish  *publish.Service
	HostKeys []crypto.Signer
	Clock    clock.Clock
	Log      *slog.Logger
	Live     bool
	Limits   Limits
}

// Server serves SFTP.
type Server struct {
	Options
	signers []ssh.Signer
	guard   *guard
	keys    keyCache
	pieces  pieces
	ctx     context.Context // of everything that is under way
	cancel  context.CancelFunc

	gate      sync.Mutex
	listener  net.Listener
	stopping  bool
	conns     map[*conn]bool
	unknown   strangers
	addresses map[netip.Prefix]int
	companies map[company.ID]int
	done      sync.WaitGroup

	handles  *shares
	sessions *shares
}

// New returns a server; its host keys are used in their order.
func New(o Options) (*Server, error) {
	s := &Server{
		Options: o, guard: newGuard(o.Live, o.Clock.Now), conns: map[*conn]bool{}, unknown: strangers{of: map[netip.Prefix][]*conn{}},
		addresses: map[netip.Prefix]int{}, companies: map[company.ID]int{},
	}
	s.Limits = o.Limits.withDefaults()
	s.handles = &shares{most: s.Limits.Handles, mostOfOne: s.Limits.HandlesPerCompany, taken: map[company.ID]int{}}
	s.sessions = &shares{most: s.Limits.Sessions, mostOfOne: s.Limits.SessionsPerCompany, taken: map[company.ID]int{}}
	s.pieces.now = o.Clock.Now
	s.ctx, s.cancel = context.WithCancel(context.Background())
	for _, key := range o.HostKeys {
		signer, err := hostSigner(key)
		if err != nil {
			return nil, err
		}
		s.signers = append(s.signers, signer)
	}
	if len(s.signers) == 0 {
		return nil, errors.New("SFTP needs a host key")
	}
	return s, nil
}

// Fingerprints returns type and SHA-256 of each host key, as ssh-keygen prints it.
func (s *Server) Fingerprints() (all []string) {
	for _, k := range s.signers {
		all = append(all, k.PublicKey().Type()+" "+ssh.FingerprintSHA256(k.PublicKey()))
	}
	return all
}

// HostKey is a public host key.
type HostKey struct {
	Type        string // such as ssh-ed25519
	Fingerprint string // SHA-256, as ssh-keygen prints it
	Line        string // as a .pub file has it
}

// PublicHostKey writes a public key of the standard library as clients know it.
func PublicHostKey(key crypto.PublicKey) (HostKey, error) {
	k, err := ssh.NewPublicKey(key)
	if err != nil {
		return HostKey{}, fmt.Errorf("reading a host key: %w", err)
	}
	return HostKey{k.Type(), ssh.FingerprintSHA256(k), string(ssh.MarshalAuthorizedKey(k))}, nil
}

// Serve takes connections until Shutdown, and returns nil then. It closes l.
func (s *Server) Serve(l net.Listener) error {
	s.gate.Lock()
	s.listener = l
	stopping := s.stopping
	s.gate.Unlock()
	if stopping {
		return l.Close()
	}
	var wait time.Duration
	for {
		c, err := l.Accept()
		if err == nil {
			wait = 0
			s.take(c)
			continue
		}
		s.gate.Lock()
		stopping := s.stopping
		s.gate.Unlock()
		if stopping || errors.Is(err, net.ErrClosed) {
			return nil
		}
		// Such as too many open files: it passes.
		wait = min(max(5*time.Millisecond, 2*wait), time.Second)
		s.Log.LogAttrs(s.ctx, slog.LevelError, "accepting SFTP", slog.Any("error", err))
		time.Sleep(wait)
	}
}

// take starts a connection, if there is room for it and its address is not banned.
func (s *Server) take(n net.Conn) {
	c := &conn{server: s, net: n, client: address(n.RemoteAddr()), began: time.Now(), sessions: map[*session]bool{}}
	at := network(c.client)
	s.gate.Lock()
	why := ""
	switch {
	case s.stopping:
		why = "stopping"
	case len(s.conns) >= s.Limits.Connections:
		why = "too many connections"
	case s.addresses[at] >= s.Limits.PerAddress:
		why = "too many connections of the address"
	}
	var out *conn
	if why == "" {
		out = s.unknown.giveWay(at, s.Limits)
		s.conns[c] = true
		s.addresses[at]++
		s.unknown.add(at, c)
		s.done.Add(1)
	}
	s.gate.Unlock()
	if out != nil {
		s.Log.LogAttrs(s.ctx, slog.LevelWarn, "sftp connection ended", slog.String("client", out.client.String()),
			slog.String("reason", "too many connections that have not logged in"))
		_ = out.net.Close() // it gives way
	}
	if why == "" && s.guard.banned(c.client) {
		s.forget(c)
		why = "banned"
	}
	if why != "" {
		s.Log.LogAttrs(s.ctx, slog.LevelWarn, "sftp connection refused", slog.String("client", c.client.String()), slog.String("reason", why))
		_ = n.Close() // it is refused
		return
	}
	go func() {
		defer s.forget(c)
		c.serve()
	}()
}

// forget takes a connection off the counts.
func (s *Server) forget(c *conn) {
	at := network(c.client)
	s.gate.Lock()
	defer s.gate.Unlock()
	delete(s.conns, c)
	drop(s.addresses, at)
	if c.company == "" {
		s.unknown.remove(at, c)
	} else {
		drop(s.companies, c.company)
	}
	s.done.Done()
}

func drop[K comparable](counts map[K]int, k K) {
	if counts[k]--; counts[k] <= 0 {
		delete(counts, k)
	}
}

// loggedIn counts a connection as one of that company's; false: it has too many, or this one
// had to give way.
func (s *Server) loggedIn(c *conn, id company.ID) bool {
	s.gate.Lock()
	defer s.gate.Unlock()
	if s.companies[id] >= s.Limits.PerCompany || !s.unknown.remove(network(c.client), c) {
		return false
	}
	s.companies[id]++
	c.company = id
	return true
}

// Shutdown takes no connections any more and refuses new requests, but lets files that
// clients hold open be read to their end. It returns when all is done, or, when ctx ends
// before, after it has closed what is left, with the error of ctx.
func (s *Server) Shutdown(ctx context.Context) error {
	s.gate.Lock()
	s.stopping = true
	l := s.listener
	s.gate.Unlock()
	if l != nil {
		_ = l.Close() // Serve returns by it
	}
	ended := make(chan struct{})
	go func() {
		s.done.Wait()
		close(ended)
	}()
	const often = 10 * time.Millisecond
	t := time.NewTicker(often)
	defer t.Stop()
	for {
		s.closeConns(func(c *conn) bool { return c.quiet() })
		select {
		case <-ended:
			s.cancel()
			return nil
		case <-t.C:
		case <-ctx.Done():
			s.cancel()
			s.closeConns(func(*conn) bool { return true })
			<-ended
			return context.Cause(ctx)
		}
	}
}

func (s *Server) closeConns(which func(c *conn) bool) {
	s.gate.Lock()
	var all []*conn
	for c := range s.conns {
		all = append(all, c)
	}
	s.gate.Unlock()
	for _, c := range all {
		if which(c) {
			_ = c.net.Close() // what it was for is over
		}
	}
}

func (s *Server) isStopping() bool {
	s.gate.Lock()
	defer s.gate.Unlock()
	return s.stopping
}

// shares counts what companies have taken up of something that is bounded, of all and of
// each.
type shares struct {
	most, mostOfOne int

	gate  sync.Mutex
	all   int
	taken map[company.ID]int
}

// grab takes one; false: there are too many.
func (s *shares) grab(id company.ID) bool {
	s.gate.Lock()
	defer s.gate.Unlock()
	if s.all >= s.most || s.taken[id] >= s.mostOfOne {
		return false
	}
	s.all++
	s.taken[id]++
	return true
}

func (s *shares) letGo(id company.ID) {
	s.gate.Lock()
	defer s.gate.Unlock()
	s.all--
	drop(s.taken, id)
}

// address returns who is at the other end.
func address(a net.Addr) netip.Addr {
	if p, err := netip.ParseAddrPort(a.String()); err == nil {
		return p.Addr().Unmap().WithZone("")
	}
	return netip.Addr{}
}
