package main

import (
	"context"
	"crypto/x509"
	"time"

	"vidimus/internal/domain/audit"
	"vidimus/internal/domain/fault"
)

// memory is a store of the authority that forgets everything. Nothing is revoked here.
type memory struct {
	sealed map[string][]byte
	public map[string]string
	issued map[string]bool
}

func newMemory() *memory {
	return &memory{map[string][]byte{}, map[string]string{}, map[string]bool{}}
}

func (m *memory) InTx(ctx context.Context, do func(ctx context.Context) error) error { return do(ctx) }

func (m *memory) ServerKey(_ context.Context, name string) ([]byte, string, error) {
	if m.sealed[name] == nil {
		return nil, "", fault.Of(fault.NotFound)
	}
	return m.sealed[name], m.public[name], nil
}

func (m *memory) PutServerKey(_ context.Context, name string, sealed []byte, public string, _ time.Time) (bool, error) {
	if m.sealed[name] != nil {
		return false, nil
	}
	m.sealed[name], m.public[name] = sealed, public
	return true, nil
}

func (m *memory) AddCertificate(_ context.Context, serial string, _, _ time.Time) error {
	m.issued[serial] = true
	return nil
}

func (m *memory) CertificateStatus(_ context.Context, serial string) (time.Time, int, error) {
	if !m.issued[serial] {
		return time.Time{}, 0, fault.Of(fault.NotFound)
	}
	return time.Time{}, 0, nil
}

func (m *memory) RevokeCertificate(context.Context, string, time.Time, int) (bool, error) {
	return false, fault.Of(fault.NotFound)
}

func (m *memory) Audit(context.Context, audit.Entry) error { return nil }

func (m *memory) RevokedCertificates(context.Context, int) ([]x509.RevocationListEntry, error) {
	return nil, nil
}
