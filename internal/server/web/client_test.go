package web_test

import (
	"crypto/tls"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"
	"time"

	"vidimus/internal/server/web"
)

var proxies = web.Proxies{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}

func TestTheClientIsTheLastHopThatIsNoProxy(t *testing.T) {
	for _, c := range []struct {
		name, peer string
		hops       []string
		want       string
	}{
		{"no proxy", "192.0.2.1:80", nil, "192.0.2.1"},
		{"a stranger's word", "192.0.2.1:80", []string{"198.51.100.9"}, "192.0.2.1"},
		{"behind one proxy", "10.0.0.1:80", []string{"198.51.100.9"}, "198.51.100.9"},
		{"behind two proxies", "10.0.0.1:80", []string{"198.51.100.9, 10.0.0.2"}, "198.51.100.9"},
		{"what the client forged stands first", "10.0.0.1:80", []string{"203.0.113.7, 198.51.100.9"}, "198.51.100.9"},
		{"two headers", "10.0.0.1:80", []string{"203.0.113.7", "198.51.100.9"}, "198.51.100.9"},
		{"nonsense", "10.0.0.1:80", []string{"unknown"}, "10.0.0.1"},
		{"no header", "10.0.0.1:80", nil, "10.0.0.1"},
		{"IPv6", "[fd00::1]:80", []string{"2001:db8::7"}, "2001:db8::7"},
		{"IPv4 in IPv6", "[::ffff:10.0.0.1]:80", []string{"::ffff:198.51.100.9"}, "198.51.100.9"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodGet, "/", nil)
			r.RemoteAddr = c.peer
			r.Header["X-Forwarded-For"] = c.hops
			if got := proxies.Client(r).String(); got != c.want {
				t.Errorf("%s, expected %s", got, c.want)
			}
		})
	}
}

func TestOnlyATrustedProxySaysThatItWasHTTPS(t *testing.T) {
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.RemoteAddr = "192.0.2.1:80"
	r.Header.Set("X-Forwarded-Proto", "https")
	if proxies.Secure(r) {
		t.Error("a stranger was believed")
	}
	r.RemoteAddr = "10.0.0.1:80"
	if !proxies.Secure(r) {
		t.Error("the proxy was not believed")
	}
	r.Header.Set("X-Forwarded-Proto", "http")
	if proxies.Secure(r) {
		t.Error("plain HTTP to the proxy counts as HTTPS")
	}
	r.TLS = &tls.ConnectionState{}
	if !proxies.Secure(r) {
		t.Error("TLS to us does not count as HTTPS")
	}
}

func TestALimiterCountsByNetworkAndMinute(t *testing.T) {
	now := time.Date(2026, time.March, 9, 14, 0, 20, 0, time.UTC)
	l := web.NewLimiter(2, func() time.Time { return now })
	one, neighbour := netip.MustParseAddr("2001:db8:0:1::1"), netip.MustParseAddr("2001:db8:0:1:ffff::2")
	other, four := netip.MustParseAddr("2001:db8:0:2::1"), netip.MustParseAddr("192.0.2.1")
	for n, c := range []struct {
		who  netip.Addr
		want time.Duration
	}{{one, 0}, {neighbour, 0}, {one, 40 * time.Second}, {neighbour, 40 * time.Second}, {other, 0}, {four, 0}, {netip.Addr{}, 0}} {
		if got := l.Failed(c.who); got != c.want {
			t.Errorf("failure %d of %s: wait %s, expected %s", n, c.who, got, c.want)
		}
	}
	now = now.Add(40 * time.Second)
	if got := l.Failed(one); got != 0 {
		t.Errorf("in the next minute: wait %s", got)
	}
}
