package store

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"math/big"
	"time"
)

// AddCertificate records a certificate that was issued, in a transaction of its own; one that
// is there stays. Serials are lower-case hex.
func (db *DB) AddCertificate(ctx context.Context, serial string, issued, expires time.Time) error {
	return db.InTx(ctx, func(ctx context.Context) error {
		if err := tx(ctx).q.InsertCertificate(ctx, serial, micro(issued), micro(expires)); err != nil {
			return fmt.Errorf("recording a certificate: %w", err)
		}
		return nil
	})
}

// CertificateStatus returns when and why a certificate was revoked, a zero time when it was
// not; fault.NotFound when none was issued.
func (db *DB) CertificateStatus(ctx context.Context, serial string) (revoked time.Time, reason int, err error) {
	r, err := db.read(ctx).CertificateStatus(ctx, serial)
	return at(r.RevokedAt), int(r.Reason), found(err, "a certificate")
}

// RevokeCertificate revokes a certificate, in the transaction of ctx; false: it was revoked
// before, and the first time and reason stay. fault.NotFound.
func (db *DB) RevokeCertificate(ctx context.Context, serial string, when time.Time, reason int) (bool, error) {
	if _, err := tx(ctx).q.CertificateStatus(ctx, serial); err != nil {
		return false, found(err, "a certificate")
	}
	n, err := tx(ctx).q.RevokeCertificate(ctx, micro(when), int64(reason), serial)
	if err != nil {
		return false, fmt.Errorf("revoking a certificate: %w", err)
	}
	return n > 0, nil
}

// Certificate is one that was issued. Revoked is zero when it was not.
type Certificate struct {
	Serial                   string // lower-case hex
	Issued, Expires, Revoked time.Time
	Reason                   int
}

// Certificates returns up to most of those that were issued, or of those that were revoked as
// well, the last one first.
func (db *DB) Certificates(ctx context.Context, revokedOnly bool, most int) ([]Certificate, error) {
	var since int64
	if revokedOnly {
		since = 1
	}
	rs, err := db.read(ctx).Certificates(ctx, since, int32(min(most, 1<<20))) //nolint:gosec // bounded
	if err != nil {
		return nil, fmt.Errorf("listing certificates: %w", err)
	}
	list := make([]Certificate, len(rs))
	for n, r := range rs {
		list[n] = Certificate{Serial: r.Serial, Issued: at(r.IssuedAt), Expires: at(r.ExpiresAt), Revoked: at(r.RevokedAt), Reason: int(r.Reason)}
	}
	return list, nil
}

// RevokedCertificates returns up to most of those that were revoked, the first one first.
func (db *DB) RevokedCertificates(ctx context.Context, most int) ([]x509.RevocationListEntry, error) {
	rs, err := db.read(ctx).RevokedCertificates(ctx, int32(min(most, 1<<20))) //nolint:gosec // bounded
	if err != nil {
		return nil, fmt.Errorf("listing revoked certificates: %w", err)
	}
	list := make([]x509.RevocationListEntry, len(rs))
	for n, r := range rs {
		serial, ok := new(big.Int).SetString(r.Serial, 16)
		if !ok {
			return nil, errors.New("a certificate with a serial number that is none")
		}
		list[n] = x509.RevocationListEntry{SerialNumber: serial, RevocationTime: at(r.RevokedAt), ReasonCode: int(r.Reason)}
	}
	return list, nil
}
