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

// RevokeCertificate revokes a certificate, in a transaction of its own: the first time and
// reason stay. fault.NotFound.
func (db *DB) RevokeCertificate(ctx context.Context, serial string, when time.Time, reason int) error {
	return db.InTx(ctx, func(ctx context.Context) error {
		if _, err := tx(ctx).q.CertificateStatus(ctx, serial); err != nil {
			return found(err, "a certificate")
		}
		if _, err := tx(ctx).q.RevokeCertificate(ctx, micro(when), int64(reason), serial); err != nil {
			return fmt.Errorf("revoking a certificate: %w", err)
		}
		return nil
	})
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
