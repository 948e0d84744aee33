package companyfile

import (
	"bufio"
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"io/fs"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/crypto/ssh"
)

// apply reads a company whose one mail goes to that certificate; it returns what is stored,
// or the mistake.
func apply(t *testing.T, certificate []byte) ([]byte, error) {
	t.Helper()
	c, _, err := Parse("bank.yaml", []byte(minimal+"mail: [{to: a@b.example, method: smime, certificate: a.cer}]"), Options{
		Now:      noon,
		ReadFile: func(string) ([]byte, error) { return certificate, nil },
	})
	if err != nil {
		return nil, err
	}
	if len(c.Mail[0].Certificates) != 1 {
		t.Fatalf("%d certificates are stored", len(c.Mail[0].Certificates))
	}
	return c.Mail[0].Certificates[0], nil
}

// evalData returns the folder of shared evaluation data; the test is skipped where it is absent.
func evalData(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("VIDIMUS_EVAL_DATA")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "..", "shared", "data", "eval")
	}
	if _, err := os.Stat(filepath.Join(dir, "labels", "pki.jsonl")); errors.Is(err, fs.ErrNotExist) {
		t.Skip("no evaluation data: set VIDIMUS_EVAL_DATA; TestEveryFormOfACertificate tries the same rules")
	}
	return dir
}

func TestEvaluationCertificatesAreJudgedAsLabelled(t *testing.T) {
	dir := evalData(t)
	labels, err := os.Open(filepath.Join(dir, "labels", "pki.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = labels.Close() }()
	lines := bufio.NewScanner(labels)
	n := 0
	for ; lines.Scan(); n++ {
		var label struct {
			File   string `json:"file"`
			Usable string `json:"usable_as_smime_recipient"`
			Why    string `json:"why"`
		}
		if err := json.Unmarshal(lines.Bytes(), &label); err != nil {
			t.Fatal(err)
		}
		data, err := os.ReadFile(filepath.Join(dir, "pki", label.File))
		if err != nil {
			t.Fatal(err)
		}
		_, err = apply(t, data)
		switch label.Usable {
		case "yes":
			if err != nil {
				t.Errorf("%s (%s): %v", label.File, label.Why, err)
			}
		case "no", "policy": // a certificate for web servers alone is refused
			if err == nil {
				t.Errorf("%s (%s) is taken", label.File, label.Why)
			} else {
				t.Logf("%s (%s): %v", label.File, label.Why, err)
			}
		default:
			t.Errorf("%s: unknown label %q", label.File, label.Usable)
		}
	}
	if err := lines.Err(); err != nil || n == 0 {
		t.Errorf("%d labels, %v", n, err)
	}
}

// made is a leaf, and the authority that issued it, in DER.
func made(t *testing.T) (leaf, root []byte, key *ecdsa.PrivateKey) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	issuer := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "root"}, NotBefore: noon.Add(-time.Hour), NotAfter: noon.Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	subject := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "leaf"}, NotBefore: noon.Add(-time.Hour), NotAfter: noon.Add(time.Hour),
		KeyUsage: x509.KeyUsageKeyAgreement,
	}
	if root, err = x509.CreateCertificate(rand.Reader, issuer, issuer, key.Public(), key); err == nil {
		leaf, err = x509.CreateCertificate(rand.Reader, subject, issuer, key.Public(), key)
	}
	if err != nil {
		t.Fatal(err)
	}
	return leaf, root, key
}

// pkcs7 wraps certificates as a .p7b does.
func pkcs7(t *testing.T, certificates []byte) []byte {
	t.Helper()
	must := func(v any, params string) []byte {
		b, err := asn1.MarshalWithParams(v, params)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	set := asn1.RawValue{Tag: asn1.TagSet, IsCompound: true}
	inner := struct {
		Version   int
		Digests   asn1.RawValue
		Content   struct{ Type asn1.ObjectIdentifier }
		Contained asn1.RawValue `asn1:"optional"`
		Signers   asn1.RawValue
	}{Version: 1, Digests: set, Signers: set}
	inner.Content.Type = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 1}
	if certificates != nil {
		inner.Contained = asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 0, IsCompound: true, Bytes: certificates}
	}
	return must(struct {
		Type    asn1.ObjectIdentifier
		Content asn1.RawValue
	}{signedData, asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 0, IsCompound: true, Bytes: must(inner, "")}}, "")
}

func TestEveryFormOfACertificate(t *testing.T) {
	leaf, root, key := made(t)
	armour := func(kind string, der []byte) []byte { return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}) }
	leafPEM, rootPEM := armour("CERTIFICATE", leaf), armour("CERTIFICATE", root)
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	public, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	pkcs12, err := asn1.Marshal(struct {
		Version int
		Content struct{ Type asn1.ObjectIdentifier }
	}{3, struct{ Type asn1.ObjectIdentifier }{asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 1}}})
	if err != nil {
		t.Fatal(err)
	}
	wrongLength := bytes.Clone(leaf)
	wrongLength[2]++
	for name, c := range map[string]struct {
		data []byte
		want string // part of the reason; empty: the leaf is taken
	}{
		"der":               {leaf, ""},
		"der in a row":      {append(bytes.Clone(root), leaf...), ""},
		"pem":               {leafPEM, ""},
		"pem with a mark":   {append([]byte("\xef\xbb\xbf"), leafPEM...), ""},
		"pem after text":    {append([]byte("Certificate:\n    Data:\n        Version: 3\n"), leafPEM...), ""},
		"pem, old name":     {armour("X509 CERTIFICATE", leaf), ""},
		"bare base64":       {[]byte(base64.StdEncoding.EncodeToString(leaf)), ""},
		"authority first":   {append(bytes.Clone(rootPEM), leafPEM...), ""},
		"p7b":               {pkcs7(t, append(bytes.Clone(root), leaf...)), ""},
		"p7b as pem":        {armour("PKCS7", pkcs7(t, leaf)), ""},
		"authority alone":   {rootPEM, "lacks keyAgreement"},
		"empty p7b":         {pkcs7(t, nil), "PKCS #7 without a certificate"},
		"empty":             {nil, "is no certificate"},
		"html":              {[]byte("<html><body>404 Not Found</body></html>"), "is no certificate"},
		"truncated der":     {leaf[:len(leaf)-10], "damaged or cut off"},
		"wrong length":      {wrongLength, "damaged or cut off"},
		"no end":            {bytes.TrimSuffix(leafPEM, []byte("-----END CERTIFICATE-----\n")), "damaged or cut off"},
		"private key":       {armour("PRIVATE KEY", private), "private key"},
		"key with it":       {append(bytes.Clone(leafPEM), armour("EC PRIVATE KEY", private)...), "private key"},
		"locked key":        {armour("ENCRYPTED PRIVATE KEY", private), "private key"},
		"public key":        {armour("PUBLIC KEY", public), "bare public key"},
		"public key in der": {public, "is no X.509 certificate"},
		"request":           {armour("CERTIFICATE REQUEST", public), "a request"},
		"pkcs12":            {pkcs12, "PKCS #12"},
		"something else":    {armour("DH PARAMETERS", public), "is no certificate"},
	} {
		t.Run(strings.NewReplacer(" ", "_", ",", "").Replace(name), func(t *testing.T) {
			got, err := apply(t, c.data)
			if c.want != "" {
				if err == nil || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), "bank.yaml:5: mail[0].certificate: ") {
					t.Errorf("the reason is %v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(leaf, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestWeakRSAKeysOfClientsAreRefused(t *testing.T) {
	for bits, want := range map[int]string{1024: "at least 2048 bits is expected; this one has 1024", 2048: ""} {
		private, err := rsa.GenerateKey(rand.Reader, bits)
		if err != nil {
			t.Fatal(err)
		}
		key, err := ssh.NewPublicKey(private.Public())
		if err != nil {
			t.Fatal(err)
		}
		_, _, err = Parse("bank.yaml", []byte(minimal+"sftp:\n  ssh_keys:\n  - "+string(ssh.MarshalAuthorizedKey(key))), Options{Now: noon})
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), "sftp.ssh_keys[0]") || !strings.Contains(err.Error(), want)) {
			t.Errorf("%d bits: %v", bits, err)
		}
	}
}
