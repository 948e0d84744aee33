// Package webhook makes one try of one delivery: a signed POST of a result to an address of
// the company. It decides what a try may cost (time, bytes, connections), where it may go,
// and in which words a failure is told. When to try again, what a status means and which
// mail follows is decided by service/publish. Specification, chapter 14.
//
// Every try carries the three headers of the Standard Webhooks convention, so that the
// receiver can tell our calls from anybody else's and drop a delivery it already has.
package webhook

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	defaultTimeout   = 10 * time.Second
	defaultUserAgent = "vidimus"

	maxAnswer  = 64 << 10 // bytes of a response body that are read, so that its connection can be used again
	maxHeaders = 16 << 10 // bytes of response headers
	maxURL     = 4 << 10
	maxID      = 256

	// idleFor is shorter than the five seconds after which some common servers close a kept
	// connection: a POST that meets the close on its way would be lost, and is not repeated
	// within a try, since the receiver may have seen it.
	idleFor = 4 * time.Second
)

// Options says where a Client may send and how long it waits. The zero value is a client for
// the test environment.
type Options struct {
	// Live forbids plain http and every address that is not public, unless AllowPrivate.
	Live bool
	// AllowPrivate is the operator's word that company addresses may lie in private networks.
	AllowPrivate bool
	// EgressProxy is the http or https URL of a proxy that all deliveries go through; empty:
	// none. The environment is never asked for one. With a proxy the guard can only look up
	// the name itself, just before the CONNECT: the proxy looks it up again, and a name that
	// changes in between gets past us. The proxy should refuse private addresses too.
	EgressProxy string
	// Now is the clock of webhook-timestamp; nil: time.Now.
	Now func() time.Time
	// Timeout bounds one try from the look-up of the name to the last byte read; 0: 10 s.
	Timeout time.Duration
	// UserAgent is sent with every try; empty: "vidimus".
	UserAgent string
}

// Client makes tries. It keeps connections and may be used by many goroutines at once.
type Client struct {
	transport *http.Transport
	guarded   bool // only public addresses, only https
	now       func() time.Time
	timeout   time.Duration
	userAgent string
}

// Request is one try of one delivery.
type Request struct {
	URL    string // absolute, http or https; a user and password in it become Basic authentication
	Secret []byte // of the endpoint, from ParseSecret or NewSecret; never empty
	ID     string // the message's id, the same for all its tries; visible ASCII without a dot
	Body   []byte // JSON; not kept after Send returns
}

// Outcome is what became of a try. It holds no URL, no body and no text of the receiver, so
// it may be stored, logged and mailed.
type Outcome struct {
	Status   int           // of the answer, redirects included; 0: there was none, and Err says why
	Err      string        // one of the classes below; empty when there was an answer
	Duration time.Duration // real time the try took
}

// The classes of failure in Outcome.Err.
const (
	Timeout     = "timeout"            // no complete answer in time
	Canceled    = "canceled"           // the caller gave up, the receiver is not to blame
	Refused     = "refused address"    // not public, or not https, and Live is set
	NoRoute     = "unreachable"        // the network knows no way to the host
	NotAccepted = "connection refused" // nobody listens there
	Lost        = "connection lost"    // closed or reset before an answer
	NoName      = "dns"                // the host name leads nowhere
	BadTLS      = "tls"                // no trusted connection: certificate, name or protocol version
	BadProxy    = "proxy"              // the egress proxy does not let us through
	BadAnswer   = "bad answer"         // something that is not HTTP, or headers over the limit
	BadRequest  = "bad request"        // URL, id or secret is unusable; nothing was sent
)

// New returns a client. It fails only when EgressProxy is not an http or https URL.
func New(o Options) (*Client, error) {
	c := &Client{guarded: o.Live && !o.AllowPrivate, now: o.Now, timeout: o.Timeout, userAgent: o.UserAgent}
	if c.now == nil {
		c.now = time.Now
	}
	if c.timeout <= 0 {
		c.timeout = defaultTimeout
	}
	if c.userAgent == "" {
		c.userAgent = defaultUserAgent
	}
	dialer := &net.Dialer{Timeout: c.timeout, KeepAlive: 30 * time.Second}
	c.transport = &http.Transport{
		DialContext:            dialer.DialContext,
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12, ClientSessionCache: tls.NewLRUClientSessionCache(256)},
		TLSHandshakeTimeout:    c.timeout,
		ForceAttemptHTTP2:      true, // a DialContext of our own would switch it off
		HTTP2:                  &http.HTTP2Config{SendPingTimeout: c.timeout, PingTimeout: c.timeout / 2},
		MaxIdleConns:           2048,
		MaxIdleConnsPerHost:    256,
		IdleConnTimeout:        idleFor,
		MaxResponseHeaderBytes: maxHeaders,
		WriteBufferSize:        8 << 10, // headers and a usual result in one write
		DisableCompression:     true,    // the body is not used, so nothing is asked for and nothing unpacked
	}
	if o.EgressProxy != "" {
		return c, c.through(o.EgressProxy)
	}
	if c.guarded {
		dialer.Control = guard
	}
	return c, nil
}

// through sends everything by way of the proxy. The proxy itself usually has a private
// address, so the guard moves from our dialing to the proxy's: the target of each CONNECT.
func (c *Client) through(proxy string) error {
	u, err := url.Parse(proxy)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Hostname() == "" {
		return errors.New("the egress proxy must be an http or https URL") // the cause may hold its password
	}
	c.transport.Proxy = http.ProxyURL(u)
	c.transport.OnProxyConnectResponse = func(_ context.Context, _ *url.URL, _ *http.Request, answer *http.Response) error {
		if answer.StatusCode != http.StatusOK {
			return errProxy
		}
		return nil
	}
	if c.guarded {
		c.transport.GetProxyConnectHeader = func(ctx context.Context, _ *url.URL, target string) (http.Header, error) {
			ctx, cancel := context.WithTimeout(ctx, c.timeout)
			defer cancel()
			return nil, lookUpAndGuard(ctx, target)
		}
	}
	return nil
}

// Close drops the connections that are kept for later tries.
func (c *Client) Close() { c.transport.CloseIdleConnections() }

// Send makes one try and never more: redirects are results, and a request that may have
// reached the receiver is not repeated. The answer is its status; of the body at most 64 KiB
// are read, and a longer, slower or broken body changes nothing but costs the connection.
func (c *Client) Send(ctx context.Context, r Request) Outcome {
	start := time.Now()
	status, err := c.send(ctx, r)
	out := Outcome{Status: status, Duration: time.Since(start)}
	if err != nil {
		out.Err = class(ctx, err)
	}
	return out
}

func (c *Client) send(ctx context.Context, r Request) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	req, err := c.request(ctx, r)
	if err != nil {
		return 0, err
	}
	// The transport is called without an http.Client around it: no redirects, no cookies.
	answer, err := c.transport.RoundTrip(req)
	if err != nil {
		return 0, err
	}
	if !readOut(answer.Body) {
		cancel() // before Close, so that no version of net/http drains what is left
	}
	_ = answer.Body.Close()
	return answer.StatusCode, nil
}

func (c *Client) request(ctx context.Context, r Request) (*http.Request, error) {
	if len(r.URL) > maxURL || len(r.Secret) == 0 || !validID(r.ID) {
		return nil, errRequest
	}
	u, err := url.Parse(r.URL)
	if err != nil || u.Hostname() == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return nil, errRequest
	}
	if c.guarded && u.Scheme != "https" {
		return nil, errRefused
	}
	at := strconv.FormatInt(c.now().Unix(), 10)
	// The three names go out in lower case, as the convention prints them.
	header := http.Header{
		"Content-Type":      {"application/json; charset=utf-8"},
		"User-Agent":        {c.userAgent},
		"webhook-id":        {r.ID},
		"webhook-timestamp": {at},
		"webhook-signature": {sign(r.Secret, r.ID, at, r.Body)},
	}
	req := &http.Request{
		Method: http.MethodPost, URL: u, Host: u.Host, Header: header,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		ContentLength: int64(len(r.Body)),
		Body:          http.NoBody,
	}
	if len(r.Body) > 0 {
		// GetBody lets the transport take another connection when a kept one turns out to
		// be closed before anything was written to it.
		req.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(r.Body)), nil }
		req.Body, _ = req.GetBody()
	}
	if u.User != nil {
		password, _ := u.User.Password()
		req.SetBasicAuth(u.User.Username(), password)
	}
	return req.WithContext(ctx), nil
}

// validID keeps ids to what the signed text can hold unambiguously: the dot is its separator.
func validID(id string) bool {
	return id != "" && len(id) <= maxID && !strings.ContainsFunc(id, func(r rune) bool {
		return r <= ' ' || r > '~' || r == '.'
	})
}

var scratch = sync.Pool{New: func() any { return new([4 << 10]byte) }}

// readOut reads the body up to the limit and says whether it ended within.
func readOut(body io.Reader) bool {
	buffer := scratch.Get().(*[4 << 10]byte)
	defer scratch.Put(buffer)
	for left := maxAnswer; left >= 0; {
		n, err := body.Read(buffer[:])
		left -= n
		if err != nil {
			return err == io.EOF
		}
	}
	return false
}

// String keeps the proxy's password and everything else out of logs.
func (c *Client) String() string { return fmt.Sprintf("webhook client (guarded: %t)", c.guarded) }
