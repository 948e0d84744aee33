package sftpd

import (
	"context"
	"crypto/hmac"
	"crypto/rsa"
	"encoding/base64"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/crypto/ssh"

	"vidimus/internal/domain/company"
	"vidimus/internal/service/account"
)

// errRefused is why a log-in fails, whatever was wrong.
var errRefused = errors.New("wrong company ID, API key or key")

// weakest is how many bits an RSA key of a client must have.
const weakest = 2048

// credential is what opened a connection, and of which state of the account.
type credential struct {
	method    string
	hash      []byte // of the API key
	key       string // the public key as it comes over the wire; one of the two
	revision  int64
	createdAt time.Time
}

// permissionsKey finds the credential in permissions.
type permissionsKey struct{}

func permissions(c credential, a *account.Account) *ssh.Permissions {
	c.revision, c.createdAt = a.Revision, a.CreatedAt
	return &ssh.Permissions{ExtraData: map[any]any{permissionsKey{}: c}}
}

// opens says whether the credential that opened the connection still does, and returns the
// account as it is now. A company that was created anew is another.
func (c *conn) opens() (*account.Account, bool) {
	a, ok := c.server.Accounts.Get(c.company)
	if !ok || !a.CreatedAt.Equal(c.by.createdAt) {
		return nil, false
	}
	if a.Revision == c.by.revision {
		return a, true
	}
	if c.by.key != "" {
		return a, c.server.keys.of(a.ID, a.Revision, a.SFTP.SSHKeys)[c.by.key]
	}
	return a, slices.ContainsFunc(a.Hashes(), func(h []byte) bool { return hmac.Equal(h, c.by.hash) })
}

// ask asks for the API key as 9.2.1 prints it.
func (c *conn) ask(ctx context.Context, m ssh.ConnMetadata, ask ssh.KeyboardInteractiveChallenge) (*ssh.Permissions, error) {
	answers, err := ask("", "Password authentication", []string{"Password: "}, []bool{false})
	if err != nil {
		return nil, err
	}
	if len(answers) != 1 {
		return nil, errRefused
	}
	return c.password(ctx, m, answers[0], "keyboard-interactive")
}

// password lets in whoever has an API key of the company. What is wrong is answered later,
// by a time that depends on the address alone.
func (c *conn) password(ctx context.Context, m ssh.ConnMetadata, key, method string) (*ssh.Permissions, error) {
	s, id := c.server, company.ID(m.User())
	_, exists := s.Accounts.Get(id)
	a, err := s.Login.Key(id, key)
	heard, reason := s.guard.heard(id, c.client), "wrong_credentials"
	if err == nil && heard && !s.guard.banned(c.client) {
		s.guard.succeeded(id, c.client)
		return permissions(credential{method: method, hash: s.Accounts.Hash(key)}, a), nil
	}
	var f refusal
	switch {
	case err != nil:
		f = s.guard.failed(id, exists, c.client)
	case !heard:
		f, reason = s.guard.unheard(c.client), "company_banned"
	default:
		f, reason = s.guard.unheard(c.client), "address_banned"
	}
	name := "unknown" // what somebody typed may be anything
	if exists {
		name = string(id)
	}
	s.Log.LogAttrs(ctx, slog.LevelWarn, "sftp log-in refused", slog.String("client", c.client.String()), slog.String("company", name),
		slog.String("method", method), slog.String("reason", reason), slog.Int("failures", f.Failures), slog.Bool("address_banned", f.BanAddress), slog.Bool("company_banned", f.BanCompany))
	t := time.NewTimer(f.Delay)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
	if s.guard.banned(c.client) {
		_ = c.net.Close() // from now on nothing is heard from there
	}
	return nil, errRefused
}

// publicKey lets in whoever has a key of the company's file. Keys cannot be guessed, and
// clients try all they have, so that a wrong one costs nothing.
func (c *conn) publicKey(m ssh.ConnMetadata, key ssh.PublicKey) (*ssh.Permissions, error) {
	a, exists := c.server.Accounts.Get(company.ID(m.User()))
	var allowed map[string]bool
	if exists {
		allowed = c.server.keys.of(a.ID, a.Revision, a.SFTP.SSHKeys)
	}
	if !allowed[string(key.Marshal())] || weak(key) {
		return nil, errRefused
	}
	return permissions(credential{method: "publickey", key: string(key.Marshal())}, a), nil
}

func weak(key ssh.PublicKey) bool {
	k, ok := key.(ssh.CryptoPublicKey)
	if !ok {
		return false
	}
	r, ok := k.CryptoPublicKey().(*rsa.PublicKey)
	return ok && r.N.BitLen() < weakest
}

// keyCache has the keys of each company as they come over the wire, so that finding one
// takes as long as not finding any.
type keyCache struct {
	gate sync.Mutex
	all  map[company.ID]keySet
}

type keySet struct {
	revision int64
	keys     map[string]bool
}

func (k *keyCache) of(id company.ID, revision int64, lines []string) map[string]bool {
	k.gate.Lock()
	defer k.gate.Unlock()
	if set, ok := k.all[id]; ok && set.revision == revision {
		return set.keys
	}
	set := keySet{revision, map[string]bool{}}
	for _, line := range lines {
		parts := strings.Fields(line)
		if len(parts) < 2 {
			continue
		}
		blob, err := base64.StdEncoding.DecodeString(parts[1])
		if err != nil {
			continue
		}
		set.keys[string(blob)] = true
	}
	if k.all == nil {
		k.all = map[company.ID]keySet{}
	}
	k.all[id] = set
	return set.keys
}
