// Package login opens the doors of the API: API keys, which open what creates, and the
// tokens that a log-in hands out, which open everything of their company and end when they
// are not used for an hour. Specification, 3.2.7, 8.1.1 and 8.3.1.
package login

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"io"
	"sync"
	"time"

	"vidimus/internal/domain/clock"
	"vidimus/internal/domain/company"
	"vidimus/internal/domain/fault"
	"vidimus/internal/service/account"
)

// Idle is how long a token lives that nobody uses. It is a duration of the specification.
const Idle = time.Hour

// touchParts says how exactly the stores know when a token was last used: to one part in
// so many of Idle. Writing at every use would make each read a write.
const touchParts = 60

// Store keeps the tokens by their SHA-256.
type Store interface {
	InTx(ctx context.Context, do func(ctx context.Context) error) error
	AddToken(ctx context.Context, hash []byte, c company.ID, now time.Time) error
	// Token returns whose it is and when it was last used, or fault.NotFound.
	Token(ctx context.Context, hash []byte) (company.ID, time.Time, error)
	TouchToken(ctx context.Context, hash []byte, now time.Time) error
	// DropTokens removes those not used since.
	DropTokens(ctx context.Context, since time.Time) error
}

// Service checks credentials.
type Service struct {
	store    Store
	accounts *account.Directory
	clock    clock.Clock
	random   io.Reader
	nobody   []byte // a hash that no key has, to spend the same time on unknown companies

	gate sync.Mutex
	used map[[sha256.Size]byte]time.Time // more exact than the store, on this node
}

// New returns the service; random is the source of tokens.
func New(store Store, accounts *account.Directory, c clock.Clock, random io.Reader) *Service {
	return &Service{
		store: store, accounts: accounts, clock: c, random: random, nobody: make([]byte, sha256.Size),
		used: map[[sha256.Size]byte]time.Time{},
	}
}

// Key returns the company if the key is one of its own. Whether the company or the key is
// unknown cannot be told, not by the answer (fault.BadCredentials) and not by the time.
func (s *Service) Key(id company.ID, key string) (*account.Account, error) {
	a, known := s.accounts.Get(id)
	hashes := [][]byte{s.nobody}
	if known {
		hashes = a.Hashes()
	}
	got := s.accounts.Hash(key)
	var match int
	for _, h := range hashes {
		match |= subtle.ConstantTimeCompare(h, got)
	}
	if match != 1 || !known {
		return nil, fault.Of(fault.BadCredentials)
	}
	return a, nil
}

// Login exchanges a key for a token: a random UUID. Every log-in makes a new one.
func (s *Service) Login(ctx context.Context, id company.ID, key string) (string, error) {
	a, err := s.Key(id, key)
	if err != nil {
		return "", err
	}
	token, err := s.uuid()
	if err != nil {
		return "", err
	}
	hash := sha256.Sum256([]byte(token))
	now := s.clock.Now()
	err = s.store.InTx(ctx, func(ctx context.Context) error { return s.store.AddToken(ctx, hash[:], a.ID, now) })
	if err != nil {
		return "", err
	}
	return token, nil
}

// uuid makes a version 4 UUID (RFC 9562).
func (s *Service) uuid() (string, error) {
	var b [16]byte
	if _, err := io.ReadFull(s.random, b[:]); err != nil {
		return "", fmt.Errorf("drawing a token: %w", err)
	}
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[0:4], b[4:6], b[6:8], b[8:10], b[10:16]), nil
}

// Token returns the company of the path if the token opens it, and notes that it was used.
// A token that is unknown or too old, and any token on the path of an unknown company, is
// fault.BadCredentials; a living one of another company fault.Foreign.
func (s *Service) Token(ctx context.Context, id company.ID, token string) (*account.Account, error) {
	hash := sha256.Sum256([]byte(token))
	owner, used, err := s.store.Token(ctx, hash[:])
	if fault.Is(err, fault.NotFound) {
		return nil, fault.Of(fault.BadCredentials)
	}
	if err != nil {
		return nil, err
	}
	now, idle := s.clock.Now(), s.clock.Scale(Idle)
	if !now.Before(s.lastUse(hash, used).Add(idle)) {
		return nil, fault.Of(fault.BadCredentials)
	}
	if _, alive := s.accounts.Get(owner); !alive {
		return nil, fault.Of(fault.BadCredentials)
	}
	a, known := s.accounts.Get(id)
	switch {
	case !known:
		return nil, fault.Of(fault.BadCredentials)
	case !hmac.Equal([]byte(owner), []byte(id)):
		return nil, fault.Of(fault.Foreign)
	}
	s.note(hash, now)
	if now.Sub(used) > idle/touchParts {
		err := s.store.InTx(ctx, func(ctx context.Context) error { return s.store.TouchToken(ctx, hash[:], now) })
		if err != nil {
			return nil, err
		}
	}
	return a, nil
}

func (s *Service) lastUse(hash [sha256.Size]byte, stored time.Time) time.Time {
	s.gate.Lock()
	defer s.gate.Unlock()
	if t, ok := s.used[hash]; ok && t.After(stored) {
		return t
	}
	return stored
}

func (s *Service) note(hash [sha256.Size]byte, now time.Time) {
	s.gate.Lock()
	defer s.gate.Unlock()
	s.used[hash] = now
}

// Sweep forgets tokens that have ended. Call it now and then.
func (s *Service) Sweep(ctx context.Context) error {
	idle := s.clock.Scale(Idle)
	since := s.clock.Now().Add(-2 * idle)
	s.gate.Lock()
	for h, t := range s.used {
		if t.Before(since) {
			delete(s.used, h)
		}
	}
	s.gate.Unlock()
	return s.store.InTx(ctx, func(ctx context.Context) error { return s.store.DropTokens(ctx, since) })
}
