// Package csc signs with keys that a trust service provider holds, over the API of the Cloud
// Signature Consortium, version 2 (chapter 7): how a company gets qualified signatures, which
// the built-in authority of package ca does not make.
//
// It is a client for providers that let the platform act without the user's browser: OAuth
// 2.0 client credentials, and credentials that are authorized implicitly or by a secret that
// the platform holds. It was written after public descriptions of the API; the text of the
// standard was not at hand, and no provider's service was tried. What it asks for and what it
// takes is what those descriptions agree on.
package csc

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"vidimus/internal/domain/clock"
	"vidimus/internal/domain/fault"
)

// Config are the settings of a remote trust service. Empty: there is none.
type Config struct {
	// URL is the address of the API, such as https://sign.example.com/csc/v2.
	URL string `yaml:"url"`
	// TokenURL is where the platform gets its access token. The default is what the service
	// says of itself, with /oauth2/token behind it.
	TokenURL string `yaml:"token_url"`
	// ClientID and the content of ClientSecretFile are the platform's account there.
	ClientID         string `yaml:"client_id"`
	ClientSecretFile string `yaml:"client_secret_file"`
	// CredentialID is the key that signs. Empty: the first that can sign, of those of the user.
	CredentialID string `yaml:"credential_id"`
	// AuthDataFile holds the secret that authorizes a signature, where the provider wants one;
	// AuthDataID is what the provider calls it. Default PIN.
	AuthDataFile string `yaml:"auth_data_file"`
	AuthDataID   string `yaml:"auth_data_id"`
	// TimestampURL is a time-stamp authority (RFC 3161). The default is the service itself,
	// when it offers signatures/timestamp.
	TimestampURL string `yaml:"timestamp_url"`
	// Timeout is how long one request may take. Default 30s; at most 2m.
	Timeout time.Duration `yaml:"timeout"`
}

// Check says what is wrong with the settings.
func (c Config) Check() error {
	if c.URL == "" || c.ClientID == "" || c.ClientSecretFile == "" {
		return errors.New("url, client_id and client_secret_file belong together")
	}
	for name, value := range map[string]string{"url": c.URL, "token_url": c.TokenURL, "timestamp_url": c.TimestampURL} {
		u, err := url.Parse(value)
		if value != "" && (err != nil || u.Host == "" || u.User != nil || u.Scheme != "https" && (u.Scheme != "http" || !isLoopback(u.Hostname()))) {
			return errors.New(name + " must be an https address")
		}
	}
	if c.Timeout < 0 || c.Timeout > 2*time.Minute {
		return errors.New("timeout must be at most 2m")
	}
	return nil
}

func isLoopback(host string) bool { return host == "localhost" || host == "127.0.0.1" || host == "::1" }

// Client is the platform's connection to the service. It may be used from many goroutines.
type Client struct {
	config           Config
	secret, authData string
	clock            clock.Clock
	http             *http.Client

	gate    sync.Mutex
	about   *about
	token   string
	expires time.Time
	stamps  *stampChain
}

// about is what the service says of itself.
type about struct {
	Specs    string   `json:"specs"`
	OAuth2   string   `json:"oauth2"`
	AuthType []string `json:"authType"`
	Methods  []string `json:"methods"`
}

// longest is how much of an answer is read, and most how many elements of its lists.
const (
	longest = 1 << 20
	most    = 64
)

// New reads the secrets; it does not connect. Transport is nil for the usual one.
func New(config Config, c clock.Clock, transport http.RoundTripper) (*Client, error) {
	if err := config.Check(); err != nil {
		return nil, err
	}
	if config.Timeout == 0 {
		config.Timeout = 30 * time.Second
	}
	if config.AuthDataID == "" {
		config.AuthDataID = "PIN"
	}
	config.URL = strings.TrimSuffix(config.URL, "/")
	client := &Client{config: config, clock: c, http: &http.Client{
		Transport: transport,
		// secrets and questions go where the settings say, nowhere else
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	var err error
	if client.secret, err = readSecret(config.ClientSecretFile); err != nil {
		return nil, err
	}
	if config.AuthDataFile != "" {
		client.authData, err = readSecret(config.AuthDataFile)
	}
	return client, err
}

func readSecret(name string) (string, error) {
	b, err := os.ReadFile(name)
	if err != nil {
		return "", fmt.Errorf("reading a secret of the trust service: %w", err)
	}
	secret := strings.TrimSpace(string(b))
	if secret == "" || len(secret) > 4096 {
		return "", errors.New("a secret of the trust service is empty, or longer than 4096 bytes: " + name)
	}
	return secret, nil
}

// refusal is an answer that is not a good one.
type refusal struct {
	method string
	status int
	code   string // what the service calls it
}

func (r *refusal) Error() string {
	return fmt.Sprintf("the trust service refused %s: status %d %s", r.method, r.status, r.code)
}

// call sends one method of the API and reads its answer into out.
func (c *Client) call(ctx context.Context, method string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return fmt.Errorf("writing %s: %w", method, err)
	}
	for try := 0; ; try++ {
		token, err := c.accessToken(ctx)
		if err != nil {
			return err
		}
		r, err := http.NewRequestWithContext(ctx, http.MethodPost, c.config.URL+"/"+method, bytes.NewReader(body))
		if err != nil {
			return fmt.Errorf("asking for %s: %w", method, err)
		}
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Authorization", "Bearer "+token)
		err = c.answer(r, method, out)
		var refused *refusal
		if try == 0 && errors.As(err, &refused) && refused.status == http.StatusUnauthorized {
			c.forget(token) // it ended earlier than it was said to
			continue
		}
		return err
	}
}

// answer sends a request and reads its JSON.
func (c *Client) answer(r *http.Request, method string, out any) error {
	r.Header.Set("Accept", "application/json")
	status, b, err := c.send(r, method, longest)
	if err != nil {
		return err
	}
	if status != http.StatusOK {
		var why struct {
			Error string `json:"error"`
		}
		_ = json.Unmarshal(b, &why) // not every server says why
		err := &refusal{method, status, word(why.Error)}
		if status >= 500 || status == http.StatusTooManyRequests {
			return fault.New(fault.Unavailable, "the trust service is not available").Because(err)
		}
		return err
	}
	if err := json.Unmarshal(b, out); err != nil {
		return errors.New("the answer of the trust service to " + method + " cannot be read")
	}
	return nil
}

// send sends a request and reads at most that much of its answer, within the time-out.
func (c *Client) send(r *http.Request, method string, most int64) (int, []byte, error) {
	ctx, cancel := context.WithTimeout(r.Context(), c.config.Timeout)
	defer cancel()
	response, err := c.http.Do(r.WithContext(ctx))
	if err != nil {
		var outer *url.Error
		if errors.As(err, &outer) {
			err = outer.Err // the address may have more than a log should
		}
		return 0, nil, fault.New(fault.Unavailable, "the trust service cannot be reached").Because(fmt.Errorf("asking for %s: %w", method, err))
	}
	defer func() { _ = response.Body.Close() }()
	b, err := io.ReadAll(io.LimitReader(response.Body, most+1))
	switch {
	case err != nil:
		return 0, nil, fault.New(fault.Unavailable, "the trust service broke off").Because(fmt.Errorf("reading the answer to %s: %w", method, err))
	case int64(len(b)) > most:
		return 0, nil, fmt.Errorf("the answer to %s is longer than %d bytes", method, most)
	}
	return response.StatusCode, b, nil
}

// word keeps of a foreign text what a code of an error is made of.
func word(s string) string {
	s = strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r == '_' {
			return r
		}
		return -1
	}, s)
	return s[:min(len(s), 64)]
}

// self asks the service once what it is.
func (c *Client) self(ctx context.Context) (*about, error) {
	c.gate.Lock()
	had := c.about
	c.gate.Unlock()
	if had != nil {
		return had, nil
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, c.config.URL+"/info", strings.NewReader("{}"))
	if err != nil {
		return nil, fmt.Errorf("asking for info: %w", err)
	}
	r.Header.Set("Content-Type", "application/json")
	var got about
	if err := c.answer(r, "info", &got); err != nil {
		return nil, err
	}
	if !strings.HasPrefix(got.Specs, "2.") {
		return nil, fmt.Errorf("the trust service speaks version %q of the API, not 2", got.Specs)
	}
	if len(got.AuthType) > 0 && !slices.Contains(got.AuthType, "oauth2client") {
		return nil, errors.New("the trust service does not let a platform sign in by itself (oauth2client)")
	}
	c.gate.Lock()
	defer c.gate.Unlock()
	c.about = &got
	return c.about, nil
}

// accessToken returns a token that is still good, or gets one.
func (c *Client) accessToken(ctx context.Context) (string, error) {
	c.gate.Lock()
	token, expires := c.token, c.expires
	c.gate.Unlock()
	if token != "" && c.clock.Now().Before(expires) {
		return token, nil
	}
	address := c.config.TokenURL
	self, err := c.self(ctx)
	if err != nil {
		return "", err
	}
	if address == "" {
		u, err := url.Parse(self.OAuth2)
		if err != nil || u.Host == "" || u.User != nil || u.Scheme != "https" && !isLoopback(u.Hostname()) {
			return "", errors.New("the trust service names no address for tokens: set token_url")
		}
		address = strings.TrimSuffix(self.OAuth2, "/") + "/oauth2/token"
	}
	form := url.Values{"grant_type": {"client_credentials"}, "scope": {"service"}, "client_id": {c.config.ClientID}, "client_secret": {c.secret}}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, address, strings.NewReader(form.Encode()))
	if err != nil {
		return "", errors.New("the address for tokens cannot be read")
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	var got struct {
		Token   string `json:"access_token"`
		Type    string `json:"token_type"`
		Seconds int64  `json:"expires_in"`
	}
	if err := c.answer(r, "oauth2/token", &got); err != nil {
		return "", err
	}
	if got.Token == "" || !strings.EqualFold(got.Type, "Bearer") || strings.ContainsAny(got.Token, " \r\n") {
		return "", errors.New("the trust service gave no token that can be used")
	}
	lasts := time.Duration(min(max(got.Seconds, 0), 24*3600)) * time.Second
	if got.Seconds == 0 {
		lasts = time.Hour // it was not said; one that ends earlier is refused, and drawn anew
	}
	c.gate.Lock()
	defer c.gate.Unlock()
	c.token, c.expires = got.Token, c.clock.Now().Add(lasts-min(lasts/10, 30*time.Second))
	return got.Token, nil
}

func (c *Client) forget(token string) {
	c.gate.Lock()
	defer c.gate.Unlock()
	if c.token == token {
		c.token = ""
	}
}
