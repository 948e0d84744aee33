package csc_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"vidimus/internal/domain/clock"
	"vidimus/internal/domain/cms"
	"vidimus/internal/domain/fault"
	"vidimus/internal/trust/csc"
	"vidimus/internal/trust/csc/csctest"
)

func newProvider(t *testing.T) *csctest.Provider {
	t.Helper()
	p, err := csctest.Start(t.Context(), t.Errorf)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p
}

// client returns one with that account, and settings that the test bends.
func client(t *testing.T, p *csctest.Provider, bend func(*csc.Config)) *csc.Client {
	t.Helper()
	secret := func(name, text string) string {
		name = filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(name, []byte(text+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	config := csc.Config{URL: p.URL + "/csc/v2/", ClientID: csctest.ClientID, ClientSecretFile: secret("secret", csctest.ClientSecret), AuthDataFile: secret("pin", csctest.PIN), Timeout: 20 * time.Second}
	if bend != nil {
		bend(&config)
	}
	c, err := csc.New(config, clock.New(time.Now, 1), nil)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

var digest = func() []byte { sum := sha256.Sum256([]byte("a contract")); return sum[:] }()

func TestAContractIsSignedByTheService(t *testing.T) {
	for name, bend := range map[string]func(*csctest.Provider, *csc.Config){
		"by PIN":             func(*csctest.Provider, *csc.Config) {},
		"implicitly":         func(p *csctest.Provider, _ *csc.Config) { p.Mode = "implicit" },
		"as r and s":         func(p *csctest.Provider, _ *csc.Config) { p.AsPair = true },
		"named credential":   func(_ *csctest.Provider, c *csc.Config) { c.CredentialID = "second" },
		"other stamps":       func(p *csctest.Provider, c *csc.Config) { p.Methods = nil; c.TimestampURL = p.URL + "/tsa" },
		"first is off":       func(p *csctest.Provider, _ *csc.Config) { p.IsOff = true },
		"token ends early":   func(p *csctest.Provider, _ *csc.Config) { p.ExpireOnce = true },
		"chain is published": func(p *csctest.Provider, _ *csc.Config) { p.ChainLength = 3 },
		"own token address":  func(p *csctest.Provider, c *csc.Config) { c.TokenURL = p.URL + "/oauth2/token" },
	} {
		t.Run(name, func(t *testing.T) {
			p := newProvider(t)
			c := client(t, p, func(c *csc.Config) { bend(p, c) })
			s, err := c.Begin(t.Context(), "erika")
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = s.Close() }()
			v, err := s.Validation(t.Context()) // before anything is signed
			if err != nil {
				t.Fatal(err)
			}
			draft, err := cms.Prepare(digest, s.Chain())
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
			if _, err := draft.Finish(value, token); err != nil {
				t.Error(err)
			}
			// what the service did not show of the chain was fetched from where it is published
			if chain := s.Chain(); len(chain) != 3 || !bytes.Equal(chain[2], p.Authority.Root()) {
				t.Errorf("a chain of %d", len(chain))
			}
			if len(v.Certificates) != 5 || len(v.OCSPs) != 2 || len(v.CRLs) != 1 {
				t.Errorf("%d certificates, %d OCSP answers, %d lists", len(v.Certificates), len(v.OCSPs), len(v.CRLs))
			}
			if n := p.Counts["/csc/v2/credentials/authorize"]; n != 1 {
				t.Errorf("authorized %d times", n)
			}
			if n := p.Counts["/oauth2/token"]; n > 2 || n == 2 && name != "token ends early" {
				t.Errorf("%d tokens", n)
			}
		})
	}
}

func TestRSAKeysSign(t *testing.T) {
	p := newProvider(t)
	var err error
	if p.RSA, err = rsa.GenerateKey(rand.Reader, 2048); err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Seal"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	if p.RSACert, err = x509.CreateCertificate(rand.Reader, template, template, &p.RSA.PublicKey, p.RSA); err != nil {
		t.Fatal(err)
	}
	s, err := client(t, p, nil).Begin(t.Context(), "erika")
	if err != nil {
		t.Fatal(err)
	}
	value, err := s.Sign(t.Context(), digest)
	if err != nil {
		t.Fatal(err)
	}
	if err := rsa.VerifyPKCS1v15(&p.RSA.PublicKey, crypto.SHA256, digest, value); err != nil {
		t.Error(err)
	}
}

// run goes through everything up to the first error.
func run(t *testing.T, c *csc.Client, user string) error {
	s, err := c.Begin(t.Context(), user)
	if err != nil {
		return err
	}
	if _, err := s.Validation(t.Context()); err != nil {
		return err
	}
	if _, err := s.Sign(t.Context(), digest); err != nil {
		return err
	}
	_, err = s.Timestamp(t.Context(), digest)
	return err
}

func TestErrorsSayWhatIsWrongAndNoSecret(t *testing.T) {
	for _, c := range []struct {
		name, want  string
		bend        func(*csctest.Provider, *csc.Config)
		unavailable bool
	}{
		{"stranger", "no key for this signer", nil, false},
		{"browser", "in the user's browser", func(p *csctest.Provider, _ *csc.Config) { p.Mode = "oauth2code" }, false},
		{"no PIN", "auth_data_file", func(_ *csctest.Provider, c *csc.Config) { c.AuthDataFile = "" }, false},
		{"wrong name of the PIN", "400 invalid_pin", func(_ *csctest.Provider, c *csc.Config) { c.AuthDataID = "OTP" }, false},
		{"unknown credential", "400 invalid_request", func(_ *csctest.Provider, c *csc.Config) { c.CredentialID = "third" }, false},
		{"wrong account", "401 invalid_client", func(_ *csctest.Provider, c *csc.Config) { c.ClientID = "somebody" }, false},
		{"wrong value", "not that of its certificate", func(p *csctest.Provider, _ *csc.Config) { p.WrongValue = true }, false},
		{"no stamps", "set timestamp_url", func(p *csctest.Provider, _ *csc.Config) { p.Methods = nil }, false},
		{"flood", "longer than", func(p *csctest.Provider, _ *csc.Config) { p.Flood = "/csc/v2/credentials/info" }, false},
		{"redirect", "status 307", func(p *csctest.Provider, _ *csc.Config) { p.Away = "/oauth2/token" }, false},
		{"broken", "not available", func(p *csctest.Provider, _ *csc.Config) { p.Broken = "/csc/v2/signatures/signHash" }, true},
		{"away", "cannot be reached", func(_ *csctest.Provider, c *csc.Config) { c.URL = "http://127.0.0.1:1" }, true},
		{"revoked", "is revoked", func(p *csctest.Provider, _ *csc.Config) {
			if err := p.Authority.Revoke(context.Background(), p.Key.Serial(), 1); err != nil {
				panic(err)
			}
		}, false},
	} {
		t.Run(strings.ReplaceAll(c.name, " ", "_"), func(t *testing.T) {
			p := newProvider(t)
			client := client(t, p, func(config *csc.Config) {
				if c.bend != nil {
					c.bend(p, config)
				}
			})
			user := "erika"
			if c.name == "stranger" {
				user = "somebody"
			}
			err := run(t, client, user)
			if err == nil || !strings.Contains(err.Error(), c.want) || fault.Is(err, fault.Unavailable) != c.unavailable {
				t.Fatalf("error: %v", err)
			}
			for _, secret := range []string{csctest.ClientSecret, csctest.PIN, csctest.Signer} {
				if strings.Contains(err.Error(), secret) {
					t.Errorf("the error has a secret: %v", err)
				}
			}
			if p.Counts["/elsewhere"] > 0 {
				t.Error("a secret was sent elsewhere")
			}
		})
	}
}

// TestListsStepInWhereOCSPIsSilent has the OCSP responder fail.
func TestListsStepInWhereOCSPIsSilent(t *testing.T) {
	p := newProvider(t)
	p.Broken = "/certs/ocsp"
	s, err := client(t, p, nil).Begin(t.Context(), "erika")
	if err != nil {
		t.Fatal(err)
	}
	v, err := s.Validation(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(v.OCSPs) != 0 || len(v.CRLs) != 2 {
		t.Errorf("%d OCSP answers, %d lists", len(v.OCSPs), len(v.CRLs))
	}
	p.Gate.Lock()
	p.Broken = ""
	p.Gate.Unlock()
	if err := p.Authority.Revoke(t.Context(), p.Key.Serial(), 1); err != nil {
		t.Fatal(err)
	}
	p.Gate.Lock()
	p.Broken = "/certs/ocsp"
	p.Gate.Unlock()
	if _, err := s.Validation(t.Context()); err == nil || !strings.Contains(err.Error(), "is revoked") {
		t.Errorf("by the list: %v", err)
	}
}

func TestTheTimeOutHolds(t *testing.T) {
	release := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
	defer server.Close()
	defer close(release)
	p := newProvider(t)
	c := client(t, p, func(c *csc.Config) { c.URL, c.Timeout = server.URL, 50*time.Millisecond })
	if _, err := c.Begin(t.Context(), "erika"); !fault.Is(err, fault.Unavailable) {
		t.Errorf("a silent service: %v", err)
	}
}

func TestSettingsAreChecked(t *testing.T) {
	good := csc.Config{URL: "https://sign.example.com/csc/v2", ClientID: "a", ClientSecretFile: "b"}
	if err := good.Check(); err != nil {
		t.Error(err)
	}
	for name, bend := range map[string]func(*csc.Config){
		"no account": func(c *csc.Config) { c.ClientID = "" }, "plain": func(c *csc.Config) { c.URL = "http://sign.example.com" },
		"credentials in it": func(c *csc.Config) { c.TokenURL = "https://a:b@sign.example.com" }, "slow": func(c *csc.Config) { c.Timeout = time.Hour },
	} {
		bad := good
		bend(&bad)
		if bad.Check() == nil {
			t.Errorf("%s passes", name)
		}
	}
}
