// Package csctest is a small trust service provider that speaks the API of the Cloud Signature
// Consortium, for tests: on loopback, with keys that live as long as it does.
package csctest

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"encoding/asn1"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"time"

	"vidimus/internal/domain/clock"
	"vidimus/internal/domain/cms"
	"vidimus/internal/trust/ca"
)

// What the platform needs to sign there, and whom the key's certificate names.
const (
	ClientID     = "vidimus"
	ClientSecret = "the-secret-of-the-platform"
	PIN          = "pin-12345678"
	Signer       = "Seal of a Provider"
)

// Provider is a trust service provider with one user. It was written after public descriptions
// of the API (version 2.0), for the text of the standard was not at hand; it refuses what they
// do not have. What a test bends, it bends before the first request, or while it holds Gate.
type Provider struct {
	URL       string
	Authority *ca.Authority // which issued the key's certificate, and makes time-stamps
	Key       *ca.Session

	Gate         sync.Mutex
	Counts       map[string]int    // requests by path
	tokens, sads map[string]string // access tokens; what a SAD was given for
	complain     func(format string, args ...any)
	server       *httptest.Server

	Mode        string // of authorization
	IsOff       bool   // the first credential is
	Methods     []string
	RSA         *rsa.PrivateKey // signs instead of Key
	RSACert     []byte
	AsPair      bool // signatures as r and s alone
	WrongValue  bool
	ExpireOnce  bool
	Flood       string // a path that answers without end
	Away        string // a path that sends elsewhere
	Broken      string // a path that answers 503
	ChainLength int
}

// Start starts one. What it finds wrong with a request goes to complain. Close ends it.
func Start(ctx context.Context, complain func(format string, args ...any)) (*Provider, error) {
	p := &Provider{complain: complain, tokens: map[string]string{}, sads: map[string]string{}, Counts: map[string]int{}, Mode: "explicit", Methods: []string{
		"credentials/list", "credentials/info", "credentials/authorize", "signatures/signHash", "signatures/timestamp",
	}, ChainLength: 1}
	p.server = httptest.NewUnstartedServer(p)
	p.URL = "http://" + p.server.Listener.Addr().String()
	var err error
	if p.Authority, err = ca.Open(ctx, newMemory(), open{}, clock.New(time.Now, 1), p.URL+"/certs", ca.Config{Validity: time.Hour}); err == nil {
		p.Key, err = p.Authority.Begin(ctx, ca.Subject{CommonName: Signer})
	}
	if err != nil {
		return nil, errors.Join(err, p.server.Listener.Close())
	}
	p.server.Start()
	return p, nil
}

// Close ends the service.
func (p *Provider) Close() { p.server.Close() }

// refuse answers with a code, and with words that no log should hold.
func refuse(w http.ResponseWriter, status int, code string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]string{"error": code, "error_description": "about " + Signer + ", " + PIN})
}

func reply(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v)
}

func (p *Provider) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.Gate.Lock()
	defer p.Gate.Unlock()
	p.Counts[r.URL.Path]++
	switch r.URL.Path {
	case p.Flood:
		for range 64 {
			_, _ = w.Write(make([]byte, 1<<20))
		}
		return
	case p.Away:
		http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
		return
	case p.Broken:
		refuse(w, http.StatusServiceUnavailable, "server_error")
		return
	}
	switch {
	case strings.HasPrefix(r.URL.Path, "/certs/") || r.URL.Path == "/tsa":
		p.serveAuthority(w, r)
	case r.URL.Path == "/oauth2/token":
		p.serveToken(w, r)
	case r.Method != http.MethodPost || r.Header.Get("Content-Type") != "application/json":
		p.complain("%s %s with %s", r.Method, r.URL.Path, r.Header.Get("Content-Type"))
		refuse(w, http.StatusBadRequest, "invalid_request")
	case r.URL.Path == "/csc/v2/info":
		reply(w, map[string]any{"specs": "2.0.0.2", "name": "Provider", "region": "DE", "lang": "en-US", "authType": []string{"oauth2client"}, "oauth2": p.URL, "methods": p.Methods})
	default:
		p.serveAPI(w, r)
	}
}

func (p *Provider) serveToken(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil || r.Header.Get("Content-Type") != "application/x-www-form-urlencoded" || r.PostForm.Get("grant_type") != "client_credentials" ||
		r.PostForm.Get("client_id") != ClientID || r.PostForm.Get("client_secret") != ClientSecret {
		refuse(w, http.StatusUnauthorized, "invalid_client")
		return
	}
	token := rand.Text()
	p.tokens[token] = "service"
	reply(w, map[string]any{"access_token": token, "token_type": "Bearer", "expires_in": 3600})
}

// serveAuthority serves what certificates point to.
func (p *Provider) serveAuthority(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	switch kind := r.Header.Get("Content-Type"); {
	case r.URL.Path == "/certs/ocsp" && kind == "application/ocsp-request":
		b, err := p.Authority.OCSP(r.Context(), body)
		if err != nil {
			p.complain("%v", err)
		}
		_, _ = w.Write(b)
		return
	case r.URL.Path == "/tsa" && kind == "application/timestamp-query":
		b, err := p.Authority.TimestampResponse(r.Context(), body)
		if err != nil {
			p.complain("%v", err)
		}
		_, _ = w.Write(b)
		return
	}
	files, err := p.Authority.Published(r.Context())
	if err != nil {
		p.complain("%v", err)
	}
	for _, f := range files {
		if r.Method == http.MethodGet && r.URL.Path == "/certs/"+f.Name {
			_, _ = w.Write(f.Bytes)
			return
		}
	}
	http.NotFound(w, r)
}

func (p *Provider) serveAPI(w http.ResponseWriter, r *http.Request) {
	token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if p.tokens[token] != "service" || p.ExpireOnce {
		p.ExpireOnce = false
		delete(p.tokens, token)
		refuse(w, http.StatusUnauthorized, "invalid_token")
		return
	}
	method := strings.TrimPrefix(r.URL.Path, "/csc/v2/")
	serve := map[string]func(w http.ResponseWriter, in *json.Decoder){
		"credentials/list": p.list, "credentials/info": p.info, "credentials/authorize": p.authorize, "signatures/signHash": p.signHash, "signatures/timestamp": p.timestamp,
	}[method]
	if serve == nil {
		p.complain("there is no method %s", method)
		refuse(w, http.StatusNotFound, "invalid_request")
		return
	}
	in := json.NewDecoder(r.Body)
	in.DisallowUnknownFields()
	serve(w, in)
}

// decoded reads a request, which must have no parameter that the API does not have.
func (p *Provider) decoded(w http.ResponseWriter, in *json.Decoder, v any) bool {
	if err := in.Decode(v); err != nil {
		p.complain("a request is not as the API has it: %v", err)
		refuse(w, http.StatusBadRequest, "invalid_request")
		return false
	}
	return true
}

func (p *Provider) list(w http.ResponseWriter, in *json.Decoder) {
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
	if q.UserID != "erika" && q.UserID != "" {
		reply(w, map[string]any{"credentialIDs": []string{}})
		return
	}
	reply(w, map[string]any{"credentialIDs": []string{"first", "second"}, "onlyValid": q.OnlyValid})
}

func (p *Provider) info(w http.ResponseWriter, in *json.Decoder) {
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
	status, algo, chain := "enabled", []string{"1.2.840.10045.4.3.2"}, p.Key.Chain()[:p.ChainLength]
	if q.CredentialID == "first" && p.IsOff {
		status = "disabled"
	}
	if p.RSA != nil {
		algo, chain = []string{"1.2.840.113549.1.1.1", "1.2.840.113549.1.1.11"}, [][]byte{p.RSACert}
	}
	var texts []string
	for _, der := range chain {
		texts = append(texts, base64.StdEncoding.EncodeToString(der))
	}
	reply(w, map[string]any{
		"key": map[string]any{"status": status, "algo": algo, "len": 256}, "cert": map[string]any{"status": "valid", "certificates": texts},
		"auth": map[string]any{"mode": p.Mode}, "SCAL": "2", "multisign": 1,
	})
}

func (p *Provider) authorize(w http.ResponseWriter, in *json.Decoder) {
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
	right := len(q.AuthData) == 1 && q.AuthData[0].ID == "PIN" && q.AuthData[0].Value == PIN
	if p.Mode == "explicit" && !right || p.Mode == "implicit" && q.AuthData != nil {
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

func (p *Provider) signHash(w http.ResponseWriter, in *json.Decoder) {
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
	if p.RSA != nil {
		want = "1.2.840.113549.1.1.11"
	}
	if len(q.Hashes) != 1 || p.sads[q.SAD] != q.CredentialID+" "+q.Hashes[0] || q.SignAlgo != want || q.OperationMode != "S" && q.OperationMode != "" {
		p.complain("asked to sign by %s, authorized for %q", q.SignAlgo, p.sads[q.SAD])
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

func (p *Provider) value(digest []byte) []byte {
	if p.WrongValue {
		digest = make([]byte, 32)
	}
	if p.RSA != nil {
		value, err := rsa.SignPKCS1v15(nil, p.RSA, crypto.SHA256, digest)
		if err != nil {
			p.complain("%v", err)
		}
		return value
	}
	value, err := p.Key.Sign(context.Background(), digest)
	if err != nil {
		p.complain("%v", err)
	}
	if p.AsPair {
		var pair struct{ R, S *big.Int }
		if _, err := asn1.Unmarshal(value, &pair); err != nil {
			p.complain("%v", err)
		}
		value = append(pair.R.FillBytes(make([]byte, 32)), pair.S.FillBytes(make([]byte, 32))...)
	}
	return value
}

func (p *Provider) timestamp(w http.ResponseWriter, in *json.Decoder) {
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
	b, err := p.Authority.TimestampResponse(context.Background(), cms.NewRequest(digest, nonce))
	if err != nil {
		p.complain("%v", err)
	}
	token, err := cms.ParseResponse(b)
	if err != nil {
		p.complain("%v", err)
	}
	reply(w, map[string]any{"timestamp": base64.StdEncoding.EncodeToString(token)})
}
