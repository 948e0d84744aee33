package csc

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"encoding/base64"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"slices"
	"strings"

	"vidimus/internal/domain/cms"
)

// The object identifiers that requests name.
const (
	oidSHA256          = "2.16.840.1.101.3.4.2.1"
	oidRSA             = "1.2.840.113549.1.1.1"
	oidSHA256WithRSA   = "1.2.840.113549.1.1.11"
	oidECDSAWithSHA256 = "1.2.840.10045.4.3.2"
)

// Session signs with one key at the service.
type Session struct {
	client     *Client
	credential string
	algorithm  string
	hasSecret  bool
	chain      []*x509.Certificate // the signer's first, the root last, as far as it is known
}

// credential is what credentials/info says.
type credential struct {
	Key struct {
		Status string   `json:"status"`
		Algo   []string `json:"algo"`
	} `json:"key"`
	Cert struct {
		Status       string   `json:"status"`
		Certificates []string `json:"certificates"`
	} `json:"cert"`
	Auth struct {
		Mode string `json:"mode"`
	} `json:"auth"`
}

// Begin opens the configured credential or, without one, the first that can sign of those of
// a user, whom the service knows by that name; empty: those of the platform's own account.
func (c *Client) Begin(ctx context.Context, user string) (*Session, error) {
	ids := []string{c.config.CredentialID}
	if c.config.CredentialID == "" {
		request := map[string]any{"onlyValid": true}
		if user != "" {
			request["userID"] = user
		}
		var list struct {
			IDs []string `json:"credentialIDs"`
		}
		if err := c.call(ctx, "credentials/list", request, &list); err != nil {
			return nil, err
		}
		ids = list.IDs[:min(len(list.IDs), most)]
	}
	why := errors.New("the trust service has no key for this signer")
	for _, id := range ids {
		s, err := c.open(ctx, id)
		var unfit *unfit
		if errors.As(err, &unfit) {
			why = err
			continue
		}
		return s, err
	}
	return nil, why
}

// unfit is why a credential cannot sign here, while another may.
type unfit struct{ why string }

func (u *unfit) Error() string { return "the key at the trust service cannot be used: " + u.why }

func (c *Client) open(ctx context.Context, id string) (*Session, error) {
	var info credential
	request := map[string]any{"credentialID": id, "certificates": "chain", "certInfo": true, "authInfo": true}
	if err := c.call(ctx, "credentials/info", request, &info); err != nil {
		return nil, err
	}
	s := &Session{client: c, credential: id}
	switch {
	case info.Key.Status != "enabled":
		return nil, &unfit{"it is not enabled"}
	case info.Cert.Status != "" && info.Cert.Status != "valid":
		return nil, &unfit{"its certificate is not valid"}
	case info.Auth.Mode == "explicit" && c.authData == "":
		return nil, &unfit{"it wants a secret for each signature, and auth_data_file names none"}
	case info.Auth.Mode != "explicit" && info.Auth.Mode != "implicit":
		return nil, &unfit{"it is authorized in the user's browser, which is not possible here"}
	}
	s.hasSecret = info.Auth.Mode == "explicit"
	for _, text := range info.Cert.Certificates[:min(len(info.Cert.Certificates), most)] {
		der, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			return nil, errors.New("a certificate from the trust service cannot be read")
		}
		one, err := x509.ParseCertificate(der)
		if err != nil {
			return nil, fmt.Errorf("a certificate from the trust service cannot be read: %w", err)
		}
		s.chain = append(s.chain, one)
	}
	if err := s.check(info.Key.Algo); err != nil {
		return nil, err
	}
	var err error
	s.chain, err = c.complete(ctx, s.chain[0], s.chain[1:])
	return s, err
}

// check picks the algorithm, and refuses a certificate whose time is over.
func (s *Session) check(algorithms []string) error {
	if len(s.chain) == 0 {
		return &unfit{"it has no certificate"}
	}
	now := s.client.clock.Now()
	if now.Before(s.chain[0].NotBefore) || now.After(s.chain[0].NotAfter) {
		return &unfit{"its certificate is not valid now"}
	}
	var wanted []string
	switch s.chain[0].PublicKey.(type) {
	case *ecdsa.PublicKey:
		wanted = []string{oidECDSAWithSHA256}
	case *rsa.PublicKey:
		wanted = []string{oidSHA256WithRSA, oidRSA}
	}
	for _, id := range wanted {
		if slices.Contains(algorithms, id) {
			s.algorithm = id
			return nil
		}
	}
	return &unfit{"it signs neither by ECDSA nor by RSA PKCS #1 v1.5 over SHA-256"}
}

// Chain is DER: the signer's certificate first, the root last where it is known.
func (s *Session) Chain() [][]byte { return raw(s.chain) }

func raw(all []*x509.Certificate) (ders [][]byte) {
	for _, c := range all {
		ders = append(ders, c.Raw)
	}
	return ders
}

// Sign has the key authorized for this one SHA-256 and signs it. The value is checked: for
// ECDSA it is ASN.1, even if the service gave r and s alone; for RSA PKCS #1 v1.5.
func (s *Session) Sign(ctx context.Context, digest []byte) ([]byte, error) {
	if len(digest) != sha256.Size {
		return nil, fmt.Errorf("a SHA-256 has %d bytes, not %d", sha256.Size, len(digest))
	}
	hashes := []string{base64.StdEncoding.EncodeToString(digest)}
	authorize := map[string]any{"credentialID": s.credential, "numSignatures": 1, "hashes": hashes, "hashAlgorithmOID": oidSHA256}
	if s.hasSecret {
		authorize["authData"] = []map[string]string{{"id": s.client.config.AuthDataID, "value": s.client.authData}}
	}
	var authorized struct {
		SAD string `json:"SAD"`
	}
	if err := s.client.call(ctx, "credentials/authorize", authorize, &authorized); err != nil {
		return nil, err
	}
	if authorized.SAD == "" {
		return nil, errors.New("the trust service authorized no signature")
	}
	sign := map[string]any{"credentialID": s.credential, "SAD": authorized.SAD, "hashes": hashes, "hashAlgorithmOID": oidSHA256, "signAlgo": s.algorithm, "operationMode": "S"}
	var signed struct {
		Signatures []string `json:"signatures"`
	}
	if err := s.client.call(ctx, "signatures/signHash", sign, &signed); err != nil {
		return nil, err
	}
	if len(signed.Signatures) != 1 {
		return nil, fmt.Errorf("the trust service made %d signatures, not one", len(signed.Signatures))
	}
	value, err := base64.StdEncoding.DecodeString(signed.Signatures[0])
	if err != nil {
		return nil, errors.New("the signature of the trust service cannot be read")
	}
	return s.checked(digest, value)
}

func (s *Session) checked(digest, value []byte) ([]byte, error) {
	switch key := s.chain[0].PublicKey.(type) {
	case *ecdsa.PublicKey:
		if ecdsa.VerifyASN1(key, digest, value) {
			return value, nil
		}
		if size := (key.Params().BitSize + 7) / 8; len(value) == 2*size {
			pair := struct{ R, S *big.Int }{new(big.Int).SetBytes(value[:size]), new(big.Int).SetBytes(value[size:])}
			if value, err := asn1.Marshal(pair); err == nil && ecdsa.VerifyASN1(key, digest, value) {
				return value, nil
			}
		}
	case *rsa.PublicKey:
		if rsa.VerifyPKCS1v15(key, crypto.SHA256, digest, value) == nil {
			return value, nil
		}
	}
	return nil, errors.New("the signature of the trust service is not that of its certificate")
}

// Timestamp returns a time-stamp token over a SHA-256, checked to be that and signed by the
// certificate that it carries.
func (s *Session) Timestamp(ctx context.Context, digest []byte) ([]byte, error) {
	return s.client.timestamp(ctx, digest)
}

func (c *Client) timestamp(ctx context.Context, digest []byte) ([]byte, error) {
	if len(digest) != sha256.Size {
		return nil, fmt.Errorf("a SHA-256 has %d bytes, not %d", sha256.Size, len(digest))
	}
	b := make([]byte, 8)
	rand.Read(b) // never fails
	b[0] = b[0]&0x7f | 0x40
	nonce := new(big.Int).SetBytes(b)
	token, err := c.stamp(ctx, digest, nonce)
	if err != nil {
		return nil, err
	}
	parsed, err := cms.ParseToken(token)
	if err != nil {
		return nil, err
	}
	if err := parsed.Verify(digest, nil).Err(); err != nil {
		return nil, fmt.Errorf("the time-stamp is not a good one: %w", err)
	}
	if parsed.Info.Nonce == nil || parsed.Info.Nonce.Cmp(nonce) != 0 {
		return nil, errors.New("the time-stamp is not the one that was asked for: its nonce differs")
	}
	return parsed.DER, nil
}

// stamp asks the configured authority, or the service.
func (c *Client) stamp(ctx context.Context, digest []byte, nonce *big.Int) ([]byte, error) {
	if c.config.TimestampURL != "" {
		r, err := http.NewRequestWithContext(ctx, http.MethodPost, c.config.TimestampURL, bytes.NewReader(cms.NewRequest(digest, nonce)))
		if err != nil {
			return nil, errors.New("the address of the time-stamp authority cannot be read")
		}
		r.Header.Set("Content-Type", "application/timestamp-query")
		status, b, err := c.send(r, "a time-stamp", longest)
		if err != nil {
			return nil, err
		}
		if status != http.StatusOK {
			return nil, &refusal{"a time-stamp", status, ""}
		}
		return cms.ParseResponse(b)
	}
	self, err := c.self(ctx)
	if err != nil {
		return nil, err
	}
	if !slices.Contains(self.Methods, "signatures/timestamp") {
		return nil, errors.New("the trust service makes no time-stamps: set timestamp_url")
	}
	var got struct {
		Timestamp string `json:"timestamp"`
	}
	request := map[string]any{"hash": base64.StdEncoding.EncodeToString(digest), "hashAlgo": oidSHA256, "nonce": strings.ToUpper(nonce.Text(16))}
	if err := c.call(ctx, "signatures/timestamp", request, &got); err != nil {
		return nil, err
	}
	token, err := base64.StdEncoding.DecodeString(got.Timestamp)
	if err != nil {
		return nil, errors.New("the time-stamp of the trust service cannot be read")
	}
	return token, nil
}

// Close has nothing to destroy: the key never left the service.
func (s *Session) Close() error { return nil }
