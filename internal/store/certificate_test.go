package store

import (
	"context"
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
		revoke := func(when time.Time, reason int) (fresh bool, err error) {
			err = db.InTx(ctx, func(ctx context.Context) error {
				fresh, err = db.RevokeCertificate(ctx, "0a", when, reason)
				return err
			})
			return fresh, err
		}
		if _, err := revoke(noon, 1); !fault.Is(err, fault.NotFound) {
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
			if fresh, err := revoke(noon.Add(time.Duration(n)*time.Minute), reason); err != nil || fresh != (n == 0) {
				t.Fatalf("%v, %v", fresh, err)
			}
		}
		if revoked, reason, err := db.CertificateStatus(ctx, "0a"); !revoked.Equal(noon) || reason != 1 || err != nil {
			t.Errorf("after: %v, %d, %v", revoked, reason, err)
		}
		list, err := db.RevokedCertificates(ctx, 10)
		if err != nil || len(list) != 1 || list[0].SerialNumber.Int64() != 10 || list[0].ReasonCode != 1 || !list[0].RevocationTime.Equal(noon) {
			t.Errorf("the list: %+v, %v", list, err)
		}
		if err := db.AddCertificate(ctx, "0c", noon.Add(time.Minute), noon.Add(time.Hour)); err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct {
			revoked bool
			most    int
			want    string
		}{{false, 10, "0c 0a 0b "}, {false, 2, "0c 0a "}, {true, 10, "0a "}} {
			list, err := db.Certificates(ctx, c.revoked, c.most)
			got := ""
			for _, one := range list {
				got += one.Serial + " "
				if one.Expires != noon.Add(time.Hour) || one.Revoked.IsZero() != (one.Serial != "0a") {
					t.Errorf("%+v", one)
				}
			}
			if got != c.want || err != nil {
				t.Errorf("%q, %v, not %q", got, err, c.want)
			}
		}
	})
}
