package service_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"vidimus/internal/domain/company"
	"vidimus/internal/domain/delivery"
	"vidimus/internal/domain/evidence"
	"vidimus/internal/service/publish"
	"vidimus/internal/service/videoident"
)

const office = "results@ihrebank.example"

// mailTo has the bank get its results by mail.
func (b *bench) mailTo(all ...company.Mail) {
	b.Helper()
	c := b.account(bank).Company
	c.Mail, c.SecureDownload = all, true
	s := company.Secrets{APIKeys: []string{apiKey + string(bank)}}
	for range all {
		s.MailPasswords = append(s.MailPasswords, "a password")
	}
	b.ok(b.accounts.Apply(b.Context(), c, s))
}

func zipped() company.Mail { return company.Mail{To: office, Method: company.AESZip} }

// mails returns the deliveries by mail of an identification.
func (b *bench) mails(c videoident.Case) (all []delivery.Delivery) {
	b.Helper()
	for _, d := range b.deliveries(c) {
		if d.Way == delivery.Mail {
			all = append(all, d)
		}
	}
	return all
}

func TestFinalResultIsMailedOnceToEachRecipient(t *testing.T) {
	inBubble(t, 1, func(b *bench) {
		b.mailTo(zipped(), company.Mail{To: office, Method: company.Link}, zipped())
		stop := b.run()
		c := b.start("1")
		b.identified(c, "")
		time.Sleep(time.Second)
		if n := len(b.net.mailed()); n > 0 {
			t.Errorf("%d mails about a preliminary result", n)
		}
		b.review(c, evidence.Review{Decision: evidence.Confirm})
		time.Sleep(time.Second)
		stop()
		sent := b.net.mailed()
		if len(sent) != 3 {
			t.Fatalf("%d mails", len(sent))
		}
		z, err := b.publish.ZIP(b.Context(), b.account(bank), b.get(c))
		b.ok(err)
		var zip bytes.Buffer
		b.ok(z.Write(b.Context(), &zip))
		sum := sha256.Sum256(zip.Bytes())
		links := 0
		for _, m := range sent {
			if m.Link != "" {
				links++
				token := m.Link[strings.LastIndexByte(m.Link, '/')+1:]
				if _, _, err := b.publish.ByLink(b.Context(), bank, token); err != nil {
					t.Errorf("the link %s: %v", m.Link, err)
				}
			} else if m.Password != "a password" || !bytes.Equal(m.ZIP, zip.Bytes()) {
				t.Errorf("%d bytes under %q", len(m.ZIP), m.Password)
			}
		}
		if links != 1 {
			t.Errorf("%d links", links)
		}
		for n, want := range []string{office + " (aes_zip)", office + " (link)", office + " (aes_zip 2)"} {
			d := b.mails(c)[n]
			bytes, hash := int64(zip.Len()), string(sum[:])
			if n == 1 { // nothing of the result is in a mail with a link
				bytes, hash = 0, ""
			}
			if d.Target != want || d.State != delivery.Delivered || d.Tries != 1 || d.Status != 250 || d.Problem != "" || d.Bytes != bytes || string(d.Hash) != hash {
				t.Errorf("%+v", d)
			}
			if tries, err := b.publish.Tries(b.Context(), d.ID); err != nil || len(tries) != 0 {
				t.Errorf("failed tries %v, %v", tries, err)
			}
		}
	})
}

func TestCopiesAndFailuresAreNotMailed(t *testing.T) {
	inBubble(t, 1, func(b *bench) {
		b.mailTo(zipped())
		c := b.finished("1")
		b.canceled("2")
		b.runFor(time.Second)
		if n := len(b.net.mailed()); n != 1 {
			t.Fatalf("%d mails", n)
		}
		_, err := b.identify.Copy(b.Context(), b.account(bank), string(b.get(c).Number), bank, "3")
		b.ok(err)
		b.runFor(time.Second)
		if n := len(b.net.mailed()); n != 1 {
			t.Errorf("%d mails after the copy", n)
		}
	})
}

func TestFailingMailIsTriedLessAndLessOften(t *testing.T) {
	inBubble(t, 1, func(b *bench) {
		b.mailTo(zipped())
		b.net.taking = func(publish.ResultMail, int) publish.Posted { return publish.Posted{Problem: "connection refused"} }
		stop := b.run()
		b.finished("1")
		began := time.Now()
		time.Sleep(time.Minute)
		stop()
		var when []string
		for _, m := range b.net.mailed() {
			when = append(when, m.At.Sub(began).String())
		}
		if diff := cmp.Diff([]string{"0s", "1s", "3s", "7s", "15s", "31s"}, when); diff != "" {
			t.Error(diff)
		}
	})
}

func TestMailIsTriedForADayAndThenGivenUpWithAWord(t *testing.T) {
	inBubble(t, 1000, func(b *bench) {
		b.mailTo(zipped())
		b.net.taking = func(publish.ResultMail, int) publish.Posted { return publish.Posted{Problem: "connection refused"} }
		stop := b.run()
		c := b.finished("1")
		began := time.Now()
		time.Sleep(90 * time.Second)
		stop()
		ids := map[string]bool{}
		for _, m := range b.net.mailed() {
			ids[m.ID] = true
		}
		if len(ids) != 1 {
			t.Errorf("%d ids", len(ids))
		}
		d := b.mails(c)[0]
		if d.State != delivery.Failed || d.Problem != "connection refused" || !d.DoneAt.Equal(began.Add(24*time.Hour/1000)) {
			t.Errorf("%+v", d)
		}
		tries, err := b.publish.Tries(b.Context(), d.ID)
		if err != nil || len(tries) != d.Tries || tries[3].Problem != "connection refused" {
			t.Errorf("%d tries, %v", len(tries), err)
		}
		if diff := cmp.Diff([]string{"unmailed FINAL"}, b.net.notices()); diff != "" {
			t.Error(diff)
		}
	})
}

func TestWhatCanNeverBeMailedEndsAtOnce(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		mail   company.Mail
		posted publish.Posted
		want   string
		sent   int
	}{
		"refused": {zipped(), publish.Posted{Status: 550, Problem: "recipient refused", Permanent: true}, "recipient refused", 1},
		"expired": {company.Mail{To: office, Method: company.SMIME}, publish.Posted{}, "the certificate has expired: it was good until 1999-12-31 23:00 UTC", 0},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, 1, func(b *bench) {
				if c.mail.Method == company.SMIME {
					now := time.Now().UTC().Truncate(time.Hour)
					der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: now.Add(-48 * time.Hour), NotAfter: now.Add(-time.Hour)},
						&x509.Certificate{SerialNumber: big.NewInt(1)}, key.Public(), key)
					b.ok(err)
					c.mail.Certificates = [][]byte{der}
				}
				b.mailTo(c.mail)
				b.net.taking = func(publish.ResultMail, int) publish.Posted { return c.posted }
				id := b.finished("1")
				b.runFor(time.Second)
				d := b.mails(id)[0]
				if d.State != delivery.Failed || d.Problem != c.want || d.Tries != 1 || len(b.net.mailed()) != c.sent {
					t.Errorf("%+v", d)
				}
				if diff := cmp.Diff([]string{"unmailed FINAL"}, b.net.notices()); diff != "" {
					t.Error(diff)
				}
			})
		})
	}
}

func TestResultTooLargeForAMailIsToldNotSent(t *testing.T) {
	inBubble(t, 1, func(b *bench) {
		b.mailTo(zipped(), company.Mail{To: office, Method: company.Link})
		c := b.start("1")
		b.take(c)
		b.ok(b.video.Record(b.Context(), c, append(pieces(), videoident.Piece{What: evidence.Recording{Key: "videolog", Format: "mp4"}, Bytes: make([]byte, 2<<20)})...))
		b.ok(b.video.Conclude(b.Context(), c, evidence.Verdict{Data: data()}))
		b.review(c, evidence.Review{Decision: evidence.Confirm})
		b.runFor(time.Second)
		if d := b.mails(c)[0]; d.State != delivery.Failed || d.Problem != "too large for a mail: 3 MiB, where 1 are the limit" {
			t.Errorf("%+v", d)
		}
		if d := b.mails(c)[1]; d.State != delivery.Delivered || len(b.net.mailed()) != 1 || b.net.mailed()[0].Link == "" {
			t.Errorf("the link: %+v", d)
		}
		if diff := cmp.Diff([]string{"unmailed FINAL"}, b.net.notices()); diff != "" {
			t.Error(diff)
		}
	})
}

func TestMailThatMayHaveBeenTakenIsNotRepeatedWithoutAWord(t *testing.T) {
	inBubble(t, 1, func(b *bench) {
		b.mailTo(zipped())
		b.net.taking = func(_ publish.ResultMail, try int) publish.Posted {
			if try == 1 {
				return publish.Posted{Problem: "connection lost after all was sent", Uncertain: true}
			}
			return publish.Posted{Status: 250}
		}
		c := b.finished("1")
		b.runFor(5 * time.Second)
		if d := b.mails(c)[0]; d.State != delivery.Delivered || d.Tries != 2 {
			t.Errorf("%+v", d)
		}
		if !strings.Contains(b.log.String(), "a mail may arrive twice") {
			t.Errorf("the log says %s", b.log)
		}
	})
}

func TestMailUnderWayInACrashLeavesItsTrace(t *testing.T) {
	inBubble(t, 1, func(b *bench) {
		b.mailTo(zipped())
		c := b.finished("1")
		now := time.Now()
		d := b.mails(c)[0]
		// What a node does until just before it dies.
		got, err := b.db.ClaimDeliveries(b.Context(), delivery.Mail, "dead", now, now.Add(8*time.Second), 1, nil, nil)
		if err != nil || len(got) != 1 {
			t.Fatalf("%d claimed, %v", len(got), err)
		}
		got[0].Tries, got[0].FirstAt, got[0].Problem = 1, now, delivery.EndUnknown
		b.ok(b.db.InTx(b.Context(), func(ctx context.Context) error {
			if err := b.db.BeginTry(ctx, got[0], "dead"); err != nil {
				return err
			}
			return b.db.AddTry(ctx, got[0], delivery.Try{Number: 1, At: now, Problem: delivery.EndUnknown})
		}))
		b.runFor(30 * time.Second)
		if m := b.net.mailed(); len(m) != 1 || m[0].ID != d.ID {
			t.Errorf("%d mails", len(m))
		}
		tries, err := b.publish.Tries(b.Context(), d.ID)
		if err != nil || len(tries) != 1 || tries[0].Problem != delivery.EndUnknown {
			t.Errorf("%v, %v", tries, err)
		}
		if d := b.mails(c)[0]; d.State != delivery.Delivered || d.Tries != 2 {
			t.Errorf("%+v", d)
		}
		if !strings.Contains(b.log.String(), "a mail may arrive twice") {
			t.Errorf("the log says %s", b.log)
		}
	})
}

func TestDeletingDropsMailsThatWait(t *testing.T) {
	inBubble(t, 1, func(b *bench) {
		b.mailTo(zipped())
		b.net.taking = func(publish.ResultMail, int) publish.Posted { return publish.Posted{Problem: "timeout"} }
		stop := b.run()
		c := b.finished("1")
		time.Sleep(2 * time.Second)
		b.ok(b.identify.Delete(b.Context(), bank, "1", "test"))
		n := len(b.net.mailed())
		time.Sleep(time.Minute)
		stop()
		if got := len(b.net.mailed()); got != n || n == 0 {
			t.Errorf("%d mails, then %d", n, got)
		}
		if d := b.mails(c)[0]; d.State != delivery.Superseded || d.Problem != "deleted" {
			t.Errorf("%+v", d)
		}
		if len(b.net.notices()) != 0 {
			t.Errorf("notices %v", b.net.notices())
		}
	})
}

// TestMailThatIsTakenWhileItsIdentificationIsDeletedWasDelivered deletes in the middle of a
// try.
func TestMailThatIsTakenWhileItsIdentificationIsDeletedWasDelivered(t *testing.T) {
	inBubble(t, 1, func(b *bench) {
		b.mailTo(zipped())
		b.net.taking = func(publish.ResultMail, int) publish.Posted {
			time.Sleep(5 * time.Second)
			return publish.Posted{Status: 250}
		}
		stop := b.run()
		c := b.finished("1")
		time.Sleep(2 * time.Second)
		b.ok(b.identify.Delete(b.Context(), bank, "1", "test"))
		if d := b.mails(c)[0]; d.State != delivery.Superseded {
			t.Errorf("before it was taken: %+v", d)
		}
		time.Sleep(time.Minute)
		stop()
		d := b.mails(c)[0]
		if d.State != delivery.Delivered || d.Problem != "" || d.Status != 250 || d.Bytes == 0 || d.DoneAt.IsZero() || d.Tries != 1 {
			t.Errorf("%+v", d)
		}
		if tries, err := b.publish.Tries(b.Context(), d.ID); err != nil || len(tries) != 0 {
			t.Errorf("%v, %v", tries, err)
		}
		if !strings.Contains(b.log.String(), "while its identification was being deleted") {
			t.Errorf("the log says %s", b.log)
		}
	})
}

func TestRecipientThatIsTakenAwayGetsNothing(t *testing.T) {
	inBubble(t, 1, func(b *bench) {
		b.mailTo(zipped())
		c := b.finished("1")
		b.mailTo()
		b.runFor(time.Second)
		if d := b.mails(c)[0]; d.State != delivery.Failed || len(b.net.mailed()) != 0 {
			t.Errorf("%+v", d)
		}
	})
}
