package csctest

import (
	"context"
	"crypto/x509"
	"math/big"
	"sync"
	"time"

	"vidimus/internal/domain/audit"
	"vidimus/internal/domain/fault"
)

// memory is the provider's store.
type memory struct {
	gate    sync.Mutex
	keys    map[string][2]string
	issued  map[string]bool
	revoked map[string]x509.RevocationListEntry
}

func newMemory() *memory {
	return &memory{keys: map[string][2]string{}, issued: map[string]bool{}, revoked: map[string]x509.RevocationListEntry{}}
}

func (m *memory) InTx(ctx context.Context, do func(ctx context.Context) error) error { return do(ctx) }

func (m *memory) ServerKey(_ context.Context, name string) ([]byte, string, error) {
	if key, ok := m.keys[name]; ok {
		return []byte(key[0]), key[1], nil
	}
	return nil, "", fault.Of(fault.NotFound)
}

func (m *memory) PutServerKey(_ context.Context, name string, sealed []byte, public string, _ time.Time) (bool, error) {
	m.keys[name] = [2]string{string(sealed), public}
	return true, nil
}

func (m *memory) AddCertificate(_ context.Context, serial string, _, _ time.Time) error {
	m.gate.Lock()
	defer m.gate.Unlock()
	m.issued[serial] = true
	return nil
}

func (m *memory) CertificateStatus(_ context.Context, serial string) (time.Time, int, error) {
	m.gate.Lock()
	defer m.gate.Unlock()
	if !m.issued[serial] {
		return time.Time{}, 0, fault.Of(fault.NotFound)
	}
	return m.revoked[serial].RevocationTime, m.revoked[serial].ReasonCode, nil
}

func (m *memory) RevokeCertificate(_ context.Context, serial string, at time.Time, reason int) (bool, error) {
	m.gate.Lock()
	defer m.gate.Unlock()
	n, _ := new(big.Int).SetString(serial, 16)
	m.revoked[serial] = x509.RevocationListEntry{SerialNumber: n, RevocationTime: at, ReasonCode: reason}
	return true, nil
}

func (m *memory) RevokedCertificates(context.Context, int) (all []x509.RevocationListEntry, err error) {
	m.gate.Lock()
	defer m.gate.Unlock()
	for _, entry := range m.revoked {
		all = append(all, entry)
	}
	return all, nil
}

// Audit keeps nothing: nobody asks.
func (m *memory) Audit(context.Context, audit.Entry) error { return nil }

// open is a master key that seals nothing: what it would seal never leaves the memory.
type open struct{}

func (open) Seal(_ string, plain, _ []byte) []byte           { return plain }
func (open) Open(_ string, sealed, _ []byte) ([]byte, error) { return sealed, nil }
func (open) Hash(_ string, value []byte) []byte              { return value }
