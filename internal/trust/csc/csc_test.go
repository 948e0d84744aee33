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
	"encoding/asn1"
	"encoding/base64"
	"encoding/json"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"vidimus/internal/domain/clock"
	"vidimus/internal/domain/cms"
	"vidimus/internal/domain/fault"
	"vidimus/internal/keys"
	"vidimus/internal/trust/ca"
	"vidimus/internal/trust/csc"
)

const (
	clientSecret = "the-secret-of-the-platform"
	pin          = "pin-12345678"
)

// provider is a trust service provider with one user, written from the text of the standard
// (API version 2.0). It refuses what the standard does not have.
type provider struct {
	t    *testing.T
	url  string
	ca   *ca.Authority
	key  *ca.Session
	gate sync.Mutex

	tokens, sads map[string]string // access tokens; what a SAD was given for
	counts       map[string]int    // requests by path

	// what a test bends
	mode        string // of authorization
	isOff       bool   // the first credential is
	methods     []string
	rs          *rsa.PrivateKey
	rsCert      []byte
	asPair      bool // signatures as r and s alone
	wrongValue  bool
	expireOnce  bool
	flood       string // a path that answers without end
	away        string // a path that sends elsewhere
	broken      string // a path that answers 503
	chainLength int
}

func newProvider(t *testing.T) *provider {
	t.Helper()
	p := &provider{t: t, tokens: map[string]string{}, sads: map[string]string{}, counts: map[string]int{}, mode: "explicit", methods: []string{
		"credentials/list", "credentials/info", "credentials/authorize", "signatures/signHash", "signatures/timestamp",
	}, chainLength: 1}
	server := httptest.NewServer(p)
	t.Cleanup(server.Close)
	p.url = server.URL
	master, err := keys.OpenMaster(filepath.Join(t.TempDir(), "master"))
	if err != nil {
		t.Fatal(err)
	}
	if p.ca, err = ca.Open(t.Context(), newMemory(), master, clock.New(time.Now, 1), p.url+"/certs", ca.Config{}); err != nil {
		t.Fatal(err)
	}
	if p.key, err = p.ca.Begin(t.Context(), ca.Subject{CommonName: "Erika Mustermann"}); err != nil {
		t.Fatal(err)
	}
	return p
}

// refuse answers as the standard has it.
func refuse(w http.ResponseWriter, status int, code string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]string{"error": code, "error_description": "about Erika Mustermann, " + pin})
}

func reply(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v)
}

func (p *provider) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.gate.Lock()
	defer p.gate.Unlock()
	p.counts[r.URL.Path]++
	switch r.URL.Path {
	case p.flood:
		for range 64 {
			_, _ = w.Write(make([]byte, 1<<20))
		}
		return
	case p.away:
		http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
		return
	case p.broken:
		refuse(w, http.StatusServiceUnavailable, "server_error")
		return
	}
	switch {
	case strings.HasPrefix(r.URL.Path, "/certs/") || r.URL.Path == "/tsa":
		p.serveAuthority(w, r)
	case r.URL.Path == "/oauth2/token":
		p.serveToken(w, r)
	case r.Method != http.MethodPost || r.Header.Get("Content-Type") != "application/json":
		p.t.Errorf("%s %s with %s", r.Method, r.URL.Path, r.Header.Get("Content-Type"))
		refuse(w, http.StatusBadRequest, "invalid_request")
	case r.URL.Path == "/csc/v2/info":
		reply(w, map[string]any{"specs": "2.0.0.2", "name": "Provider", "region": "DE", "lang": "en-US", "authType": []string{"oauth2client"}, "oauth2": p.url, "methods": p.methods})
	default:
		p.serveAPI(w, r)
	}
}

func (p *provider) serveToken(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil || r.Header.Get("Content-Type") != "application/x-www-form-urlencoded" || r.PostForm.Get("grant_type") != "client_credentials" ||
		r.PostForm.Get("client_id") != "vidimus" || r.PostForm.Get("client_secret") != clientSecret {
		refuse(w, http.StatusUnauthorized, "invalid_client")
		return
	}
	token := rand.Text()
	p.tokens[token] = "service"
	reply(w, map[string]any{"access_token": token, "token_type": "Bearer", "expires_in": 3600})
}

// serveAuthority serves what certificates point to.
func (p *provider) serveAuthority(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	switch kind := r.Header.Get("Content-Type"); {
	case r.URL.Path == "/certs/ocsp" && kind == "application/ocsp-request":
		b, err := p.ca.OCSP(r.Context(), body)
		if err != nil {
			p.t.Error(err)
		}
		_, _ = w.Write(b)
		return
	case r.URL.Path == "/tsa" && kind == "application/timestamp-query":
		b, err := p.ca.TimestampResponse(r.Context(), body)
		if err != nil {
			p.t.Error(err)
		}
		_, _ = w.Write(b)
		return
	}
	files, err := p.ca.Published(r.Context())
	if err != nil {
		p.t.Error(err)
	}
	for _, f := range files {
		if r.Method == http.MethodGet && r.URL.Path == "/certs/"+f.Name {
			_, _ = w.Write(f.Bytes)
			return
		}
	}
	http.NotFound(w, r)
}

func (p *provider) serveAPI(w http.ResponseWriter, r *http.Request) {
	token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if p.tokens[token] != "service" || p.expireOnce {
		p.expireOnce = false
		delete(p.tokens, token)
		refuse(w, http.StatusUnauthorized, "invalid_token")
		return
	}
	method := strings.TrimPrefix(r.URL.Path, "/csc/v2/")
	serve := map[string]func(w http.ResponseWriter, in *json.Decoder){
		"credentials/list": p.list, "credentials/info": p.info, "credentials/authorize": p.authorize, "signatures/signHash": p.signHash, "signatures/timestamp": p.timestamp,
	}[method]
	if serve == nil {
		p.t.Errorf("there is no method %s", method)
		refuse(w, http.StatusNotFound, "invalid_request")
		return
	}
	in := json.NewDecoder(r.Body)
	in.DisallowUnknownFields()
	serve(w, in)
}

// decoded reads a request, which must have no parameter that the standard does not have.
func (p *provider) decoded(w http.ResponseWriter, in *json.Decoder, v any) bool {
	if err := in.Decode(v); err != nil {
		p.t.Errorf("a request is not as the standard has it: %v", err)
		refuse(w, http.StatusBadRequest, "invalid_request")
		return false
	}
	return true
}

func (p *provider) list(w http.ResponseWriter, in *json.Decoder) { // 11.4
	var q struct {
		UserID         string `json:"userID"`
		CredentialInfo bool   `json:"credentialInfo"`
		Certificates   string `json:"certificates"`
		CertInfo       bool   `json:"certInfo"`
		AuthInfo       bool   `json:"authInfo"`
		OnlyValid      bool   `json:"onlyValid"`
		Lang           string `json:"lang"`
		ClientData     string `json:"clientData"`
	}
	if !p.decoded(w, in, &q) {
		return
	}
	if q.UserID != "erika" {
		reply(w, map[string]any{"credentialIDs": []string{}})
		return
	}
	reply(w, map[string]any{"credentialIDs": []string{"first", "second"}, "onlyValid": q.OnlyValid})
}

func (p *provider) info(w http.ResponseWriter, in *json.Decoder) { // 11.5
	var q struct {
		CredentialID string `json:"credentialID"`
		Certificates string `json:"certificates"`
		CertInfo     bool   `json:"certInfo"`
		AuthInfo     bool   `json:"authInfo"`
		Lang         string `json:"lang"`
		ClientData   string `json:"clientData"`
	}
	if !p.decoded(w, in, &q) {
		return
	}
	if q.CredentialID != "first" && q.CredentialID != "second" || !slices.Contains([]string{"none", "single", "chain"}, q.Certificates) {
		refuse(w, http.StatusBadRequest, "invalid_request")
		return
	}
	status, algo, chain := "enabled", []string{"1.2.840.10045.4.3.2"}, p.key.Chain()[:p.chainLength]
	if q.CredentialID == "first" && p.isOff {
		status = "disabled"
	}
	if p.rs != nil {
		algo, chain = []string{"1.2.840.113549.1.1.1", "1.2.840.113549.1.1.11"}, [][]byte{p.rsCert}
	}
	var texts []string
	for _, der := range chain {
		texts = append(texts, base64.StdEncoding.EncodeToString(der))
	}
	reply(w, map[string]any{
		"key": map[string]any{"status": status, "algo": algo, "len": 256}, "cert": map[string]any{"status": "valid", "certificates": texts},
		"auth": map[string]any{"mode": p.mode}, "SCAL": "2", "multisign": 1,
	})
}

func (p *provider) authorize(w http.ResponseWriter, in *json.Decoder) { // 11.6
	var q struct {
		CredentialID     string   `json:"credentialID"`
		NumSignatures    int      `json:"numSignatures"`
		Hashes           []string `json:"hashes"`
		HashAlgorithmOID string   `json:"hashAlgorithmOID"`
		AuthData         []struct {
			ID    string `json:"id"`
			Value string `json:"value"`
		} `json:"authData"`
		Description string `json:"description"`
		ClientData  string `json:"clientData"`
	}
	if !p.decoded(w, in, &q) {
		return
	}
	right := len(q.AuthData) == 1 && q.AuthData[0].ID == "PIN" && q.AuthData[0].Value == pin
	if p.mode == "explicit" && !right || p.mode == "implicit" && q.AuthData != nil {
		refuse(w, http.StatusBadRequest, "invalid_pin")
		return
	}
	if q.NumSignatures != 1 || len(q.Hashes) != 1 || q.HashAlgorithmOID != "2.16.840.1.101.3.4.2.1" {
		refuse(w, http.StatusBadRequest, "invalid_request")
		return
	}
	sad := rand.Text()
	p.sads[sad] = q.CredentialID + " " + q.Hashes[0]
	reply(w, map[string]any{"SAD": sad, "expiresIn": 300})
}

func (p *provider) signHash(w http.ResponseWriter, in *json.Decoder) { // 11.10
	var q struct {
		CredentialID     string   `json:"credentialID"`
		SAD              string   `json:"SAD"`
		Hashes           []string `json:"hashes"`
		HashAlgorithmOID string   `json:"hashAlgorithmOID"`
		SignAlgo         string   `json:"signAlgo"`
		SignAlgoParams   string   `json:"signAlgoParams"`
		OperationMode    string   `json:"operationMode"`
		ClientData       string   `json:"clientData"`
	}
	if !p.decoded(w, in, &q) {
		return
	}
	want := "1.2.840.10045.4.3.2"
	if p.rs != nil {
		want = "1.2.840.113549.1.1.11"
	}
	if len(q.Hashes) != 1 || p.sads[q.SAD] != q.CredentialID+" "+q.Hashes[0] || q.SignAlgo != want || q.OperationMode != "S" && q.OperationMode != "" {
		p.t.Errorf("asked to sign by %s, authorized for %q", q.SignAlgo, p.sads[q.SAD])
		refuse(w, http.StatusBadRequest, "invalid_request")
		return
	}
	delete(p.sads, q.SAD) // for one signature
	digest, err := base64.StdEncoding.DecodeString(q.Hashes[0])
	if err != nil {
		refuse(w, http.StatusBadRequest, "invalid_request")
		return
	}
	reply(w, map[string]any{"signatures": []string{base64.StdEncoding.EncodeToString(p.value(digest))}})
}

func (p *provider) value(digest []byte) []byte {
	if p.wrongValue {
		digest = make([]byte, 32)
	}
	if p.rs != nil {
		value, err := rsa.SignPKCS1v15(nil, p.rs, crypto.SHA256, digest)
		if err != nil {
			p.t.Error(err)
		}
		return value
	}
	value, err := p.key.Sign(context.Background(), digest)
	if err != nil {
		p.t.Error(err)
	}
	if p.asPair {
		var pair struct{ R, S *big.Int }
		if _, err := asn1.Unmarshal(value, &pair); err != nil {
			p.t.Error(err)
		}
		value = append(pair.R.FillBytes(make([]byte, 32)), pair.S.FillBytes(make([]byte, 32))...)
	}
	return value
}

func (p *provider) timestamp(w http.ResponseWriter, in *json.Decoder) { // 11.12
	var q struct {
		Hash       string `json:"hash"`
		HashAlgo   string `json:"hashAlgo"`
		Nonce      string `json:"nonce"`
		ClientData string `json:"clientData"`
	}
	if !p.decoded(w, in, &q) {
		return
	}
	digest, err := base64.StdEncoding.DecodeString(q.Hash)
	nonce, ok := new(big.Int).SetString(q.Nonce, 16)
	if err != nil || !ok || q.HashAlgo != "2.16.840.1.101.3.4.2.1" {
		refuse(w, http.StatusBadRequest, "invalid_request")
		return
	}
	b, err := p.ca.TimestampResponse(context.Background(), cms.NewRequest(digest, nonce))
	if err != nil {
		p.t.Error(err)
	}
	token, err := cms.ParseResponse(b)
	if err != nil {
		p.t.Error(err)
	}
	reply(w, map[string]any{"timestamp": base64.StdEncoding.EncodeToString(token)})
}

// client returns one with that account, and settings that the test bends.
func (p *provider) client(t *testing.T, bend func(*csc.Config)) *csc.Client {
	t.Helper()
	secret := func(name, text string) string {
		name = filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(name, []byte(text+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	config := csc.Config{URL: p.url + "/csc/v2/", ClientID: "vidimus", ClientSecretFile: secret("secret", clientSecret), AuthDataFile: secret("pin", pin), Timeout: 20 * time.Second}
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
	for name, bend := range map[string]func(*provider, *csc.Config){
		"by PIN":             func(*provider, *csc.Config) {},
		"implicitly":         func(p *provider, _ *csc.Config) { p.mode = "implicit" },
		"as r and s":         func(p *provider, _ *csc.Config) { p.asPair = true },
		"named credential":   func(_ *provider, c *csc.Config) { c.CredentialID = "second" },
		"other stamps":       func(p *provider, c *csc.Config) { p.methods = nil; c.TimestampURL = p.url + "/tsa" },
		"first is off":       func(p *provider, _ *csc.Config) { p.isOff = true },
		"token ends early":   func(p *provider, _ *csc.Config) { p.expireOnce = true },
		"chain is published": func(p *provider, _ *csc.Config) { p.chainLength = 3 },
		"own token address":  func(p *provider, c *csc.Config) { c.TokenURL = p.url + "/oauth2/token" },
	} {
		t.Run(name, func(t *testing.T) {
			p := newProvider(t)
			c := p.client(t, func(c *csc.Config) { bend(p, c) })
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
			if chain := s.Chain(); len(chain) != 3 || !bytes.Equal(chain[2], p.ca.Root()) {
				t.Errorf("a chain of %d", len(chain))
			}
			if len(v.Certificates) != 5 || len(v.OCSPs) != 2 || len(v.CRLs) != 1 {
				t.Errorf("%d certificates, %d OCSP answers, %d lists", len(v.Certificates), len(v.OCSPs), len(v.CRLs))
			}
			if n := p.counts["/csc/v2/credentials/authorize"]; n != 1 {
				t.Errorf("authorized %d times", n)
			}
			if n := p.counts["/oauth2/token"]; n > 2 || n == 2 && name != "token ends early" {
				t.Errorf("%d tokens", n)
			}
		})
	}
}

func TestRSAKeysSign(t *testing.T) {
	p := newProvider(t)
	var err error
	if p.rs, err = rsa.GenerateKey(rand.Reader, 2048); err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Seal"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	if p.rsCert, err = x509.CreateCertificate(rand.Reader, template, template, &p.rs.PublicKey, p.rs); err != nil {
		t.Fatal(err)
	}
	s, err := p.client(t, nil).Begin(t.Context(), "erika")
	if err != nil {
		t.Fatal(err)
	}
	value, err := s.Sign(t.Context(), digest)
	if err != nil {
		t.Fatal(err)
	}
	if err := rsa.VerifyPKCS1v15(&p.rs.PublicKey, crypto.SHA256, digest, value); err != nil {
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
		bend        func(*provider, *csc.Config)
		unavailable bool
	}{
		{"stranger", "no key for this signer", nil, false},
		{"browser", "in the user's browser", func(p *provider, _ *csc.Config) { p.mode = "oauth2code" }, false},
		{"no PIN", "auth_data_file", func(_ *provider, c *csc.Config) { c.AuthDataFile = "" }, false},
		{"wrong name of the PIN", "400 invalid_pin", func(_ *provider, c *csc.Config) { c.AuthDataID = "OTP" }, false},
		{"unknown credential", "400 invalid_request", func(_ *provider, c *csc.Config) { c.CredentialID = "third" }, false},
		{"wrong account", "401 invalid_client", func(_ *provider, c *csc.Config) { c.ClientID = "somebody" }, false},
		{"wrong value", "not that of its certificate", func(p *provider, _ *csc.Config) { p.wrongValue = true }, false},
		{"no stamps", "set timestamp_url", func(p *provider, _ *csc.Config) { p.methods = nil }, false},
		{"flood", "longer than", func(p *provider, _ *csc.Config) { p.flood = "/csc/v2/credentials/info" }, false},
		{"redirect", "status 307", func(p *provider, _ *csc.Config) { p.away = "/oauth2/token" }, false},
		{"broken", "not available", func(p *provider, _ *csc.Config) { p.broken = "/csc/v2/signatures/signHash" }, true},
		{"away", "cannot be reached", func(_ *provider, c *csc.Config) { c.URL = "http://127.0.0.1:1" }, true},
		{"revoked", "is revoked", func(p *provider, _ *csc.Config) {
			if err := p.ca.Revoke(context.Background(), p.key.Serial(), 1); err != nil {
				p.t.Error(err)
			}
		}, false},
	} {
		t.Run(strings.ReplaceAll(c.name, " ", "_"), func(t *testing.T) {
			p := newProvider(t)
			client := p.client(t, func(config *csc.Config) {
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
			for _, secret := range []string{clientSecret, pin, "Erika"} {
				if strings.Contains(err.Error(), secret) {
					t.Errorf("the error has a secret: %v", err)
				}
			}
			if p.counts["/elsewhere"] > 0 {
				t.Error("a secret was sent elsewhere")
			}
		})
	}
}

// TestListsStepInWhereOCSPIsSilent has the OCSP responder fail.
func TestListsStepInWhereOCSPIsSilent(t *testing.T) {
	p := newProvider(t)
	p.broken = "/certs/ocsp"
	s, err := p.client(t, nil).Begin(t.Context(), "erika")
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
	p.gate.Lock()
	p.broken = ""
	p.gate.Unlock()
	if err := p.ca.Revoke(t.Context(), p.key.Serial(), 1); err != nil {
		t.Fatal(err)
	}
	p.gate.Lock()
	p.broken = "/certs/ocsp"
	p.gate.Unlock()
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
	c := p.client(t, func(c *csc.Config) { c.URL, c.Timeout = server.URL, 50*time.Millisecond })
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

// memory is the provider's store.
type memory struct {
	gate    sync.Mutex
	keys    map[string][2]string
	issued  map[string]bool
	revoked map[string]x509.RevocationListEntry
}

func newMemory() *memory {
	return &memory{keys: map[string][2]string{}, issued: map[string]bool{}, revoked: map[string]x509.RevocationListEntry{}}
}

func (m *memory) InTx(ctx context.Context, do func(ctx context.Context) error) error { return do(ctx) }

func (m *memory) ServerKey(_ context.Context, name string) ([]byte, string, error) {
	if key, ok := m.keys[name]; ok {
		return []byte(key[0]), key[1], nil
	}
	return nil, "", fault.Of(fault.NotFound)
}

func (m *memory) PutServerKey(_ context.Context, name string, sealed []byte, public string, _ time.Time) (bool, error) {
	m.keys[name] = [2]string{string(sealed), public}
	return true, nil
}

func (m *memory) AddCertificate(_ context.Context, serial string, _, _ time.Time) error {
	m.gate.Lock()
	defer m.gate.Unlock()
	m.issued[serial] = true
	return nil
}

func (m *memory) CertificateStatus(_ context.Context, serial string) (time.Time, int, error) {
	m.gate.Lock()
	defer m.gate.Unlock()
	if !m.issued[serial] {
		return time.Time{}, 0, fault.Of(fault.NotFound)
	}
	return m.revoked[serial].RevocationTime, m.revoked[serial].ReasonCode, nil
}

func (m *memory) RevokeCertificate(_ context.Context, serial string, at time.Time, reason int) error {
	m.gate.Lock()
	defer m.gate.Unlock()
	n, _ := new(big.Int).SetString(serial, 16)
	m.revoked[serial] = x509.RevocationListEntry{SerialNumber: n, RevocationTime: at, ReasonCode: reason}
	return nil
}

func (m *memory) RevokedCertificates(context.Context, int) (all []x509.RevocationListEntry, err error) {
	m.gate.Lock()
	defer m.gate.Unlock()
	for _, entry := range m.revoked {
		all = append(all, entry)
	}
	return all, nil
}
