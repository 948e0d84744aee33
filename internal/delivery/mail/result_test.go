package mail

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"io"
	"math/big"
	netmail "net/mail"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/emersion/go-smtp"

	"vidimus/internal/domain/company"
)

// tool returns a program that proves a mail from outside.
func tool(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Skipf("%s is not installed", name)
	}
	return path
}

const secretText = "BERGER MICHAEL 1975-12-20"

func members(size int) []Member {
	open := func(b []byte) func() (io.ReadCloser, error) {
		return func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b)), nil }
	}
	large := bytes.Repeat([]byte("film"), size/4)
	return []Member{
		{"1234567890.json", int64(len(secretText)), open([]byte(secretText))},
		{"1234567890.mp4", int64(len(large)), open(large)},
		{"1234567890.xml", 0, open(nil)},
	}
}

func aesMail(size int) ResultMail {
	return ResultMail{
		To: "ops@bank.example", ID: "mail_1", Date: noon, Method: company.AESZip, Languages: []string{"fr", "de", "en"}, IdentID: "IBA-XVJ7C",
		TransactionNumber: "1234567890", Password: "correct horse", Modified: noon, Members: members(size),
	}
}

func message(t *testing.T, r ResultMail) Message {
	t.Helper()
	m, err := r.Message()
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestSevenZipOpensTheArchiveWithItsPasswordOnly(t *testing.T) {
	seven := tool(t, "7z")
	_, raw := sent(t, message(t, aesMail(1<<20+1)))
	got := parse(t, raw)
	if len(got.Files) != 1 || got.Files[0].Name != "1234567890.zip" || got.Files[0].ContentType != "application/zip" {
		t.Fatalf("%d files", len(got.Files))
	}
	if strings.Contains(string(got.Files[0].Bytes), "BERGER") || strings.Contains(raw, "BERGER") {
		t.Error("the content can be read")
	}
	dir := t.TempDir()
	file := filepath.Join(dir, "a.zip")
	if err := os.WriteFile(file, got.Files[0].Bytes, 0o600); err != nil {
		t.Fatal(err)
	}
	list, err := exec.Command(seven, "l", "-slt", "-pcorrect horse", file).CombinedOutput()
	if err != nil || !strings.Contains(string(list), "AES-256") {
		t.Errorf("%v: %s", err, list)
	}
	for _, wrong := range []string{"-pwrong horse", "-p"} {
		if out, err := exec.Command(seven, "t", wrong, file).CombinedOutput(); err == nil || !strings.Contains(string(out), "Wrong password") {
			t.Errorf("%s: %v, %s", wrong, err, out)
		}
	}
	if out, err := exec.Command(seven, "x", "-pcorrect horse", "-o"+filepath.Join(dir, "out"), file).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for _, m := range members(1<<20 + 1) {
		r, err := m.Open()
		if err != nil {
			t.Fatal(err)
		}
		want := read(t, r)
		if b, err := os.ReadFile(filepath.Join(dir, "out", m.Name)); err != nil || string(b) != want {
			t.Errorf("%s: %d bytes, %v", m.Name, len(b), err)
		}
	}
	damaged := bytes.Clone(got.Files[0].Bytes)
	damaged[len(damaged)/2] ^= 1
	if err := os.WriteFile(file, damaged, 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(seven, "t", "-pcorrect horse", file).CombinedOutput(); err == nil {
		t.Errorf("a damaged archive passes: %s", out)
	}
}

func TestArchiveTooLargeForItsFormatIsRefused(t *testing.T) {
	r := aesMail(0)
	r.Members[1].Size = 3 << 30
	if _, err := r.Message(); err == nil {
		t.Error("it is taken")
	}
}

// identity is a certificate with its key, in files for openssl.
func identity(t *testing.T, key crypto.Signer, usage x509.KeyUsage) (c *x509.Certificate, certFile, keyFile string) {
	t.Helper()
	template := &x509.Certificate{
		SerialNumber: new(big.Int).Lsh(big.NewInt(255), 150), Subject: pkix.Name{CommonName: "ops@bank.example"}, NotBefore: noon, NotAfter: noon.AddDate(20, 0, 0),
		KeyUsage: usage, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageEmailProtection}, BasicConstraintsValid: true, IsCA: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	certFile, keyFile = filepath.Join(dir, "c.pem"), filepath.Join(dir, "k.pem")
	for file, block := range map[string]*pem.Block{certFile: {Type: "CERTIFICATE", Bytes: der}, keyFile: {Type: "PRIVATE KEY", Bytes: private}} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if c, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	return c, certFile, keyFile
}

func keys(t *testing.T) map[string]crypto.Signer {
	t.Helper()
	all := map[string]crypto.Signer{}
	for name, c := range map[string]elliptic.Curve{"p256": elliptic.P256(), "p384": elliptic.P384(), "p521": elliptic.P521()} {
		k, err := ecdsa.GenerateKey(c, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		all[name] = k
	}
	k, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	all["rsa"] = k
	return all
}

func TestOpenSSLOpensTheEnvelope(t *testing.T) {
	openssl := tool(t, "openssl")
	for name, key := range keys(t) {
		t.Run(name, func(t *testing.T) {
			usage := x509.KeyUsageKeyEncipherment
			if name != "rsa" {
				usage = x509.KeyUsageKeyAgreement
			}
			c, certFile, keyFile := identity(t, key, usage)
			zip := []byte("PK\x03\x04" + strings.Repeat(secretText, 5000))
			_, raw := sent(t, message(t, ResultMail{
				To: "ops@bank.example", ID: "mail_1", Date: noon, Method: company.SMIME, Languages: []string{"en"}, IdentID: "IBA-XVJ7C", TransactionNumber: "1234567890",
				Certificate: c, Name: "Berger.zip", Size: int64(len(zip)), Write: attached(fileSeen{Bytes: zip}).Write,
			}))
			if head, _, _ := strings.Cut(raw, "\r\n\r\n"); !strings.Contains(head, "smime-type=enveloped-data") || strings.Contains(raw, "Berger") || strings.Contains(raw, "multipart") {
				t.Errorf("outside: %s", head)
			}
			file := filepath.Join(t.TempDir(), "m.eml")
			if err := os.WriteFile(file, []byte(raw), 0o600); err != nil {
				t.Fatal(err)
			}
			out, err := exec.Command(openssl, "cms", "-decrypt", "-in", file, "-recip", certFile, "-inkey", keyFile).Output()
			if err != nil {
				t.Fatal(err)
			}
			got := parse(t, string(out))
			if len(got.Files) != 1 || got.Files[0].Name != "Berger.zip" || !bytes.Equal(got.Files[0].Bytes, zip) || !strings.Contains(got.Text, "encrypted to your certificate") {
				t.Errorf("inside: %.300s", out)
			}
			show, err := exec.Command(openssl, "cms", "-cmsout", "-print", "-noout", "-in", file).Output()
			if err != nil || !strings.Contains(string(show), "aes-256-cbc") {
				t.Errorf("%v: %.300s", err, show)
			}
			for other, key := range keys(t) {
				_, _, otherKey := identity(t, key, 0)
				if out, err := exec.Command(openssl, "cms", "-decrypt", "-in", file, "-inkey", otherKey).Output(); err == nil && strings.Contains(string(out), "BERGER") {
					t.Errorf("opened with another key, %s", other)
				}
			}
		})
	}
}

func TestLinkMailIsShortAndInTheCompanysLanguage(t *testing.T) {
	const link = "https://ident.example.com/ihrebank/download/abc-DEF_123"
	for language, want := range map[string]string{
		"de": "Subject: Ergebnis der Identifizierung 1234567890\r\n",
		"en": "Subject: Result of identification 1234567890\r\n",
		"fr": "Subject: Result of identification 1234567890\r\n",
	} {
		_, raw := sent(t, message(t, ResultMail{
			To: "ops@bank.example", ID: "mail_1", Date: noon, Method: company.Link, Languages: []string{language}, IdentID: "IBA-XVJ7C", TransactionNumber: "1234567890", Link: link,
		}))
		if !strings.Contains(raw, want) || !strings.Contains(raw, "multipart/alternative") || strings.Contains(raw, "application/zip") {
			t.Errorf("%s: %s", language, raw)
		}
		if joined := strings.ReplaceAll(raw, "=\r\n", ""); strings.Count(joined, link) != 3 {
			t.Errorf("%s: the link stands there %d times", language, strings.Count(joined, link))
		}
	}
}

func TestResultThatCannotBeReadIsNeverTaken(t *testing.T) {
	s := startServer(t, &server{}, nil)
	gone := errors.New("the key was destroyed")
	for name, open := range map[string]func() (io.ReadCloser, error){
		"gone": func() (io.ReadCloser, error) { return nil, gone },
		"breaks": func() (io.ReadCloser, error) {
			return io.NopCloser(io.MultiReader(bytes.NewReader(make([]byte, 9000)), broken{gone})), nil
		},
		"short": func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(make([]byte, 9000))), nil },
		"long":  func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(make([]byte, 90_000))), nil },
	} {
		r := aesMail(0)
		r.Members[1] = Member{"a.mp4", 10_000, open}
		err := sender(t, s, Options{}).Send(t.Context(), message(t, r))
		if err == nil || Permanent(err) || Uncertain(err) || err.Error() != "sending a mail: the result cannot be read" {
			t.Errorf("%s: %v", name, err)
		}
		if (name == "gone" || name == "breaks") != errors.Is(err, gone) {
			t.Errorf("%s: the cause is %v", name, errors.Unwrap(err))
		}
	}
	if n := len(s.mails()); n != 0 {
		t.Errorf("%d mails were taken", n)
	}
}

type broken struct{ err error }

func (b broken) Read([]byte) (int, error) { return 0, b.err }

func TestServersLimitIsHeeded(t *testing.T) {
	s := startServer(t, &server{}, func(srv *smtp.Server) { srv.MaxMessageBytes = 10_000 })
	err := sender(t, s, Options{}).Send(t.Context(), message(t, aesMail(20_000)))
	if err == nil || !Permanent(err) || err.Error() != "sending a mail: larger than the mail server takes" {
		t.Errorf("error %v", err)
	}
}

func TestLineLostAtTheEndLeavesItOpenWhetherTheMailWasTaken(t *testing.T) {
	hold := make(chan struct{})
	defer close(hold)
	s := &server{taken: make(chan struct{}), hold: hold}
	startServer(t, s, nil)
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-s.taken; cancel() }()
	err := sender(t, s, Options{}).Send(ctx, plain())
	if !Uncertain(err) || Permanent(err) || !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, uncertain %t", err, Uncertain(err))
	}
	quiet(t, err)
}

func BenchmarkSealedZIP(b *testing.B) {
	m, err := aesMail(25 << 20).Message()
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(25 << 20)
	b.ReportAllocs()
	for b.Loop() {
		if err := m.Attachments[0].Write(io.Discard); err != nil {
			b.Fatal(err)
		}
	}
}

// TestLargeMailPassesThrough says that a mail is never held whole: what was read of the
// result has left again but for a few blocks.
func TestLargeMailPassesThrough(t *testing.T) {
	const size, held = 8 << 20, 256 << 10
	from := &netmail.Address{Address: "a@b.example"}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c, _, _ := identity(t, key, 0)
	for method, r := range map[company.Method]ResultMail{
		company.AESZip: aesMail(0),
		company.SMIME:  {To: "ops@bank.example", ID: "mail_1", Method: company.SMIME, TransactionNumber: "1", Certificate: c, Name: "a.zip", Size: size},
	} {
		var left int64
		come := 0
		reader := func() (io.ReadCloser, error) {
			return io.NopCloser(io.LimitReader(readerFunc(func(p []byte) (int, error) {
				if come += len(p); int64(come) > left+held {
					t.Fatalf("%s: %d bytes were read and %d have left", method, come, left)
				}
				return len(p), nil
			}), size)), nil
		}
		r.Members = []Member{{"a.mp4", size, reader}}
		r.Write = func(w io.Writer) error {
			in, _ := reader()
			_, err := io.Copy(w, in)
			return err
		}
		msg, err := compose(from, message(t, r))
		if err != nil {
			t.Fatal(err)
		}
		err = msg.writeTo(writerFunc(func(p []byte) (int, error) {
			left += int64(len(p))
			return len(p), nil
		}))
		if err != nil || left != msg.size || left < size {
			t.Errorf("%s: %d of %d bytes, %v", method, left, msg.size, err)
		}
	}
}

type readerFunc func(p []byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

type writerFunc func(p []byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }
