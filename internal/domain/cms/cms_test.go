package cms_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"vidimus/internal/domain/cms"
)

var (
	noon    = time.Date(2024, 5, 6, 12, 0, 0, 0, time.UTC)
	content = []byte(strings.Repeat("a contract\n", 100))
)

// signer is a key and its certificate, self-signed, in memory and in files.
type signer struct {
	key               crypto.Signer
	der               []byte
	certFile, keyFile string
}

func newSigner(t testing.TB, key crypto.Signer, purpose x509.ExtKeyUsage) signer {
	t.Helper()
	// openssl judges at the present time
	template := &x509.Certificate{
		SerialNumber: new(big.Int).Lsh(big.NewInt(255), 120), Subject: pkix.Name{CommonName: "Erika Mustermann"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageContentCommitment,
		BasicConstraintsValid: true, SubjectKeyId: []byte("some key"),
	}
	if purpose == x509.ExtKeyUsageTimeStamping { // must be critical, which the template cannot say
		template.ExtraExtensions = []pkix.Extension{{Id: []int{2, 5, 29, 37}, Critical: true, Value: []byte("\x30\x0a\x06\x08\x2b\x06\x01\x05\x05\x07\x03\x08")}}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	s := signer{key: key, der: der}
	s.certFile = file(t, "c.pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	s.keyFile = file(t, "k.pem", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}))
	return s
}

func file(t testing.TB, name string, b []byte) string {
	t.Helper()
	name = filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(name, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func ecKey(t testing.TB, curve elliptic.Curve) crypto.Signer {
	t.Helper()
	key, err := ecdsa.GenerateKey(curve, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func rsaKey(t testing.TB) crypto.Signer {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func openssl(t testing.TB, args ...string) []byte {
	t.Helper()
	out, err := exec.Command(tool(t, "openssl"), args...).CombinedOutput()
	if err != nil {
		t.Fatalf("openssl %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return out
}

// tool returns a program, or skips the test; CI allows no skip.
func tool(t testing.TB, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Skip("no", name)
	}
	return path
}

// sign makes a message over content.
func sign(t testing.TB, s signer, token func(value []byte) []byte) []byte {
	t.Helper()
	sum := sha256.Sum256(content)
	draft, err := cms.Prepare(sum[:], [][]byte{s.der})
	if err != nil {
		t.Fatal(err)
	}
	value, err := s.key.Sign(rand.Reader, draft.Digest(), crypto.SHA256)
	if err != nil {
		t.Fatal(err)
	}
	var stamp []byte
	if token != nil {
		stamp = token(value)
	}
	message, err := draft.Finish(value, stamp)
	if err != nil {
		t.Fatal(err)
	}
	if size := draft.Size(len(stamp)); len(message) > size || size > len(message)+64 {
		t.Errorf("%d bytes, foretold %d", len(message), size)
	}
	return message
}

// stamp makes a token over some value.
func stamp(t testing.TB, s signer, value []byte) []byte {
	t.Helper()
	sum := sha256.Sum256(value)
	draft, err := cms.PrepareToken(cms.TSTInfo{
		Policy: "1.3.6.1.4.1.99999.1", Hash: crypto.SHA256, Imprint: sum[:], Serial: big.NewInt(200),
		Time: noon.Add(123456 * time.Microsecond), Accuracy: time.Second + 200*time.Millisecond, Nonce: big.NewInt(77),
	}, [][]byte{s.der}, [][]byte{s.der})
	if err != nil {
		t.Fatal(err)
	}
	signature, err := s.key.Sign(rand.Reader, draft.Digest(), crypto.SHA256)
	if err != nil {
		t.Fatal(err)
	}
	token, err := draft.Finish(signature, nil)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func TestWhatIsSignedVerifiesHereAndElsewhere(t *testing.T) {
	authority := newSigner(t, ecKey(t, elliptic.P256()), x509.ExtKeyUsageTimeStamping)
	for name, key := range map[string]crypto.Signer{"P-256": ecKey(t, elliptic.P256()), "P-384": ecKey(t, elliptic.P384()), "RSA": rsaKey(t)} {
		t.Run(name, func(t *testing.T) {
			s := newSigner(t, key, 0)
			message := sign(t, s, func(value []byte) []byte { return stamp(t, authority, value) })
			d, err := cms.Parse(append(bytes.Clone(message), 0, 0, 0))
			if err != nil {
				t.Fatal(err)
			}
			if d.WasBER || !bytes.Equal(d.DER, message) || d.Content != nil || d.IsTimestamp() || len(d.Signers) != 1 {
				t.Fatalf("read %+v", d)
			}
			one := d.Signers[0]
			sum := sha256.Sum256(content)
			if err := one.Verify(sum[:], nil).Err(); err != nil {
				t.Error(err)
			}
			if one.HashName != "SHA-256" || one.Algorithm != map[bool]string{true: "RSA", false: "ECDSA"}[name == "RSA"] || !one.SigningTime.IsZero() || !one.CertificateID[0].V2 {
				t.Errorf("says %+v", one)
			}
			token, err := cms.ParseToken(one.Timestamps[0])
			if err != nil {
				t.Fatal(err)
			}
			imprint := sha256.Sum256(one.Signature)
			if err := token.Verify(imprint[:], nil).Err(); err != nil {
				t.Error(err)
			}
			if !token.Info.Time.Equal(noon.Add(123456*time.Microsecond)) || token.Info.Accuracy != 1200*time.Millisecond || token.Info.Nonce.Int64() != 77 || token.Info.Serial.Int64() != 200 || token.Info.Policy != "1.3.6.1.4.1.99999.1" {
				t.Errorf("the time-stamp says %+v", token.Info)
			}
			openssl(t, "cms", "-verify", "-binary", "-inform", "DER", "-in", file(t, "m", message), "-content", file(t, "content", content), "-CAfile", s.certFile, "-purpose", "any", "-cades", "-out", os.DevNull)
			openssl(t, "ts", "-verify", "-token_in", "-in", file(t, "token", one.Timestamps[0]), "-data", file(t, "value", one.Signature), "-CAfile", authority.certFile)
		})
	}
}

// TestEveryChangeIsFound changes each byte of a message: it must not be readable, or not
// verify, unless the byte says nothing that counts.
func TestEveryChangeIsFound(t *testing.T) {
	s := newSigner(t, ecKey(t, elliptic.P256()), 0)
	message := sign(t, s, nil)
	sum := sha256.Sum256(content)
	known, err := x509.ParseCertificate(s.der)
	if err != nil {
		t.Fatal(err)
	}
	certificate := bytes.Index(message, s.der)
	passed := 0
	for n := range message {
		if n >= certificate && n < certificate+len(s.der) { // given from outside
			continue
		}
		changed := bytes.Clone(message)
		changed[n] ^= 1
		d, err := cms.Parse(changed)
		if err != nil {
			continue
		}
		if d.Signers[0].Verify(sum[:], known).Err() == nil {
			passed++
			t.Logf("byte %d of %d", n, len(message))
		}
	}
	// What does not count: two versions, the outer list of digests, the tag of the certificates,
	// and the name by which a certificate is found, where one is given; the signed attribute
	// repeats it.
	if passed > 60 {
		t.Errorf("%d changed bytes are not noticed", passed)
	}
	other := sha256.Sum256([]byte("another contract"))
	d, err := cms.Parse(message)
	if err != nil {
		t.Fatal(err)
	}
	if f := d.Signers[0].Verify(other[:], nil); f.Digest == nil || f.Signature != nil || f.Certificate != nil {
		t.Errorf("another content: %+v", f)
	}
	stranger, err := x509.ParseCertificate(newSigner(t, s.key, 0).der) // the same key, another certificate
	if err != nil {
		t.Fatal(err)
	}
	if f := d.Signers[0].Verify(sum[:], stranger); f.Certificate == nil || f.Signature != nil {
		t.Errorf("another certificate with the same key: %+v", f)
	}
}

// TestForeignSignaturesAreRead has OpenSSL sign in the ways that we do not.
func TestForeignSignaturesAreRead(t *testing.T) {
	ec, rs := newSigner(t, ecKey(t, elliptic.P521()), 0), newSigner(t, rsaKey(t), 0)
	in := file(t, "content", content)
	for _, c := range []struct {
		name            string
		signer          signer
		args            []string
		hash, algorithm string
		ber, inside     bool
		noID            bool
	}{
		{"RSA SHA-1", rs, []string{"-md", "sha1"}, "SHA-1", "RSA", false, false, true},
		{"RSA SHA-512 ESS", rs, []string{"-md", "sha512", "-cades"}, "SHA-512", "RSA", false, false, false},
		{"RSA SHA-1 ESS", rs, []string{"-md", "sha1", "-cades"}, "SHA-1", "RSA", false, false, false},
		{"RSA-PSS", rs, []string{"-md", "sha384", "-keyopt", "rsa_padding_mode:pss"}, "SHA-384", "RSA-PSS", false, false, true},
		{"RSA-PSS salt 0", rs, []string{"-md", "sha256", "-keyopt", "rsa_padding_mode:pss", "-keyopt", "rsa_pss_saltlen:0"}, "SHA-256", "RSA-PSS", false, false, true},
		{"P-521", ec, []string{"-md", "sha512"}, "SHA-512", "ECDSA", false, false, true},
		{"no attributes", rs, []string{"-noattr"}, "SHA-256", "RSA", false, false, true},
		{"key identifier", rs, []string{"-keyid"}, "SHA-256", "RSA", false, false, true},
		{"BER, content inside", rs, []string{"-nodetach", "-stream"}, "SHA-256", "RSA", true, true, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			out := filepath.Join(t.TempDir(), "m")
			openssl(t, append([]string{"cms", "-sign", "-binary", "-outform", "DER", "-in", in, "-out", out, "-signer", c.signer.certFile, "-inkey", c.signer.keyFile}, c.args...)...)
			b, err := os.ReadFile(out)
			if err != nil {
				t.Fatal(err)
			}
			d, err := cms.Parse(b)
			if err != nil {
				t.Fatal(err)
			}
			one := d.Signers[0]
			if got := one.SignatureHash().String(); got != c.hash {
				t.Errorf("the signature is over %s, want %s", got, c.hash)
			}
			if one.HashName != c.hash || one.Algorithm != c.algorithm || d.WasBER != c.ber || c.inside != bytes.Equal(d.Content, content) {
				t.Errorf("%s %s BER %v content %d bytes", one.HashName, one.Algorithm, d.WasBER, len(d.Content))
			}
			if hasTime := len(one.Signed) > 0; hasTime == one.SigningTime.IsZero() {
				t.Errorf("signed at %v", one.SigningTime)
			}
			h := one.Hash.New()
			h.Write(content)
			f := one.Verify(h.Sum(nil), nil)
			if f.Digest != nil || f.Signature != nil || (f.Certificate != nil) != c.noID {
				t.Errorf("finds %+v", f)
			}
			h.Write([]byte("x"))
			if f := one.Verify(h.Sum(nil), nil); f.Digest == nil && f.Signature == nil {
				t.Error("another content passes")
			}
			// what the message carries as a whole is still the same for OpenSSL
			if c.ber {
				openssl(t, "cms", "-verify", "-binary", "-inform", "DER", "-in", file(t, "der", d.DER), "-CAfile", c.signer.certFile, "-purpose", "any", "-out", os.DevNull)
			}
		})
	}
}

func TestTimestampsAreAskedForAndAnsweredAsOpenSSLDoes(t *testing.T) {
	s := newSigner(t, ecKey(t, elliptic.P256()), x509.ExtKeyUsageTimeStamping)
	data := file(t, "data", content)
	query := filepath.Join(t.TempDir(), "q")
	openssl(t, "ts", "-query", "-data", data, "-sha384", "-cert", "-tspolicy", "1.2.3.4", "-out", query)
	b, err := os.ReadFile(query)
	if err != nil {
		t.Fatal(err)
	}
	q, err := cms.ParseRequest(b)
	if err != nil {
		t.Fatal(err)
	}
	if q.Hash != crypto.SHA384 || !q.WantsCert || q.Policy != "1.2.3.4" || q.Nonce == nil {
		t.Errorf("read %+v", q)
	}
	info := q.InfoFor()
	info.Serial, info.Time = big.NewInt(1), noon
	draft, err := cms.PrepareToken(info, [][]byte{s.der}, [][]byte{s.der})
	if err != nil {
		t.Fatal(err)
	}
	value, err := s.key.Sign(rand.Reader, draft.Digest(), crypto.SHA256)
	if err != nil {
		t.Fatal(err)
	}
	token, err := draft.Finish(value, nil)
	if err != nil {
		t.Fatal(err)
	}
	answer := cms.Granted(token)
	openssl(t, "ts", "-verify", "-queryfile", query, "-in", file(t, "a", answer), "-CAfile", s.certFile)
	if got, err := cms.ParseResponse(answer); err != nil || !bytes.Equal(got, token) {
		t.Errorf("our answer: %v", err)
	}

	// and the other way about
	sum := sha256.Sum256(content)
	ours := file(t, "q", cms.NewRequest(sum[:], new(big.Int).Lsh(big.NewInt(200), 100)))
	config := file(t, "conf", []byte("[tsa]\nserial="+filepath.Join(t.TempDir(), "serial")+"\nsigner_digest=sha256\ndefault_policy=1.2.3.4\ndigests=sha256\naccuracy=secs:1,millisecs:500,microsecs:100\nordering=yes\ntsa_name=yes\ness_cert_id_chain=no\n"))
	reply := filepath.Join(t.TempDir(), "r")
	openssl(t, "ts", "-reply", "-config", config, "-section", "tsa", "-queryfile", ours, "-signer", s.certFile, "-inkey", s.keyFile, "-out", reply)
	if b, err = os.ReadFile(reply); err != nil {
		t.Fatal(err)
	}
	if token, err = cms.ParseResponse(b); err != nil {
		t.Fatal(err)
	}
	read, err := cms.ParseToken(token)
	if err != nil {
		t.Fatal(err)
	}
	if err := read.Verify(sum[:], nil).Err(); err != nil {
		t.Error(err)
	}
	if i := read.Info; !i.Ordering || i.Authority == nil || i.Accuracy != 1500100*time.Microsecond || time.Since(i.Time) > time.Minute || i.Policy != "1.2.3.4" {
		t.Errorf("read %+v", i)
	}
	if f := read.Verify(make([]byte, 32), nil); f.Imprint == nil || f.Signature != nil {
		t.Errorf("over something else: %+v", f)
	}
	refused := cms.Refused(cms.BadAlgorithm, "that hash is not known here")
	if text := string(openssl(t, "ts", "-reply", "-in", file(t, "r", refused), "-text")); !strings.Contains(text, "unrecognized or unsupported algorithm") || !strings.Contains(text, "that hash is not known here") {
		t.Errorf("a refusal reads\n%s", text)
	}
	if _, err := cms.ParseResponse(refused); err == nil {
		t.Error("a refusal is taken for a token")
	}
}

func TestDraftsRefuseWhatCannotBe(t *testing.T) {
	s, other := newSigner(t, ecKey(t, elliptic.P256()), 0), newSigner(t, ecKey(t, elliptic.P256()), 0)
	sum := sha256.Sum256(content)
	if _, err := cms.Prepare(sum[:20], [][]byte{s.der}); err == nil {
		t.Error("a short digest is taken")
	}
	if _, err := cms.Prepare(sum[:], nil); err == nil {
		t.Error("no certificate is taken")
	}
	if _, err := cms.Prepare(sum[:], [][]byte{newSigner(t, ecKey(t, elliptic.P521()), 0).der}); err == nil {
		t.Error("P-521 is taken")
	}
	draft, err := cms.Prepare(sum[:], [][]byte{s.der})
	if err != nil {
		t.Fatal(err)
	}
	value, err := other.key.Sign(rand.Reader, draft.Digest(), crypto.SHA256)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := draft.Finish(value, nil); err == nil {
		t.Error("the value of another key is taken")
	}
	if value, err = s.key.Sign(rand.Reader, draft.Digest(), crypto.SHA256); err != nil {
		t.Fatal(err)
	}
	if _, err := draft.Finish(value, stamp(t, s, []byte("something else"))); err == nil {
		t.Error("a time-stamp over something else is taken")
	}
	if _, err := cms.PrepareToken(cms.TSTInfo{Policy: "1.2.3", Hash: crypto.MD5, Imprint: make([]byte, 16), Serial: big.NewInt(1), Time: noon}, [][]byte{s.der}, nil); err == nil {
		t.Error("MD5 is stamped")
	}
}

func TestBoundsHold(t *testing.T) {
	deep := bytes.Repeat([]byte{0x30, 0x80}, 100_000)
	if _, err := cms.Parse(deep); err == nil || !strings.Contains(err.Error(), "too deep") {
		t.Errorf("deep: %v", err)
	}
	if _, err := cms.Parse(make([]byte, 17<<20)); err == nil || !strings.Contains(err.Error(), "too large") {
		t.Errorf("large: %v", err)
	}
	s := newSigner(t, ecKey(t, elliptic.P256()), 0)
	if _, err := cms.Parse(append(sign(t, s, nil), 0, 1)); err == nil {
		t.Error("bytes behind the message are overlooked")
	}
}

func FuzzParse(f *testing.F) {
	s := newSigner(f, ecKey(f, elliptic.P256()), x509.ExtKeyUsageTimeStamping)
	message := sign(f, s, func(value []byte) []byte { return stamp(f, s, value) })
	f.Add(message)
	f.Add(stamp(f, s, content))
	f.Add(append([]byte{0x30, 0x80}, append(bytes.Clone(message[4:]), 0, 0)...))
	f.Fuzz(func(t *testing.T, b []byte) {
		if d, err := cms.Parse(b); err == nil {
			again, err := cms.Parse(d.DER)
			if err != nil || !bytes.Equal(again.DER, d.DER) || again.WasBER {
				t.Errorf("what was read does not read again: %v", err)
			}
			for _, one := range d.Signers {
				_ = one.Verify(make([]byte, 32), nil)
				for _, token := range one.Timestamps {
					_, _ = cms.ParseToken(token)
				}
			}
		}
		if token, err := cms.ParseToken(b); err == nil {
			_ = token.Verify(make([]byte, 32), nil)
		}
	})
}

func FuzzRequest(f *testing.F) {
	sum := sha256.Sum256(content)
	f.Add(cms.NewRequest(sum[:], big.NewInt(5)))
	f.Add(cms.NewRequest(sum[:], nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		q, err := cms.ParseRequest(b)
		if err != nil || q.Hash == 0 {
			return
		}
		info := q.InfoFor()
		if len(info.Imprint) != q.Hash.Size() {
			t.Errorf("an imprint of %d bytes for %s", len(info.Imprint), q.Hash)
		}
	})
}

func FuzzResponse(f *testing.F) {
	f.Add(cms.Refused(cms.SystemFailure, "broken"))
	f.Add(cms.Granted([]byte{0x30, 0}))
	f.Fuzz(func(t *testing.T, b []byte) {
		if token, err := cms.ParseResponse(b); err == nil && len(token) == 0 {
			t.Error("a token of nothing")
		}
	})
}

// BenchmarkMessage drafts and finishes a message with a time-stamp; the key's own work is
// done before.
func BenchmarkMessage(b *testing.B) {
	s := newSigner(b, ecKey(b, elliptic.P256()), x509.ExtKeyUsageTimeStamping)
	sum := sha256.Sum256(content)
	draft, err := cms.Prepare(sum[:], [][]byte{s.der})
	if err != nil {
		b.Fatal(err)
	}
	value, err := s.key.Sign(rand.Reader, draft.Digest(), crypto.SHA256)
	if err != nil {
		b.Fatal(err)
	}
	token := stamp(b, s, value)
	for b.Loop() {
		draft, err := cms.Prepare(sum[:], [][]byte{s.der})
		if err != nil {
			b.Fatal(err)
		}
		if _, err := draft.Finish(value, token); err != nil {
			b.Fatal(err)
		}
	}
}
