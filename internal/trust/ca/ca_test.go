package ca_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/ocsp"

	"vidimus/internal/domain/audit"
	"vidimus/internal/domain/clock"
	"vidimus/internal/domain/cms"
	"vidimus/internal/domain/fault"
	"vidimus/internal/keys"
	"vidimus/internal/trust/ca"
)

// memory is a store without a database.
type memory struct {
	gate    sync.Mutex
	sealed  map[string][]byte
	public  map[string]string
	issued  map[string]time.Time
	revoked map[string]x509.RevocationListEntry
	order   []string
	trail   []audit.Entry
	down    error
}

func newMemory() *memory {
	return &memory{sealed: map[string][]byte{}, public: map[string]string{}, issued: map[string]time.Time{}, revoked: map[string]x509.RevocationListEntry{}}
}

func (m *memory) InTx(ctx context.Context, do func(ctx context.Context) error) error { return do(ctx) }

func (m *memory) ServerKey(_ context.Context, name string) ([]byte, string, error) {
	m.gate.Lock()
	defer m.gate.Unlock()
	if m.sealed[name] == nil {
		return nil, "", fault.Of(fault.NotFound)
	}
	return m.sealed[name], m.public[name], nil
}

func (m *memory) PutServerKey(_ context.Context, name string, sealed []byte, public string, _ time.Time) (bool, error) {
	m.gate.Lock()
	defer m.gate.Unlock()
	if m.sealed[name] != nil {
		return false, nil
	}
	m.sealed[name], m.public[name] = sealed, public
	return true, nil
}

func (m *memory) AddCertificate(_ context.Context, serial string, issued, expires time.Time) error {
	m.gate.Lock()
	defer m.gate.Unlock()
	if !expires.After(issued) {
		return errors.New("expires before it was issued")
	}
	m.issued[serial] = issued
	return m.down
}

func (m *memory) CertificateStatus(_ context.Context, serial string) (time.Time, int, error) {
	m.gate.Lock()
	defer m.gate.Unlock()
	if _, ok := m.issued[serial]; !ok {
		return time.Time{}, 0, fault.Of(fault.NotFound)
	}
	return m.revoked[serial].RevocationTime, m.revoked[serial].ReasonCode, m.down
}

func (m *memory) RevokeCertificate(_ context.Context, serial string, at time.Time, reason int) (bool, error) {
	m.gate.Lock()
	defer m.gate.Unlock()
	if _, ok := m.issued[serial]; !ok {
		return false, fault.Of(fault.NotFound)
	}
	n, _ := new(big.Int).SetString(serial, 16)
	_, had := m.revoked[serial]
	if !had {
		m.revoked[serial] = x509.RevocationListEntry{SerialNumber: n, RevocationTime: at, ReasonCode: reason}
		m.order = append(m.order, serial)
	}
	return !had, m.down
}

func (m *memory) Audit(_ context.Context, e audit.Entry) error {
	m.gate.Lock()
	defer m.gate.Unlock()
	m.trail = append(m.trail, e)
	return m.down
}

func (m *memory) RevokedCertificates(_ context.Context, most int) (all []x509.RevocationListEntry, err error) {
	m.gate.Lock()
	defer m.gate.Unlock()
	for _, serial := range m.order[:min(most, len(m.order))] {
		all = append(all, m.revoked[serial])
	}
	return all, m.down
}

const base = "https://ident.example.com/assets/certs"

var erika = ca.Subject{GivenName: "Erika", Surname: "Mustermann-Żółć", Country: "DE", SerialNumber: "IBA-XVJ7C"}

// hands are an authority with a clock that the test moves.
type hands struct {
	*ca.Authority
	store  *memory
	now    time.Time
	master keys.Master
}

func open(t testing.TB) *hands {
	t.Helper()
	master, err := keys.OpenMaster(filepath.Join(t.TempDir(), "master"))
	if err != nil {
		t.Fatal(err)
	}
	h := &hands{store: newMemory(), now: time.Now(), master: master}
	h.Authority, err = ca.Open(t.Context(), h.store, master, h.clock(), base, ca.Config{})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func (h *hands) clock() clock.Clock { return clock.New(func() time.Time { return h.now }, 1) }

func (h *hands) begin(t testing.TB) *ca.Session {
	t.Helper()
	s, err := h.Begin(t.Context(), erika)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// files writes what is published into a folder, and what else is given.
func (h *hands) files(t testing.TB, more map[string][]byte) string {
	t.Helper()
	dir := t.TempDir()
	all, err := h.Published(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range all {
		if more[f.Name] == nil {
			write(t, filepath.Join(dir, f.Name), f.Bytes)
		}
	}
	for name, b := range more {
		write(t, filepath.Join(dir, name), b)
	}
	return dir
}

func write(t testing.TB, name string, b []byte) {
	t.Helper()
	if err := os.WriteFile(name, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

func asPEM(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}

func openssl(t testing.TB, dir string, args ...string) (string, error) {
	t.Helper()
	path, err := exec.LookPath("openssl")
	if err != nil {
		t.Skip("no openssl") // CI allows no skip
	}
	c := exec.Command(path, args...)
	c.Dir = dir
	out, err := c.CombinedOutput()
	return string(out), err
}

func must(t testing.TB, dir string, args ...string) string {
	t.Helper()
	out, err := openssl(t, dir, args...)
	if err != nil {
		t.Fatalf("openssl %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return out
}

func TestAllNodesShareTheAuthorities(t *testing.T) {
	h := open(t)
	second, err := ca.Open(t.Context(), h.store, h.master, h.clock(), base, ca.Config{})
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(h.Root(), second.Root()) {
		t.Error("the second node has another root")
	}
	other, err := keys.OpenMaster(filepath.Join(t.TempDir(), "other"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ca.Open(t.Context(), h.store, other, h.clock(), base, ca.Config{}); err == nil {
		t.Error("they open under another master key")
	}
	h.store.public["trust_tsa"] = h.store.public["trust_ocsp"]
	if _, err := ca.Open(t.Context(), h.store, h.master, h.clock(), base, ca.Config{}); err == nil || !strings.Contains(err.Error(), "trust_tsa") {
		t.Errorf("a certificate that was exchanged in the database is taken: %v", err)
	}
}

func TestSettingsAreChecked(t *testing.T) {
	for _, c := range []ca.Config{{Validity: time.Second}, {Validity: 25 * time.Hour}, {TimestampPolicy: "mine"}} {
		if c.Check() == nil {
			t.Errorf("%+v passes", c)
		}
	}
	if err := (ca.Config{}).Check(); err != nil {
		t.Error(err)
	}
}

func TestOpenSSLTrustsASignersCertificate(t *testing.T) {
	h := open(t)
	s := h.begin(t)
	dir := h.files(t, map[string][]byte{"signer.pem": asPEM("CERTIFICATE", s.Chain()[0])})
	crls := append(crlPEM(t, dir, "vidimus_root.crl"), crlPEM(t, dir, "vidimus_issuing.crl")...)
	write(t, filepath.Join(dir, "crls.pem"), crls)
	must(t, dir, "verify", "-x509_strict", "-CAfile", "vidimus_root.pem", "-untrusted", "vidimus_issuing.pem", "-crl_check_all", "-CRLfile", "crls.pem", "signer.pem")
	must(t, dir, "verify", "-x509_strict", "-purpose", "timestampsign", "-CAfile", "vidimus_root.pem", "-untrusted", "vidimus_issuing.pem", "vidimus_tsa.pem")
	must(t, dir, "verify", "-x509_strict", "-purpose", "ocsphelper", "-CAfile", "vidimus_root.pem", "-untrusted", "vidimus_issuing.pem", "vidimus_ocsp.pem")
	text := must(t, dir, "x509", "-in", "signer.pem", "-noout", "-text", "-nameopt", "utf8,sep_comma_plus")
	for _, want := range []string{
		"C=DE,GN=Erika,SN=Mustermann-Żółć,serialNumber=IBA-XVJ7C,CN=Erika Mustermann-Żółć", "CN=Vidimus Issuing CA (not qualified) ",
		"Digital Signature, Non Repudiation", "OCSP - URI:" + base + "/ocsp", "CA Issuers - URI:" + base + "/vidimus_issuing.cer", "URI:" + base + "/vidimus_issuing.crl", "prime256v1",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the certificate has no %q:\n%s", want, text)
		}
	}
	root := must(t, dir, "x509", "-in", "vidimus_root.pem", "-noout", "-subject", "-dates", "-ext", "keyUsage,basicConstraints")
	if !regexp.MustCompile(`CN = Vidimus Root CA \(not qualified\) [0-9a-f]{8}\n`).MatchString(root) {
		t.Errorf("the root is %s", root)
	}
	cert, err := x509.ParseCertificate(s.Chain()[0])
	if err != nil {
		t.Fatal(err)
	}
	if lasts := cert.NotAfter.Sub(h.now); lasts > 10*time.Minute || lasts < 9*time.Minute {
		t.Errorf("it lasts %v", lasts)
	}
}

// crlPEM reads a CRL as PEM.
func crlPEM(t testing.TB, dir, name string) []byte {
	t.Helper()
	return []byte(must(t, dir, "crl", "-inform", "DER", "-in", name))
}

func TestSignAndStamp(t *testing.T) {
	h := open(t)
	s := h.begin(t)
	text := []byte("a contract")
	sum := sha256.Sum256(text)
	draft, err := cms.Prepare(sum[:], s.Chain())
	if err != nil {
		t.Fatal(err)
	}
	value, err := s.Sign(t.Context(), draft.Digest())
	if err != nil {
		t.Fatal(err)
	}
	over := sha256.Sum256(value)
	token, err := s.Timestamp(t.Context(), over[:])
	if err != nil {
		t.Fatal(err)
	}
	message, err := draft.Finish(value, token)
	if err != nil {
		t.Fatal(err)
	}
	dir := h.files(t, map[string][]byte{"m": message, "text": text, "value": value, "token": token})
	must(t, dir, "cms", "-verify", "-binary", "-cades", "-inform", "DER", "-in", "m", "-content", "text", "-CAfile", "vidimus_root.pem", "-purpose", "any", "-out", os.DevNull)
	must(t, dir, "ts", "-verify", "-token_in", "-in", "token", "-data", "value", "-CAfile", "vidimus_root.pem")
	if out, err := openssl(t, dir, "ts", "-verify", "-token_in", "-in", "token", "-data", "text", "-CAfile", "vidimus_root.pem"); err == nil {
		t.Errorf("the time-stamp is over something else as well: %s", out)
	}
	must(t, dir, "ts", "-query", "-data", "text", "-sha512", "-cert", "-out", "query")
	query, err := os.ReadFile(filepath.Join(dir, "query"))
	if err != nil {
		t.Fatal(err)
	}
	answer, err := h.TimestampResponse(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "answer"), answer)
	must(t, dir, "ts", "-verify", "-queryfile", "query", "-in", "answer", "-CAfile", "vidimus_root.pem")
	for _, c := range []struct{ args, want string }{
		{"-sha1", "unrecognized or unsupported algorithm"}, {"-sha256 -tspolicy 1.2.3", "TSA policy is not supported"},
	} {
		must(t, dir, append([]string{"ts", "-query", "-data", "text", "-out", "query"}, strings.Fields(c.args)...)...)
		if query, err = os.ReadFile(filepath.Join(dir, "query")); err != nil {
			t.Fatal(err)
		}
		if answer, err = h.TimestampResponse(t.Context(), query); err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(dir, "answer"), answer)
		if out := must(t, dir, "ts", "-reply", "-in", "answer", "-text"); !strings.Contains(out, c.want) {
			t.Errorf("%s: %s", c.args, out)
		}
	}
	if answer, err = h.TimestampResponse(t.Context(), []byte("no request")); err != nil || answer == nil {
		t.Errorf("nonsense is answered by %x, %v", answer, err)
	}
}

func TestOCSPSaysGoodRevokedAndUnknown(t *testing.T) {
	h := open(t)
	s := h.begin(t)
	stranger := open(t).begin(t) // of another installation
	dir := h.files(t, map[string][]byte{"signer.pem": asPEM("CERTIFICATE", s.Chain()[0])})
	ask := func(args ...string) string {
		t.Helper()
		must(t, dir, append([]string{"ocsp", "-issuer", "vidimus_issuing.pem", "-reqout", "q"}, args...)...)
		request, err := os.ReadFile(filepath.Join(dir, "q"))
		if err != nil {
			t.Fatal(err)
		}
		answer, err := h.OCSP(t.Context(), request)
		if err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(dir, "a"), answer)
		if out := must(t, dir, "ocsp", "-reqin", "q", "-respin", "a", "-CAfile", "vidimus_root.pem", "-verify_other", "vidimus_issuing.pem"); !strings.Contains(out, "Response verify OK") || strings.Contains(out, "nonce") {
			t.Errorf("with the nonce that was asked: %s", out)
		}
		return must(t, dir, append([]string{"ocsp", "-no_nonce", "-issuer", "vidimus_issuing.pem", "-CAfile", "vidimus_root.pem", "-verify_other", "vidimus_issuing.pem", "-respin", "a"}, args...)...)
	}
	if out := ask("-cert", "signer.pem", "-cert", "vidimus_tsa.pem"); !strings.Contains(out, "signer.pem: good") || !strings.Contains(out, "vidimus_tsa.pem: good") {
		t.Errorf("before: %s", out)
	}
	if out := ask("-sha256", "-cert", "signer.pem"); !strings.Contains(out, "signer.pem: good") {
		t.Errorf("named by SHA-256: %s", out)
	}
	if out := ask("-serial", "0x123456"); !strings.Contains(out, "unknown") {
		t.Errorf("a number that was not issued: %s", out)
	}
	if err := h.Revoke(t.Context(), s.Serial(), 1); err != nil {
		t.Fatal(err)
	}
	if out := ask("-cert", "signer.pem"); !strings.Contains(out, "signer.pem: revoked") || !strings.Contains(out, "keyCompromise") {
		t.Errorf("after: %s", out)
	}
	dir2 := h.files(t, map[string][]byte{"signer.pem": asPEM("CERTIFICATE", s.Chain()[0])})
	write(t, filepath.Join(dir2, "crls.pem"), append(crlPEM(t, dir2, "vidimus_root.crl"), crlPEM(t, dir2, "vidimus_issuing.crl")...))
	if out, err := openssl(t, dir2, "verify", "-CAfile", "vidimus_root.pem", "-untrusted", "vidimus_issuing.pem", "-crl_check_all", "-CRLfile", "crls.pem", "signer.pem"); err == nil || !strings.Contains(out, "certificate revoked") {
		t.Errorf("by the list: %s", out)
	}
	if err := h.Revoke(t.Context(), stranger.Serial(), 1); !fault.Is(err, fault.NotFound) {
		t.Errorf("a stranger's certificate is revoked: %v", err)
	}
	root, err := x509.ParseCertificate(h.Root())
	if err != nil {
		t.Fatal(err)
	}
	if err := h.Revoke(t.Context(), s.Serial(), 4); err != nil { // and is revoked no more than it was
		t.Error(err)
	}
	if len(h.store.trail) != 1 || h.store.trail[0].Chain != audit.Installation || h.store.trail[0].Act != "certificate.revoked" || h.store.trail[0].Detail != s.Serial().Text(16)+", reason 1" {
		t.Errorf("the trail has %+v", h.store.trail)
	}
	if h.Revoke(t.Context(), root.SerialNumber, 1) == nil || h.Revoke(t.Context(), s.Serial(), 9) == nil {
		t.Error("the root, or for a reason that is none")
	}
	write(t, filepath.Join(dir, "other.pem"), asPEM("CERTIFICATE", stranger.Chain()[0]))
	write(t, filepath.Join(dir, "otherca.pem"), asPEM("CERTIFICATE", stranger.Chain()[1]))
	must(t, dir, "ocsp", "-issuer", "otherca.pem", "-cert", "other.pem", "-reqout", "q")
	request, err := os.ReadFile(filepath.Join(dir, "q"))
	if err != nil {
		t.Fatal(err)
	}
	if answer, err := h.OCSP(t.Context(), request); err != nil || !bytes.Equal(answer, []byte{0x30, 3, 0x0a, 1, 6}) {
		t.Errorf("about another authority: %x %v", answer, err)
	}
	if answer, err := h.OCSP(t.Context(), []byte("nonsense")); err != nil || !bytes.Equal(answer, []byte{0x30, 3, 0x0a, 1, 1}) {
		t.Errorf("nonsense: %x %v", answer, err)
	}
	h.store.down = errors.New("down")
	must(t, dir, "ocsp", "-issuer", "vidimus_issuing.pem", "-cert", "signer.pem", "-reqout", "q")
	if request, err = os.ReadFile(filepath.Join(dir, "q")); err != nil {
		t.Fatal(err)
	}
	if answer, err := h.OCSP(t.Context(), request); err == nil || !bytes.Equal(answer, []byte{0x30, 3, 0x0a, 1, 2}) {
		t.Errorf("without a store: %x %v", answer, err)
	}
}

func TestRevokingTheIssuingAuthorityIsTheRootsBusiness(t *testing.T) {
	h := open(t)
	s := h.begin(t)
	issuing, err := x509.ParseCertificate(s.Chain()[1])
	if err != nil {
		t.Fatal(err)
	}
	if err := h.Revoke(t.Context(), issuing.SerialNumber, 4); err != nil {
		t.Fatal(err)
	}
	root, own, err := h.CRL(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for n, der := range [][]byte{root, own} {
		list, err := x509.ParseRevocationList(der)
		if err != nil {
			t.Fatal(err)
		}
		if want := 1 - n; len(list.RevokedCertificateEntries) != want {
			t.Errorf("list %d has %d entries", n, len(list.RevokedCertificateEntries))
		}
	}
}

func TestValidationDataIsCompleteAndFresh(t *testing.T) {
	h := open(t)
	s := h.begin(t)
	v, err := s.Validation(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(v.Certificates) != 5 || len(v.OCSPs) != 2 || len(v.CRLs) != 1 {
		t.Fatalf("%d certificates, %d OCSP answers, %d lists", len(v.Certificates), len(v.OCSPs), len(v.CRLs))
	}
	issuing, err := x509.ParseCertificate(s.Chain()[1])
	if err != nil {
		t.Fatal(err)
	}
	for n, of := range []int{0, 3} { // the signer's, the time-stamp authority's
		cert, err := x509.ParseCertificate(v.Certificates[of])
		if err != nil {
			t.Fatal(err)
		}
		answer, err := ocsp.ParseResponseForCert(v.OCSPs[n], cert, issuing)
		if err != nil {
			t.Fatal(err)
		}
		if answer.Status != ocsp.Good || answer.ThisUpdate.Before(cert.NotBefore) || answer.ThisUpdate.After(h.now) || answer.ProducedAt.Before(answer.ThisUpdate) || !answer.NextUpdate.After(h.now) {
			t.Errorf("the answer about %s is %+v", cert.Subject.CommonName, answer)
		}
	}
	again, err := h.begin(t).Validation(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(again.OCSPs[1], v.OCSPs[1]) || !bytes.Equal(again.CRLs[0], v.CRLs[0]) || bytes.Equal(again.OCSPs[0], v.OCSPs[0]) {
		t.Error("what lasts is not given again, or what does not is")
	}
	h.now = h.now.Add(2 * time.Hour)
	if again, err = h.begin(t).Validation(t.Context()); err != nil {
		t.Fatal(err)
	}
	if bytes.Equal(again.OCSPs[1], v.OCSPs[1]) || bytes.Equal(again.CRLs[0], v.CRLs[0]) {
		t.Error("what is two hours old is given again")
	}
}

func TestAClosedOrExpiredSessionSignsNothing(t *testing.T) {
	h := open(t)
	sum := sha256.Sum256(nil)
	closed, expired := h.begin(t), h.begin(t)
	value, err := closed.Sign(t.Context(), sum[:])
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(closed.Chain()[0])
	if err != nil {
		t.Fatal(err)
	}
	if !ecdsa.VerifyASN1(cert.PublicKey.(*ecdsa.PublicKey), sum[:], value) {
		t.Error("the signature is not the certificate's")
	}
	if _, err := closed.Sign(t.Context(), sum[:5]); err == nil {
		t.Error("five bytes are signed")
	}
	for range 2 {
		if err := closed.Close(); err != nil {
			t.Error(err)
		}
	}
	if _, err := closed.Sign(t.Context(), sum[:]); !errors.Is(err, ca.ErrClosed) {
		t.Errorf("closed: %v", err)
	}
	h.now = h.now.Add(11 * time.Minute)
	if _, err := expired.Sign(t.Context(), sum[:]); !errors.Is(err, ca.ErrClosed) {
		t.Errorf("expired: %v", err)
	}
}

func TestSubjects(t *testing.T) {
	h := open(t)
	before := len(h.store.issued)
	for name, s := range map[string]ca.Subject{
		"nobody": {}, "country": {CommonName: "E", Country: "de"}, "control": {CommonName: "E\nM"}, "no text": {GivenName: "\xff", CommonName: "E"},
		"long": {CommonName: "E", Surname: strings.Repeat("x", 257)}, "number": {CommonName: "E", SerialNumber: "ä"},
	} {
		if _, err := h.Begin(t.Context(), s); err == nil {
			t.Errorf("%s is certified", name)
		}
	}
	if len(h.store.issued) != before {
		t.Error("a refused subject is recorded")
	}
	s, err := h.Begin(t.Context(), ca.Subject{GivenName: strings.Repeat("É", 60), Surname: "Mustermann"})
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(s.Chain()[0])
	if err != nil {
		t.Fatal(err)
	}
	if cn := cert.Subject.CommonName; cn != strings.Repeat("É", 60)+" Mus" {
		t.Errorf("the common name is %q", cn)
	}
	h.store.down = errors.New("down")
	if _, err := h.Begin(t.Context(), erika); err == nil {
		t.Error("a certificate is given out that is not recorded")
	}
}

func TestSerialsOfTimestampsDiffer(t *testing.T) {
	h := open(t)
	sum := sha256.Sum256(nil)
	seen := map[string]bool{}
	for range 50 {
		b, err := h.Timestamp(t.Context(), sum[:])
		if err != nil {
			t.Fatal(err)
		}
		token, err := cms.ParseToken(b)
		if err != nil {
			t.Fatal(err)
		}
		if n := token.Info.Serial; n.BitLen() != 127 || seen[n.String()] {
			t.Errorf("serial %x", n)
		}
		seen[token.Info.Serial.String()] = true
		if token.Info.Hash != crypto.SHA256 || !token.Info.Time.Equal(h.now.UTC().Truncate(time.Microsecond)) {
			t.Errorf("says %+v", token.Info)
		}
	}
	if _, err := h.Timestamp(t.Context(), sum[:31]); err == nil {
		t.Error("31 bytes are stamped")
	}
}

func FuzzOCSP(f *testing.F) {
	h := open(f)
	s := h.begin(f)
	cert, _ := x509.ParseCertificate(s.Chain()[0])
	issuing, _ := x509.ParseCertificate(s.Chain()[1])
	request, err := ocsp.CreateRequest(cert, issuing, nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(request)
	f.Fuzz(func(t *testing.T, b []byte) {
		answer, err := h.OCSP(t.Context(), b)
		if err != nil || len(answer) < 5 {
			t.Errorf("%x %v", answer, err)
		}
		if len(answer) > 5 {
			if _, err := ocsp.ParseResponse(answer, issuing); err != nil && !strings.Contains(err.Error(), "multiple") {
				t.Errorf("an answer that cannot be read: %v", err)
			}
		}
	})
}

func BenchmarkBegin(b *testing.B) {
	h := open(b)
	for b.Loop() {
		s, err := h.Begin(b.Context(), erika)
		if err != nil {
			b.Fatal(err)
		}
		_ = s.Close()
	}
}

func BenchmarkSign(b *testing.B) {
	s := open(b).begin(b)
	sum := sha256.Sum256(nil)
	for b.Loop() {
		if _, err := s.Sign(b.Context(), sum[:]); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkTimestamp(b *testing.B) {
	h := open(b)
	sum := sha256.Sum256(nil)
	for b.Loop() {
		if _, err := h.Timestamp(b.Context(), sum[:]); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkValidation(b *testing.B) {
	s := open(b).begin(b)
	for b.Loop() {
		if _, err := s.Validation(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkRaw is what the others are measured by: one P-256 signature, nothing else.
func BenchmarkRaw(b *testing.B) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		b.Fatal(err)
	}
	sum := sha256.Sum256(nil)
	for b.Loop() {
		if _, err := ecdsa.SignASN1(rand.Reader, key, sum[:]); err != nil {
			b.Fatal(err)
		}
	}
}

func TestTheStandingCertificatesAreReadWithoutKeys(t *testing.T) {
	store := newMemory()
	if all, err := ca.Standing(t.Context(), store); len(all) != 0 || err != nil {
		t.Errorf("before the first start: %d, %v", len(all), err)
	}
	h := open(t)
	all, err := ca.Standing(t.Context(), h.store)
	if err != nil || len(all) != 4 || !bytes.Equal(all[0].Raw, h.Root()) {
		t.Fatalf("%d, %v", len(all), err)
	}
	if s := h.store; s.public["trust_tsa"] == s.public["trust_ocsp"] {
		t.Error("two are one")
	}
	h.store.public["trust_issuing"] = open(t).store.public["trust_issuing"]
	if _, err := ca.Standing(t.Context(), h.store); err == nil {
		t.Error("another installation's certificate passes")
	}
	h.store.public["trust_issuing"] = "nonsense"
	if _, err := ca.Standing(t.Context(), h.store); err == nil {
		t.Error("nonsense passes")
	}
}
