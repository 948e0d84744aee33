// Left out of fuzzing, which would compile the database anew.
//go:build !fuzz

package sftpd_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"io"
	"testing"
	"time"

	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"

	"vidimus/internal/domain/company"
	"vidimus/internal/domain/delivery"
	"vidimus/internal/domain/fault"
)

func TestAConnectionEndsWithWhatOpenedIt(t *testing.T) {
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	by, line := signer(t, ed)
	for name, try := range map[string]struct {
		change func(p *platform)
		auth   ssh.AuthMethod
		stays  bool
	}{
		"another setting, API key": {func(p *platform) { p.apply(bank, func(c *company.Company) { c.Realtime = false }) }, ssh.Password(apiKey), true},
		"another setting, key":     {func(p *platform) { p.apply(bank, func(c *company.Company) { c.Realtime = false }) }, ssh.PublicKeys(by), true},
		"the API key is another": {func(p *platform) {
			p.ok(p.accounts.Apply(t.Context(), p.account(bank).Company, company.Secrets{APIKeys: []string{"anotherApiKey"}}))
		}, ssh.Password(apiKey), false},
		"the key is removed":  {func(p *platform) { p.apply(bank, func(c *company.Company) { c.SFTP.SSHKeys = nil }) }, ssh.PublicKeys(by), false},
		"the company is gone": {func(p *platform) { p.ok(p.accounts.Delete(t.Context(), bank)) }, ssh.Password(apiKey), false},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPlatform(t, settings{keys: []string{line}})
			p.finished(bank, "one", 1<<20)
			connection, err := p.dial(string(bank), try.auth)
			p.ok(err)
			c, err := sftp.NewClient(connection)
			p.ok(err)
			f, err := c.Open("one.zip")
			p.ok(err)
			try.change(p)
			if _, err := f.ReadAt(make([]byte, 100), 0); (err == nil) != try.stays {
				t.Errorf("a file that was open: %v", err)
			}
			if _, err := c.ReadDir("/"); (err == nil) != try.stays {
				t.Errorf("a listing: %v", err)
			}
			if try.stays {
				p.ok(connection.Close())
			}
			_ = connection.Wait() // it ends, whoever ends it
		})
	}
}

func TestWhatWasOpenedBeforeADeletionIsForgotten(t *testing.T) {
	p := newPlatform(t, settings{})
	one := p.finished(bank, "one", 100)
	c := p.client()
	f, err := c.Open("one.zip")
	p.ok(err)
	if _, err := f.ReadAt(make([]byte, 4000), 0); err != nil && !errors.Is(err, io.EOF) {
		t.Fatal(err) // all of it is opened now
	}
	p.ok(p.identify.Delete(t.Context(), bank, string(one.ID), "company"))
	p.offset.Add(int64(time.Second))
	for range 2 {
		if _, err := f.ReadAt(make([]byte, 100), 0); code(err) != 2 {
			t.Errorf("it is read: %v", err)
		}
	}
}

// deleter deletes an identification at the first byte that is written.
type deleter struct{ do func() }

func (d *deleter) Write(b []byte) (int, error) {
	if d.do != nil {
		d.do()
		d.do = nil
	}
	return len(b), nil
}

func TestAWriteEndsAtTheMemberAfterADeletion(t *testing.T) {
	p := newPlatform(t, settings{})
	one := p.finished(bank, "one", 100)
	i, err := p.db.IdentificationByID(t.Context(), bank, one.ID)
	p.ok(err)
	z, err := p.publish.ZIP(t.Context(), p.account(bank), i)
	p.ok(err)
	err = z.Write(t.Context(), &deleter{func() { p.ok(p.identify.Delete(t.Context(), bank, string(one.ID), "company")) }})
	if !fault.Is(err, fault.NotFound) {
		t.Errorf("it was written to its end: %v", err)
	}
}

func TestADownloadIsDoneWhenTheClientHasTakenIt(t *testing.T) {
	for name, try := range map[string]struct {
		after func(c *sftp.Client, f *sftp.File) error
		want  delivery.Progress
	}{
		"it is closed":    {func(_ *sftp.Client, f *sftp.File) error { return f.Close() }, delivery.Done},
		"another request": {func(c *sftp.Client, _ *sftp.File) error { _, err := c.Stat("one.zip"); return err }, delivery.Done},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPlatform(t, settings{})
			one := p.finished(bank, "one", 1<<20)
			connection, err := p.dial(string(bank), ssh.Password(apiKey))
			p.ok(err)
			c, err := sftp.NewClient(connection)
			p.ok(err)
			f, err := c.Open("one.zip")
			p.ok(err)
			got := make([]byte, len(p.zip(one)))
			if _, err := f.ReadAt(got[:100], 0); err != nil {
				t.Fatal(err)
			}
			if all, err := p.db.HandOvers(t.Context(), bank, time.Time{}, "", 10); err != nil || len(all) != 1 || all[0].State != delivery.Begun {
				t.Errorf("after the first bytes: %v, %v", all, err)
			}
			if _, err := f.ReadAt(got[100:], 100); err != nil {
				t.Fatal(err)
			}
			p.ok(try.after(c, f))
			p.ok(connection.Close())
			if h := p.handOvers(1)[0]; h.State != try.want || h.Bytes != int64(len(got)) {
				t.Errorf("%+v", h)
			}
		})
	}
}

// TestAClosingSentAheadProvesNothing sends all requests at once, the closing of the file too, as
// clients may.
func TestAClosingSentAheadProvesNothing(t *testing.T) {
	for name, try := range map[string]struct {
		answers, drops bool
		want           delivery.Progress
	}{
		"and drops":         {false, true, delivery.Broken},
		"and takes it all":  {true, false, delivery.Done},
		"and never answers": {false, false, delivery.Broken}, // against RFC 4254
	} {
		t.Run(name, func(t *testing.T) {
			p := newPlatform(t, settings{})
			one := p.finished(bank, "one", 1<<20)
			size := len(p.zip(one))
			connection, err := p.dial(string(bank), ssh.Password(apiKey))
			p.ok(err)
			channel, requests, err := connection.OpenChannel("session", nil)
			p.ok(err)
			ok, err := channel.SendRequest("subsystem", true, ssh.Marshal(struct{ Name string }{"sftp"}))
			if err != nil || !ok {
				t.Fatal(ok, err)
			}
			if try.answers {
				go ssh.DiscardRequests(requests)
			}
			const step = 32 << 10
			text := func(s string) []byte { return append(binary.BigEndian.AppendUint32(nil, uint32(len(s))), s...) }
			pack := func(kind byte, parts ...[]byte) (b []byte) {
				body := append([]byte{kind}, bytes.Join(parts, nil)...)
				return append(binary.BigEndian.AppendUint32(nil, uint32(len(body))), body...)
			}
			u32 := func(n int) []byte { return binary.BigEndian.AppendUint32(nil, uint32(n)) }
			all := pack(1, u32(3))
			all = append(all, pack(3, u32(1), text("one.zip"), u32(1), u32(0))...)
			answers := 2
			for at := 0; at < size; at += step { // handles are numbered
				all = append(all, pack(5, u32(2), text("1"), binary.BigEndian.AppendUint64(nil, uint64(at)), u32(step))...)
				answers++
			}
			all = append(all, pack(4, u32(3), text("1"))...)
			_, err = channel.Write(all)
			p.ok(err)
			if try.drops {
				for p.begun() == 0 {
					time.Sleep(time.Millisecond)
				}
				time.Sleep(100 * time.Millisecond) // all of it lies in buffers
			} else {
				for range answers + 1 {
					var head [4]byte
					if _, err := io.ReadFull(channel, head[:]); err != nil {
						t.Fatal(err)
					}
					_, err := io.CopyN(io.Discard, channel, int64(binary.BigEndian.Uint32(head[:])))
					p.ok(err)
				}
			}
			p.ok(connection.Close())
			if h := p.handOvers(1)[0]; h.State != try.want {
				t.Errorf("%+v", h)
			}
		})
	}
}

// begun counts what the ledger knows of.
func (p *platform) begun() int {
	all, err := p.db.HandOvers(context.Background(), bank, time.Time{}, "", 10)
	p.ok(err)
	return len(all)
}
