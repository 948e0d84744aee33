package store

import (
	"testing"
	"time"

	"vidimus/internal/domain/fault"
)

func TestACertificateIsRevokedOnceAndForGood(t *testing.T) {
	each(t, func(t *testing.T, db *DB) {
		ctx := t.Context()
		if _, _, err := db.CertificateStatus(ctx, "0a"); !fault.Is(err, fault.NotFound) {
			t.Errorf("one that was never issued: %v", err)
		}
		if err := db.RevokeCertificate(ctx, "0a", noon, 1); !fault.Is(err, fault.NotFound) {
			t.Errorf("revoking one that was never issued: %v", err)
		}
		for _, serial := range []string{"0a", "0b", "0a"} {
			if err := db.AddCertificate(ctx, serial, noon, noon.Add(time.Hour)); err != nil {
				t.Fatal(err)
			}
		}
		if revoked, _, err := db.CertificateStatus(ctx, "0a"); !revoked.IsZero() || err != nil {
			t.Errorf("before: %v, %v", revoked, err)
		}
		for n, reason := range []int{1, 4} {
			if err := db.RevokeCertificate(ctx, "0a", noon.Add(time.Duration(n)*time.Minute), reason); err != nil {
				t.Fatal(err)
			}
		}
		if revoked, reason, err := db.CertificateStatus(ctx, "0a"); !revoked.Equal(noon) || reason != 1 || err != nil {
			t.Errorf("after: %v, %d, %v", revoked, reason, err)
		}
		list, err := db.RevokedCertificates(ctx, 10)
		if err != nil || len(list) != 1 || list[0].SerialNumber.Int64() != 10 || list[0].ReasonCode != 1 || !list[0].RevocationTime.Equal(noon) {
			t.Errorf("the list: %+v, %v", list, err)
		}
	})
}
