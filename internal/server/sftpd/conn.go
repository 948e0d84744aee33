package sftpd

import (
	"context"
	"crypto"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/crypto/ssh"

	"vidimus/internal/domain/company"
)

// What clients and we may agree on. Left out is what is broken (SHA-1, CBC, RC4, DSA), and
// chacha20-poly1305, which is sound, but slow here and what OpenSSH would take first:
// without it such clients use AES, which processors do.
var (
	keyExchanges = []string{
		ssh.KeyExchangeMLKEM768X25519, ssh.KeyExchangeCurve25519, ssh.KeyExchangeECDHP256, ssh.KeyExchangeECDHP384, ssh.KeyExchangeECDHP521,
		ssh.KeyExchangeDH16SHA512, ssh.KeyExchangeDH14SHA256,
	}
	ciphers = []string{
		ssh.CipherAES128GCM, ssh.CipherAES256GCM, ssh.CipherAES128CTR, ssh.CipherAES192CTR, ssh.CipherAES256CTR,
	}
	macs     = []string{ssh.HMACSHA256ETM, ssh.HMACSHA512ETM, ssh.HMACSHA256, ssh.HMACSHA512}
	userKeys = []string{
		ssh.KeyAlgoED25519, ssh.KeyAlgoSKED25519, ssh.KeyAlgoSKECDSA256, ssh.KeyAlgoECDSA256, ssh.KeyAlgoECDSA384, ssh.KeyAlgoECDSA521,
		ssh.KeyAlgoRSASHA256, ssh.KeyAlgoRSASHA512,
	}
)

// hostSigner has RSA sign with SHA-2 only.
func hostSigner(key crypto.Signer) (ssh.Signer, error) {
	signer, err := ssh.NewSignerFromSigner(key)
	if err != nil {
		return nil, fmt.Errorf("reading a host key: %w", err)
	}
	if signer.PublicKey().Type() != ssh.KeyAlgoRSA {
		return signer, nil
	}
	algorithms, ok := signer.(ssh.AlgorithmSigner)
	if !ok {
		return nil, errors.New("an RSA host key cannot sign with SHA-2")
	}
	return ssh.NewSignerWithAlgorithms(algorithms, []string{ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSASHA256})
}

// conn is one connection of a client.
type conn struct {
	server *Server
	net    net.Conn
	client netip.Addr
	began  time.Time

	company company.ID // once it has logged in; guarded by the server's gate until then
	by      credential // what it logged in with; set before any session
	idle    *time.Timer

	gate     sync.Mutex
	sessions map[*session]bool
}

// quiet says whether nothing is under way that a stop has to wait for.
func (c *conn) quiet() bool {
	c.gate.Lock()
	defer c.gate.Unlock()
	for s := range c.sessions {
		if !s.quiet() {
			return false
		}
	}
	return true
}

// serve carries the connection to its end.
func (c *conn) serve() {
	defer func() { _ = c.net.Close() }() // most often it is closed already
	s := c.server
	if err := c.net.SetDeadline(time.Now().Add(s.Limits.LoginTime)); err != nil {
		return
	}
	ctx, cancel := context.WithCancel(s.ctx)
	defer cancel()
	config := &ssh.ServerConfig{
		Config:                  ssh.Config{KeyExchanges: keyExchanges, Ciphers: ciphers, MACs: macs},
		PublicKeyAuthAlgorithms: userKeys,
		PasswordCallback: func(m ssh.ConnMetadata, p []byte) (*ssh.Permissions, error) {
			return c.password(ctx, m, string(p), "password")
		},
		KeyboardInteractiveCallback: func(m ssh.ConnMetadata, ask ssh.KeyboardInteractiveChallenge) (*ssh.Permissions, error) {
			return c.ask(ctx, m, ask)
		},
		PublicKeyCallback: c.publicKey,
		VerifiedPublicKeyCallback: func(m ssh.ConnMetadata, _ ssh.PublicKey, p *ssh.Permissions, _ string) (*ssh.Permissions, error) {
			s.guard.succeeded(company.ID(m.User()), c.client)
			return p, nil
		},
		ServerVersion: "SSH-2.0-Vidimus",
	}
	for _, k := range s.signers {
		config.AddHostKey(k)
	}
	secure, channels, requests, err := ssh.NewServerConn(c.net, config)
	if err != nil {
		return // what matters of it is in the log: who guessed
	}
	id := company.ID(secure.User())
	by, ok := secure.Permissions.ExtraData[permissionsKey{}].(credential)
	if !ok {
		return // no way to log in leaves it out
	}
	c.by = by
	if !s.loggedIn(c, id) {
		s.Log.LogAttrs(ctx, slog.LevelWarn, "sftp log-in refused", slog.String("client", c.client.String()), slog.String("company", string(id)),
			slog.String("reason", "too many connections"))
		return
	}
	if err := c.net.SetDeadline(time.Time{}); err != nil {
		return
	}
	c.idle = time.AfterFunc(s.Limits.Idle, func() { _ = c.net.Close() })
	defer c.idle.Stop()
	s.Log.LogAttrs(ctx, slog.LevelInfo, "sftp log-in", slog.String("client", c.client.String()), slog.String("company", string(id)),
		slog.String("method", by.method))
	go ssh.DiscardRequests(requests)
	var all sync.WaitGroup
	for n := range channels {
		c.channel(ctx, &all, n)
	}
	cancel()
	all.Wait()
}

// alive notes that the client gets on.
func (c *conn) alive() { c.idle.Reset(c.server.Limits.Idle) }

// channel begins a session, and refuses tunnels.
func (c *conn) channel(ctx context.Context, all *sync.WaitGroup, n ssh.NewChannel) {
	if n.ChannelType() != "session" {
		_ = n.Reject(ssh.Prohibited, "this server speaks SFTP only") // the connection may be gone
		return
	}
	s := newSession(c)
	c.gate.Lock()
	room := len(c.sessions) < c.server.Limits.SessionsPerConn && c.server.sessions.grab(c.company)
	if room {
		c.sessions[s] = true
	}
	c.gate.Unlock()
	if !room {
		_ = n.Reject(ssh.ResourceShortage, "too many sessions") // likewise
		return
	}
	all.Go(func() {
		defer func() {
			c.gate.Lock()
			delete(c.sessions, s)
			c.gate.Unlock()
			c.server.sessions.letGo(c.company)
		}()
		channel, requests, err := n.Accept()
		if err != nil {
			return
		}
		defer func() { _ = channel.Close() }() // the client may have been first
		code := c.begin(ctx, s, channel, requests)
		var status [4]byte
		binary.BigEndian.PutUint32(status[:], code)
		_, _ = channel.SendRequest("exit-status", false, status[:]) // likewise
	})
}

// begin waits for what the session shall be, and returns its exit status. Only the
// subsystem sftp is served.
func (c *conn) begin(ctx context.Context, s *session, channel ssh.Channel, requests <-chan *ssh.Request) uint32 {
	const refused = "This server speaks SFTP only. Use sftp, or scp without -O.\r\n"
	for r := range requests {
		switch r.Type {
		case "subsystem":
			var name struct{ Name string }
			ok := ssh.Unmarshal(r.Payload, &name) == nil && name.Name == "sftp"
			if err := r.Reply(ok, nil); err != nil || !ok {
				continue
			}
			go ssh.DiscardRequests(requests)
			if err := s.serve(ctx, channel); err != nil {
				return 1
			}
			return 0
		case "exec", "shell":
			if err := r.Reply(true, nil); err != nil {
				return 1
			}
			go ssh.DiscardRequests(requests)
			_, _ = channel.Stderr().Write([]byte(refused)) // the client may be gone
			return 1
		default: // a terminal, variables, keys of an agent
			if r.WantReply {
				if err := r.Reply(false, nil); err != nil {
					return 1
				}
			}
		}
	}
	return 1
}
