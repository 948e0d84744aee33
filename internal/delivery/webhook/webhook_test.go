package webhook

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var testSecret = []byte("0123456789abcdef0123456789abcdef")

func client(t testing.TB, o Options) *Client {
	t.Helper()
	c, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func try(url string) Request {
	return Request{URL: url, Secret: testSecret, ID: "msg_1", Body: []byte(`{"a":"ä"}`)}
}

// got is an outcome without its duration, which no test can foresee.
func got(o Outcome) string { return fmt.Sprintf("%d %s", o.Status, o.Err) }

func serve(t testing.TB, h http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL
}

// raw is a server that talks without knowing HTTP. It says nothing when answer is empty and
// waits for the other side to leave.
func raw(t *testing.T, answer string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				_, _ = conn.Read(make([]byte, 4096))
				_, _ = io.WriteString(conn, answer)
				if answer == "" {
					_, _ = io.Copy(io.Discard, conn)
				}
				_ = conn.Close()
			}()
		}
	}()
	return "http://" + l.Addr().String()
}

func TestTryCarriesBodyAndSignedHeaders(t *testing.T) {
	type seen struct {
		Method, Path, Body string
		Length             int64
		Header             http.Header
	}
	var was seen
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		was = seen{r.Method, r.URL.RequestURI(), string(body), r.ContentLength, r.Header}
		w.WriteHeader(http.StatusNoContent)
	})
	at := time.Unix(1614265330, 0)
	c := client(t, Options{Now: func() time.Time { return at }, UserAgent: "test/1"})
	if o := c.Send(t.Context(), try(url+"/hook?x=1")); got(o) != "204 " {
		t.Fatalf("outcome %s", got(o))
	}
	want := seen{"POST", "/hook?x=1", `{"a":"ä"}`, 10, http.Header{
		"Content-Length":    {"10"},
		"Content-Type":      {"application/json; charset=utf-8"},
		"User-Agent":        {"test/1"},
		"Webhook-Id":        {"msg_1"},
		"Webhook-Timestamp": {"1614265330"},
		"Webhook-Signature": {Sign(testSecret, "msg_1", at, []byte(`{"a":"ä"}`))},
	}}
	if diff := cmp.Diff(want, was); diff != "" {
		t.Error(diff)
	}
}

func TestUserInURLBecomesBasicAuthentication(t *testing.T) {
	var user, password string
	url := serve(t, func(_ http.ResponseWriter, r *http.Request) { user, password, _ = r.BasicAuth() })
	c := client(t, Options{})
	if o := c.Send(t.Context(), try(strings.Replace(url, "http://", "http://me:p%40ss@", 1))); got(o) != "200 " {
		t.Fatalf("outcome %s", got(o))
	}
	if user != "me" || password != "p@ss" {
		t.Errorf("signed in as %q %q", user, password)
	}
}

func TestRedirectIsAResultAndNotFollowed(t *testing.T) {
	var calls atomic.Int32
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		calls.Add(1)
		http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
	})
	c := client(t, Options{})
	if o := c.Send(t.Context(), try(url)); got(o) != "307 " || calls.Load() != 1 {
		t.Errorf("outcome %s after %d calls", got(o), calls.Load())
	}
}

func TestCookiesAreNotKept(t *testing.T) {
	var cookies int
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		cookies += len(r.Cookies())
		http.SetCookie(w, &http.Cookie{Name: "a", Value: "b"})
	})
	c := client(t, Options{})
	for range 2 {
		if o := c.Send(t.Context(), try(url)); got(o) != "200 " {
			t.Fatalf("outcome %s", got(o))
		}
	}
	if cookies != 0 {
		t.Errorf("%d cookies came back", cookies)
	}
}

func TestEnvironmentNamesNoProxy(t *testing.T) {
	t.Setenv("HTTP_PROXY", "http://127.0.0.1:1")
	t.Setenv("http_proxy", "http://127.0.0.1:1")
	// net/http never uses the environment's proxy for loopback, so the setting itself is checked.
	if c := client(t, Options{}); c.transport.Proxy != nil {
		t.Error("the transport asks for a proxy")
	}
}

func TestEveryFailureHasItsClass(t *testing.T) {
	gone := raw(t, "x")
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = listener.Close()
	withTLS, _ := tlsServer(t, func(*httptest.Server) {})
	hang := raw(t, "")
	cases := []struct{ name, url, want string }{
		{"nobody-listens", "http://" + listener.Addr().String(), "0 connection refused"},
		{"no-such-name", "http://no-such-name.invalid/", "0 dns"},
		{"not-http", gone, "0 bad answer"},
		{"closed-without-answer", raw(t, "HTTP/1.1 200 OK\r\nX: y\r\n"), "0 connection lost"},
		{"headers-too-long", raw(t, "HTTP/1.1 200 OK\r\nX: "+strings.Repeat("a", 40<<10)+"\r\n\r\n"), "0 bad answer"},
		{"unknown-authority", withTLS.URL, "0 tls"},
		{"http-on-https", strings.Replace(hang, "http", "https", 1), "0 timeout"},
		{"https-meets-http", strings.Replace(serve(t, http.NotFound), "http", "https", 1), "0 tls"},
		{"hangs", hang, "0 timeout"},
		{"scheme", "ftp://example.com/", "0 bad request"},
		{"no-host", "http:///x", "0 bad request"},
		{"relative", "/x", "0 bad request"},
		{"not-a-url", "http://[::1", "0 bad request"},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			o := Options{}
			if strings.HasSuffix(tc.want, "timeout") {
				o.Timeout = 50 * time.Millisecond
			}
			if o := client(t, o).Send(t.Context(), try(tc.url)); got(o) != tc.want {
				t.Errorf("outcome %s, want %s", got(o), tc.want)
			}
		})
	}
}

func TestUnusableIDOrSecretSendsNothing(t *testing.T) {
	var calls atomic.Int32
	url := serve(t, func(http.ResponseWriter, *http.Request) { calls.Add(1) })
	c := client(t, Options{})
	for _, change := range []func(*Request){
		func(r *Request) { r.ID = "" },
		func(r *Request) { r.ID = "a.b" },
		func(r *Request) { r.ID = "a\r\nx: y" },
		func(r *Request) { r.ID = strings.Repeat("a", maxID+1) },
		func(r *Request) { r.Secret = nil },
		func(r *Request) { r.URL += "/" + strings.Repeat("a", maxURL) },
	} {
		r := try(url)
		change(&r)
		if o := c.Send(t.Context(), r); got(o) != "0 bad request" {
			t.Errorf("outcome %s", got(o))
		}
	}
	if calls.Load() != 0 {
		t.Errorf("%d calls", calls.Load())
	}
}

func TestCallerWhoGivesUpIsNotATimeout(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	url := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		cancel()
		<-r.Context().Done()
	})
	if o := client(t, Options{}).Send(ctx, try(url)); got(o) != "0 canceled" {
		t.Errorf("outcome %s", got(o))
	}
}

func TestLongBodyIsCutOffAndItsConnectionClosed(t *testing.T) {
	left := make(chan struct{})
	url := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		defer close(left)
		for {
			if _, err := w.Write(make([]byte, 32<<10)); err != nil {
				return
			}
		}
	})
	if o := client(t, Options{}).Send(t.Context(), try(url)); got(o) != "200 " {
		t.Errorf("outcome %s", got(o))
	}
	<-left
}

func TestStatusCountsEvenWhenTheBodyNeverEnds(t *testing.T) {
	url := raw(t, "HTTP/1.1 202 Accepted\r\nContent-Length: 10\r\n\r\nabc")
	if o := client(t, Options{}).Send(t.Context(), try(url)); got(o) != "202 " {
		t.Errorf("outcome %s", got(o))
	}
	stalls := serve(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.WriteHeader(http.StatusAccepted)
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	})
	if o := client(t, Options{Timeout: 100 * time.Millisecond}).Send(t.Context(), try(stalls)); got(o) != "202 " {
		t.Errorf("outcome %s", got(o))
	}
}

func TestConnectionIsKeptForTheNextTry(t *testing.T) {
	var opened atomic.Int32
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write(make([]byte, 60<<10))
	}))
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			opened.Add(1)
		}
	}
	s.Start()
	defer s.Close()
	c := client(t, Options{})
	for range 5 {
		if o := c.Send(t.Context(), try(s.URL)); got(o) != "200 " {
			t.Fatalf("outcome %s", got(o))
		}
	}
	if opened.Load() != 1 {
		t.Errorf("%d connections for five tries", opened.Load())
	}
}

func TestRequestThatMayHaveArrivedIsNotRepeated(t *testing.T) {
	var calls atomic.Int32
	url := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		if calls.Add(1) > 1 {
			panic(http.ErrAbortHandler)
		}
	})
	c := client(t, Options{})
	c.Send(t.Context(), try(url))
	if o := c.Send(t.Context(), try(url)); got(o) != "0 connection lost" || calls.Load() != 2 {
		t.Errorf("outcome %s after %d calls", got(o), calls.Load())
	}
}

func tlsServer(t *testing.T, change func(*httptest.Server)) (*httptest.Server, *x509.CertPool) {
	t.Helper()
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ProtoMajor == 2 {
			w.WriteHeader(http.StatusAccepted)
		}
	}))
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	change(s)
	s.StartTLS()
	t.Cleanup(s.Close)
	roots := x509.NewCertPool()
	roots.AddCert(s.Certificate())
	return s, roots
}

func TestHTTP2IsSpokenWhereOffered(t *testing.T) {
	s, roots := tlsServer(t, func(s *httptest.Server) { s.EnableHTTP2 = true })
	c := client(t, Options{})
	c.transport.TLSClientConfig.RootCAs = roots
	if o := c.Send(t.Context(), try(s.URL)); got(o) != "202 " {
		t.Errorf("outcome %s, want the 202 that the server gives to HTTP/2", got(o))
	}
}

func TestOldTLSIsRefused(t *testing.T) {
	s, roots := tlsServer(t, func(s *httptest.Server) {
		s.TLS = &tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}
	})
	c := client(t, Options{})
	c.transport.TLSClientConfig.RootCAs = roots
	if o := c.Send(t.Context(), try(s.URL)); got(o) != "0 tls" {
		t.Errorf("outcome %s", got(o))
	}
}

func TestClientPrintsNoSecret(t *testing.T) {
	c := client(t, Options{EgressProxy: "http://user:hidden@proxy.example:3128"})
	if text := fmt.Sprintf("%v %+v %s", c, c, c); strings.Contains(text, "hidden") {
		t.Error(text)
	}
	if _, err := New(Options{EgressProxy: "socks5://user:hidden@x"}); err == nil || strings.Contains(err.Error(), "hidden") {
		t.Errorf("error %v", err)
	}
}
