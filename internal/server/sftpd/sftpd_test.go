// Left out of fuzzing, which would compile the database anew.
//go:build !fuzz

package sftpd_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"

	"vidimus/internal/domain/company"
	"vidimus/internal/domain/delivery"
	"vidimus/internal/domain/fault"
	"vidimus/internal/server/sftpd"
)

func names(t testing.TB, c *sftp.Client, folder string) []string {
	t.Helper()
	list, err := c.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	all := []string{}
	for _, f := range list {
		all = append(all, f.Name())
	}
	slices.Sort(all)
	return all
}

func read(t testing.TB, c *sftp.Client, name string) []byte {
	t.Helper()
	f, err := c.Open(name)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	defer func() { _ = f.Close() }()
	b, err := io.ReadAll(f)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return b
}

// code is the status that an error of the client carries.
func code(err error) uint32 {
	var s *sftp.StatusError
	switch {
	case err == nil:
		return 0
	case errors.Is(err, fs.ErrNotExist):
		return 2
	case errors.Is(err, fs.ErrPermission):
		return 3
	case errors.As(err, &s):
		return s.Code
	}
	return 99
}

func TestAFileIsTheZIPOfREST(t *testing.T) {
	p := newPlatform(t, settings{})
	big := p.finished(bank, "big", 3<<20)
	want := p.zip(big)
	p.finished(other, "theirs", 10)
	c := p.client()
	if diff := cmp.Diff([]string{"Archive", "big.zip"}, names(t, c, ".")); diff != "" {
		t.Fatal(diff)
	}
	info, err := c.Stat("big.zip")
	p.ok(err)
	if info.Size() != int64(len(want)) || info.Mode() != 0o666 || time.Since(info.ModTime()) > time.Hour {
		t.Errorf("%v %v %v", info.Size(), info.Mode(), info.ModTime())
	}
	for _, name := range []string{"big.zip", "/big.zip", "./big.zip", "/Archive/../big.zip"} {
		if !bytes.Equal(read(t, c, name), want) {
			t.Errorf("%s is another", name)
		}
	}
	var whole bytes.Buffer
	f, err := c.Open("big.zip")
	p.ok(err)
	if _, err := f.WriteTo(&whole); err != nil || !bytes.Equal(whole.Bytes(), want) {
		t.Errorf("read in parallel it is another: %v", err)
	}
	if _, err := f.Seek(1<<20+77, io.SeekStart); err != nil {
		t.Error(err)
	}
	if rest, err := io.ReadAll(f); err != nil || !bytes.Equal(rest, want[1<<20+77:]) {
		t.Errorf("resumed it is another: %v", err)
	}
	if s, err := f.Stat(); err != nil || s.Size() != int64(len(want)) {
		t.Errorf("of the open file: %v, %v", s, err)
	}
	p.ok(f.Close())
}

func TestOnlyTheOwnFilesAreThere(t *testing.T) {
	p := newPlatform(t, settings{})
	p.finished(bank, "mine", 10)
	c := p.clientOf(other, "testbankApiKey")
	if got := names(t, c, "/"); len(got) != 0 {
		t.Errorf("the other sees %v", got)
	}
	for _, name := range []string{"mine.zip", "/mine.zip", "../ihrebank/mine.zip", "/ihrebank/mine.zip", "Archive", "Archive/mine.zip"} {
		if _, err := c.Stat(name); code(err) != 2 {
			t.Errorf("stat %s: %v", name, err)
		}
		if _, err := c.Open(name); code(err) != 2 {
			t.Errorf("open %s: %v", name, err)
		}
		if err := c.Remove(name); code(err) != 2 {
			t.Errorf("remove %s: %v", name, err)
		}
	}
}

func TestArchivingAndRemoving(t *testing.T) {
	p := newPlatform(t, settings{})
	p.finished(bank, "one", 10)
	two := p.finished(bank, "two", 10)
	p.preliminary(bank, "early", 10)
	want := p.zip(two)
	c := p.client()
	if diff := cmp.Diff([]string{"Archive", "early.zip", "one.zip", "two.zip"}, names(t, c, "/")); diff != "" {
		t.Fatal(diff)
	}
	for name, try := range map[string]struct {
		do   func() error
		want uint32
	}{
		"rm of a preliminary one":      {func() error { return c.Remove("early.zip") }, 3},
		"archiving a preliminary one":  {func() error { return c.Rename("early.zip", "Archive/early.zip") }, 3},
		"another name":                 {func() error { return c.Rename("one.zip", "uno.zip") }, 3},
		"another name in the archive":  {func() error { return c.Rename("one.zip", "Archive/uno.zip") }, 3},
		"into no such folder":          {func() error { return c.Rename("one.zip", "Other/one.zip") }, 2},
		"onto the folder":              {func() error { return c.Rename("one.zip", "Archive") }, 3},
		"what is not there":            {func() error { return c.Rename("no.zip", "Archive/no.zip") }, 2},
		"rm of what is not there":      {func() error { return c.Remove("no.zip") }, 2},
		"rm of the archive":            {func() error { return c.RemoveDirectory("Archive") }, 3},
		"rm of a file in no archive":   {func() error { return c.Remove("Archive/one.zip") }, 2},
		"a new folder":                 {func() error { return c.Mkdir("new") }, 3},
		"a link":                       {func() error { return c.Symlink("one.zip", "uno.zip") }, 3},
		"a hard link":                  {func() error { return c.Link("one.zip", "uno.zip") }, 8},
		"a mode":                       {func() error { return c.Chmod("one.zip", 0o600) }, 3},
		"a time":                       {func() error { return c.Chtimes("one.zip", time.Now(), time.Now()) }, 3},
		"cutting":                      {func() error { return c.Truncate("one.zip", 1) }, 3},
		"a new file":                   {func() error { _, err := c.Create("new.zip"); return err }, 3},
		"writing":                      {func() error { _, err := c.OpenFile("one.zip", os.O_RDWR); return err }, 3},
		"appending":                    {func() error { _, err := c.OpenFile("one.zip", os.O_WRONLY|os.O_APPEND); return err }, 3},
		"reading a link":               {func() error { _, err := c.ReadLink("one.zip"); return err }, 8},
		"the room on the disk":         {func() error { _, err := c.StatVFS("/"); return err }, 8},
		"listing a file":               {func() error { _, err := c.ReadDir("one.zip"); return err }, 2},
		"opening a folder":             {func() error { _, err := c.Open("Archive"); return err }, 4},
		"a name that cannot be":        {func() error { _, err := c.Stat("a\x00.zip"); return err }, 2},
		"a name that is no text":       {func() error { _, err := c.Stat("\xff.zip"); return err }, 2},
		"a name without its extension": {func() error { _, err := c.Stat("one"); return err }, 2},
	} {
		if err := try.do(); code(err) != try.want {
			t.Errorf("%s: %v, want status %d", name, err, try.want)
		}
	}
	p.ok(c.Rename("two.zip", "Archive/two.zip"))
	if diff := cmp.Diff([]string{"Archive", "early.zip", "one.zip"}, names(t, c, "/")); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"two.zip"}, names(t, c, "Archive")); diff != "" {
		t.Error(diff)
	}
	if !bytes.Equal(read(t, c, "Archive/two.zip"), want) {
		t.Error("archived it is another")
	}
	if err := c.Rename("Archive/two.zip", "two.zip"); code(err) != 3 {
		t.Errorf("out of the archive: %v", err)
	}
	p.ok(c.Remove("Archive/two.zip"))
	p.ok(c.Remove("one.zip"))
	if diff := cmp.Diff([]string{"Archive", "early.zip"}, names(t, c, "/")); diff != "" {
		t.Error(diff)
	}
	if _, err := p.db.IdentificationByID(t.Context(), bank, two.ID); !fault.Is(err, fault.NotFound) {
		t.Errorf("it is still there: %v", err)
	}
	// Without the feature there is no such folder.
	p.finished(bank, "three", 10)
	p.apply(bank, func(c *company.Company) { c.Archive = false })
	if err := c.Rename("three.zip", "Archive/three.zip"); code(err) != 2 {
		t.Errorf("without the feature: %v", err)
	}
	if _, err := c.ReadDir("Archive"); code(err) != 2 {
		t.Errorf("without the feature: %v", err)
	}
	if diff := cmp.Diff([]string{"early.zip", "three.zip"}, names(t, c, "/")); diff != "" {
		t.Error(diff)
	}
}

// handOvers waits until no hand-over of c is under way any more.
func (p *platform) handOvers(want int) []delivery.HandOver {
	p.Helper()
	for range 500 {
		all, err := p.db.HandOvers(context.Background(), bank, time.Time{}, "", 100)
		p.ok(err)
		if len(all) == want && !slices.ContainsFunc(all, func(h delivery.HandOver) bool { return h.State == delivery.Begun }) {
			return all
		}
		time.Sleep(10 * time.Millisecond) // the ledger's own pause
	}
	p.Fatalf("no %d hand-overs that have ended", want)
	return nil
}

func TestTheLedgerKnowsEachDownload(t *testing.T) {
	p := newPlatform(t, settings{})
	one := p.finished(bank, "one", 1<<20)
	want := p.zip(one)
	c := p.client()
	_, err := c.Stat("one.zip")
	p.ok(err)
	f, err := c.Open("one.zip")
	p.ok(err)
	p.ok(f.Close()) // looked at, not read
	read(t, c, "one.zip")
	if h := p.handOvers(1)[0]; h.State != delivery.Done || h.Bytes != int64(len(want)) || h.Identification != one.ID || h.Way != delivery.SFTP || h.Client != "127.0.0.1" {
		t.Errorf("%+v", h)
	}
	f, err = c.Open("one.zip")
	p.ok(err)
	if _, err := f.ReadAt(make([]byte, 1000), 5000); err != nil {
		t.Error(err)
	}
	p.ok(f.Close())
	broken := 0
	for _, h := range p.handOvers(2) {
		if h.State == delivery.Broken && h.Bytes == 1000 {
			broken++
		}
	}
	if broken != 1 {
		t.Errorf("%d broken ones", broken)
	}
	// The rest of it, over other connections: the last piece makes it whole.
	for n, part := range []struct{ from, to int }{{0, 5000}, {6000, len(want)}} {
		c := p.client()
		f, err := c.Open("one.zip")
		p.ok(err)
		if _, err := f.ReadAt(make([]byte, part.to-part.from), int64(part.from)); err != nil {
			t.Error(err)
		}
		p.ok(f.Close())
		if h := p.handOvers(3 + n)[0]; (h.State == delivery.Done) != (n == 1) || h.Bytes != int64(part.to-part.from) {
			t.Errorf("piece %d: %+v", n, h)
		}
	}
}

func signer(t *testing.T, key any) (ssh.Signer, string) {
	t.Helper()
	s, err := ssh.NewSignerFromKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return s, strings.TrimSpace(string(ssh.MarshalAuthorizedKey(s.PublicKey())))
}

func TestKeysOfTheFileLogIn(t *testing.T) {
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	strong, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]any{"Ed25519": ed, "ECDSA": ec, "RSA": strong}
	signers := map[string]ssh.Signer{}
	var lines []string
	for name, key := range all {
		s, line := signer(t, key)
		signers[name], lines = s, append(lines, line+" somebody@somewhere")
	}
	p := newPlatform(t, settings{keys: lines})
	for name, s := range signers {
		c, err := p.dial(string(bank), ssh.PublicKeys(s))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		_ = c.Close()
		if _, err := p.dial(string(other), ssh.PublicKeys(s)); err == nil {
			t.Errorf("%s logs in to another company", name)
		}
	}
	sha1, err := ssh.NewSignerWithAlgorithms(signers["RSA"].(ssh.AlgorithmSigner), []string{ssh.KeyAlgoRSA})
	p.ok(err)
	if _, err := p.dial(string(bank), ssh.PublicKeys(sha1)); err == nil {
		t.Error("RSA with SHA-1 logs in")
	}
	_, stranger, err := ed25519.GenerateKey(rand.Reader)
	p.ok(err)
	s, line := signer(t, stranger)
	if _, err := p.dial(string(bank), ssh.PublicKeys(s)); err == nil {
		t.Error("a key that is not in the file logs in")
	}
	p.apply(bank, func(c *company.Company) { c.SFTP.SSHKeys = []string{line} })
	c, err := p.dial(string(bank), ssh.PublicKeys(s))
	if err != nil {
		t.Errorf("a key that was added does not log in: %v", err)
	} else {
		_ = c.Close()
	}
	if _, err := p.dial(string(bank), ssh.PublicKeys(signers["Ed25519"])); err == nil {
		t.Error("a key that was removed logs in")
	}
}

func TestWrongPasswordsAreAllAnsweredAlike(t *testing.T) {
	p := newPlatform(t, settings{})
	for _, user := range []string{string(bank), "nobody", ""} {
		began := time.Now()
		_, err := p.dial(user, ssh.Password("testbankApiKey"))
		if err == nil || !strings.Contains(err.Error(), "unable to authenticate") {
			t.Errorf("%q: %v", user, err)
		}
		if time.Since(began) < time.Second {
			t.Errorf("%q: answered at once", user)
		}
	}
	c, err := p.dial(string(bank), ssh.KeyboardInteractive(func(_, text string, questions []string, echos []bool) ([]string, error) {
		if text != "Password authentication" || !slices.Equal(questions, []string{"Password: "}) || echos[0] {
			t.Errorf("asked %q %q", text, questions)
		}
		return []string{apiKey}, nil
	}))
	p.ok(err)
	_ = c.Close()
	if log := p.log.String(); !strings.Contains(log, "failures=3") || !strings.Contains(log, "company=unknown") || strings.Contains(log, "nobody") || strings.Contains(log, apiKey) {
		t.Error(log)
	}
}

func TestOnlySFTPIsSpoken(t *testing.T) {
	p := newPlatform(t, settings{limits: sftpd.Limits{SessionsPerConn: 1}})
	c, err := p.dial(string(bank), ssh.Password(apiKey))
	p.ok(err)
	defer func() { _ = c.Close() }()
	for _, command := range []string{"", "scp -f one.zip", "ls"} {
		s, err := c.NewSession()
		p.ok(err)
		var text bytes.Buffer
		s.Stderr = &text
		if command == "" {
			if err = s.Shell(); err == nil {
				err = s.Wait()
			}
		} else {
			err = s.Run(command)
		}
		var exit *ssh.ExitError
		if !errors.As(err, &exit) || exit.ExitStatus() != 1 || !strings.Contains(text.String(), "SFTP only") {
			t.Errorf("%q: %v, %q", command, err, text.String())
		}
	}
	if _, err := c.Dial("tcp", "127.0.0.1:1"); err == nil || !strings.Contains(err.Error(), "SFTP only") {
		t.Errorf("a tunnel: %v", err)
	}
	if _, err := c.Listen("tcp", "127.0.0.1:0"); err == nil {
		t.Error("a tunnel back was opened")
	}
	s, err := c.NewSession()
	p.ok(err)
	if err := s.RequestSubsystem("netconf"); err == nil {
		t.Error("another subsystem was begun")
	}
	if _, err := c.NewSession(); err == nil {
		t.Error("there is no limit of sessions")
	}
}

func TestLimits(t *testing.T) {
	p := newPlatform(t, settings{limits: sftpd.Limits{PerAddress: 8, PerCompany: 2, HandlesPerSession: 2, Handles: 3, UnknownPerAddress: 1}})
	p.finished(bank, "one", 10)
	a, b := p.client(), p.client()
	open := func(c *sftp.Client) error { _, err := c.Open("one.zip"); return err }
	for n, want := range []error{nil, nil, os.ErrInvalid} {
		if err := open(a); (err == nil) != (want == nil) {
			t.Errorf("file %d: %v", n, err)
		}
	}
	p.ok(open(b))
	if err := open(b); code(err) != 4 {
		t.Errorf("beyond the files of all: %v", err)
	}
	if c, err := p.dial(string(bank), ssh.Password(apiKey)); err == nil {
		_ = c.Wait() // the log-in is right; the connection ends right after it
	}
	if log := p.log.String(); !strings.Contains(log, "too many connections") {
		t.Error(log)
	}
	quiet, err := net.Dial("tcp", p.addr)
	p.ok(err)
	defer func() { _ = quiet.Close() }()
	if _, err := quiet.Read(make([]byte, 1)); err != nil {
		t.Error(err)
	}
	theirs, err := p.dial(string(other), ssh.Password("testbankApiKey"))
	p.ok(err) // the one that says nothing gives way
	defer func() { _ = theirs.Close() }()
	if _, err := io.Copy(io.Discard, quiet); err != nil {
		t.Error(err)
	}
	for _, c := range []*sftp.Client{a, b} {
		p.ok(c.Close())
	}
}

func TestAnAddressHasOnlySoManyConnections(t *testing.T) {
	p := newPlatform(t, settings{limits: sftpd.Limits{PerAddress: 2}})
	a, b := p.client(), p.client()
	more, err := net.Dial("tcp", p.addr)
	p.ok(err)
	defer func() { _ = more.Close() }()
	if n, err := more.Read(make([]byte, 1)); err == nil {
		t.Errorf("a third one reads %d bytes", n)
	}
	for _, c := range []*sftp.Client{a, b} {
		p.ok(c.Close())
	}
}

// TestSilentConnectionsShutNobodyOut opens more than there is room for, from many addresses.
func TestSilentConnectionsShutNobodyOut(t *testing.T) {
	p := newPlatform(t, settings{limits: sftpd.Limits{PerAddress: 1000}})
	from := func(last byte) (net.Conn, error) {
		d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, last)}}
		return d.Dial("tcp", p.addr)
	}
	var silent []net.Conn
	defer func() {
		for _, c := range silent {
			_ = c.Close()
		}
	}()
	for n := range 320 {
		c, err := from(byte(2 + n%20))
		p.ok(err)
		silent = append(silent, c)
	}
	began := time.Now()
	for range 3 {
		c, err := p.dial(string(bank), ssh.Password(apiKey))
		p.ok(err)
		p.ok(c.Close())
	}
	if took := time.Since(began); took > 20*time.Second {
		t.Errorf("the log-ins took %v", took)
	}
	if log := p.log.String(); !strings.Contains(log, "too many connections that have not logged in") || strings.Contains(log, "sftp connection refused") {
		t.Error(log)
	}
}

func TestLimitsOfACompany(t *testing.T) {
	p := newPlatform(t, settings{limits: sftpd.Limits{HandlesPerCompany: 3, SessionsPerCompany: 2}})
	p.finished(bank, "one", 10)
	a, b := p.client(), p.client()
	var open []*sftp.File
	for _, c := range []*sftp.Client{a, b, b} {
		f, err := c.Open("one.zip")
		p.ok(err)
		open = append(open, f)
	}
	if _, err := a.Open("one.zip"); code(err) != 4 {
		t.Errorf("beyond the files of a company: %v", err)
	}
	if _, err := a.ReadDir("/"); code(err) != 4 {
		t.Errorf("a folder beyond the files of a company: %v", err)
	}
	if got := names(t, p.clientOf(other, "testbankApiKey"), "/"); len(got) != 0 {
		t.Errorf("another company: %v", got)
	}
	p.ok(open[0].Close())
	names(t, b, "/")
	names(t, b, "/") // a folder that was closed counts no more
	c, err := p.dial(string(bank), ssh.Password(apiKey))
	p.ok(err)
	defer func() { _ = c.Close() }()
	if _, err := c.NewSession(); err == nil {
		t.Error("there is no limit of the sessions of a company")
	}
}

func TestSilentClientsAreLeft(t *testing.T) {
	p := newPlatform(t, settings{limits: sftpd.Limits{Idle: 50 * time.Millisecond, LoginTime: 2 * time.Second}})
	c, err := p.dial(string(bank), ssh.Password(apiKey))
	p.ok(err)
	if err := c.Wait(); err == nil {
		t.Error("it ended well")
	}
	quiet, err := net.Dial("tcp", p.addr)
	p.ok(err)
	defer func() { _ = quiet.Close() }()
	if _, err := io.Copy(io.Discard, quiet); err != nil {
		t.Error(err)
	}
}

func TestAStopLetsADownloadFinish(t *testing.T) {
	p := newPlatform(t, settings{})
	one := p.finished(bank, "one", 8<<20)
	want := p.zip(one)
	c, idle := p.client(), p.client()
	f, err := c.Open("one.zip")
	p.ok(err)
	got := make([]byte, len(want))
	half := len(want) / 2
	if _, err := f.ReadAt(got[:half], 0); err != nil {
		t.Fatal(err)
	}
	stopped := make(chan error, 1)
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		stopped <- p.server.Shutdown(ctx)
	}()
	if err := idle.Wait(); err == nil {
		t.Error("an idle client was not told")
	}
	if _, err := c.Stat("one.zip"); code(err) != 4 {
		t.Errorf("a new request: %v", err)
	}
	if _, err := p.dial(string(bank), ssh.Password(apiKey)); err == nil {
		t.Error("a new connection is heard")
	}
	if _, err := f.ReadAt(got[half:], int64(half)); err != nil || !bytes.Equal(got, want) {
		t.Errorf("the download did not finish: %v", err)
	}
	p.ok(f.Close())
	p.ok(<-stopped)
	if h := p.handOvers(1)[0]; h.State != delivery.Done {
		t.Errorf("%+v", h)
	}
}

func TestAStopEndsWhatTakesTooLong(t *testing.T) {
	p := newPlatform(t, settings{})
	p.finished(bank, "one", 1<<20)
	c := p.client()
	f, err := c.Open("one.zip")
	p.ok(err)
	if _, err := f.ReadAt(make([]byte, 100), 0); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if err := p.server.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
	if _, err := f.ReadAt(make([]byte, 100), 0); err == nil {
		t.Error("it is still read")
	}
	if h := p.handOvers(1)[0]; h.State != delivery.Broken || h.Bytes != 100 {
		t.Errorf("%+v", h)
	}
}

func TestADeletedFileIsReadNoMore(t *testing.T) {
	p := newPlatform(t, settings{})
	one := p.finished(bank, "one", 4<<20)
	c := p.client()
	f, err := c.Open("one.zip")
	p.ok(err)
	if _, err := f.ReadAt(make([]byte, 100), 0); err != nil {
		t.Fatal(err)
	}
	p.ok(p.identify.Delete(t.Context(), bank, string(one.ID), "company"))
	if _, err := io.Copy(io.Discard, f); err == nil {
		t.Error("it is read to its end")
	}
	if _, err := c.Stat("one.zip"); code(err) != 2 {
		t.Error(err)
	}
}

func TestManyReadAtOnce(t *testing.T) {
	p := newPlatform(t, settings{})
	want := map[string][]byte{}
	for n := range 4 {
		want[fmt.Sprint(n)] = p.zip(p.finished(bank, fmt.Sprint(n), 700_000))
	}
	var all sync.WaitGroup
	for n := range 8 {
		all.Go(func() {
			c := p.client()
			for name, content := range want {
				if f, err := c.Open(name + ".zip"); err != nil {
					t.Errorf("%d: %v", n, err)
				} else if got, err := io.ReadAll(f); err != nil || !bytes.Equal(got, content) {
					t.Errorf("%d: %s is another: %v", n, name, err)
				}
			}
		})
	}
	all.Wait()
}

func TestABannedAddressIsNotHeard(t *testing.T) {
	for _, live := range []bool{true, false} {
		p := newPlatform(t, settings{live: live})
		p.server.Ban(netip.MustParseAddr("127.0.0.1"))
		c, err := p.dial(string(bank), ssh.Password(apiKey))
		if live != (err != nil) {
			t.Errorf("live %v: %v", live, err)
		}
		if err == nil {
			_ = c.Close()
		}
		if live {
			p.offset.Add(int64(31 * time.Minute))
			p.client()
		}
	}
}

func TestAnAttackDoesNotLockTheCompanyOut(t *testing.T) {
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	s, line := signer(t, ed)
	p := newPlatform(t, settings{live: true, keys: []string{line}})
	p.server.Attack(bank)
	if _, err := p.dial(string(bank), ssh.Password(apiKey)); err == nil {
		t.Error("a password from a new address is heard during an attack")
	}
	if log := p.log.String(); !strings.Contains(log, "reason=company_banned failures=0 ") {
		t.Error(log)
	}
	c, err := p.dial(string(bank), ssh.PublicKeys(s))
	p.ok(err) // a key is, and makes the address known
	_ = c.Close()
	p.client()
}
